/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "table_build.h"

#define CELL_BLOCKS 32U /* /24s in a cell */
#define SMALL_RUNS  5U
#define MEDIUM_RUNS 9U

#define COARSE_SHIFT_MIN    10U
#define COARSE_SHIFT_MAX    12U
#define COARSE_WORDS(shift) (1U << (27 - (shift)))
/* Of so many addresses at random one may pass the coarse bitmap though nothing covers it. */
#define COARSE_PASS_ONE_IN 32U

struct table4_writer {
	const struct table_run *run; /* the one that the next address is in */
	const struct table_run *end;
	const __u32 *bits;
	struct table4_cell *cells;
	__u32 *pool; /* NULL: count only */
	__u32 used; /* words of the pool */
	__u32 uniform_word; /* of the last cell that is one run */
	__u32 uniform_before;
};

/* A /24: the runs that reach into it. */
struct table4_block {
	const struct table_run *runs;
	__u32 count;
};

static __u32 run_first(const struct table_run *run)
{
	return run->first.high >> 32;
}

static __u32 run_last(const struct table_run *run, const struct table_run *end)
{
	return run + 1 < end ? run_first(run + 1) - 1 : ~0U;
}

static void set_bits(__u32 *bits, __u32 first, __u32 last)
{
	__u32 head = ~0U << (first & 31), tail = ~0U >> (31 - (last & 31));

	if (first >> 5 == last >> 5) {
		bits[first >> 5] |= head & tail;
		return;
	}
	bits[first >> 5] |= head;
	memset(&bits[(first >> 5) + 1], 0xff, ((last >> 5) - (first >> 5) - 1) * sizeof(*bits));
	bits[last >> 5] |= tail;
}

static void mark_blocks(const struct table_runs *runs, __u32 shift, __u32 *bits)
{
	const struct table_run *end = runs->runs + runs->run_count;
	const struct table_run *run;

	for (run = runs->runs; run < end; run++) {
		if (run->word)
			set_bits(bits, run_first(run) >> shift, run_last(run, end) >> shift);
	}
}

static void put(struct table4_writer *writer, __u32 index, __u32 word)
{
	if (writer->pool)
		writer->pool[index] = word;
}

/* Room for `words`, all in one value of the pool. */
static __u32 reserve_together(struct table4_writer *writer, __u32 words)
{
	__u32 left = TABLE4_POOL_WORDS - writer->used % TABLE4_POOL_WORDS;
	__u32 index;

	if (left < words)
		writer->used += left;
	index = writer->used;
	writer->used += words;
	return index;
}

static __u32 write_large(struct table4_writer *writer, const struct table4_block *block)
{
	__u32 index = reserve_together(writer, TABLE4_LARGE_WORDS);
	struct table4_large large = { .before = writer->used - 1 };
	__u32 i, byte;

	for (i = 0; i < block->count; i++) {
		byte = i ? run_first(&block->runs[i]) & 0xff : 0;
		large.starts[byte >> 5] |= 1U << (byte & 31);
		put(writer, writer->used++, block->runs[i].word);
	}
	for (i = 1; i < 8; i++)
		large.rank[i] = large.rank[i - 1] + __builtin_popcount(large.starts[i - 1]);
	if (writer->pool)
		memcpy(&writer->pool[index], &large, sizeof(large));
	return TABLE4_LEAF | TABLE4_LARGE << TABLE4_KIND_SHIFT | index;
}

/* Writes the leaf of a /24 that is cut further; returns the word that refers to it. */
static __u32 write_leaf(struct table4_writer *writer, const struct table4_block *block)
{
	enum table4_kind kind = block->count <= SMALL_RUNS ? TABLE4_SMALL : TABLE4_MEDIUM;
	__u32 ends[2] = { ~0U, ~0U };
	__u32 index, i;

	if (block->count > MEDIUM_RUNS)
		return write_large(writer, block);
	index = reserve_together(writer, kind + block->count);
	for (i = 0; i < block->count; i++) {
		__u32 end = run_last(&block->runs[i], writer->end) & 0xff;

		if (i + 1 < block->count) {
			ends[i / 4] &= ~(0xffU << i % 4 * 8);
			ends[i / 4] |= end << i % 4 * 8;
		}
		put(writer, index + kind + i, block->runs[i].word);
	}
	for (i = 0; i < (__u32)kind; i++)
		put(writer, index + i, ends[i]);
	return TABLE4_LEAF | (__u32)kind << TABLE4_KIND_SHIFT | index;
}

/* Takes the runs of the /24 that ends at `last`. */
static void take_block(struct table4_writer *writer, __u32 last, struct table4_block *out)
{
	out->runs = writer->run;
	while (run_last(writer->run, writer->end) < last)
		writer->run++;
	out->count = writer->run - out->runs + 1;
	if (run_last(writer->run, writer->end) == last && writer->run + 1 < writer->end)
		writer->run++;
}

static void write_uniform(struct table4_writer *writer, struct table4_cell *cell, __u32 word)
{
	if (writer->uniform_word != word) {
		writer->uniform_word = word;
		writer->uniform_before = writer->used - 1;
		put(writer, writer->used++, word);
	}
	cell->starts = 1;
	cell->before = writer->uniform_before;
}

