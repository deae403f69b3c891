// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses by runs: an index by their upper bits, and a search of the same depth for all. */
#include "compile_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table_runs.h"

#define INDEX_BITS_MAX 16U
/*
 * Relative costs: of a level, whose accesses wait for those of the one before; of an index that is
 * larger than a first-level cache; and of a search where the index can't say that none is needed.
 */
#define COST_LEVEL     12.0
#define COST_INDEX     10.0
#define COST_SEARCH    100.0
#define INDEX_BITS_FEW 13U

/* From @first, an address's upper half, on: a class; or with @lows the lower halves from @low on. */
struct part {
	uint64_t first;
	uint32_t class;
	uint32_t low;
	uint32_t lows;
};

struct low {
	uint64_t first;
	uint32_t class;
};

/* @cuts: of the parts, those with lower halves, of which there are @low_count. */
struct parts {
	unsigned int family;
	struct part *items;
	size_t count;
	struct low *lows;
	size_t low_count;
	size_t cuts;
	uint32_t most_lows;
};

static void add_part(struct parts *parts, uint64_t first, uint32_t class)
{
	struct part *last = parts->count ? &parts->items[parts->count - 1] : NULL;

	if (last && last->first == first)
		*last = (struct part){ .first = first, .class = class };
	else if (!last || last->lows || last->class != class)
		parts->items[parts->count++] = (struct part){ .first = first, .class = class };
}

/* The /64 in which run @i begins, which isn't its first address or isn't alone there. */
static size_t add_cut(struct parts *parts, const struct table_runs *runs, const uint32_t *classes,
		      size_t i)
{
	uint64_t first = runs->runs[i].first.high;
	struct part *part;

	add_part(parts, first, UINT32_MAX);
	part = &parts->items[parts->count - 1];
	part->low = parts->low_count;
	if (runs->runs[i].first.low)
		parts->lows[parts->low_count++] =
			(struct low){ .class = classes[runs->runs[i - 1].word] };
	for (; i < runs->run_count && runs->runs[i].first.high == first; i++)
		parts->lows[parts->low_count++] = (struct low){
			.first = runs->runs[i].first.low,
			.class = classes[runs->runs[i].word],
		};
	part->lows = parts->low_count - part->low;
	parts->cuts++;
	if (part->lows > parts->most_lows)
		parts->most_lows = part->lows;
	if (first != UINT64_MAX)
		add_part(parts, first + 1, classes[runs->runs[i - 1].word]);
	return i;
}

static int make_parts(const struct table_runs *runs, const uint32_t *classes, struct parts *parts)
{
	size_t i = 0;

	parts->items = malloc((2 * runs->run_count + 2) * sizeof(*parts->items));
	parts->lows = malloc(2 * runs->run_count * sizeof(*parts->lows));
	if (!parts->items || !parts->lows)
		return -ENOMEM;
	while (i < runs->run_count) {
		const struct table_run *run = &runs->runs[i];
		bool alone = i + 1 == runs->run_count || run[1].first.high != run->first.high;

		if (!run->first.low && alone)
			add_part(parts, runs->runs[i++].first.high, classes[run->word]);
		else
			i = add_cut(parts, runs, classes, i);
	}
	return 0;
}

static bool is_empty(const struct part *part)
{
	return !part->lows && !part->class;
}

static uint64_t last_of(const struct parts *parts, size_t i)
{
	return i + 1 < parts->count ? parts->items[i + 1].first - 1 : UINT64_MAX;
}

/* What all that isn't empty shares, @constants->skip bits; what has other bits is taken away. */
static void skip_common(struct parts *parts, struct fw_runs_constants *constants)
{
	size_t first = 0, last = parts->count - 1, i;
	unsigned int bits = parts->family == 4 ? 31 : 63;
	uint64_t begin, end;

	while (first < last && is_empty(&parts->items[first]))
		first++;
	while (first < last && is_empty(&parts->items[last]))
		last--;
	begin = parts->items[first].first;
	end = last_of(parts, last);
	while (constants->skip < bits && !((begin ^ end) >> (63 - constants->skip)))
		constants->skip++;
	if (!constants->skip)
		return;
	constants->common = begin & -(UINT64_C(1) << (64 - constants->skip));
	end = constants->common + (UINT64_MAX >> constants->skip);
	for (i = 0; i < parts->count && parts->items[i].first <= end; i++)
		;
	parts->count = i;
	for (i = 0; i + 1 < parts->count && parts->items[i + 1].first <= constants->common; i++)
		;
	parts->count -= i;
	memmove(parts->items, parts->items + i, parts->count * sizeof(*parts->items));
	if (parts->items[0].first < constants->common)
		parts->items[0].first = constants->common;
	for (i = 0; i < parts->count; i++)
		parts->items[i].first <<= constants->skip;
}

