/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the wrapper writes into a frame of TCP, in network order. */
#ifndef BENCH_DRAW_H
#define BENCH_DRAW_H

#include <linux/types.h>

struct draw {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__be16 window;
	__u8 ttl;
	__u8 flags;
	__u8 protocol;
	__u8 reserved[3];
};

#endif
