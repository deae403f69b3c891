// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Pins are found by the interface's name. One that was renamed goes on under its link: its pins
 * follow it, and are nobody's else who gets the old name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "internal.h"

bool ecbpf_pins_renamed(const char *folder, const char *name, char *now)
{
	struct ecbpf_interface_meta meta;
	unsigned int ifindex;

	if (ecbpf_pinned_map_read(folder, ECBPF_META_PIN, &meta, sizeof(meta)) || !meta.ifindex ||
	    !if_indextoname(meta.ifindex, now) || !strcmp(now, name))
		return false;
	return !ecbpf_link_ifindex(folder, &ifindex) && ifindex == meta.ifindex;
}

/* Not while a loader is at work on them. */
static void follow(const char *from, const char *name, const char *now)
{
	CLEANUP_FD int folder = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char to[ECBPF_PATH_MAX];

	if (folder < 0 || flock(folder, LOCK_EX | LOCK_NB) || ecbpf_pins_interface_path(now, to) ||
	    rename(from, to))
		return;
	ecbpf_log(ECBPF_LOG_INFO, "%s: was renamed from %s; its pins follow", now, name);
}

/* Calls @visit for the folder of each renamed interface, until it returns true. */
static void each_renamed(bool (*visit)(const char *folder, const char *name, const char *now,
				       void *context),
			 void *context)
{
	char path[ECBPF_PATH_MAX], folder[ECBPF_PATH_MAX], name[IF_NAMESIZE], now[IF_NAMESIZE];
	struct dirent *entry;
	bool done = false;
	DIR *entries;

	if (ecbpf_pins_netns_path(path))
		return;
	entries = opendir(path);
	while (entries && !done && (entry = readdir(entries))) {
		if (entry->d_name[0] == '.' || ecbpf_path(folder, path, entry->d_name))
			continue;
		ecbpf_pins_interface_name(entry->d_name, name);
		if (ecbpf_pins_renamed(folder, name, now))
			done = visit(folder, name, now, context);
	}
	if (entries)
		closedir(entries);
}

static bool follow_one(const char *folder, const char *name, const char *now, void *context)
{
	(void)context;
	follow(folder, name, now);
	return false;
}

void ecbpf_pins_follow(void)
{
	each_renamed(follow_one, NULL);
}

struct search {
	const char *name;
	char *path;
};

static bool is_wanted(const char *folder, const char *name, const char *now, void *context)
{
	struct search *search = context;

	(void)name;
	if (strcmp(now, search->name) != 0)
		return false;
	snprintf(search->path, ECBPF_PATH_MAX, "%s", folder);
	return true;
}

void ecbpf_pins_find(const char *name, char *path)
{
	struct search search = { name, path };

	each_renamed(is_wanted, &search);
}
