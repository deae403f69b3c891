/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FILTER_TABLE6_BPF_H
#define XDP_FILTER_TABLE6_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "table6_search.h"
#include "table_map.bpf.h"

TABLE_MAP(v6_filter);
TABLE_MAP(v6_index);
TABLE_MAP(v6_leaves);
TABLE_MAP(v6_hints);
TABLE_MAP(v6_low);

const volatile struct table6_constants table6;

static __always_inline const void *table6_value(const void *memory, enum table_map map, __u32 index)
{
	(void)memory;
	switch (map) {
	case TABLE_V6_FILTER:
		return bpf_map_lookup_elem(&v6_filter, &index);
	case TABLE_V6_INDEX:
		return bpf_map_lookup_elem(&v6_index, &index);
	case TABLE_V6_LEAVES:
		return bpf_map_lookup_elem(&v6_leaves, &index);
	case TABLE_V6_HINTS:
		return bpf_map_lookup_elem(&v6_hints, &index);
	default:
		return bpf_map_lookup_elem(&v6_low, &index);
	}
}

/* `address`: four words in network order; the answer as in table_abi.h; `expect` as in table_source.h. */
static __always_inline __u32 table6_lookup(const __be32 *address,
					   void (*expect)(const void *memory, __u32 id))
{
	const struct table_source source = { .value = table6_value, .expect = expect };

	return table6_search(&table6, &source,
			     (__u64)bpf_ntohl(address[0]) << 32 | bpf_ntohl(address[1]),
			     (__u64)bpf_ntohl(address[2]) << 32 | bpf_ntohl(address[3]));
}

#endif
