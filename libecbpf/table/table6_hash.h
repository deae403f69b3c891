/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE6_HASH_H
#define ECBPF_TABLE6_HASH_H

#include <linux/types.h>

/* Of the `depth` leading bits of an address; its topmost bits choose a word of v6_filter. */
static inline __u64 table6_hash(__u64 high, __u32 depth)
{
	return ((high >> (64 - depth)) + depth) * 0x9e3779b97f4a7c15ULL;
}

/* The n-th bit in that word: from the bits of the hash that follow those (64 - shift of them). */
static inline __u32 table6_hash_bit(__u64 hash, __u32 shift, __u32 n)
{
	return hash >> (shift - 6 * (n + 1)) & 63;
}

#endif