/* A part that begins where the key's top bit changes. */
static void split_halves(struct parts *parts)
{
	const uint64_t middle = UINT64_C(1) << 63;
	size_t i = 0;

	while (i < parts->count && parts->items[i].first < middle)
		i++;
	if (i < parts->count && parts->items[i].first == middle)
		return;
	memmove(parts->items + i + 1, parts->items + i,
		(parts->count++ - i) * sizeof(*parts->items));
	parts->items[i] = parts->items[i - 1];
	parts->items[i].first = middle;
}

/* Of an index by the @bits upper bits. */
struct index_cost {
	size_t most; /* parts in one block */
	size_t near; /* blocks that aren't all of one empty part */
};

static struct index_cost cost_of_index(const struct parts *parts, uint32_t bits)
{
	struct index_cost cost = { .most = 1 };
	uint64_t block, last_block, next = 0;
	size_t i, begin = 0;

	for (i = 0; i < parts->count; i++) {
		block = parts->items[i].first >> (64 - bits);
		last_block = last_of(parts, i) >> (64 - bits);
		/* The part before reaches into this block, unless the block begins here. */
		if (i && block != parts->items[i - 1].first >> (64 - bits))
			begin = parts->items[i].first << bits ? i - 1 : i;
		if (i - begin + 1 > cost.most)
			cost.most = i - begin + 1;
		if (is_empty(&parts->items[i]) || last_block < next)
			continue;
		cost.near += last_block + 1 - (block > next ? block : next);
		next = last_block + 1;
	}
	return cost;
}

/* Levels of as many branches that tell @count apart. */
static uint32_t levels_for(size_t count, size_t branches)
{
	size_t reach = branches;
	uint32_t levels = 1;

	for (; reach < count; reach *= branches)
		levels++;
	return levels;
}

/* The cheapest index: its bits. */
static uint32_t choose_index(const struct parts *parts, struct fw_runs_constants *constants)
{
	uint32_t wide = parts->family == 4 ? 32 : 64, bits, best = 1;
	double cost, least = 0;

	for (bits = 1; bits <= INDEX_BITS_MAX && bits <= wide - constants->skip; bits++) {
		struct index_cost index = cost_of_index(parts, bits);
		uint32_t levels = levels_for(index.most, 4);

		cost = levels * COST_LEVEL + (bits > INDEX_BITS_FEW ? COST_INDEX : 0) +
		       COST_SEARCH * index.near / (1U << bits);
		if (bits > 1 && cost >= least)
			continue;
		least = cost;
		best = bits;
		constants->levels = levels;
	}
	constants->shift = 64 - best;
	return best;
}

/* Places that a search goes over at most. */
static size_t pad_of(const struct fw_runs_constants *constants)
{
	return (size_t)1 << 2 * constants->levels;
}

/* Where a part can be, or what pads them. */
static size_t count_places(const struct parts *parts, const struct fw_runs_constants *constants)
{
	return parts->count + 2 * pad_of(constants);
}

/* Lower halves, those that pad them included: each cut part's, and one of each other part. */
static size_t count_lows(const struct parts *parts, const struct fw_runs_constants *constants)
{
	if (!parts->cuts)
		return 0;
	return 1 + parts->count + ((parts->cuts + 1) << constants->low_levels);
}

/* Where arrays lie in the value; its size. */
static size_t lay_out(const struct parts *parts, uint32_t bits, struct fw_runs_constants *constants)
{
	size_t end_size = parts->family == 4 ? sizeof(uint32_t) : sizeof(uint64_t);
	size_t room = fw_power_of_two(count_places(parts, constants)), low_room = 0;

	constants->mask = room - 1;
	room += pad_of(constants);
	if (parts->cuts) {
		low_room = fw_power_of_two(count_lows(parts, constants));
		constants->low_mask = low_room - 1;
		low_room += (size_t)1 << constants->low_levels;
	}
	/* Of wide items first, behind an index of 8 octets at least. */
	constants->ends = bits < 2 ? sizeof(uint64_t) : sizeof(uint16_t) << bits;
	constants->low_ends = constants->ends + room * end_size;
	constants->values = constants->low_ends + low_room * sizeof(uint64_t);
	constants->low_classes = constants->values + room * sizeof(uint16_t);
	return constants->low_classes + low_room * sizeof(uint16_t);
}

