/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FILTER_TABLE_TOUCH_H
#define XDP_FILTER_TABLE_TOUCH_H

#include <linux/types.h>

/*
 * Starts the fetch of a cache line whose place is known before what is needed of it: BPF has no
 * prefetch, but a load that nothing waits for.
 */
static __always_inline void table_touch(const void *word)
{
	(void)*(const volatile __u32 *)word;
}

#endif
