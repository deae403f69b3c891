// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xdp_fw.h"

static const struct {
	const char *name;
	uint32_t max;
} number_kinds[FW_NUMBERS] = {
	[FW_LENGTH] = { "length", 65535 }, [FW_TTL] = { "ttl", 255 },
	[FW_SPORT] = { "sport", 65535 },   [FW_DPORT] = { "dport", 65535 },
	[FW_WINDOW] = { "window", 65535 }, [FW_TYPE] = { "type", 255 },
	[FW_CODE] = { "code", 255 },	   [FW_VLAN] = { "vlan", 4095 },
	[FW_PROTOCOL] = { "proto", 255 },
};

const char *fw_number_name(enum fw_number number)
{
	return number_kinds[number].name;
}

uint32_t fw_number_max(enum fw_number number)
{
	return number_kinds[number].max;
}

bool fw_numbers_contain(const struct fw_numbers *numbers, uint32_t value)
{
	size_t i;

	for (i = 0; i < numbers->count; i++)
		if (value >= numbers->items[i].first && value <= numbers->items[i].last)
			return !numbers->negated;
	return numbers->negated;
}

const char *fw_action_name(enum fw_action action)
{
	static const char *const names[] = {
		[FW_DROP] = "drop",
		[FW_PASS] = "pass",
		[FW_LIMIT] = "limit",
		[FW_COUNT] = "count",
	};

	return names[action];
}

int fw_grow(void *array, size_t count, size_t size)
{
	void **items = array, *moved;

	/* Full at every power of two. */
	if (count & (count - 1) || (count && count < 4))
		return 0;
	moved = realloc(*items, (count ? 2 * count : 4) * size);
	if (!moved)
		return -ENOMEM;
	*items = moved;
	return 0;
}

static int compare_prefixes(const void *left, const void *right)
{
	return prefix_compare(left, right);
}

void fw_set_sort(struct fw_set *set)
{
	size_t i, kept = 0;

	if (set->count)
		qsort(set->items, set->count, sizeof(*set->items), compare_prefixes);
	for (i = 0; i < set->count; i++)
		if (!kept || prefix_compare(&set->items[kept - 1], &set->items[i]))
			set->items[kept++] = set->items[i];
	set->count = kept;
}

static void clear_behind(struct prefix *prefix, unsigned int length)
{
	unsigned int i;

	prefix->length = length;
	for (i = length / 8; i < sizeof(prefix->addr); i++)
		prefix->addr[i] &= i == length / 8 ? ~(0xff >> length % 8) : 0;
}

bool fw_set_covers(const struct fw_set *set, const struct prefix *address)
{
	struct prefix key = *address;
	int length;

	if (!set->count)
		return false;
	for (length = address->length; length >= 0; length--) {
		clear_behind(&key, length);
		if (bsearch(&key, set->items, set->count, sizeof(*set->items), compare_prefixes))
			return true;
	}
	return false;
}

static void addresses_free(struct fw_addresses *addresses)
{
	free(addresses->items);
	free(addresses->sets);
}

void fw_rule_free(struct fw_rule *rule)
{
	int i;

	free(rule->name);
	free(rule->text);
	addresses_free(&rule->from);
	addresses_free(&rule->to);
	for (i = 0; i < FW_NUMBERS; i++)
		free(rule->numbers[i].items);
	memset(rule, 0, sizeof(*rule));
}

void fw_ruleset_free(struct fw_ruleset *ruleset)
{
	size_t i;

	for (i = 0; i < ruleset->count; i++)
		fw_rule_free(&ruleset->rules[i]);
	for (i = 0; i < ruleset->set_count; i++) {
		free(ruleset->sets[i].name);
		free(ruleset->sets[i].items);
	}
	for (i = 0; i < ruleset->file_count; i++)
		free(ruleset->files[i]);
	free(ruleset->rules);
	free(ruleset->sets);
	free(ruleset->tests);
	free(ruleset->files);
	memset(ruleset, 0, sizeof(*ruleset));
}