/* Where part @i goes: behind what is empty; with the key's top bit also behind what pads others. */
static size_t place_of(const struct parts *parts, const struct fw_runs_constants *constants,
		       size_t i)
{
	bool upper = parts->family == 6 && parts->items[i].first >> 63;

	return i + pad_of(constants) * (upper ? 2 : 1);
}

static void write_end(const struct parts *parts, const struct fw_runs_constants *constants,
		      size_t place, uint64_t end, void *value)
{
	if (parts->family == 4)
		((uint32_t *)(value + constants->ends))[place] = end >> 32;
	else
		((uint64_t *)(value + constants->ends))[place] = end << 1 >> 1;
}

/*
 * What a search of lower halves looks at behind a part's own is UINT64_MAX: so those of parts that
 * aren't cut come first, of which each has one. The very first has class 0.
 */
static void write_lows(const struct parts *parts, const struct fw_runs_constants *constants,
		       void *value)
{
	uint16_t *classes = value + constants->low_classes, *values = value + constants->values;
	size_t one = 1, block = 1 + parts->count, i, j;
	uint64_t *ends = value + constants->low_ends;

	for (i = 0; i <= constants->low_mask + (1U << constants->low_levels); i++)
		ends[i] = UINT64_MAX;
	for (i = 0; i < parts->count; i++) {
		const struct part *part = &parts->items[i];
		size_t place = place_of(parts, constants, i);

		if (!part->lows) {
			values[place] = one;
			classes[one++] = part->class;
			continue;
		}
		block += (size_t)1 << constants->low_levels;
		values[place] = block;
		for (j = 0; j < part->lows; j++) {
			classes[block + j] = parts->lows[part->low + j].class;
			if (j + 1 < part->lows)
				ends[block + j] = parts->lows[part->low + j + 1].first - 1;
		}
	}
}

static void write_parts(const struct parts *parts, uint32_t bits,
			const struct fw_runs_constants *constants, void *value)
{
	size_t room = constants->mask + 1 + pad_of(constants), i, part = 0;
	uint16_t *index = value, *values = value + constants->values;

	for (i = 0; i < room; i++)
		write_end(parts, constants, i, UINT64_MAX, value);
	for (i = 0; i < parts->count; i++) {
		size_t place = place_of(parts, constants, i);

		write_end(parts, constants, place, last_of(parts, i), value);
		values[place] = parts->items[i].class;
	}
	if (parts->cuts)
		write_lows(parts, constants, value);
	for (i = 0; i < (size_t)1 << bits; i++) {
		uint64_t first = (uint64_t)i << (64 - bits), last = first + (UINT64_MAX >> bits);

		while (last_of(parts, part) < first)
			part++;
		if (!is_empty(&parts->items[part]) || last_of(parts, part) < last)
			index[i] = place_of(parts, constants, part);
	}
}

static bool classes_fit(const struct table_runs *runs, const uint32_t *classes)
{
	size_t i;

	for (i = 0; i < runs->run_count; i++)
		if (classes[runs->runs[i].word] > UINT16_MAX)
			return false;
	return true;
}

static int compile_parts(struct parts *parts, struct fw_runs_constants *constants,
			 struct fw_array *array)
{
	uint32_t bits;
	int err;

	skip_common(parts, constants);
	if (parts->family == 6)
		split_halves(parts);
	bits = choose_index(parts, constants);
	if (parts->cuts)
		constants->low_levels = levels_for(parts->most_lows, 2);
	if (count_places(parts, constants) > FW_RUNS_MAX ||
	    count_lows(parts, constants) > FW_RUNS_MAX) {
		*constants = (struct fw_runs_constants){};
		return fw_array_allocate(array, sizeof(uint64_t), 1);
	}
	err = fw_array_allocate(array, lay_out(parts, bits, constants), 1);
	if (!err)
		write_parts(parts, bits, constants, array->data);
	return err;
}

int fw_compile_runs(const struct table *table, unsigned int family, const uint32_t *classes,
		    struct fw_runs_constants *constants, struct fw_array *array)
{
	const struct table_runs *runs = table_get_runs(table, family);
	struct parts parts = { .family = family };
	int err;

	if (runs->run_count > FW_RUNS_MAX || !classes_fit(runs, classes))
		return fw_array_allocate(array, sizeof(uint64_t), 1);
	err = make_parts(runs, classes, &parts);
	if (!err)
		err = compile_parts(&parts, constants, array);
	free(parts.items);
	free(parts.lows);
	return err;
}
