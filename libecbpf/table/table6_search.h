/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE6_SEARCH_H
#define ECBPF_TABLE6_SEARCH_H

/*
 * The IPv6 look-up, compiled into the BPF program and into the loader's tests alike.
 */

#include "table6_hash.h"
#include "table_source.h"
#include "table_touch.h"

static __always_inline __u32 table6_answer(__u32 word)
{
	return word & (TABLE_WALK | TABLE_ID_MASK);
}

/* How many of keys[1] to keys[15] are at most `key`: in steps of four, then within the four. */
static __always_inline __u32 table6_rank(const __u64 *keys, __u64 key)
{
	__u64 above = key + 1;
	__u32 rank;

	rank = (keys[4] - above) >> 63;
	rank += (keys[8] - above) >> 63;
	rank += (keys[12] - above) >> 63;
	rank *= 4;
	keys += rank;
	rank += (keys[1] - above) >> 63;
	rank += (keys[2] - above) >> 63;
	rank += (keys[3] - above) >> 63;
	return rank;
}

static __always_inline __u32 table6_within(__u64 distance, __u32 word)
{
	return !(distance >> (word >> TABLE6_SPAN_SHIFT & TABLE6_SPAN_MASK));
}

/* Where a search is for, then what it found besides a word. */
struct table6_key {
	__u64 key;
	__u64 low; /* lower half of the address, where the key is the upper one */
	__u64 reference; /* of a TABLE6_LOW word without an id */
};

/* A word of TABLE6_LOW without an id refers to v6_low. */
static __always_inline __u32 table6_refers(const volatile struct table6_constants *constants,
					   __u32 word)
{
	return constants->lows && word & TABLE6_LOW && !(word & TABLE_ID_MASK);
}

static __always_inline void table6_expect(const volatile struct table6_constants *constants,
					  const struct table_source *source, __u32 leaf)
{
	const __u32 *hints;

	if (!constants->hints || !source->expect)
		return;
	hints = source->value(source->memory, TABLE_V6_HINTS, leaf / TABLE6_HINTS);
	if (hints)
		source->expect(source->memory, hints[leaf % TABLE6_HINTS]);
}

/*
 * The word for a key. Whether one /64 is cut further is arithmetic and no branch, which would be
 * guessed wrongly for every other of the addresses that are listed.
 */
static __always_inline __u32 table6_leaf_find(const volatile struct table6_constants *constants,
					      const struct table_source *source, __u32 index,
					      struct table6_key *key)
{
	const struct table6_leaf *leaf = source->value(source->memory, TABLE_V6_LEAVES, index);
	__u64 distance, lower, outside = 0;
	__u32 rank, word;

	if (!leaf)
		return 0;
	table_touch(leaf->words);
	if (constants->lows) {
		table_touch(&leaf->lows[0]);
		table_touch(&leaf->lows[TABLE6_FANOUT / 2]);
	}
	table6_expect(constants, source, index);
	rank = table6_rank(leaf->keys, key->key) & (TABLE6_FANOUT - 1);
	word = leaf->words[rank];
	distance = key->key - leaf->keys[rank];
	if (constants->lows) {
		key->reference = leaf->lows[rank];
		lower = -(__u64)(word >> TABLE6_LOW_SHIFT & 1);
		outside = distance & lower;
		distance ^= (distance ^ (key->low - key->reference)) & lower;
		if (table6_refers(constants, word))
			return outside ? 0 : word;
	}
	outside |= distance >> (word >> TABLE6_SPAN_SHIFT & TABLE6_SPAN_MASK);
	return outside ? 0 : word;
}

/* `root`: an answer, or a tree that covers the key. */
static __always_inline __u32 table6_descend(const volatile struct table6_constants *constants,
					    const struct table_source *source, __u32 root,
					    struct table6_key *key)
{
	__u32 depth = root >> TABLE6_SPAN_SHIFT & TABLE6_SPAN_MASK;
	__u32 node = root & TABLE6_INDEX_MASK;
	const struct table6_node *nodes;
	__u32 level;

