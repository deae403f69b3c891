/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <stdbool.h>

#include "table6_tree.h"

#define HALF (1ULL << 63)

static __u32 parents_of(size_t children)
{
	return (children + TABLE6_FANOUT - 1) / TABLE6_FANOUT;
}

static __u32 count_nodes(size_t entries)
{
	__u32 children = parents_of(entries), nodes = 0;

	while (children > 1) {
		children = parents_of(children);
		nodes += children;
	}
	return nodes;
}

void table6_entries_add(struct table6_entries *list, __u64 key, __u32 word, __u64 low)
{
	struct table6_entry *next = &list->entries[list->count];

	if (list->count && next[-1].key < HALF && key > HALF) {
		next->key = HALF;
		next->word = next[-1].word;
		next->low = 0;
		list->count++;
		next++;
	}
	next->key = key;
	next->word = word;
	next->low = low;
	list->count++;
}

/*
 * Drops the entries of unlisted keys that the span of the entry before tells as well, and gives
 * the others their spans. Returns how many stay.
 */
static size_t set_spans(struct table6_entry *entries, size_t count)
{
	size_t kept = 0, i;

	for (i = 0; i < count; i++) {
		struct table6_entry entry = entries[i];
		bool gap = i + 1 < count && !entries[i + 1].word;
		__u64 length = gap ? entries[i + 1].key - entry.key : 0;
		bool drop_gap = entry.word && gap && !(length & (length - 1));

		if (!entry.word && !kept)
			continue;
		if (entry.word && !(entry.word & TABLE6_LOW))
			entry.word |= (drop_gap ? (__u32)__builtin_ctzll(length) : TABLE6_SPAN_MASK)
				      << TABLE6_SPAN_SHIFT;
		entries[kept++] = entry;
		i += drop_gap;
	}
	return kept;
}

static void write_leaves(struct table6_trees *trees, const struct table6_entry *entries,
			 size_t count, __u64 beyond)
{
	size_t i, slots = parents_of(count) * (size_t)TABLE6_FANOUT;
	struct table6_leaf *leaf;

	for (i = 0; i < slots; i++) {
		leaf = (void *)((char *)trees->leaves +
				(trees->leaf_count + i / TABLE6_FANOUT) * (size_t)trees->leaf_size);
		leaf->keys[i % TABLE6_FANOUT] = i < count ? entries[i].key : beyond;
		leaf->words[i % TABLE6_FANOUT] = i < count ? entries[i].word : 0;
		if (trees->hints && i < count && entries[i].word & TABLE_ID_MASK &&
		    !trees->hints[trees->leaf_count + i / TABLE6_FANOUT])
			trees->hints[trees->leaf_count + i / TABLE6_FANOUT] = entries[i].word &
									      TABLE_ID_MASK;
		if (i < count && entries[i].word & TABLE6_LOW)
			leaf->lows[i % TABLE6_FANOUT] = entries[i].low;
	}
}

/* A level of nodes above `children` children, each of which holds `stride` entries. */
static void write_level(struct table6_trees *trees, const struct table6_entry *entries,
			size_t count, __u64 beyond, __u32 first_child, size_t stride)
{
	size_t children = (count + stride - 1) / stride;
	size_t i, slots = parents_of(children) * (size_t)TABLE6_FANOUT;
	struct table6_node *node;

	for (i = 0; i < slots; i++) {
		node = &trees->nodes[trees->node_count + i / TABLE6_FANOUT];
		if (i % TABLE6_FANOUT == 0)
			node->child = first_child + i;
		else
			node->keys[i % TABLE6_FANOUT - 1] = i < children ? entries[i * stride].key :
									   beyond;
	}
}

/* `beyond`: the first key of the other half, which no key of this half is above. */
static __u32 write_tree(struct table6_trees *trees, const struct table6_entry *entries,
			size_t count, __u64 beyond)
{
	__u32 nodes = count_nodes(count), depth = 0;
	__u32 left =
		(1U << trees->index_shift) - (trees->node_count & ((1U << trees->index_shift) - 1));
	__u32 child = trees->leaf_count;
	size_t stride = TABLE6_FANOUT;

	if (!count)
		return 0;
	if (count == 1 && entries->key == (beyond ^ HALF) &&
	    (entries->word >> TABLE6_SPAN_SHIFT & TABLE6_SPAN_MASK) == TABLE6_SPAN_MASK)
		return entries->word & ~(TABLE6_SPAN_MASK << TABLE6_SPAN_SHIFT);
	if (trees->leaves)
		write_leaves(trees, entries, count, beyond);
	trees->leaf_count += parents_of(count);
	if (nodes > trees->most_nodes)
		trees->most_nodes = nodes;
	if (nodes > left)
		trees->node_count += left;
	while (stride < count) {
		if (trees->nodes)
			write_level(trees, entries, count, beyond, child, stride);
		child = trees->node_count;
		stride *= TABLE6_FANOUT;
		trees->node_count += (count + stride - 1) / stride;
		depth++;
	}
	return TABLE6_TREE | depth << TABLE6_SPAN_SHIFT | child;
}

void table6_trees_write(struct table6_trees *trees, struct table6_entries *list, __u32 *roots)
{
	size_t below = 0, kept;

	/* What begins last goes on to the very end. */
	if (list->count && list->entries[list->count - 1].key < HALF)
		table6_entries_add(list, HALF, list->entries[list->count - 1].word, 0);
	while (below < list->count && list->entries[below].key < HALF)
		below++;
	kept = set_spans(list->entries, below);
	roots[0] = write_tree(trees, list->entries, kept, HALF);
	kept = set_spans(list->entries + below, list->count - below);
	roots[1] = write_tree(trees, list->entries + below, kept, 0);
}
