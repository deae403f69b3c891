// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Programs and one-value maps, by descriptor or pin: that needs no CAP_SYS_ADMIN. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <ecbpf/tool.h>

#include "internal.h"

uint32_t ecbpf_program_id(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) ? 0 : info.id;
}

uint32_t ecbpf_pinned_program_id(const char *folder, const char *name)
{
	CLEANUP_FD int fd = ecbpf_pin_open(folder, name);

	return fd < 0 ? 0 : ecbpf_program_id(fd);
}

/* ns since the Unix epoch; the kernel keeps CLOCK_BOOTTIME. */
uint64_t ecbpf_program_loaded(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return 0;
	return ecbpf_clock(CLOCK_REALTIME) - ecbpf_clock(CLOCK_BOOTTIME) + info.load_time;
}

/* The map's only value, whose size may differ from ours if another version made it. */
int ecbpf_map_read(int fd, void *value, size_t size)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info), zero = 0;
	CLEANUP_FREE void *whole = NULL;

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	whole = malloc(info.value_size);
	if (!whole)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, whole))
		return -errno;
	memset(value, 0, size);
	memcpy(value, whole, size < info.value_size ? size : info.value_size);
	return 0;
}

int ecbpf_map_write(int fd, const void *value)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(fd, &zero, value, BPF_ANY) ? -errno : 0;
}

int ecbpf_pinned_map_read(const char *folder, const char *name, void *value, size_t size)
{
	CLEANUP_FD int fd = ecbpf_pin_open(folder, name);

	return fd < 0 ? fd : ecbpf_map_read(fd, value, size);
}

/* Pin a new map that holds just @value. */
int ecbpf_pin_value(const char *folder, const char *name, const void *value, size_t size)
{
	CLEANUP_FD int fd = -1;
	char map_name[16];
	int err;

	snprintf(map_name, sizeof(map_name), "ecbpf_%s", name);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, map_name, sizeof(uint32_t), size, 1, NULL);
	if (fd < 0)
		return ecbpf_fail_kernel(-errno, "%s/%s: creating a map failed", folder, name);
	err = ecbpf_map_write(fd, value);
	if (err)
		return ecbpf_fail_kernel(err, "%s/%s: writing the map failed", folder, name);
	return ecbpf_pin_over(fd, folder, name);
}
