/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE4_SEARCH_H
#define ECBPF_TABLE4_SEARCH_H

/*
 * The IPv4 look-up, compiled into the BPF program and into the loader's tests alike.
 */

#include "table_source.h"
#include "table_touch.h"

/* A leaf is mostly this near behind the word that refers to it. */
#define TABLE4_NEAR_WORDS 12U

/* Words of a cell or of a value of the pool; an index is masked so that it stays within. */
struct table4_words {
	const __u32 *words;
	__u32 mask;
};

static __always_inline __u32 table4_popcount(__u64 bits)
{
	bits -= bits >> 1 & 0x5555555555555555;
	bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return bits * 0x0101010101010101 >> 56;
}

/* Bits set in `bits` below bit `position` (0 to 63) and at it. */
static __always_inline __u32 table4_rank(__u64 bits, __u32 position)
{
	return table4_popcount(bits & ((2ULL << position) - 1));
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

static __always_inline __u32 table4_word(const struct table4_words *from, __u32 index)
{
	return from->words[index & from->mask];
}

/* 1: neither `first` nor one of the `more` addresses behind it. */
static __always_inline __u32 table4_outside(__u32 byte, __u32 first, __u32 more)
{
	return (more - ((byte - first) & 0xff)) >> 31;
}

static __always_inline __u32 table4_leaf(const struct table4_words *from, __u32 index, __u32 kind,
					 __u32 byte)
{
	__u32 first = table4_word(from, index), second = table4_word(from, index + 1);
	__u64 ends;

	if (kind == TABLE4_RANGE)
		return table4_word(from, index + 1 + table4_outside(byte, first, first >> 8));
	/* A small leaf lacks the second word: all ones there are ends that no byte is above. */
	ends = (__u64)(second | (kind - TABLE4_MEDIUM)) << 32 | first;
	return table4_word(from, index + kind + table4_count_below(ends, byte));
}

static __always_inline __u32 table4_cell_range(const struct table4_words *from, __u32 word,
					       __u32 byte)
{
	__u32 outside = table4_outside(byte, word >> TABLE4_RANGE_FIRST_SHIFT,
				       word >> TABLE4_RANGE_MORE_SHIFT & 0xff);
	__u32 answer = table4_word(from, word + outside);

	return word & TABLE4_RANGE_ELSEWHERE ? answer : answer & (outside - 1);
}

static __always_inline __u32 table4_large(const struct table_source *source, const __u32 *pool,
					  __u32 index, __u32 byte)
{
	const struct table4_large *large;

	if (index > TABLE4_POOL_WORDS - TABLE4_LARGE_WORDS)
		return 0;
	large = (const void *)(pool + index);
	index = large->before + large->rank[byte >> 5] +
		table4_rank(large->starts[byte >> 5], byte & 31);
	pool = table4_pool(source, index);
	return pool ? pool[index & (TABLE4_POOL_WORDS - 1)] : 0;
}

static __always_inline __u32 table4_pool_leaf(const struct table_source *source, __u32 word,
					      __u32 byte)
{
	__u32 kind = word >> TABLE4_KIND_SHIFT & 3;
	__u32 index = word & TABLE4_INDEX_MASK;
	struct table4_words from = { table4_pool(source, index), TABLE4_POOL_WORDS - 1 };

	if (!from.words)
		return 0;
	if (kind == TABLE4_LARGE)
		return table4_large(source, from.words, index & from.mask, byte);
	return table4_leaf(&from, index, kind, byte);
}

static __always_inline __u32 table4_bit(const __u32 *bits, __u32 index)
{
	return bits[index >> 5] >> (index & 31) & 1;
}

/* Whether the list has an answer for any address of the /24. */
static __always_inline __u32 table4_filter(const volatile struct table4_constants *constants,
					   const struct table_source *source, __u32 address)
{
	const __u32 *bits = source->value(source->memory, TABLE_V4_BITS, 0);
	__u32 coarse_shift = constants->coarse_shift;

	if (!bits)
		return 0;
	if (constants->exact)
		return table4_bit(bits, address >> coarse_shift);
	if (coarse_shift && !table4_bit(bits + TABLE4_BITS_WORDS, address >> coarse_shift))
		return 0;
	return table4_bit(bits, address >> 8);
}

static __always_inline __u32 table4_search(const volatile struct table4_constants *constants,
					   const struct table_source *source, __u32 address)
{
	const struct table4_cell *cell;
	struct table4_words from;
	__u32 index, word;

	if (!constants->used || !table4_filter(constants, source, address))
		return 0;
	cell = source->value(source->memory, TABLE_V4_CELLS, address >> 14);
	if (!cell)
		return 0;
	from.words = (const __u32 *)cell;
	from.mask = constants->cell_words - 1;
	index = table4_rank(cell->starts, address >> 8 & 63) - 1;
	if (index < constants->cell_words - TABLE4_CELL_HEAD) {
		word = table4_word(&from, TABLE4_CELL_HEAD + index);
	} else {
		const __u32 *pool;

		index += cell->before;
		pool = table4_pool(source, index);
		if (!pool)
			return 0;
		table_touch(&pool[(index + TABLE4_NEAR_WORDS) & (TABLE4_POOL_WORDS - 1)]);
		word = pool[index & (TABLE4_POOL_WORDS - 1)];
	}
	if (!(word & TABLE4_LEAF))
		return word;
	if (!(word & TABLE4_IN_CELL))
		return table4_pool_leaf(source, word, address & 0xff);
	if ((word >> TABLE4_KIND_SHIFT & 3) == TABLE4_RANGE)
		return table4_cell_range(&from, word, address & 0xff);
	return table4_leaf(&from, word & from.mask, word >> TABLE4_KIND_SHIFT & 3, address & 0xff);
}

#endif
