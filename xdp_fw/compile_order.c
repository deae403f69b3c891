// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where rules stand in vectors, so that those that resemble each other share words. */
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

struct item {
	const struct fw_rule *rule;
	uint32_t number;
	uint32_t priority;
	enum segment segment;
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

/* The largest of the prefixes, or NULL: none, or not these. */
static const struct prefix *largest_prefix(const struct fw_addresses *addresses)
{
	const struct prefix *largest = NULL;
	size_t i;

	for (i = 0; addresses->given && !addresses->negated && i < addresses->count; i++)
		if (!largest || addresses->items[i].length < largest->length)
			largest = &addresses->items[i];
	return largest;
}

/*
 * By what takes most of the packets: a rule's small items may be anywhere among those of others,
 * and cost little.
 */
static int compare_addresses(const struct fw_addresses *left, const struct fw_addresses *right)
{
	const struct prefix *first = largest_prefix(left), *second = largest_prefix(right);
	size_t left_set = left->given && !left->negated && left->set_count ? left->sets[0] + 1 : 0;
	size_t right_set =
		right->given && !right->negated && right->set_count ? right->sets[0] + 1 : 0;

	if (left_set != right_set)
		return left_set < right_set ? -1 : 1;
	if (first && second)
		return prefix_compare(first, second);
	return !!first - !!second;
}

/* Where the largest range begins, plus one; 0: any value, or not these. */
static uint32_t largest_range(const struct fw_numbers *numbers)
{
	uint32_t start = 0, size = 0;
	size_t i;

	for (i = 0; numbers->given && !numbers->negated && i < numbers->count; i++) {
		const struct fw_range *item = &numbers->items[i];

		if (!start || item->last - item->first > size) {
			size = item->last - item->first;
			start = item->first + 1;
		}
	}
	return start;
}

static int compare_numbers(const struct fw_numbers *left, const struct fw_numbers *right)
{
	uint32_t first = largest_range(left), second = largest_range(right);

	return first < second ? -1 : first > second;
}

/* Which fields the rule has: rules that take any value of one keep its aggregates from saying much. */
static uint32_t shape_of(const struct fw_rule *rule)
{
	uint32_t shape = rule->from.given << 1 | rule->to.given;
	size_t i;

	for (i = 0; i < FW_NUMBERS; i++)
		shape = shape << 1 | rule->numbers[i].given;
	return shape << 1 | rule->flags.given;
}

static int compare_items(const void *left, const void *right)
{
	static const enum fw_number order[] = { FW_DPORT,    FW_SPORT, FW_TYPE,	  FW_CODE,
						FW_PROTOCOL, FW_TTL,   FW_LENGTH, FW_WINDOW };
	const struct item *a = left, *b = right;
	int result = (int)a->segment - (int)b->segment;
	size_t i;

	if (!result && a->segment != SEGMENT_LIMIT) {
		uint32_t first = shape_of(a->rule), second = shape_of(b->rule);

		result = (first > second) - (first < second);
		if (!result)
			result = compare_addresses(&a->rule->from, &b->rule->from);
		if (!result)
			result = compare_addresses(&a->rule->to, &b->rule->to);
		for (i = 0; !result && i < sizeof(order) / sizeof(order[0]); i++)
			result = compare_numbers(&a->rule->numbers[order[i]],
						 &b->rule->numbers[order[i]]);
		if (!result)
			result = a->rule->flags.flags - b->rule->flags.flags;
	}
	return result ? result : (a->number > b->number) - (a->number < b->number);
}

static int compare_priorities(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return (a->priority > b->priority) - (a->priority < b->priority);
}

static size_t collect(const struct fw_ruleset *ruleset, unsigned int family, struct item *items)
{
	size_t i, count = 0;

	for (i = 0; i < ruleset->count; i++) {
		const struct fw_rule *rule = &ruleset->rules[i];

		if (rule->family != family)
			continue;
		items[count++] = (struct item){
			.rule = rule,
			.number = i,
			.priority = fw_priority(ruleset, i),
			.segment = segment_of(ruleset, rule),
		};
	}
	return count;
}

/* Each segment begins with a chunk of its own. */
static void place(struct fw_family *out, struct item *items, size_t count)
{
	size_t position = 0, i, n, segment;

	for (segment = 0, i = 0; segment < SEGMENTS; segment++) {
		if (segment == SEGMENT_LIMIT)
			out->limit_chunk = position / FW_CHUNK;
		if (segment == SEGMENT_COUNT)
			out->count_chunk = position / FW_CHUNK;
		while (i < count && items[i].segment == segment) {
			for (n = 1; n < FW_CHUNK && i + n < count; n++)
				if (items[i + n].segment != segment)
					break;
			qsort(items + i, n, sizeof(*items), compare_priorities);
			for (; n; n--, i++, position++) {
				out->positions[items[i].number] = position;
				out->rules[position] = items[i].number;
			}
			position = (position + FW_CHUNK - 1) / FW_CHUNK * FW_CHUNK;
		}
	}
	out->chunks = position / FW_CHUNK;
}

int fw_family_order(const struct fw_ruleset *ruleset, unsigned int family, struct fw_family *out)
{
	size_t room = (FW_CHUNKS_MAX + SEGMENTS) * FW_CHUNK, count;
	struct item *items = calloc(ruleset->count + 1, sizeof(*items));
	int err = 0;

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
	count = collect(ruleset, family, items);
	qsort(items, count, sizeof(*items), compare_items);
	place(out, items, count);
	free(items);
	for (count = 0; count < FW_DIMS; count++) {
		out->vectors[count].file = ruleset->files[0];
		out->vectors[count].words = out->chunks;
	}
	return err;
}

void fw_family_free(struct fw_family *family)
{
	int i;

	for (i = 0; i < FW_DIMS; i++)
		fw_vectors_free(&family->vectors[i]);
	free(family->positions);
	free(family->rules);
}
