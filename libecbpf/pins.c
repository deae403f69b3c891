// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The pin folder: where things are, and how they get there and away. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>

#include "internal.h"

#define PINS_FOLDER "ecbpf"

/* bpffs refuses dots; interface names never hold a colon (kernel dev_valid_name()). */
#define DOT_STORED ':'

int ecbpf_path(char *path, const char *folder, const char *name)
{
	int length = snprintf(path, ECBPF_PATH_MAX, "%s/%s", folder, name);

	return length < ECBPF_PATH_MAX ? 0 : -ENAMETOOLONG;
}

int ecbpf_pins_netns_path(char *path)
{
	struct stat netns;

	if (stat("/proc/self/ns/net", &netns))
		return ecbpf_fail(-errno, "/proc/self/ns/net: %s", strerror(errno));
	snprintf(path, ECBPF_PATH_MAX, "%s/" PINS_FOLDER "/%llu", ecbpf_bpffs(),
		 (unsigned long long)netns.st_ino);
	return 0;
}

int ecbpf_pins_interface_path(const char *name, char *path)
{
	char component[IF_NAMESIZE], folder[ECBPF_PATH_MAX];
	size_t i;
	int err;

	err = ecbpf_pins_netns_path(folder);
	if (err)
		return err;
	snprintf(component, sizeof(component), "%s", name);
	for (i = 0; component[i]; i++)
		if (component[i] == '.')
			component[i] = DOT_STORED;
	return ecbpf_path(path, folder, component);
}

void ecbpf_pins_interface_name(const char *component, char *name)
{
	size_t i;

	snprintf(name, IF_NAMESIZE, "%s", component);
	for (i = 0; name[i]; i++)
		if (name[i] == DOT_STORED)
			name[i] = '.';
}

/* A folder that its group may write passes that on to what is made in it. */
static void share_with_group(const char *folder, const char *path, mode_t mode)
{
	struct stat info;

	if (!stat(folder, &info) && info.st_mode & S_IWGRP && !(info.st_mode & S_IWOTH) &&
	    (chown(path, -1, info.st_gid) || chmod(path, mode)))
		ecbpf_log(ECBPF_LOG_DEBUG, "%s: %s", path, strerror(errno));
}

int ecbpf_folder_make(const char *path)
{
	char parent[ECBPF_PATH_MAX];
	char *slash;
	int err;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return -ENOENT;
	*slash = '\0';
	if (mkdir(path, 0700)) {
		if (errno == EEXIST)
			return 0;
		if (errno != ENOENT)
			return -errno;
		err = ecbpf_folder_make(parent);
		return err ? err : ecbpf_folder_make(path);
	}
	share_with_group(parent, path, 0770);
	return 0;
}

int ecbpf_pin(int fd, const char *folder, const char *name)
{
	char path[ECBPF_PATH_MAX];
	int err;

	err = ecbpf_path(path, folder, name);
	if (err)
		return err;
	if (bpf_obj_pin(fd, path))
		return ecbpf_fail_kernel(-errno, "%s: pinning failed", path);
	share_with_group(folder, path, 0660);
	return 0;
}

int ecbpf_pin_over(int fd, const char *folder, const char *name)
{
	char path[ECBPF_PATH_MAX], next[ECBPF_PATH_MAX], temporary[NAME_MAX];
	int err;

	snprintf(temporary, sizeof(temporary), "%s" ECBPF_NEXT, name);
	err = ecbpf_path(path, folder, name) ?: ecbpf_path(next, folder, temporary);
	if (err)
		return err;
	if (unlink(next) && errno != ENOENT)
		return -errno;
	err = ecbpf_pin(fd, folder, temporary);
	if (err)
		return err;
	if (rename(next, path)) {
		err = -errno;
		unlink(next);
		return ecbpf_fail_kernel(err, "%s: renaming failed", path);
	}
	return 0;
}

int ecbpf_pin_open(const char *folder, const char *name)
{
	char path[ECBPF_PATH_MAX];
	int fd, err;

	err = ecbpf_path(path, folder, name);
	if (err)
		return err;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

/* One that isn't there is as good as removed. */
int ecbpf_pin_remove(const char *folder, const char *name)
{
	char path[ECBPF_PATH_MAX];
	int err;

	err = ecbpf_path(path, folder, name);
	if (!err && unlink(path) && errno != ENOENT)
		err = -errno;
	return err ? ecbpf_fail_kernel(err, "%s/%s: removing failed", folder, name) : 0;
}

static int remove_children(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	struct dirent *entry;
	DIR *children;

	if (copy < 0)
		return -errno;
	children = fdopendir(copy);
	if (!children) {
		err = -errno;
		close(copy);
		return err;
	}
	while (!err && (entry = readdir(children))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (entry->d_type == DT_DIR) {
			CLEANUP_FD int child =
				openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			err = child < 0 ? -errno : remove_children(child);
			if (!err && unlinkat(folder, entry->d_name, AT_REMOVEDIR))
				err = -errno;
		} else if (unlinkat(folder, entry->d_name, 0)) {
			err = -errno;
		}
	}
	closedir(children);
	return err;
}

int ecbpf_folder_empty(const char *path)
{
	CLEANUP_FD int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (folder < 0)
		return errno == ENOENT ? 0 : -errno;
	err = remove_children(folder);
	return err ? ecbpf_fail_kernel(err, "%s: removing pins failed", path) : 0;
}

int ecbpf_folder_remove(const char *path)
{
	int err = ecbpf_folder_empty(path);

	if (!err && rmdir(path) && errno != ENOENT)
		err = ecbpf_fail_kernel(-errno, "%s: removing pins failed", path);
	return err;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Numbers N of the folders PREFIX-N below @path, rising; returns how many. */
int ecbpf_folder_numbers(const char *path, const char *prefix, uint32_t **numbers)
{
	size_t length = strlen(prefix), count = 0;
	uint32_t *list = NULL, *grown;
	struct dirent *entry;
	DIR *folder;
	char *end;

	folder = opendir(path);
	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		unsigned long number;

		if (strncmp(entry->d_name, prefix, length) || entry->d_name[length] != '-')
			continue;
		number = strtoul(entry->d_name + length + 1, &end, 10);
		if (*end || !number || number > UINT32_MAX)
			continue;
		grown = realloc(list, (count + 1) * sizeof(*list));
		if (!grown) {
			free(list);
			closedir(folder);
			return -ENOMEM;
		}
		list = grown;
		list[count++] = number;
	}
	closedir(folder);
	if (count)
		qsort(list, count, sizeof(*list), compare_numbers);
	*numbers = list;
	return count;
}
