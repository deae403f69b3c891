/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "table6_filter.h"
#include "table6_tree.h"
#include "table_build.h"

struct table6_writer {
	const struct table_runs *runs;
	const struct table_cover *cover; /* none before it is longer than /64 and still to come */
	struct table6_trees trees;
	struct table6_low *low; /* NULL: count only */
	__u32 low_count;
	__u32 cuts; /* /64s that are cut further */
	struct table6_entries upper;
	struct table6_entries lower; /* scratch */
};

/* The covers longer than /64 within one /64 that change the answer. */
struct table6_longer {
	const struct table_cover *first;
	const struct table_cover *end;
	size_t changes;
};

static void take_longer(struct table6_writer *writer, __u64 high, struct table6_longer *out)
{
	const struct table_cover *end = writer->runs->covers + writer->runs->cover_count;
	const struct table_cover *cover = writer->cover;

	while (cover < end && (cover->first.high < high || cover->length <= 64))
		cover++;
	out->first = cover;
	out->changes = 0;
	for (; cover < end && cover->first.high == high; cover++)
		out->changes += cover->word != cover->around;
	out->end = cover;
	writer->cover = cover;
}

static void put_low(struct table6_writer *writer, __u64 key, __u32 inside, __u32 outside)
{
	if (writer->low) {
		struct table6_low *low = &writer->low[writer->low_count];

		low->key = key;
		low->inside = inside;
		low->outside = outside;
	}
	writer->low_count++;
}

/* From last to first: an address meets the longest prefix that covers it before the others. */
static __u64 write_chain(struct table6_writer *writer, const struct table6_longer *longer)
{
	const struct table_cover *cover = longer->end;
	__u64 reference = writer->low_count;
	size_t left = longer->changes;

	while (left) {
		cover--;
		if (cover->word == cover->around)
			continue;
		left--;
		put_low(writer, cover->first.low,
			cover->word | (__u32)(128 - cover->length) << TABLE6_SPAN_SHIFT,
			left ? TABLE6_LOW : longer->first->around);
	}
	return reference;
}

/* `runs` start within the /64, or cover its first address. */
static __u64 write_pair(struct table6_writer *writer, const struct table_run *runs, size_t count,
			__u32 around)
{
	__u64 reference = writer->low_count | TABLE6_LOW_PAIR;
	__u32 roots[2];
	size_t i;

	writer->lower.count = 0;
	if (runs->first.low)
		table6_entries_add(&writer->lower, 0, around, 0);
	for (i = 0; i < count; i++)
		table6_entries_add(&writer->lower, runs[i].first.low, runs[i].word, 0);
	table6_trees_write(&writer->trees, &writer->lower, roots);
	put_low(writer, 0, roots[0], roots[1]);
	return reference;
}

/* Adds an entry for a /64 that is cut further, by the `count` runs that start in it. */
static void add_cut(struct table6_writer *writer, const struct table_run *runs, size_t count)
{
	__u64 high = runs->first.high, reference;
	const struct table_cover *cover;
	struct table6_longer longer;

	writer->cuts++;
	take_longer(writer, high, &longer);
	cover = longer.first;
	if (longer.end - cover == 1 && cover->word && !cover->around) {
		table6_entries_add(&writer->upper, high,
				   cover->word | TABLE6_LOW |
					   (__u32)(128 - cover->length) << TABLE6_SPAN_SHIFT,
				   cover->first.low);
		return;
	}
	if (longer.changes <= TABLE6_CHAIN_MAX)
		reference = write_chain(writer, &longer);
	else
		reference = write_pair(writer, runs, count, cover->around);
	table6_entries_add(&writer->upper, high, TABLE6_LOW, reference);
}

/* Adds entries for the `count` runs that start within one /64. */
static void add_slash64(struct table6_writer *writer, const struct table_run *runs, size_t count)
{
	const struct table_run *end = writer->runs->runs + writer->runs->run_count;
	const struct table_run *next = runs + count;
	__u64 high = runs->first.high;

	if (count == 1 && !runs->first.low) {
		table6_entries_add(&writer->upper, high, runs->word, 0);
		return;
	}
	add_cut(writer, runs, count);
	if (high + 1 && (next == end || next->first.high != high + 1))
		table6_entries_add(&writer->upper, high + 1, next[-1].word, 0);
}

