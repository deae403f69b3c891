// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Control groups of version 2, wherever they are mounted. */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include <ecbpf/host.h>

#include "internal.h"

static int find_root(char *path)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	bool found = false;

	while (mounts && !found && (mount = getmntent(mounts))) {
		found = !strcmp(mount->mnt_type, "cgroup2");
		if (found)
			snprintf(path, ECBPF_PATH_MAX, "%s", mount->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	if (found)
		return 0;
	return ecbpf_fail(-ENOENT, "no cgroup2 is mounted; run 'mount -t cgroup2 none FOLDER', or "
				   "name one");
}

int ecbpf_cgroup_open(const char *path, uint64_t *id)
{
	char root[ECBPF_PATH_MAX];
	struct statfs filesystem;
	struct stat info;
	int fd, err;

	if (!path) {
		err = find_root(root);
		if (err)
			return err;
		path = root;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return ecbpf_fail(-errno, "%s: %m", path);
	if (fd < 0)
		return ecbpf_fail(-ENODEV, "%s: %m; name the folder of a control group", path);
	if (fstatfs(fd, &filesystem) || (unsigned long)filesystem.f_type != CGROUP2_SUPER_MAGIC ||
	    fstat(fd, &info)) {
		close(fd);
		return ecbpf_fail(-EINVAL,
				  "%s: not a control group of version 2; see 'findmnt -t cgroup2'",
				  path);
	}
	/* On 64-bit kernels from 5.5 on the inode is the id. */
	if (id)
		*id = info.st_ino;
	return fd;
}
