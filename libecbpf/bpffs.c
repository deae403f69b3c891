// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Where bpffs is, and mounting one where there is none. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "internal.h"

#define BPFFS_DEFAULT "/sys/fs/bpf"

static bool is_bpffs(const char *path)
{
	struct statfs info;

	return !statfs(path, &info) && (unsigned long)info.f_type == BPF_FS_MAGIC;
}

/* Parent of process @pid, 0 if that can't be told. */
static pid_t parent_of(pid_t pid)
{
	char path[64], line[512], *end;
	FILE *file;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* "PID (NAME) STATE PPID ...", where NAME can hold anything. */
	if (fgets(line, sizeof(line), file)) {
		end = strrchr(line, ')');
		if (!end || sscanf(end + 1, " %*c %d", &parent) != 1)
			parent = 0;
	}
	fclose(file);
	return parent;
}

/*
 * The bpffs that who started us sees: 'ip netns exec' gives each command mounts of its own, with
 * a fresh /sys that has no bpffs.
 */
static const char *inherited_bpffs(void)
{
	static char path[64];
	pid_t pid;

	for (pid = getppid(); pid > 0; pid = parent_of(pid)) {
		snprintf(path, sizeof(path), "/proc/%d/root" BPFFS_DEFAULT, pid);
		if (is_bpffs(path))
			return path;
	}
	return NULL;
}

const char *ecbpf_bpffs(void)
{
	const char *path = getenv("ECBPF_BPFFS");

	if (path && *path)
		return path;
	path = is_bpffs(BPFFS_DEFAULT) ? NULL : inherited_bpffs();
	return path ? path : BPFFS_DEFAULT;
}

/* Whether what we mount goes when we end: our mounts are not those of who started us. */
static bool mounts_are_private(void)
{
	struct stat own, parents;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", getppid());
	return !stat("/proc/self/ns/mnt", &own) && !stat(path, &parents) &&
	       own.st_ino != parents.st_ino;
}

int ecbpf_bpffs_ready(void)
{
	const char *path = ecbpf_bpffs();

	if (is_bpffs(path))
		return 0;
	if (mount("bpf", path, "bpf", 0, "mode=0700")) {
		int err = -errno;

		return ecbpf_fail(err == -EPERM ? err : -ENOENT,
				  "%s: no bpffs there and mounting one failed (%s); run 'mount -t "
				  "bpf bpf %s' as root",
				  path, strerror(-err), path);
	}
	if (mounts_are_private())
		ecbpf_log(
			ECBPF_LOG_WARNING,
			"%s: mounted bpffs for this mount namespace only: what is attached goes when "
			"the namespace ends; mount it outside to keep it",
			path);
	return 0;
}
