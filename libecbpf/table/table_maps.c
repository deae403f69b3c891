// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "table_maps.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define VARIABLE ".bss"

const char *const table_map_names[TABLE_MAPS] = {
	[TABLE_V4_BITS] = VARIABLE,    [TABLE_V4_CELLS] = "v4_cells",
	[TABLE_V4_POOL] = "v4_pool",   [TABLE_V6_FILTER] = "v6_filter",
	[TABLE_V6_INDEX] = "v6_index", [TABLE_V6_LEAVES] = "v6_leaves",
	[TABLE_V6_HINTS] = "v6_hints", [TABLE_V6_LOW] = "v6_low",
};

/*
 * libbpf 1.1 can't size the map of a variable, and would copy the variable there. BTF says another
 * size: none for this map.
 */
static int replace_variable(struct bpf_map *map, const struct table_array_size *size)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, TABLE_VARIABLE, sizeof(__u32), size->value_size,
				size->max_entries, &options);
	int err;

	if (fd < 0)
		return fd;
	err = bpf_map__reuse_fd(map, fd);
	close(fd);
	return err;
}

int table_maps_size(struct bpf_object *object, const char *const names[TABLE_MAPS],
		    const struct table_layout *layout)
{
	int i, err = 0;

	for (i = 0; i < TABLE_MAPS && !err; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, names[i]);

		if (!map)
			return -ENOENT;
		if (!strcmp(names[i], VARIABLE))
			err = replace_variable(map, &layout->map[i]);
		else
			err = bpf_map__set_value_size(map, layout->map[i].value_size) ?:
				      bpf_map__set_max_entries(map, layout->map[i].max_entries);
	}
	return err;
}

int table_maps_open(const struct bpf_object *object, const char *const names[TABLE_MAPS],
		    struct table_maps *maps)
{
	int i, err = 0;

	memset(maps, 0, sizeof(*maps));
	for (i = 0; i < TABLE_MAPS && !err; i++) {
		err = map_view_open(bpf_object__find_map_fd_by_name(object, names[i]), true,
				    &maps->views[i]);
		maps->memory[i] = maps->views[i].data;
	}
	if (err)
		table_maps_close(maps);
	return err;
}

void table_maps_close(struct table_maps *maps)
{
	int i;

	for (i = 0; i < TABLE_MAPS; i++)
		map_view_close(&maps->views[i]);
}

int table_maps_fill(const struct bpf_object *object, const char *const names[TABLE_MAPS],
		    struct table *table)
{
	struct table_maps maps;
	int err;

	err = table_maps_open(object, names, &maps);
	if (err)
		return err;
	err = table_fill(table, maps.memory);
	table_maps_close(&maps);
	return err;
}