static void write_all(struct table6_writer *writer, __u32 *roots)
{
	const struct table_run *runs = writer->runs->runs;
	size_t left = writer->runs->run_count, same;

	for (; left; left -= same, runs += same) {
		same = 1;
		while (same < left && runs[same].first.high == runs->first.high)
			same++;
		add_slash64(writer, runs, same);
	}
	table6_trees_write(&writer->trees, &writer->upper, roots);
}

/* Runs in `memory`, or only counts where there is none; sets the roots. */
static int compile(struct table6_writer *writer, __u32 *roots)
{
	size_t most = 2 * writer->runs->run_count + 2;
	int err = -ENOMEM;

	writer->cover = writer->runs->covers;
	writer->upper.entries = malloc(most * sizeof(*writer->upper.entries));
	writer->lower.entries = malloc(most * sizeof(*writer->lower.entries));
	if (writer->upper.entries && writer->lower.entries) {
		write_all(writer, roots);
		err = 0;
	}
	free(writer->upper.entries);
	free(writer->lower.entries);
	return err;
}

int table6_plan(const struct table_runs *runs, struct table_layout *layout)
{
	struct table6_writer writer = { .runs = runs, .trees.index_shift = 24 };
	struct table6_trees *trees = &writer.trees;
	__u32 roots[2], shift = 0;
	int err;

	if (runs->run_count == 1 && !runs->runs->word)
		return 0;
	err = compile(&writer, roots);
	if (err)
		return err;
	while (1U << shift < trees->most_nodes)
		shift++;
	if (sizeof(struct table6_node) << shift > TABLE_VALUE_MAX)
		return -E2BIG;
	writer = (struct table6_writer){ .runs = runs, .trees.index_shift = shift };
	err = compile(&writer, roots);
	if (err)
		return err;
	if (trees->leaf_count >= TABLE6_INDEX_MASK || trees->node_count >= TABLE6_INDEX_MASK)
		return -E2BIG;
	layout->v6.root[0] = roots[0];
	layout->v6.root[1] = roots[1];
	layout->v6.index_shift = shift;
	layout->v6.lows = !!writer.cuts;
	layout->map[TABLE_V6_INDEX].value_size = sizeof(struct table6_node) << shift;
	layout->map[TABLE_V6_INDEX].max_entries = (trees->node_count >> shift) + 1;
	layout->map[TABLE_V6_LEAVES].value_size = writer.cuts ? sizeof(struct table6_leaf) :
								offsetof(struct table6_leaf, lows);
	layout->map[TABLE_V6_LEAVES].max_entries = trees->leaf_count + 1;
	layout->map[TABLE_V6_LOW].value_size = sizeof(struct table6_low);
	layout->map[TABLE_V6_LOW].max_entries = writer.low_count + 1;
	if (runs->cover_count > TABLE6_HINTS_FROM) {
		layout->v6.hints = 1;
		layout->map[TABLE_V6_HINTS].value_size = TABLE6_HINTS * sizeof(__u32);
		layout->map[TABLE_V6_HINTS].max_entries = trees->leaf_count / TABLE6_HINTS + 1;
	}
	table6_filter_plan(runs, layout);
	return 0;
}

int table6_fill(const struct table_runs *runs, const struct table_layout *layout,
		void *const memory[TABLE_MAPS])
{
	struct table6_writer writer = {
		.runs = runs,
		.trees.nodes = memory[TABLE_V6_INDEX],
		.trees.leaves = memory[TABLE_V6_LEAVES],
		.trees.hints = layout->v6.hints ? memory[TABLE_V6_HINTS] : NULL,
		.trees.leaf_size = layout->map[TABLE_V6_LEAVES].value_size,
		.trees.index_shift = layout->v6.index_shift,
		.low = memory[TABLE_V6_LOW],
	};
	__u32 roots[2];

	if (!layout->v6.root[0] && !layout->v6.root[1])
		return 0;
	table6_filter_fill(runs, layout, memory[TABLE_V6_FILTER]);
	return compile(&writer, roots);
}
