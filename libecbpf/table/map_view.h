/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* An array map seen as memory. */
#ifndef ECBPF_MAP_VIEW_H
#define ECBPF_MAP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @data: values side by side, each of a multiple of 8 octets. */
struct map_view {
	void *data;
	size_t bytes;
	uint32_t value_size;
	uint32_t entries;
};

/* Map @fd, of a BPF_F_MMAPABLE array. Return: -errno. */
int map_view_open(int fd, bool writable, struct map_view *view);
void map_view_close(struct map_view *view);

#endif
