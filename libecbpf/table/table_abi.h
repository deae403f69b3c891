/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE_ABI_H
#define ECBPF_TABLE_ABI_H

/* What the builder of the source tables and the BPF look-ups share. */

#include <linux/types.h>

/*
 * A look-up's answer: 0 when the list has nothing against the address; else the id of the longest
 * entry that covers it, with TABLE_WALK when some entry of its chain can expire and the caller has
 * to walk the chain.
 */
#define TABLE_WALK    (1U << 31)
#define TABLE_ID_MASK 0xffffffU
#define TABLE_ID_MAX  TABLE_ID_MASK

enum table_map {
	TABLE_V4_BITS,
	TABLE_V4_CELLS,
	TABLE_V4_POOL,
	TABLE_V6_FILTER,
	TABLE_V6_INDEX,
	TABLE_V6_LEAVES,
	TABLE_V6_HINTS,
	TABLE_V6_LOW,
	TABLE_MAPS,
};

/* The loader copies these into .rodata before load, where the verifier takes them for constants. */
struct table4_constants {
	__u32 used; /* 0: the table is empty */
	__u32 coarse_shift; /* address >> this: its bit in the second bitmap; 0: there is none */
	__u32 exact; /* the second bitmap is the only one */
	__u32 cell_words; /* words of 32 bits in a cell, its head among them: 4, 8 or 16 */
};

struct table6_constants {
	__u32 root[2]; /* words for the halves below and above 8000::; both 0: the table is empty */
	__u32 probes; /* what the filter is asked for, TABLE6_PROBE_…; 0: no filter */
	__u32 filter_shift; /* 64 minus the log2 of the filter's words of 64 bits */
	__u32 index_shift; /* log2 of the index nodes in one value of v6_index */
	__u32 lows; /* leaves have lows[] */
	__u32 hints; /* there is v6_hints */
};

/*
 * IPv4
 *
 * v4_bits (one value): a bit per /24, set where any address of it has an answer; behind that, where
 *	the list is short enough, the same for larger blocks, which fit into the cache. Of a list so
 *	short that these stop nearly all other addresses, they are all that there is.
 * v4_cells: for each 64 /24s, at which of them a run of equal /24s starts, then the first of the
 *	block's words. A /24 whose bit in v4_bits is clear belongs to any run; where there are no
 *	such bits, to one of its own, whose answer is 0.
 * v4_pool: what of each block doesn't go into its cell.
 *
 * A block has a word for each run: an answer, or a reference to a leaf, for a /24 that is cut
 * further; then the leaves. Large cells spare an access, small ones memory.
 */
#define TABLE4_BITS_WORDS (1U << 19)
#define TABLE4_BITS_MAX	  (TABLE4_BITS_WORDS + (TABLE4_BITS_WORDS >> 2))
#define TABLE4_CELLS	  (1U << 18)
#define TABLE4_CELL_MAX	  16U /* words */
/* In one value; a leaf doesn't cross values, but for the answers of a large one. */
#define TABLE4_POOL_WORDS 1024U

/* The words behind this are those with the indexes 0, 1 … of the block. */
struct table4_cell {
	__u64 starts; /* bit i: a run starts at the i-th /24 */
	__u32 before; /* the word with index i that isn't in the cell is in the pool at before + i */
};

#define TABLE4_CELL_HEAD 3U /* words */

/* A word that refers to a leaf: kind, and its place in the cell or in the pool. */
#define TABLE4_LEAF	  (1U << 30)
#define TABLE4_IN_CELL	  (1U << 29)
#define TABLE4_KIND_SHIFT 24
#define TABLE4_INDEX_MASK 0xffffffU

/*
 * A range in a cell has its first address and its length - 1 in the word that refers to it, and is but
 * two answers, or one where that elsewhere is 0.
 */
#define TABLE4_RANGE_FIRST_SHIFT 16
#define TABLE4_RANGE_MORE_SHIFT	 8
#define TABLE4_RANGE_ELSEWHERE	 (1U << 7)

