// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sources and destinations: each prefix that some rule names gets the class of the rules that take
 * its addresses, those that name a shorter prefix around it included.
 */
#include "compile_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

/* Nested prefixes, and what lies around them all. */
#define DEPTH_MAX 130

/* A prefix, and who names it: the rule, or with @set the set, of that number. */
struct owned {
	struct prefix prefix;
	uint32_t owner;
	bool set;
};

struct level {
	struct prefix prefix;
	uint32_t class;
};

/* @users: rules that name each set, in one array; those of set i from starts[i] to starts[i + 1]. */
struct addresses {
	struct fw_family *families;
	enum fw_dimension dimension;
	const struct fw_ruleset *ruleset;
	struct owned *items;
	size_t count;
	uint32_t *users;
	size_t *starts;
	struct table_rule *rules;
	uint32_t *classes;
	size_t ids;
};

static const struct fw_addresses *of_rule(const struct addresses *addresses, size_t rule)
{
	const struct fw_rule *one = &addresses->ruleset->rules[rule];

	return addresses->dimension == FW_DIM_SOURCE ? &one->from : &one->to;
}

/* Rules by the sets that they name; counts first, then fills in. */
static int collect_users(struct addresses *addresses)
{
	const struct fw_ruleset *ruleset = addresses->ruleset;
	size_t i, j, *next;

	addresses->starts = calloc(ruleset->set_count + 2, sizeof(*addresses->starts));
	if (!addresses->starts)
		return -ENOMEM;
	next = addresses->starts + 1;
	for (i = 0; i < ruleset->count; i++)
		for (j = 0; j < of_rule(addresses, i)->set_count; j++)
			next[of_rule(addresses, i)->sets[j] + 1]++;
	for (i = 0; i < ruleset->set_count; i++)
		next[i + 1] += next[i];
	addresses->users = calloc(next[ruleset->set_count] + 1, sizeof(*addresses->users));
	if (!addresses->users)
		return -ENOMEM;
	for (i = 0; i < ruleset->count; i++)
		for (j = 0; j < of_rule(addresses, i)->set_count; j++)
			addresses->users[next[of_rule(addresses, i)->sets[j]]++] = i;
	return 0;
}

static bool set_is_used(const struct addresses *addresses, size_t set, unsigned int family)
{
	size_t i;

	for (i = addresses->starts[set]; i < addresses->starts[set + 1]; i++)
		if (addresses->ruleset->rules[addresses->users[i]].family == family)
			return true;
	return false;
}

static size_t count_owned(const struct addresses *addresses)
{
	size_t i, count = 0;

	for (i = 0; i < addresses->ruleset->count; i++)
		count += of_rule(addresses, i)->count;
	for (i = 0; i < addresses->ruleset->set_count; i++)
		if (addresses->starts[i] < addresses->starts[i + 1])
			count += addresses->ruleset->sets[i].count;
	return count;
}

static void add(struct addresses *addresses, const struct prefix *prefix, uint32_t owner, bool set)
{
	addresses->items[addresses->count++] =
		(struct owned){ .prefix = *prefix, .owner = owner, .set = set };
}

static int compare_owned(const void *left, const void *right)
{
	return prefix_compare(&((const struct owned *)left)->prefix,
			      &((const struct owned *)right)->prefix);
}

static int collect(struct addresses *addresses)
{
	const struct fw_ruleset *ruleset = addresses->ruleset;
	size_t room = count_owned(addresses), i, j;
	bool used[2], sorted = true;

	if (room > FW_PREFIXES_MAX)
		return ecbpf_fail(-E2BIG,
				  "%s: the rules name %zu prefixes; at most %d as sources, and as "
				  "many as destinations",
				  ruleset->files[0], room, FW_PREFIXES_MAX);
	addresses->items = malloc(room * sizeof(*addresses->items) + 1);
	addresses->rules = malloc(room * sizeof(*addresses->rules) + 1);
	addresses->classes = calloc(room + 2, sizeof(*addresses->classes));
	if (!addresses->items || !addresses->rules || !addresses->classes)
		return -ENOMEM;
	for (i = 0; i < ruleset->set_count; i++) {
		const struct fw_set *set = &ruleset->sets[i];

		used[0] = set_is_used(addresses, i, 4);
		used[1] = set_is_used(addresses, i, 6);
		for (j = 0; (used[0] || used[1]) && j < set->count; j++)
			if (used[set->items[j].family == 6])
				add(addresses, &set->items[j], i, true);
	}
	for (i = 0; i < ruleset->count; i++)
		for (j = 0; j < of_rule(addresses, i)->count; j++)
			add(addresses, &of_rule(addresses, i)->items[j], i, false);
	for (i = 1; i < addresses->count && sorted; i++)
		sorted = compare_owned(&addresses->items[i - 1], &addresses->items[i]) <= 0;
	if (!sorted)
		qsort(addresses->items, addresses->count, sizeof(*addresses->items), compare_owned);
	return 0;
}

