/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FILTER_TABLE4_BPF_H
#define XDP_FILTER_TABLE4_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "table4_search.h"
#include "table_map.bpf.h"

/*
 * Most packets need no more than this: a variable takes no look-up, which is a dozen instructions.
 * It is all that is in .bss; the loader puts a map of the size that the table needs there.
 */
__u32 v4_bits[TABLE4_BITS_MAX];

TABLE_MAP(v4_cells);
TABLE_MAP(v4_pool);

const volatile struct table4_constants table4;

static __always_inline const void *table4_value(const void *memory, enum table_map map, __u32 index)
{
	(void)memory;
	switch (map) {
	case TABLE_V4_BITS:
		return v4_bits;
	case TABLE_V4_CELLS:
		return bpf_map_lookup_elem(&v4_cells, &index);
	default:
		return bpf_map_lookup_elem(&v4_pool, &index);
	}
}

/* `address` in network order; the answer as in table_abi.h. */
static __always_inline __u32 table4_lookup(__be32 address)
{
	const struct table_source source = { .value = table4_value };

	return table4_search(&table4, &source, bpf_ntohl(address));
}

#endif
