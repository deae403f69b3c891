// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Root: parses each packet once, for the slots that are occupied, and runs these. */
#define ECBPF_SLOT ECBPF_SLOT_ROOT
#include <ecbpf/subprogram.bpf.h>

SEC("xdp")
int xdp_root_prog(struct xdp_md *ctx)
{
	struct ecbpf_percpu *percpu = ecbpf_percpu_get();
	struct ecbpf_packet *packet;

	if (!percpu)
		return XDP_PASS;
	packet = &percpu->packet;
	if (ecbpf_unlikely(!ecbpf_control.occupied) && ecbpf_is_untagged_ip(ctx)) {
		packet->flags = 0;
		return ecbpf_verdict(ctx, packet, XDP_PASS, ECBPF_REASON_NO_OPINION);
	}
	if (ecbpf_unlikely(!ecbpf_parse(ctx, packet)))
		return ecbpf_verdict(ctx, packet, XDP_PASS, ECBPF_REASON_NOT_IP);
	return ecbpf_next(ctx, packet);
}

char _license[] SEC("license") = "Dual BSD/GPL";
