/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "table_build.h"

#define CELL_BLOCKS 64U /* /24s in a cell */
#define CELL_LAST   0x3fffU /* of the addresses in a cell */
#define SMALL_RUNS  5U
#define MEDIUM_RUNS 9U

#define COARSE_SHIFT_MIN    10U
#define COARSE_SHIFT_MAX    12U
#define COARSE_WORDS(shift) (1U << (27 - (shift)))
/* Of so many addresses at random one may pass the coarse bitmap though nothing covers it. */
#define COARSE_PASS_ONE_IN 32U
/* So few that they may as well be looked for in their cells. */
#define EXACT_PASS_ONE_IN 256U

/* Larger cells are worth this: bytes for each prefix, and what short lists may take anyhow. */
#define MEMORY_PER_PREFIX 31U
#define MEMORY_MIN	  (9U << 20)

struct table4_writer {
	const struct table_run *run; /* the one that the next address is in */
	const struct table_run *end;
	const __u32 *bits; /* of /24s; NULL: they all count, whatever their answer */
	__u32 cell_words;
	__u32 *cells; /* NULL, as pool: count only */
	__u32 *pool;
	__u32 used; /* words of the pool */
};

/* A /24: the runs that reach into it. */
struct table4_block {
	const struct table_run *runs;
	__u32 count;
};

/* A cell being made: its words by their index in the cell. */
struct table4_draft {
	__u32 words[TABLE4_CELL_MAX];
	__u32 used;
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

/* The leaf of a /24 with at most MEDIUM_RUNS runs; returns its words. */
static __u32 make_leaf(const struct table4_writer *writer, const struct table4_block *block,
		       enum table4_kind *kind, __u32 *words)
{
	const struct table_run *runs = block->runs;
	__u32 i;

