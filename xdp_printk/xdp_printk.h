/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What xdp_printk's BPF program and its loader share. */
#ifndef XDP_PRINTK_H
#define XDP_PRINTK_H

#include <linux/types.h>

#define PRINTK_RATE_DEFAULT 10

/* Value of the per-CPU "budget". */
struct printk_budget {
	/* Of CLOCK_MONOTONIC. */
	__u64 second;
	__u32 printed;
	__u32 reserved;
	/* Packets without a line, since it was attached. */
	__u64 suppressed;
};

#endif