	if (!(root & TABLE6_TREE))
		return root;
	if (!depth)
		return table6_leaf_find(constants, source, node, key);
	nodes = source->value(source->memory, TABLE_V6_INDEX, node >> constants->index_shift);
	if (!nodes)
		return 0;
	for (level = 0; level < TABLE6_DEPTH_MAX; level++) {
		const struct table6_node *at;

		if (level == depth)
			break;
		at = &nodes[node & ((1U << constants->index_shift) - 1)];
		node = at->child + table6_rank((const __u64 *)at, key->key);
	}
	return table6_leaf_find(constants, source, node, key);
}

static __always_inline __u32 table6_low_find(const volatile struct table6_constants *constants,
					     const struct table_source *source,
					     const struct table6_key *upper)
{
	struct table6_key lower = { .key = upper->low };
	const struct table6_low *at;
	__u32 i, word;

	if (upper->reference & TABLE6_LOW_PAIR) {
		at = source->value(source->memory, TABLE_V6_LOW, (__u32)upper->reference);
		if (!at)
			return 0;
		return table6_descend(constants, source, lower.key >> 63 ? at->outside : at->inside,
				      &lower);
	}
	for (i = 0; i < TABLE6_CHAIN_MAX; i++) {
		at = source->value(source->memory, TABLE_V6_LOW, (__u32)upper->reference + i);
		if (!at)
			break;
		word = at->inside;
		if (table6_within(lower.key - at->key, word))
			return word;
		word = at->outside;
		if (!(word & TABLE6_LOW))
			return word;
	}
	return 0;
}

/* Whether both bits of a mark are set; marks of one word differ in `which`. */
static __always_inline __u32 table6_marked(__u64 word, __u64 hash, __u32 shift, __u32 which)
{
	return word >> table6_hash_bit(hash, shift, 2 * which) &
	       word >> table6_hash_bit(hash, shift, 2 * which + 1) & 1;
}

static __always_inline __u32 table6_probe(const volatile struct table6_constants *constants,
					  const __u64 *words, __u64 high, __u32 depth)
{
	__u64 hash = table6_hash(high, depth);

	return table6_marked(words[hash >> constants->filter_shift], hash, constants->filter_shift,
			     0);
}

/* Whether some prefix of the list may cover an address. */
static __always_inline __u32 table6_filter(const volatile struct table6_constants *constants,
					   const struct table_source *source, __u64 high)
{
	__u32 probes = constants->probes, shift = constants->filter_shift;
	__u64 hash = table6_hash(high, 32);
	const __u64 *words;
	__u32 marked = 0;
	__u64 word;

	if (!probes)
		return 1;
	words = source->value(source->memory, TABLE_V6_FILTER, 0);
	if (!words)
		return 0;
	if (probes & TABLE6_PROBE_16 && table6_probe(constants, words, high, 16))
		return 1;
	if (!(probes & ~TABLE6_PROBE_16))
		return 0;
	word = words[hash >> shift];
	if (!table6_marked(word, hash, shift, 0))
		return 0;
	/* All at once: where there is something near, each branch would wait for its own word. */
	if (probes & TABLE6_PROBE_32)
		marked |= table6_marked(word, hash, shift, 1);
	if (probes & TABLE6_PROBE_48)
		marked |= table6_probe(constants, words, high, 48);
	if (probes & TABLE6_PROBE_64)
		marked |= table6_probe(constants, words, high, 64);
	return marked;
}

static __always_inline __u32 table6_search(const volatile struct table6_constants *constants,
					   const struct table_source *source, __u64 high, __u64 low)
{
	__u32 below = constants->root[0], above = constants->root[1];
	struct table6_key key = { .key = high, .low = low };
	__u32 word;

	if (!below && !above)
		return 0;
	if (!table6_filter(constants, source, high))
		return 0;
	word = table6_descend(constants, source, high >> 63 ? above : below, &key);
	if (table6_refers(constants, word))
		word = table6_low_find(constants, source, &key);
	return table6_answer(word);
}

#endif
