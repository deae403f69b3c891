/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "table6_filter.h"
#include "table6_hash.h"

/* Few enough marks in each word that chance rarely sets both bits of another. */
#define MARKS_PER_WORD 4U
#define LOG2_WORDS_MIN 6U
#define LOG2_WORDS_MAX 18U
#define SPREAD_MIN     4096U

/* Depths at which prefixes are marked; the first takes all that the others don't. */
enum mark_depth {
	DEPTH_16,
	DEPTH_32,
	DEPTH_48,
	DEPTH_64,
	DEPTHS,
};

struct marker {
	__u64 *words; /* NULL: count only */
	__u32 shift;
	__u32 from[DEPTHS]; /* shortest prefix that is marked there */
	__u32 probes;
	__u64 marks;
};

static __u32 bits_of(unsigned int depth)
{
	return 16 * (depth + 1);
}

/*
 * A prefix that is longer than one depth and shorter than the next is better marked at the next,
 * many times: fewer addresses that nothing covers pass. As far as that doesn't crowd the filter.
 */
static void choose_depths(struct marker *marker, const struct table_runs *runs)
{
	__u64 lengths[129] = { 0 };
	__u64 spread = runs->cover_count;
	unsigned int depth;
	size_t i;

	for (i = 0; i < runs->cover_count; i++) {
		if (runs->covers[i].word)
			lengths[runs->covers[i].length]++;
	}
	if (spread > (MARKS_PER_WORD << LOG2_WORDS_MAX) / 4)
		spread = 0;
	if (spread < SPREAD_MIN)
		spread = SPREAD_MIN;
	for (depth = DEPTH_32; depth < DEPTHS; depth++) {
		__u32 from = bits_of(depth);
		__u64 left = spread;

		while (from > bits_of(depth - 1) + 1 &&
		       lengths[from - 1] << (bits_of(depth) - from + 1) <= left) {
			from--;
			left -= lengths[from] << (bits_of(depth) - from);
		}
		marker->from[depth] = from;
	}
}

static void mark(struct marker *marker, __u64 high, __u32 bits, __u32 which)
{
	__u64 hash = table6_hash(high, bits);

	marker->words[hash >> marker->shift] |=
		1ULL << table6_hash_bit(hash, marker->shift, 2 * which) |
		1ULL << table6_hash_bit(hash, marker->shift, 2 * which + 1);
}

/* Marks each block of `bits` leading bits that the prefix covers. */
static void mark_blocks(struct marker *marker, const struct table_cover *cover, __u32 bits,
			__u32 which)
{
	__u64 count = cover->length < bits ? 1ULL << (bits - cover->length) : 1;
	__u64 i;

	marker->marks += count;
	for (i = 0; marker->words && i < count; i++)
		mark(marker, cover->first.high + (i << (64 - bits)), bits, which);
}

static void mark_cover(struct marker *marker, const struct table_cover *cover)
{
	unsigned int depth = DEPTH_64;

	while (depth > DEPTH_16 && cover->length < marker->from[depth])
		depth--;
	marker->probes |= 1U << depth;
	mark_blocks(marker, cover, bits_of(depth), depth == DEPTH_32);
	if (depth > DEPTH_16)
		mark_blocks(marker, cover, 32, 0);
}

static void mark_all(struct marker *marker, const struct table_runs *runs)
{
	size_t i;

	choose_depths(marker, runs);
	for (i = 0; i < runs->cover_count; i++) {
		if (runs->covers[i].word)
			mark_cover(marker, &runs->covers[i]);
	}
}

void table6_filter_plan(const struct table_runs *runs, struct table_layout *layout)
{
	struct marker marker = { 0 };
	__u32 log2_words = LOG2_WORDS_MIN;

	mark_all(&marker, runs);
	while (log2_words < LOG2_WORDS_MAX && MARKS_PER_WORD << log2_words < marker.marks)
		log2_words++;
	layout->v6.probes = marker.probes;
	layout->v6.filter_shift = 64 - log2_words;
	layout->map[TABLE_V6_FILTER].value_size = sizeof(__u64) << log2_words;
}

void table6_filter_fill(const struct table_runs *runs, const struct table_layout *layout,
			__u64 *words)
{
	struct marker marker = { .words = words, .shift = layout->v6.filter_shift };

	mark_all(&marker, runs);
}