/* Words first, leaves behind them: a look-up's next access is likely near. */
static void write_blocks(struct table4_writer *writer, struct table4_cell *cell,
			 const struct table4_block *blocks, __u32 first)
{
	__u32 last_word = 0, words = 0, i;
	__u32 leaves[CELL_BLOCKS];
	bool started = false;

	cell->starts = 0;
	cell->before = writer->used - 1;
	for (i = 0; i < CELL_BLOCKS; i++) {
		__u32 bit = (first >> 8) + i;
		bool leaf = blocks[i].count > 1;

		if (!(writer->bits[bit >> 5] >> (bit & 31) & 1))
			continue;
		if (!leaf && started && blocks[i].runs->word == last_word)
			continue;
		cell->starts |= 1U << i;
		started = !leaf;
		last_word = blocks[i].runs->word;
		leaves[words++] = leaf ? i : CELL_BLOCKS;
		put(writer, writer->used++, last_word);
	}
	for (i = 0; i < words; i++) {
		if (leaves[i] < CELL_BLOCKS)
			put(writer, cell->before + 1 + i, write_leaf(writer, &blocks[leaves[i]]));
	}
}

static void write_cells(struct table4_writer *writer)
{
	struct table4_block blocks[CELL_BLOCKS];
	struct table4_cell cell;
	__u32 index, first, i;

	writer->used = 1;
	for (index = 0; index < TABLE4_CELLS; index++) {
		first = index << 13;
		memset(&cell, 0, sizeof(cell));
		if (run_last(writer->run, writer->end) >= (first | 0x1fff)) {
			if (writer->run->word)
				write_uniform(writer, &cell, writer->run->word);
			if (run_last(writer->run, writer->end) == (first | 0x1fff) &&
			    writer->run + 1 < writer->end)
				writer->run++;
		} else {
			for (i = 0; i < CELL_BLOCKS; i++)
				take_block(writer, first + (i << 8) + 0xff, &blocks[i]);
			write_blocks(writer, &cell, blocks, first);
		}
		if (writer->cells)
			writer->cells[index] = cell;
	}
}

static __u64 count_covered(const struct table_runs *runs)
{
	const struct table_run *end = runs->runs + runs->run_count;
	const struct table_run *run;
	__u64 covered = 0;

	for (run = runs->runs; run < end; run++) {
		if (run->word)
			covered += (__u64)run_last(run, end) - run_first(run) + 1;
	}
	return covered;
}

static __u64 count_bits(const __u32 *bits, __u32 words)
{
	__u64 count = 0;
	__u32 i;

	for (i = 0; i < words; i++)
		count += __builtin_popcount(bits[i]);
	return count;
}

/*
 * The largest blocks whose bits still stop nearly all addresses that nothing covers, and so spare
 * most packets the larger bitmap; 0 where that would stop too few. `bits` is scratch.
 */
static __u32 choose_coarse_shift(const struct table_runs *runs, __u32 *bits)
{
	__u64 passing_max = count_covered(runs) + (1ULL << 32) / COARSE_PASS_ONE_IN;
	__u32 shift;

	for (shift = COARSE_SHIFT_MAX; shift >= COARSE_SHIFT_MIN; shift--) {
		memset(bits, 0, COARSE_WORDS(shift) * sizeof(*bits));
		mark_blocks(runs, shift, bits);
		if (count_bits(bits, COARSE_WORDS(shift)) << shift <= passing_max)
			return shift;
	}
	return 0;
}

int table4_plan(const struct table_runs *runs, struct table_layout *layout)
{
	struct table4_writer writer = {
		.run = runs->runs,
		.end = runs->runs + runs->run_count,
	};
	__u32 *bits, shift, words = TABLE4_BITS_WORDS;

	if (runs->run_count == 1 && !runs->runs->word)
		return 0;
	bits = malloc(TABLE4_BITS_WORDS * sizeof(*bits));
	if (!bits)
		return -ENOMEM;
	shift = choose_coarse_shift(runs, bits);
	if (shift)
		words += COARSE_WORDS(shift);
	memset(bits, 0, TABLE4_BITS_WORDS * sizeof(*bits));
	mark_blocks(runs, 8, bits);
	writer.bits = bits;
	write_cells(&writer);
	free(bits);
	if (writer.used > TABLE4_INDEX_MASK)
		return -E2BIG;
	layout->v4.used = 1;
	layout->v4.coarse_shift = shift;
	layout->map[TABLE_V4_BITS].value_size = words * sizeof(*bits);
	layout->map[TABLE_V4_CELLS].value_size = TABLE4_CELLS * sizeof(struct table4_cell);
	layout->map[TABLE_V4_POOL].value_size = TABLE4_POOL_WORDS * sizeof(__u32);
	layout->map[TABLE_V4_POOL].max_entries = writer.used / TABLE4_POOL_WORDS + 1;
	return 0;
}

void table4_fill(const struct table_runs *runs, const struct table_layout *layout,
		 void *const memory[TABLE_MAPS])
{
	struct table4_writer writer = {
		.run = runs->runs,
		.end = runs->runs + runs->run_count,
		.bits = memory[TABLE_V4_BITS],
		.cells = memory[TABLE_V4_CELLS],
		.pool = memory[TABLE_V4_POOL],
	};
	__u32 *bits = memory[TABLE_V4_BITS];

	if (!layout->v4.used)
		return;
	mark_blocks(runs, 8, bits);
	if (layout->v4.coarse_shift)
		mark_blocks(runs, layout->v4.coarse_shift, bits + TABLE4_BITS_WORDS);
	write_cells(&writer);
}
