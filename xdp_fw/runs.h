/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_RUNS_H
#define XDP_FW_RUNS_H

/* The search of struct fw_runs_constants, for the BPF program and the loader's tests alike. */

#include <linux/types.h>

#include "match_abi.h"

/* 1: less than 0. Or a compiler makes a branch of it. */
static __always_inline __u32 fw_runs_sign(__u64 difference)
{
	asm volatile("" : "+r"(difference));
	return difference >> 63;
}

/* 1: @left < @right, by the borrow of their difference. */
static __always_inline __u32 fw_runs_below(__u64 left, __u64 right)
{
	return fw_runs_sign((~left & right) | ((~left | right) & (left - right)));
}

/*
 * Where to search for an address whose upper half is @upper; 0: no prefix is near it, and its class
 * is 0.
 */
static __always_inline __u32 fw_runs_begin(const volatile struct fw_runs_constants *constants,
					   const void *value, __u64 upper)
{
	const __u32 skip = constants->skip;
	__u32 inside = 1;

	if (skip)
		inside = fw_runs_sign(((upper ^ constants->common) >> (64 - skip)) - 1);
	return ((const __u16 *)value)[upper << skip >> constants->shift] & constants->mask &
	       -inside;
}

/* The run of @key, from @run on. @wide: ends are of 64 bits; known when compiling. */
static __always_inline __u32 fw_runs_search(const volatile struct fw_runs_constants *constants,
					    const void *value, _Bool wide, __u32 run, __u64 key)
{
	const void *ends = value + constants->ends;
	const __u32 levels = constants->levels;
	__u32 level, step, i, at, steps;

#pragma GCC unroll 16
	for (level = FW_RUNS_LEVELS_MAX; level; level--) {
		if (level > levels)
			continue;
		step = 1U << 2 * (level - 1);
		steps = 0;
#pragma GCC unroll 4
		for (i = 1; i < 4; i++) {
			at = run + i * step - 1;
			steps += fw_runs_sign(
				(wide ? ((const __u64 *)ends)[at] : ((const __u32 *)ends)[at]) -
				key);
		}
		run += step * steps;
	}
	return run;
}

static __always_inline __u32 fw_runs4(const volatile struct fw_runs_constants *constants,
				      const void *value, __u32 run, __u32 address)
{
	run = fw_runs_search(constants, value, 0, run, (__u32)(address << constants->skip));
	return ((const __u16 *)(value + constants->values))[run];
}

static __always_inline __u32 fw_runs6_low(const volatile struct fw_runs_constants *constants,
					  const void *value, __u32 run, __u64 lower)
{
	const __u64 *ends = value + constants->low_ends;
	const __u32 levels = constants->low_levels;
	__u32 level, step;

	run &= constants->low_mask;
#pragma GCC unroll 16
	for (level = FW_RUNS_LOW_MAX; level; level--) {
		if (level > levels)
			continue;
		step = 1U << (level - 1);
		run += step * fw_runs_below(ends[run + step - 1], lower);
	}
	return ((const __u16 *)(value + constants->low_classes))[run];
}

static __always_inline __u32 fw_runs6(const volatile struct fw_runs_constants *constants,
				      const void *value, __u32 run, __u64 upper, __u64 lower)
{
	run = fw_runs_search(constants, value, 1, run, upper << constants->skip << 1 >> 1);
	run = ((const __u16 *)(value + constants->values))[run];
	return constants->low_levels ? fw_runs6_low(constants, value, run, lower) : run;
}

#endif
