/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What tcp_counter's BPF programs and its user side share. */
#ifndef TCP_COUNTER_H
#define TCP_COUNTER_H

#include <linux/types.h>

#define COUNTER_DIRECTIONS 2
#define COUNTER_FAMILIES   2

enum counter_direction {
	COUNTER_ACTIVE,
	COUNTER_PASSIVE,
};

enum counter_family {
	COUNTER_IPV4,
	COUNTER_IPV6,
};

/* Per CPU: connections that were established. */
struct counter_counts {
	__u64 established[COUNTER_DIRECTIONS][COUNTER_FAMILIES];
};

#endif
