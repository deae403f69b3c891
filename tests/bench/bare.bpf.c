// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The least that an XDP program can do: what everything else is compared with. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int bare_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("xdp")
int bare_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SEC("xdp")
int bare_tx(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_TX;
}

char _license[] SEC("license") = "Dual BSD/GPL";
