// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a capture tool puts into a hook, without anything of this suite's. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

const volatile __u32 hook_action = XDP_PASS;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

SEC("xdp")
int harness_hook_prog(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *count;

	(void)ctx;
	count = bpf_map_lookup_elem(&seen, &zero);
	if (count)
		(*count)++;
	return hook_action;
}

char _license[] SEC("license") = "Dual BSD/GPL";
