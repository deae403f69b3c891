// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Slot 6: the smallest subprogram. Tells the trace pipe of packets, and lets them all go on. */
#define ECBPF_SLOT ECBPF_SLOT_PRINTK
#include <ecbpf/subprogram.bpf.h>

#include "xdp_printk.h"

/* Lines in a second and CPU. */
const volatile __u32 printk_rate = PRINTK_RATE_DEFAULT;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct printk_budget);
} budget SEC(".maps");

/* Whether this CPU has a line left in this second. */
static __always_inline _Bool printk_may(void)
{
	__u64 second = bpf_ktime_get_ns() / 1000000000;
	struct printk_budget *value;
	__u32 zero = 0;

	value = bpf_map_lookup_elem(&budget, &zero);
	if (!value)
		return 0;
	if (value->second != second) {
		value->second = second;
		value->printed = 0;
	}
	if (value->printed >= printk_rate) {
		value->suppressed++;
		return 0;
	}
	value->printed++;
	return 1;
}

ECBPF_SUBPROGRAM(xdp_printk_prog)
{
	/* Kernel 5.10 prints three values a line and knows no %pI4. */
	if (printk_may())
		bpf_printk("xdp_printk: IPv%u protocol %u from %x", packet->family,
			   packet->protocol, bpf_ntohl(packet->saddr[0]));
	return ecbpf_next(ctx, packet);
}

char _license[] SEC("license") = "Dual BSD/GPL";
