// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whether rules have packets in common. */
#include "import_nft_meet.h"

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

static bool addresses_meet(const struct fw_addresses *one, const struct fw_addresses *other)
{
	size_t i, j;

	if (!is_list(one) || !is_list(other))
		return true;
	for (i = 0; i < one->count; i++)
		for (j = 0; j < other->count; j++)
			if (prefix_covers(&one->items[i], &other->items[j]) ||
			    prefix_covers(&other->items[j], &one->items[i]))
				return true;
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

bool nft_rules_meet(struct json_object *objects, struct json_object *one, struct json_object *other)
{
	struct fw_ruleset left = {}, right = {};
	bool found = false;
	size_t i, j;

	if (!nft_rules_relate(objects, one, other))
		return false;
	if (nft_rule_parse(objects, one, &left) || nft_rule_parse(objects, other, &right))
		found = true;
	for (i = 0; i < left.count && !found; i++)
		for (j = 0; j < right.count && !found; j++)
			found = meet(&left.rules[i], &right.rules[j]);
	fw_ruleset_free(&left);
	fw_ruleset_free(&right);
	return found;
}
