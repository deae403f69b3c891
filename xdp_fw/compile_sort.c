// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Rules that resemble each other side by side: so that few words have any rule for a packet.
 *
 * Rules that have the same fields are sorted by these, first by that which tells them apart best: of
 * which the fewest rules take what another one asks for. Of prefixes within prefixes one address
 * satisfies many, of ports few, or the other way round.
 */
#define _GNU_SOURCE
#include "compile_parts.h"

#include <stdlib.h>
#include <string.h>

#include "evaluate.h"

enum key {
	KEY_FROM,
	KEY_TO,
	KEY_FLAGS,
	KEY_NUMBERS,
	KEYS = KEY_NUMBERS + FW_NUMBERS,
};

/* @keys: the first is compared first. */
struct order {
	enum key keys[KEYS];
	size_t count;
};

/* What is drawn is the same each time, and so is the order. */
struct draw {
	unsigned short state[3];
};

static size_t draw_below(struct draw *draw, size_t limit)
{
	return nrand48(draw->state) % limit;
}

static const struct fw_addresses *addresses_of(const struct fw_rule *rule, enum key key)
{
	return key == KEY_FROM ? &rule->from : &rule->to;
}

static bool is_given(const struct fw_rule *rule, enum key key)
{
	switch (key) {
	case KEY_FROM:
	case KEY_TO:
		return addresses_of(rule, key)->given;
	case KEY_FLAGS:
		return rule->flags.given;
	default:
		return rule->numbers[key - KEY_NUMBERS].given;
	}
}

static bool is_negated(const struct fw_rule *rule, enum key key)
{
	switch (key) {
	case KEY_FROM:
	case KEY_TO:
		return addresses_of(rule, key)->negated;
	case KEY_FLAGS:
		return rule->flags.negated;
	default:
		return rule->numbers[key - KEY_NUMBERS].negated;
	}
}

/* Which fields it has: rules that take most values of one keep its aggregates from saying much. */
static uint32_t shape_of(const struct fw_rule *rule)
{
	uint32_t shape = 0;
	int key;

	for (key = 0; key < KEYS; key++)
		shape = shape << 2 | is_given(rule, key) << 1 | is_negated(rule, key);
	return shape;
}

/* The largest of the prefixes, or NULL: there is none. */
static const struct prefix *largest_prefix(const struct fw_addresses *addresses)
{
	const struct prefix *largest = NULL;
	size_t i;

	for (i = 0; i < addresses->count; i++)
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
	size_t left_set = left->set_count ? left->sets[0] + 1 : 0;
	size_t right_set = right->set_count ? right->sets[0] + 1 : 0;

	if (left_set != right_set)
		return left_set < right_set ? -1 : 1;
	if (first && second)
		return prefix_compare(first, second);
	return !!first - !!second;
}

static uint32_t start_of_largest_range(const struct fw_numbers *numbers)
{
	uint32_t start = 0, size = 0;
	size_t i;

	for (i = 0; i < numbers->count; i++) {
		const struct fw_range *item = &numbers->items[i];

		if (!i || item->last - item->first > size) {
			size = item->last - item->first;
			start = item->first;
		}
	}
	return start;
}

static int compare_numbers(const struct fw_numbers *left, const struct fw_numbers *right)
{
	uint32_t first = start_of_largest_range(left), second = start_of_largest_range(right);

	return first < second ? -1 : first > second;
}

static int compare_by(const struct fw_rule *left, const struct fw_rule *right, enum key key)
{
	switch (key) {
	case KEY_FROM:
	case KEY_TO:
		return compare_addresses(addresses_of(left, key), addresses_of(right, key));
	case KEY_FLAGS:
		return left->flags.flags - right->flags.flags;
	default:
		return compare_numbers(&left->numbers[key - KEY_NUMBERS],
				       &right->numbers[key - KEY_NUMBERS]);
	}
}