enum table4_kind {
	TABLE4_RANGE, /* first address | (length - 1) << 8; the answer within, the answer elsewhere */
	TABLE4_SMALL, /* ends of 4 runs in a word, then 5 answers at most */
	TABLE4_MEDIUM, /* ends of 8 runs in two words, then 9 answers at most */
	TABLE4_LARGE, /* struct table4_large, then answers, which may cross values; never in a cell */
};

/* Bit i: a run starts at address i; bit 0 is set. */
struct table4_large {
	__u32 starts[8];
	__u32 before; /* pool index of the word before the first answer */
	__u8 rank[8]; /* bits set in the words before */
};

#define TABLE4_LARGE_WORDS 11U

/*
 * IPv6
 *
 * v6_filter (one value): hashed marks of prefixes by their leading bits; tells most addresses that
 *	nothing covers from the others without a search.
 * v6_index, v6_leaves: search trees over 64-bit keys, 16 branches wide. One (in two halves) is over
 *	the upper half of addresses; others over the lower half, below a /64 that is cut further.
 *	A tree's index nodes lie in one value of v6_index.
 * v6_hints: for each leaf, an id that is mostly at most TABLE_EXPECTED below its answers. What belongs
 *	to an answer is far from it in memory; with a hint both are fetched at the same time. Lists that
 *	aren't longer than TABLE6_HINTS_FROM have none: their hit counters stay in the cache.
 * v6_low: below a /64 that is cut into more than one: a few prefixes, tried one by one, or the
 *	two halves of a tree.
 *
 * A tree covers half of the 64-bit keys, those with the same top bit: within that half the sign of
 * a difference of two keys tells which is larger, without a branch.
 */
#define TABLE6_FANOUT	  16U
#define TABLE6_HINTS	  1024U /* in one value */
#define TABLE6_HINTS_FROM 65536U
#define TABLE_EXPECTED	  15U
#define TABLE6_DEPTH_MAX  6U
#define TABLE6_CHAIN_MAX  32U

/*
 * The filter's marks, bits of table6_constants.probes. Every prefix is marked by its first 64, 48,
 * 32 or 16 bits; one that is shorter than that, for every block of so many bits in it. All but
 * those marked by 16 bits have another mark by 32, so that an address in a /32 without entries
 * costs one access.
 */
#define TABLE6_PROBE_16 1U
#define TABLE6_PROBE_32 2U
#define TABLE6_PROBE_48 4U
#define TABLE6_PROBE_64 8U

/*
 * Words. An answer has in its bits 24 to 29 the span of the run that it stands in: the log2 of its
 * length; behind that, up to the next key, nothing is listed.
 */
#define TABLE6_SPAN_SHIFT 24
#define TABLE6_SPAN_MASK  63U
#define TABLE6_INDEX_MASK 0xffffffU

/* A root word that is no answer: index of the root (a node; at depth 0 a leaf), depth as span. */
#define TABLE6_TREE (1U << 30)

/*
 * A leaf's word for one /64 that is cut further. With an id: one prefix, the span is its own, its
 * lower half in lows[]; next to it nothing is listed. Without: lows[] refers to v6_low.
 */
#define TABLE6_LOW_SHIFT 30
#define TABLE6_LOW	 (1U << TABLE6_LOW_SHIFT)
#define TABLE6_LOW_PAIR	 (1ULL << 32) /* the reference is to a pair of roots, no chain */

struct table6_node {
	__u64 child; /* index of the first child: a node, or on the last level a leaf */
	__u64 keys[TABLE6_FANOUT - 1]; /* first keys of the other children */
};

/* Without lows[] where no /64 is cut further. */
struct table6_leaf {
	__u64 keys[TABLE6_FANOUT];
	__u32 words[TABLE6_FANOUT];
	__u64 lows[TABLE6_FANOUT];
};

struct table6_low {
	__u64 key;
	__u32 inside; /* answer within the span from key; or root of the lower half */
	__u32 outside; /* elsewhere: an answer, or TABLE6_LOW: see the next one; or upper root */
};

#endif
