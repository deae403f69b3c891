// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Pins of network namespaces that are gone: nobody can reach them by name any more, and they hold
 * memory. A folder goes only if its link is dead and no process or mount has the namespace.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <bpf/bpf.h>

#include "internal.h"

#define NAMED_NAMESPACES "/run/netns"

static bool same_namespace(const char *path, unsigned long long inode)
{
	struct stat info;

	return !stat(path, &info) && info.st_ino == inode;
}

/* Whether any entry of @folder, with @suffix behind its name, is that namespace. */
static bool found_in(const char *folder, const char *suffix, unsigned long long inode)
{
	char path[ECBPF_PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *entries = opendir(folder);

	while (entries && !found && (entry = readdir(entries))) {
		snprintf(path, sizeof(path), "%s/%s%s", folder, entry->d_name, suffix);
		found = entry->d_name[0] != '.' && same_namespace(path, inode);
	}
	if (entries)
		closedir(entries);
	return found;
}

static void remove_if_dead(const char *path)
{
	CLEANUP_FD int folder = -1;
	unsigned int ifindex;

	if (ecbpf_link_ifindex(path, &ifindex) || ifindex)
		return;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || flock(folder, LOCK_EX | LOCK_NB))
		return;
	if (!ecbpf_folder_remove(path))
		ecbpf_log(ECBPF_LOG_DEBUG, "%s: removed, its network namespace is gone", path);
}

static void sweep_namespace(const char *path, unsigned long long inode)
{
	char folder[ECBPF_PATH_MAX];
	struct dirent *entry;
	DIR *entries;

	if (found_in(NAMED_NAMESPACES, "", inode) || found_in("/proc", "/ns/net", inode))
		return;
	entries = opendir(path);
	while (entries && (entry = readdir(entries)))
		if (entry->d_name[0] != '.' && !ecbpf_path(folder, path, entry->d_name))
			remove_if_dead(folder);
	if (entries)
		closedir(entries);
	rmdir(path);
}

void ecbpf_pins_sweep(void)
{
	char own[ECBPF_PATH_MAX], path[ECBPF_PATH_MAX], *end;
	unsigned long long inode;
	struct dirent *entry;
	DIR *entries;

	if (ecbpf_pins_netns_path(own))
		return;
	*strrchr(own, '/') = '\0';
	entries = opendir(own);
	while (entries && (entry = readdir(entries))) {
		inode = strtoull(entry->d_name, &end, 10);
		if (inode && !*end && !same_namespace("/proc/self/ns/net", inode) &&
		    !ecbpf_path(path, own, entry->d_name))
			sweep_namespace(path, inode);
	}
	if (entries)
		closedir(entries);
}
