// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The filter's look-ups alone: each run answers the next of the addresses in "lookups". */
#include <stddef.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../../xdp_filter/table4.bpf.h"
#include "../../xdp_filter/table6.bpf.h"
#include "table_lookup.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct table_lookup);
	__uint(max_entries, TABLE_LOOKUPS);
} lookups SEC(".maps");

/* Not in .bss, which is the table's. */
__u32 next SEC(".data.next");

SEC("xdp")
int table_lookup_prog(struct xdp_md *ctx)
{
	struct table_lookup *lookup;
	__u32 index = next++;

	(void)ctx;
	lookup = bpf_map_lookup_elem(&lookups, &index);
	if (!lookup)
		return XDP_ABORTED;
	if (lookup->family == 4)
		lookup->answer = table4_lookup(lookup->address[0]);
	else
		lookup->answer = table6_lookup(lookup->address, NULL);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
