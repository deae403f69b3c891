// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A subprogram as users write them: drops what goes to one port. */
#define ECBPF_SLOT 3
#include <ecbpf/subprogram.bpf.h>

const volatile __u16 dropped_port = 0;

ECBPF_SUBPROGRAM(test_ports_that_are_dropped)
{
	if (packet->flags & ECBPF_PORTS && packet->dport == bpf_htons(dropped_port))
		return ecbpf_verdict(ctx, packet, XDP_DROP, ECBPF_REASON_USER_0);
	return ecbpf_next(ctx, packet);
}

char _license[] SEC("license") = "Dual BSD/GPL";
