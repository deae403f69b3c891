/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <endian.h>
#include <string.h>

#include "table.h"
#include "table4_search.h"
#include "table6_search.h"

struct table_memory {
	const struct table_layout *layout;
	void *const *data;
};

static inline const void *table_value(const void *memory, enum table_map map, __u32 index)
{
	const struct table_memory *tables = memory;
	const struct table_array_size *size = &tables->layout->map[map];

	if (index >= size->max_entries)
		return NULL;
	return (const char *)tables->data[map] + (size_t)index * size->value_size;
}

__u32 table_find(const struct table_layout *layout, void *const memory[TABLE_MAPS],
		 const struct prefix *address)
{
	const struct table_memory tables = { .layout = layout, .data = memory };
	const struct table_source source = { .value = table_value, .memory = &tables };
	__u64 halves[2];

	memcpy(halves, address->addr, sizeof(halves));
	halves[0] = be64toh(halves[0]);
	halves[1] = be64toh(halves[1]);
	if (address->family == 4)
		return table4_search(&layout->v4, &source, halves[0] >> 32);
	return table6_search(&layout->v6, &source, halves[0], halves[1]);
}
