/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the matcher reads in the kernel. */
#ifndef XDP_FW_MAPS_BPF_H
#define XDP_FW_MAPS_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "match.h"
#include "table_map.bpf.h"

/* Copied from the compiler; what is 0 here is no code there. */
const volatile struct fw_tables fw_tables = {};

TABLE_MAP(classes);
TABLE_MAP(from_classes);
TABLE_MAP(to_classes);
TABLE_MAP(from_runs4);
TABLE_MAP(to_runs4);
TABLE_MAP(from_runs6);
TABLE_MAP(to_runs6);
TABLE_MAP(aggregates);
TABLE_MAP(vectors);
TABLE_MAP(entries);

#define FW_ADDRESS_MAPS(side)                                                                   \
	TABLE_MAP(side##_v4_bits);                                                              \
	TABLE_MAP(side##_v4_cells);                                                             \
	TABLE_MAP(side##_v4_pool);                                                              \
	TABLE_MAP(side##_v6_filter);                                                            \
	TABLE_MAP(side##_v6_index);                                                             \
	TABLE_MAP(side##_v6_leaves);                                                            \
	TABLE_MAP(side##_v6_hints);                                                             \
	TABLE_MAP(side##_v6_low);                                                               \
                                                                                                \
	static __always_inline const void *side##_value(const void *memory, enum table_map map, \
							__u32 index)                            \
	{                                                                                       \
		(void)memory;                                                                   \
		switch (map) {                                                                  \
		case TABLE_V4_BITS:                                                             \
			return bpf_map_lookup_elem(&side##_v4_bits, &index);                    \
		case TABLE_V4_CELLS:                                                            \
			return bpf_map_lookup_elem(&side##_v4_cells, &index);                   \
		case TABLE_V4_POOL:                                                             \
			return bpf_map_lookup_elem(&side##_v4_pool, &index);                    \
		case TABLE_V6_FILTER:                                                           \
			return bpf_map_lookup_elem(&side##_v6_filter, &index);                  \
		case TABLE_V6_INDEX:                                                            \
			return bpf_map_lookup_elem(&side##_v6_index, &index);                   \
		case TABLE_V6_LEAVES:                                                           \
			return bpf_map_lookup_elem(&side##_v6_leaves, &index);                  \
		default:                                                                        \
			return bpf_map_lookup_elem(&side##_v6_low, &index);                     \
		}                                                                               \
	}

FW_ADDRESS_MAPS(from)
FW_ADDRESS_MAPS(to)

static __always_inline const void *fw_map_value(const void *memory, enum fw_map map, __u32 index)
{
	(void)memory;
	switch (map) {
	case FW_MAP_CLASSES:
		return bpf_map_lookup_elem(&classes, &index);
	case FW_MAP_SOURCES:
		return bpf_map_lookup_elem(&from_classes, &index);
	case FW_MAP_DESTINATIONS:
		return bpf_map_lookup_elem(&to_classes, &index);
	case FW_MAP_SOURCE_RUNS4:
		return bpf_map_lookup_elem(&from_runs4, &index);
	case FW_MAP_DESTINATION_RUNS4:
		return bpf_map_lookup_elem(&to_runs4, &index);
	case FW_MAP_SOURCE_RUNS6:
		return bpf_map_lookup_elem(&from_runs6, &index);
	case FW_MAP_DESTINATION_RUNS6:
		return bpf_map_lookup_elem(&to_runs6, &index);
	case FW_MAP_AGGREGATES:
		return bpf_map_lookup_elem(&aggregates, &index);
	case FW_MAP_VECTORS:
		return bpf_map_lookup_elem(&vectors, &index);
	default:
		return bpf_map_lookup_elem(&entries, &index);
	}
}

#define FW_KERNEL_SOURCE                                                \
	{                                                               \
		.value = fw_map_value, .from = { .value = from_value }, \
		.to = { .value = to_value },                            \
	}

#endif
