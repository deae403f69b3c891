/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE_TOUCH_H
#define ECBPF_TABLE_TOUCH_H

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
