/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What udp_drop's BPF program and its loader share. */
#ifndef UDP_DROP_H
#define UDP_DROP_H

#include <linux/types.h>

/* Value of the map "config". */
struct udp_drop_config {
	__be16 port;
};

#endif