	if (block->count == 2 || (block->count == 3 && runs[0].word == runs[2].word)) {
		__u32 inside = block->count - 2; /* the first run, or the one in the middle */
		__u32 first = inside ? run_first(&runs[1]) & 0xff : 0;
		__u32 last = run_last(&runs[inside], writer->end) & 0xff;

		*kind = TABLE4_RANGE;
		words[0] = first | (last - first) << 8;
		words[1] = runs[inside].word;
		words[2] = runs[!inside].word;
		return 3;
	}
	*kind = block->count <= SMALL_RUNS ? TABLE4_SMALL : TABLE4_MEDIUM;
	words[0] = words[1] = ~0U;
	for (i = 0; i + 1 < block->count; i++) {
		words[i / 4] &= ~(0xffU << i % 4 * 8);
		words[i / 4] |= (run_last(&runs[i], writer->end) & 0xff) << i % 4 * 8;
	}
	for (i = 0; i < block->count; i++)
		words[*kind + i] = runs[i].word;
	return *kind + block->count;
}

/* A leaf of the pool, as what it is in a cell; false: it doesn't fit there. */
static bool put_range(const struct table4_writer *writer, struct table4_draft *draft,
		      const __u32 *leaf, __u32 *reference)
{
	__u32 first = leaf[0] & 0xff, more = leaf[0] >> 8, answers = leaf[2] ? 2 : 1;

	if (draft->used + answers > writer->cell_words)
		return false;
	*reference |= TABLE4_IN_CELL | first << TABLE4_RANGE_FIRST_SHIFT |
		      more << TABLE4_RANGE_MORE_SHIFT | draft->used;
	if (leaf[2])
		*reference |= TABLE4_RANGE_ELSEWHERE;
	memcpy(&draft->words[draft->used], &leaf[1], answers * sizeof(*leaf));
	draft->used += answers;
	return true;
}

/* Writes the leaf of a /24 that is cut further, into the cell if it fits; returns the reference. */
static __u32 write_leaf(struct table4_writer *writer, struct table4_draft *draft,
			const struct table4_block *block)
{
	__u32 words[TABLE4_MEDIUM + MEDIUM_RUNS], count, reference, index, i;
	enum table4_kind kind;

	if (block->count > MEDIUM_RUNS)
		return write_large(writer, block);
	count = make_leaf(writer, block, &kind, words);
	reference = TABLE4_LEAF | (__u32)kind << TABLE4_KIND_SHIFT;
	if (kind == TABLE4_RANGE && put_range(writer, draft, words, &reference))
		return reference;
	if (kind != TABLE4_RANGE && draft->used + count <= writer->cell_words) {
		reference |= TABLE4_IN_CELL | draft->used;
		memcpy(&draft->words[draft->used], words, count * sizeof(*words));
		draft->used += count;
		return reference;
	}
	index = reserve_together(writer, count);
	for (i = 0; i < count; i++)
		put(writer, index + i, words[i]);
	return reference | index;
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

/* The /24s of a cell at which a run starts. */
static __u64 find_starts(const struct table4_writer *writer, const struct table4_block *blocks,
			 __u32 first)
{
	const struct table4_block *last = NULL;
	__u64 starts = 0;
	__u32 i;

	for (i = 0; i < CELL_BLOCKS; i++) {
		__u32 bit = (first >> 8) + i;

		if (writer->bits && !(writer->bits[bit >> 5] >> (bit & 31) & 1))
			continue;
		if (last && last->count == 1 && blocks[i].count == 1 &&
		    last->runs->word == blocks[i].runs->word)
			continue;
		last = &blocks[i];
		starts |= 1ULL << i;
	}
	return starts;
}

/* The runs' words go before the leaves, as far as they fit into the cell. */
static void draft_cell(struct table4_writer *writer, struct table4_draft *draft,
		       const struct table4_block *blocks, __u32 first)
{
	__u32 room = writer->cell_words - TABLE4_CELL_HEAD, index = 0;
	struct table4_cell cell = { .before = writer->used - room };
	__u32 runs;

	cell.starts = find_starts(writer, blocks, first);
	memcpy(draft->words, &cell, TABLE4_CELL_HEAD * sizeof(*draft->words));
	runs = __builtin_popcountll(cell.starts);
	draft->used = TABLE4_CELL_HEAD + (runs < room ? runs : room);
	writer->used += runs < room ? 0 : runs - room;
	for (; cell.starts; cell.starts &= cell.starts - 1) {
		const struct table4_block *block = &blocks[__builtin_ctzll(cell.starts)];
		__u32 word = block->runs->word;

		if (block->count > 1)
			word = write_leaf(writer, draft, block);
		if (index < room)
			draft->words[TABLE4_CELL_HEAD + index] = word;
		else
			put(writer, cell.before + index, word);
		index++;
	}
}

static void write_cells(struct table4_writer *writer)
{
	struct table4_block blocks[CELL_BLOCKS];
	struct table4_draft draft;
	__u32 index, first, i;

	for (index = 0; index < TABLE4_CELLS; index++) {
		first = index * (CELL_LAST + 1);
		if (!writer->run->word && run_last(writer->run, writer->end) > (first | CELL_LAST))
			continue;
		for (i = 0; i < CELL_BLOCKS; i++)
			take_block(writer, first + (i << 8) + 0xff, &blocks[i]);
		draft_cell(writer, &draft, blocks, first);
		if (writer->cells)
			memcpy(&writer->cells[index * writer->cell_words], draft.words,
			       writer->cell_words * sizeof(*draft.words));
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
static __u32 choose_coarse_shift(const struct table_runs *runs, __u32 *bits, bool *exact)
{
	__u64 covered = count_covered(runs), passing;
	__u32 shift;

	for (shift = COARSE_SHIFT_MAX; shift >= COARSE_SHIFT_MIN; shift--) {
		memset(bits, 0, COARSE_WORDS(shift) * sizeof(*bits));
		mark_blocks(runs, shift, bits);
		passing = (count_bits(bits, COARSE_WORDS(shift)) << shift) - covered;
		*exact = passing <= (1ULL << 32) / EXACT_PASS_ONE_IN;
		if (passing <= (1ULL << 32) / COARSE_PASS_ONE_IN)
			return shift;
	}
	*exact = false;
	return 0;
}

static __u64 layout_bytes(const struct table4_writer *writer, __u32 bits_words)
{
	return sizeof(__u32) *
	       (bits_words + (__u64)TABLE4_CELLS * writer->cell_words + writer->used);
}

/* Counts with the largest cells that the list is long enough for. */
static void choose_cells(const struct table_runs *runs, struct table4_writer *writer,
			 __u32 bits_words)
{
	__u64 most = (__u64)runs->cover_count * MEMORY_PER_PREFIX;

	if (most < MEMORY_MIN)
		most = MEMORY_MIN;
	for (writer->cell_words = TABLE4_CELL_MAX; writer->cell_words >= TABLE4_CELL_HEAD;
	     writer->cell_words /= 2) {
		writer->run = runs->runs;
		writer->used = 0;
		if (writer->cell_words / 2 > TABLE4_CELL_HEAD &&
		    layout_bytes(writer, bits_words) > most)
			continue;
		write_cells(writer);
		if (writer->cell_words / 2 < TABLE4_CELL_HEAD ||
		    layout_bytes(writer, bits_words) <= most)
			return;
	}
}

int table4_plan(const struct table_runs *runs, struct table_layout *layout)
{
	struct table4_writer writer = { .end = runs->runs + runs->run_count };
	__u32 *bits, shift, words;
	bool exact;

	if (runs->run_count == 1 && !runs->runs->word)
		return 0;
	bits = malloc(TABLE4_BITS_WORDS * sizeof(*bits));
	if (!bits)
		return -ENOMEM;
	shift = choose_coarse_shift(runs, bits, &exact);
	words = shift ? COARSE_WORDS(shift) : 0;
	if (!exact) {
		words += TABLE4_BITS_WORDS;
		memset(bits, 0, TABLE4_BITS_WORDS * sizeof(*bits));
		mark_blocks(runs, 8, bits);
		writer.bits = bits;
	}
	choose_cells(runs, &writer, words);
	free(bits);
	if (writer.used > TABLE4_INDEX_MASK)
		return -E2BIG;
	layout->v4.used = 1;
	layout->v4.coarse_shift = shift;
	layout->v4.exact = exact;
	layout->v4.cell_words = writer.cell_words;
	layout->map[TABLE_V4_BITS].value_size = words * sizeof(*bits);
	layout->map[TABLE_V4_CELLS].value_size = writer.cell_words * sizeof(__u32);
	layout->map[TABLE_V4_CELLS].max_entries = TABLE4_CELLS;
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
		.bits = layout->v4.exact ? NULL : memory[TABLE_V4_BITS],
		.cell_words = layout->v4.cell_words,
		.cells = memory[TABLE_V4_CELLS],
		.pool = memory[TABLE_V4_POOL],
	};
	__u32 *bits = memory[TABLE_V4_BITS];

	if (!layout->v4.used)
		return;
	if (!layout->v4.exact) {
		mark_blocks(runs, 8, bits);
		bits += TABLE4_BITS_WORDS;
	}
	if (layout->v4.coarse_shift)
		mark_blocks(runs, layout->v4.coarse_shift, bits);
	write_cells(&writer);
}