static int compare_places(const struct fw_item *a, const struct fw_item *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

static int compare_in_order(const void *left, const void *right, void *context)
{
	const struct fw_item *a = left, *b = right;
	const struct order *order = context;
	int result = 0;
	size_t i;

	for (i = 0; i < order->count && !result; i++)
		result = compare_by(a->rule, b->rule, order->keys[i]);
	return result ? result : compare_places(a, b);
}

static int compare_shapes(const void *left, const void *right)
{
	const struct fw_item *a = left, *b = right;
	uint32_t first = shape_of(a->rule), second = shape_of(b->rule);

	return first == second ? compare_places(a, b) : first < second ? -1 : 1;
}

/* An address that one of the prefixes covers. */
static void draw_address(const struct fw_ruleset *ruleset, const struct fw_addresses *addresses,
			 struct draw *draw, __be32 address[4])
{
	size_t count = addresses->count, item = draw_below(draw, count + addresses->set_count);
	const struct fw_set *set = item < count ? NULL :
						  &ruleset->sets[addresses->sets[item - count]];
	const struct prefix *prefix = set ? set->items : &addresses->items[item];
	uint8_t *out = (uint8_t *)address;
	unsigned int i, kept;

	memset(address, 0, 4 * sizeof(*address));
	if (set && !set->count)
		return;
	if (set)
		prefix += draw_below(draw, set->count);
	for (i = 0; i < prefix_length_max(prefix->family) / 8; i++) {
		kept = prefix->length > 8 * i ? prefix->length - 8 * i : 0;
		out[i] = prefix->addr[i] | draw_below(draw, 256) >> (kept < 8 ? kept : 8);
	}
}

static uint32_t draw_number(const struct fw_numbers *numbers, struct draw *draw)
{
	const struct fw_range *item = &numbers->items[draw_below(draw, numbers->count)];

	return item->first + draw_below(draw, item->last - item->first + 1);
}

/* Whether @other takes something that @rule asks for. */
static bool takes(const struct fw_ruleset *ruleset, const struct fw_rule *other,
		  const struct fw_rule *rule, enum key key, struct draw *draw)
{
	__be32 address[4];

	switch (key) {
	case KEY_FROM:
	case KEY_TO:
		draw_address(ruleset, addresses_of(rule, key), draw, address);
		return fw_addresses_match(ruleset, addresses_of(other, key), rule->family, address);
	case KEY_FLAGS:
		return fw_flags_match(&other->flags, rule->flags.flags);
	default:
		return fw_numbers_contain(&other->numbers[key - KEY_NUMBERS],
					  draw_number(&rule->numbers[key - KEY_NUMBERS], draw));
	}
}

/* How many of all rules take what another one asks for. */
static size_t count_taking(const struct fw_ruleset *ruleset, const struct fw_item *items,
			   size_t count, enum key key)
{
	struct draw draw = {};
	size_t i, taking = 0;

	for (i = 0; i < count; i++)
		taking += takes(ruleset, items[draw_below(&draw, count)].rule, items[i].rule, key,
				&draw);
	return taking;
}

static void find_order(const struct fw_ruleset *ruleset, const struct fw_item *items, size_t count,
		       struct order *order)
{
	size_t taking[KEYS], many, i;
	int key;

	order->count = 0;
	for (key = 0; key < KEYS; key++) {
		if (!is_given(items->rule, key) || is_negated(items->rule, key))
			continue;
		many = count_taking(ruleset, items, count, key);
		for (i = order->count++; i > 0 && taking[i - 1] > many; i--) {
			taking[i] = taking[i - 1];
			order->keys[i] = order->keys[i - 1];
		}
		taking[i] = many;
		order->keys[i] = key;
	}
}

void fw_sort(const struct fw_ruleset *ruleset, struct fw_item *items, size_t count)
{
	struct order order;
	size_t first, n;

	qsort(items, count, sizeof(*items), compare_shapes);
	for (first = 0; first < count; first += n) {
		for (n = 1; first + n < count; n++)
			if (shape_of(items[first + n].rule) != shape_of(items[first].rule))
				break;
		find_order(ruleset, items + first, n, &order);
		qsort_r(items + first, n, sizeof(*items), compare_in_order, &order);
	}
}
