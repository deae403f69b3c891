// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Passes everything: keeps XDP enabled on drivers that reset their rings when it goes. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int xdp_nop_prog(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
