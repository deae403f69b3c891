/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The table's arrays as BPF maps. */
#ifndef ECBPF_TABLE_MAPS_H
#define ECBPF_TABLE_MAPS_H

#include "map_view.h"
#include "table.h"

struct bpf_object;

/* Name of the one map that is a variable, and so isn't pinned with the others. */
#define TABLE_VARIABLE "v4_bits"

/* What an object with one table calls its maps; the first is the section of a variable. */
extern const char *const table_map_names[TABLE_MAPS];

/* Gives each map the size that its array needs, before @object is loaded. Return: -errno. */
int table_maps_size(struct bpf_object *object, const char *const names[TABLE_MAPS],
		    const struct table_layout *layout);

/* The arrays of an object that is loaded, as memory. */
struct table_maps {
	struct map_view views[TABLE_MAPS];
	void *memory[TABLE_MAPS];
};

/* Return: -errno, with nothing open. */
int table_maps_open(const struct bpf_object *object, const char *const names[TABLE_MAPS],
		    struct table_maps *maps);
void table_maps_close(struct table_maps *maps);

/* Writes the arrays into the maps of @object, which is loaded. Return: -errno. */
int table_maps_fill(const struct bpf_object *object, const char *const names[TABLE_MAPS],
		    struct table *table);

#endif
