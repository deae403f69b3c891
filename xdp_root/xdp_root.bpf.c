// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Root: parses each packet once, for the slots that are occupied, and runs these. */
#define ECBPF_SLOT ECBPF_SLOT_ROOT
#include <ecbpf/subprogram.bpf.h>

/* Whether no slot will look: none is occupied, or the sampler's alone, which waits for a later packet. */
static __always_inline _Bool nobody_looks(struct xdp_md *ctx, struct ecbpf_packet *packet)
{
	__u32 occupied = ecbpf_control.occupied;

	if (ecbpf_likely(occupied & ~(1U << ECBPF_SLOT_SAMPLER)) || !ecbpf_is_untagged_ip(ctx))
		return 0;
	return !occupied || ecbpf_sampler_waits(packet);
}

SEC("xdp")
int xdp_root_prog(struct xdp_md *ctx)
{
	struct ecbpf_percpu *percpu = ecbpf_percpu_get();
	struct ecbpf_packet *packet;

	if (!percpu)
		return XDP_PASS;
	packet = &percpu->packet;
	if (nobody_looks(ctx, packet)) {
		packet->flags = 0;
		return ecbpf_verdict(ctx, packet, XDP_PASS, ECBPF_REASON_NO_OPINION);
	}
	if (ecbpf_unlikely(!ecbpf_parse(ctx, packet)))
		return ecbpf_verdict(ctx, packet, XDP_PASS, ECBPF_REASON_NOT_IP);
	return ecbpf_next(ctx, packet);
}

char _license[] SEC("license") = "Dual BSD/GPL";
