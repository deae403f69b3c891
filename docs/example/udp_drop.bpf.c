// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Slot 3: drops datagrams to one UDP port. */
#define ECBPF_SLOT 3
#include <ecbpf/subprogram.bpf.h>

#include "udp_drop.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct udp_drop_config);
	__uint(max_entries, 1);
} config SEC(".maps");

ECBPF_SUBPROGRAM(udp_drop_prog)
{
	const struct udp_drop_config *wanted;
	__u32 zero = 0;

	if (!(packet->flags & ECBPF_PORTS) || packet->protocol != IPPROTO_UDP)
		return ecbpf_next(ctx, packet);
	wanted = bpf_map_lookup_elem(&config, &zero);
	if (!wanted || packet->dport != wanted->port)
		return ecbpf_next(ctx, packet);
	bpf_debug("dropping a datagram to port %d", bpf_ntohs(packet->dport));
	return ecbpf_verdict(ctx, packet, XDP_DROP, ECBPF_REASON_USER_0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
