/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FILTER_TABLE4_SEARCH_H
#define XDP_FILTER_TABLE4_SEARCH_H

/*
 * The IPv4 look-up, compiled into the BPF program and into the loader's tests alike.
 */

#include "table_source.h"
#include "table_touch.h"

/* A leaf is mostly this near behind the word that refers to it. */
#define TABLE4_NEAR_WORDS 12U

static __always_inline __u32 table4_popcount(__u32 bits)
{
	bits -= bits >> 1 & 0x55555555;
	bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f;
	return bits * 0x01010101 >> 24;
}

/* Bits set in `bits` from bit 0 up to and including bit `position` (0 to 31). */
static __always_inline __u32 table4_rank(__u32 bits, __u32 position)
{
	return table4_popcount(bits & (__u32)((2ULL << position) - 1));
}

/* How many of the eight bytes of `ends` are below `byte`: four lanes of 16 bits at a time. */
static __always_inline __u32 table4_count_below(__u64 ends, __u64 byte)
{
	const __u64 ones = 0x0001000100010001ULL;
	__u64 least = byte * ones + 0xff * ones;
	__u64 even = least - (ends & 0xff * ones);
	__u64 odd = least - (ends >> 8 & 0xff * ones);

	return (((even >> 8 & ones) + (odd >> 8 & ones)) * ones) >> 48;
}

static __always_inline const __u32 *table4_pool(const struct table_source *source, __u32 index)
{
	return source->value(source->memory, TABLE_V4_POOL, index / TABLE4_POOL_WORDS);
}

static __always_inline __u32 table4_leaf(const struct table_source *source, __u32 word, __u32 byte)
{
	const __u32 last = TABLE4_POOL_WORDS - 1;
	__u32 kind = word >> TABLE4_KIND_SHIFT & 3;
	__u32 index = word & TABLE4_INDEX_MASK;
	const __u32 *pool = table4_pool(source, index);
	__u64 ends;

	if (!pool)
		return 0;
	if (kind == TABLE4_LARGE) {
		const struct table4_large *large;
		__u32 at = index & last;

		if (at > TABLE4_POOL_WORDS - TABLE4_LARGE_WORDS)
			return 0;
		large = (const void *)(pool + at);
		index = large->before + large->rank[byte >> 5] +
			table4_rank(large->starts[byte >> 5], byte & 31);
		pool = table4_pool(source, index);
		return pool ? pool[index & last] : 0;
	}
	/* A small leaf lacks the second word: all ones there are ends that no byte is above. */
	ends = (__u32)(pool[(index + 1) & last] | (kind - TABLE4_MEDIUM));
	ends = ends << 32 | pool[index & last];
	return pool[(index + kind + table4_count_below(ends, byte)) & last];
}

static __always_inline __u32 table4_bit(const __u32 *bits, __u32 index)
{
	return bits[index >> 5] >> (index & 31) & 1;
}

static __always_inline __u32 table4_search(const volatile struct table4_constants *constants,
					   const struct table_source *source, __u32 address)
{
	__u32 coarse_shift = constants->coarse_shift;
	const struct table4_cell *cell;
	const __u32 *pool;
	const __u32 *bits;
	__u32 index;

	if (!constants->used)
		return 0;
	bits = source->value(source->memory, TABLE_V4_BITS, 0);
	if (!bits)
		return 0;
	if (coarse_shift && !table4_bit(bits + TABLE4_BITS_WORDS, address >> coarse_shift))
		return 0;
	if (!table4_bit(bits, address >> 8))
		return 0;
	cell = source->value(source->memory, TABLE_V4_CELLS, 0);
	if (!cell)
		return 0;
	cell += address >> 13;
	index = cell->before + table4_rank(cell->starts, address >> 8 & 31);
	pool = table4_pool(source, index);
	if (!pool)
		return 0;
	table_touch(&pool[(index + TABLE4_NEAR_WORDS) & (TABLE4_POOL_WORDS - 1)]);
	index = pool[index & (TABLE4_POOL_WORDS - 1)];
	return index & TABLE4_LEAF ? table4_leaf(source, index, address & 0xff) : index;
}

#endif
