// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Network namespaces, by the names that people have for them, and all that there are. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/nsfs.h>

#include <ecbpf/host.h>

#include "internal.h"

#define OWN	   "/proc/self/ns/net"
#define NAMED	   "/run/netns"
#define SEEN_FIRST 64

/* 0; -ENODEV: it is none; or why that can't be told. */
static int read_inode(const char *path, uint32_t *inode)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat info;

	if (fd < 0)
		return errno == EACCES || errno == EPERM ? -errno : -ENODEV;
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &info))
		return -ENODEV;
	*inode = info.st_ino;
	return 0;
}

int ecbpf_netns_find(const char *text, uint32_t *inode)
{
	char path[ECBPF_PATH_MAX];
	char end;
	int err;

	if (sscanf(text, "net:[%" SCNu32 "]%c", inode, &end) == 1)
		return 0;
	if (strchr(text, '/'))
		snprintf(path, sizeof(path), "%s", text);
	else if (text[strspn(text, "0123456789")] == '\0')
		snprintf(path, sizeof(path), "/proc/%s/ns/net", text);
	else
		snprintf(path, sizeof(path), NAMED "/%s", text);
	err = *text ? read_inode(path, inode) : -ENODEV;
	if (err == -ENODEV)
		return ecbpf_fail(-ENODEV,
				  "network namespace '%s': there is none; give a name of 'ip "
				  "netns', a process id, a path, or net:[INODE]",
				  text);
	return err ? ecbpf_fail(err, "network namespace '%s': %s; run as root", text,
				strerror(-err)) :
		     0;
}

/**
 * struct walk - over namespaces
 * @left_out: could not be entered
 * @hidden: of some processes it can't be told where they are
 */
struct walk {
	ino_t *seen;
	size_t count;
	size_t room;
	int left_out;
	bool hidden;
	int (*callback)(uint32_t inode, void *context);
	void *context;
};

/* Whether it is new, and now noted. */
static bool note(struct walk *walk, ino_t inode)
{
	ino_t *seen;
	size_t i;

	for (i = 0; i < walk->count; i++)
		if (walk->seen[i] == inode)
			return false;
	if (walk->count == walk->room) {
		walk->room = walk->room ? 2 * walk->room : SEEN_FIRST;
		seen = realloc(walk->seen, walk->room * sizeof(*seen));
		if (!seen)
			return false;
		walk->seen = seen;
	}
	walk->seen[walk->count++] = inode;
	return true;
}

static int visit(struct walk *walk, const char *path)
{
	CLEANUP_FD int fd = -1;
	struct stat info;

	if (stat(path, &info)) {
		walk->hidden |= errno == EACCES;
		return 0;
	}
	if (!note(walk, info.st_ino))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET)) {
		/* One of another kind, or a file that is none any more. */
		if (errno == EINVAL)
			return 0;
		walk->left_out++;
		return 0;
	}
	return walk->callback(info.st_ino, walk->context);
}

static int visit_processes(struct walk *walk)
{
	char path[ECBPF_PATH_MAX];
	struct dirent *entry;
	DIR *entries = opendir("/proc");
	int err = 0;

	while (entries && !err && (entry = readdir(entries))) {
		if (entry->d_name[strspn(entry->d_name, "0123456789")])
			continue;
		snprintf(path, sizeof(path), "/proc/%s/ns/net", entry->d_name);
		err = visit(walk, path);
	}
	if (entries)
		closedir(entries);
	return err;
}

/* A namespace's name is a mount of it. */
static int visit_names(struct walk *walk)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	int err = 0;

	while (mounts && !err && (mount = getmntent(mounts)))
		if (!strcmp(mount->mnt_type, "nsfs"))
			err = visit(walk, mount->mnt_dir);
	if (mounts)
		endmntent(mounts);
	return err;
}

int ecbpf_netns_each(int (*callback)(uint32_t inode, void *context), void *context)
{
	struct walk walk = { .callback = callback, .context = context };
	CLEANUP_FD int own = open(OWN, O_RDONLY | O_CLOEXEC);
	struct stat info;
	int err;

	if (own < 0 || fstat(own, &info))
		return ecbpf_fail(-errno, OWN ": %m");
	note(&walk, info.st_ino);
	err = callback(info.st_ino, context);
	if (!err)
		err = visit_processes(&walk);
	if (!err)
		err = visit_names(&walk);
	free(walk.seen);
	/* Without the capability none was left either. */
	if (setns(own, CLONE_NEWNET) && errno != EPERM)
		return ecbpf_fail(-errno, "going back to " OWN ": %m");
	return err < 0 ? err : walk.left_out + walk.hidden;
}
