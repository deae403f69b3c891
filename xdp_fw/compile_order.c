// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where rules stand in vectors. */
#include "compile_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

/* Rules of one family in the order in which vectors have them. */
enum segment {
	SEGMENT_DECIDE,
	SEGMENT_LIMIT,
	SEGMENT_COUNT,
	SEGMENTS,
};

uint32_t fw_priority(const struct fw_ruleset *ruleset, size_t rule)
{
	if (ruleset->first_match || ruleset->rules[rule].action == FW_PASS)
		return rule;
	return ruleset->count + rule;
}

static enum segment segment_of(const struct fw_ruleset *ruleset, const struct fw_rule *rule)
{
	if (rule->action == FW_COUNT)
		return SEGMENT_COUNT;
	return rule->action == FW_LIMIT && !ruleset->first_match ? SEGMENT_LIMIT : SEGMENT_DECIDE;
}

static int compare_priorities(const void *left, const void *right)
{
	const struct fw_item *a = left, *b = right;

	return (a->priority > b->priority) - (a->priority < b->priority);
}

static size_t collect(const struct fw_ruleset *ruleset, unsigned int family, enum segment segment,
		      struct fw_item *items)
{
	size_t i, count = 0;

	for (i = 0; i < ruleset->count; i++) {
		const struct fw_rule *rule = &ruleset->rules[i];

		if (rule->family == family && segment_of(ruleset, rule) == segment)
			items[count++] = (struct fw_item){
				.rule = rule,
				.number = i,
				.priority = fw_priority(ruleset, i),
			};
	}
	return count;
}

/* In chunks behind those that are there. */
static void place(struct fw_family *out, struct fw_item *items, size_t count)
{
	size_t first, i, n;

	for (first = 0; first < count; first += n, out->chunks++) {
		n = count - first < FW_CHUNK ? count - first : FW_CHUNK;
		qsort(items + first, n, sizeof(*items), compare_priorities);
		for (i = 0; i < n; i++) {
			uint32_t number = items[first + i].number, at = out->chunks * FW_CHUNK + i;

			out->positions[number] = at;
			out->rules[at] = number;
		}
	}
}

int fw_family_order(const struct fw_ruleset *ruleset, unsigned int family, struct fw_family *out)
{
	size_t room = (FW_CHUNKS_MAX + SEGMENTS) * FW_CHUNK, count;
	struct fw_item *items = calloc(ruleset->count + 1, sizeof(*items));
	enum segment segment;

	memset(out, 0, sizeof(*out));
	out->ruleset = ruleset;
	out->family = family;
	out->positions = calloc(ruleset->count + 1, sizeof(*out->positions));
	out->rules = malloc(room * sizeof(*out->rules));
	if (!items || !out->positions || !out->rules) {
		free(items);
		return -ENOMEM;
	}
	memset(out->rules, 0xff, room * sizeof(*out->rules));
	for (segment = 0; segment < SEGMENTS; segment++) {
		if (segment == SEGMENT_LIMIT)
			out->limit_chunk = out->chunks;
		if (segment == SEGMENT_COUNT)
			out->count_chunk = out->chunks;
		count = collect(ruleset, family, segment, items);
		/* Limits are asked in the order of the file. */
		if (segment != SEGMENT_LIMIT)
			fw_sort(ruleset, items, count);
		place(out, items, count);
	}
	free(items);
	for (count = 0; count < FW_DIMS; count++) {
		out->vectors[count].file = ruleset->files[0];
		out->vectors[count].words = out->chunks;
	}
	return 0;
}

void fw_family_free(struct fw_family *family)
{
	int i;

	for (i = 0; i < FW_DIMS; i++)
		fw_vectors_free(&family->vectors[i]);
	free(family->positions);
	free(family->rules);
}
