/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_LIMIT_H
#define XDP_FW_LIMIT_H

#include "xdp_fw.h"

/*
 * A token bucket as one time: that at which the next packet would come if all kept to the rate
 * (GCRA). A packet may come ahead of it by what the burst allows, @tolerance ns. Compiled into the
 * BPF program and into the evaluator.
 */
static __always_inline _Bool fw_bucket_take(struct fw_bucket *bucket, __u64 now, __u64 interval,
					    __u64 tolerance)
{
	__u64 due = bucket->due;

	if (due < now)
		due = now;
	if (due - now > tolerance)
		return 0;
	bucket->due = due + interval;
	return 1;
}

#endif
