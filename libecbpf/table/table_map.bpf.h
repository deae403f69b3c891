/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE_MAP_BPF_H
#define ECBPF_TABLE_MAP_BPF_H

#include "table_abi.h"

/*
 * The loader sets value size and entries of each from the table's layout, and fills it through
 * mmap(). Given by size and not by type: BTF of another size would be refused.
 */
#define TABLE_MAP(map_name)                        \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, 1);            \
		__uint(key_size, sizeof(__u32));   \
		__uint(value_size, 8);             \
	} map_name SEC(".maps")

/* What the loader alone sizes and fills in the same way, by type. */
#define TABLE_ARRAY(map_name, value_type)          \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, 1);            \
		__type(key, __u32);                \
		__type(value, value_type);         \
	} map_name SEC(".maps")

#endif
