/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A clock for intervals. */
#ifndef ECBPF_CLOCK_H
#define ECBPF_CLOCK_H

#include <stdint.h>

#include <ecbpf/tool.h>

#define NS_PER_S INT64_C(1000000000)

/* ns, unaffected by whoever sets the time of day. */
static inline int64_t monotonic_now(void)
{
	return ecbpf_clock(CLOCK_MONOTONIC);
}

#endif