static void apply_rule(const struct addresses *addresses, const struct fw_family *family,
		       uint32_t rule, uint64_t *vector)
{
	if (addresses->ruleset->rules[rule].family != family->family)
		return;
	if (of_rule(addresses, rule)->negated)
		fw_bit_clear(vector, family->positions[rule]);
	else
		fw_bit_set(vector, family->positions[rule]);
}

static void apply(const struct addresses *addresses, const struct fw_family *family,
		  const struct owned *owned, uint64_t *vector)
{
	size_t i;

	if (!owned->set) {
		apply_rule(addresses, family, owned->owner, vector);
		return;
	}
	for (i = addresses->starts[owned->owner]; i < addresses->starts[owned->owner + 1]; i++)
		apply_rule(addresses, family, addresses->users[i], vector);
}

/* The class of addresses that no prefix covers is 0. */
static int add_outside(const struct addresses *addresses, struct fw_family *family,
		       uint64_t *vector)
{
	uint32_t position, class;

	for (position = 0; position < family->chunks * FW_CHUNK; position++) {
		const struct fw_addresses *one;

		if (family->rules[position] == UINT32_MAX)
			continue;
		one = of_rule(addresses, family->rules[position]);
		if (one->given)
			family->used |= 1U << addresses->dimension;
		if (!one->given || one->negated)
			fw_bit_set(vector, position);
	}
	return fw_vectors_class(&family->vectors[addresses->dimension], vector, &class);
}

/* The items from @first on that name the same prefix: their class, and the next prefix. */
static int classify(struct addresses *addresses, struct fw_family *family, size_t first,
		    size_t *next, uint64_t *vector, const struct level *outer, uint32_t *class)
{
	struct fw_vectors *vectors = &family->vectors[addresses->dimension];
	size_t i = first;

	memcpy(vector, vectors->items + outer->class * vectors->words,
	       vectors->words * sizeof(*vector));
	for (;
	     i < addresses->count && !compare_owned(&addresses->items[i], &addresses->items[first]);
	     i++)
		apply(addresses, family, &addresses->items[i], vector);
	*next = i;
	return fw_vectors_class(vectors, vector, class);
}

static int compile_family(struct addresses *addresses, struct fw_family *family, size_t *at)
{
	uint64_t *vector = calloc(family->chunks + 1, sizeof(*vector));
	struct level levels[DEPTH_MAX] = {}, *top = levels;
	uint32_t class;
	int err = vector ? 0 : -ENOMEM;

	if (!err && family->chunks)
		err = add_outside(addresses, family, vector);
	while (!err && *at < addresses->count &&
	       addresses->items[*at].prefix.family == family->family) {
		const struct prefix *prefix = &addresses->items[*at].prefix;

		while (top > levels && !prefix_covers(&top->prefix, prefix))
			top--;
		err = classify(addresses, family, *at, at, vector, top, &class);
		if (err || class == top->class)
			continue;
		*++top = (struct level){ .prefix = *prefix, .class = class };
		addresses->rules[addresses->ids] =
			(struct table_rule){ .prefix = *prefix, .id = addresses->ids + 1 };
		addresses->classes[++addresses->ids] = class;
	}
	free(vector);
	return err;
}

int fw_compile_addresses(struct fw_family families[2], enum fw_dimension dimension,
			 const struct table_progress *progress, struct table **table,
			 uint32_t **classes, size_t *count)
{
	struct addresses addresses = {
		.families = families,
		.dimension = dimension,
		.ruleset = families[0].ruleset,
	};
	size_t at = 0;
	int err;

	err = collect_users(&addresses) ?: collect(&addresses);
	if (!err)
		err = compile_family(&addresses, &families[0], &at) ?:
			      compile_family(&addresses, &families[1], &at);
	if (!err)
		err = table_plan(addresses.rules, addresses.ids, progress, table);
	free(addresses.items);
	free(addresses.users);
	free(addresses.starts);
	free(addresses.rules);
	if (err) {
		free(addresses.classes);
		return err;
	}
	*classes = addresses.classes;
	*count = addresses.ids + 1;
	return 0;
}
