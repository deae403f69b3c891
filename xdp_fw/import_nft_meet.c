// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whether rules have packets in common. */
#include "import_nft_meet.h"

#include <stdlib.h>

#include "import_nft_rule.h"
#include "rules.h"

static bool both_contain(const struct fw_numbers *one, const struct fw_numbers *other,
			 uint32_t value, uint32_t max)
{
	return value <= max && fw_numbers_contain(one, value) && fw_numbers_contain(other, value);
}

/* The least value that both have is 0, or one at which a range begins or one has just ended. */
static bool numbers_meet(const struct fw_numbers *one, const struct fw_numbers *other, uint32_t max)
{
	const struct fw_numbers *sides[] = { one, other };
	bool meet = !one->given || !other->given || both_contain(one, other, 0, max);
	size_t side, i;

	for (side = 0; side < 2; side++)
		for (i = 0; i < sides[side]->count && !meet; i++)
			meet = both_contain(one, other, sides[side]->items[i].first, max) ||
			       both_contain(one, other, sides[side]->items[i].last + 1, max);
	return meet;
}

static bool is_list(const struct fw_addresses *addresses)
{
	return addresses->given && !addresses->negated && !addresses->set_count;
}

static int compare(const void *one, const void *other)
{
	return prefix_compare(one, other);
}

static void sort(struct fw_addresses *addresses)
{
	if (addresses->count)
		qsort(addresses->items, addresses->count, sizeof(*addresses->items), compare);
}

void nft_lines_sort(struct nft_lines *lines)
{
	size_t i;

	for (i = 0; i < lines->ruleset.count; i++) {
		sort(&lines->ruleset.rules[i].from);
		sort(&lines->ruleset.rules[i].to);
	}
}

/* Of two prefixes apart, the lesser has nothing in common with what follows the other. */
static bool addresses_meet(const struct fw_addresses *one, const struct fw_addresses *other)
{
	size_t i = 0, j = 0;

	if (!is_list(one) || !is_list(other))
		return true;
	while (i < one->count && j < other->count) {
		const struct prefix *left = &one->items[i], *right = &other->items[j];

		if (prefix_covers(left, right) || prefix_covers(right, left))
			return true;
		if (prefix_compare(left, right) < 0)
			i++;
		else
			j++;
	}
	return false;
}

static bool meet(const struct fw_rule *one, const struct fw_rule *other)
{
	int number;

	if (one->family != other->family || !addresses_meet(&one->from, &other->from) ||
	    !addresses_meet(&one->to, &other->to))
		return false;
	if (one->fragment && other->fragment && one->fragment != other->fragment)
		return false;
	for (number = 0; number < FW_NUMBERS; number++)
		if (!numbers_meet(&one->numbers[number], &other->numbers[number],
				  number == FW_VLAN ? FW_VLAN_NONE : fw_number_max(number)))
			return false;
	return true;
}

/* Whether IP versions and protocols, whatever else can't be told, have any in common. */
static bool relate(const struct nft_lines *one, const struct nft_lines *other)
{
	return (!one->family || !other->family || one->family == other->family) &&
	       (!one->protocol || !other->protocol || one->protocol == other->protocol);
}

bool nft_rules_meet(const struct nft_lines *one, const struct nft_lines *other)
{
	bool found = one->err || other->err;
	size_t i, j;

	if (!relate(one, other))
		return false;
	for (i = 0; i < one->ruleset.count && !found; i++)
		for (j = 0; j < other->ruleset.count && !found; j++)
			found = meet(&one->ruleset.rules[i], &other->ruleset.rules[j]);
	return found;
}
