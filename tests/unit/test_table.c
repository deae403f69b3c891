// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Compiled source tables against an evaluator that looks at every rule. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ID_STEP	     7 /* ids are no places in the list */
#define MANY	     1000000

struct compiled {
	struct table *table;
	const struct table_layout *layout;
	const uint32_t *parents;
	void *memory[TABLE_MAPS];
};

/* How the rules of a random list are drawn: `bits` random bits behind the base, then a length. */
struct shape {
	const char *base;
	unsigned int bits;
	unsigned int shortest;
	unsigned int longest;
	size_t count;
	unsigned int allow_percent;
	unsigned int expires_percent;
};

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state * UINT64_C(0x2545f4914f6cdd1d) >> 32) % below;
}

static void clear_behind(struct prefix *prefix, unsigned int length)
{
	prefix->length = length;
	for (unsigned int bit = length; bit < 8 * sizeof(prefix->addr); bit++)
		prefix->addr[bit / 8] &= ~(0x80 >> bit % 8);
}

static void flip(struct prefix *prefix, unsigned int bit)
{
	prefix->addr[bit / 8] ^= 0x80 >> bit % 8;
}

static struct prefix parse(const char *text)
{
	struct prefix prefix;
	bool host_bits;

	assert_int_equal(prefix_parse(text, &prefix, &host_bits), 0);
	return prefix;
}

static struct prefix last_address(const struct prefix *prefix)
{
	unsigned int max = prefix_length_max(prefix->family);
	struct prefix last = *prefix;

	for (unsigned int bit = prefix->length; bit < max; bit++)
		flip(&last, bit);
	last.length = max;
	return last;
}

static struct prefix first_address(const struct prefix *prefix)
{
	struct prefix first = *prefix;

	first.length = prefix_length_max(prefix->family);
	return first;
}

/* The address before or behind, around the end of the address space too. */
static struct prefix neighbour(struct prefix address, int step)
{
	for (int i = prefix_length_max(address.family) / 8 - 1; i >= 0; i--) {
		address.addr[i] += step;
		if (address.addr[i] != (step > 0 ? 0 : 0xff))
			break;
	}
	return address;
}

static struct prefix random_within(const struct prefix *prefix)
{
	unsigned int max = prefix_length_max(prefix->family);
	struct prefix address = first_address(prefix);

	for (unsigned int bit = prefix->length; bit < max; bit++) {
		if (draw(2))
			flip(&address, bit);
	}
	return address;
}

static int compare_rules(const void *left, const void *right)
{
	return prefix_compare(&((const struct table_rule *)left)->prefix,
			      &((const struct table_rule *)right)->prefix);
}

/* Leaves one rule of each prefix, in random order. */
static size_t make_unique(struct table_rule *rules, size_t count)
{
	size_t kept = 0;

	qsort(rules, count, sizeof(*rules), compare_rules);
	for (size_t i = 0; i < count; i++) {
		if (!kept || compare_rules(&rules[kept - 1], &rules[i]))
			rules[kept++] = rules[i];
	}
	for (size_t i = kept; i > 1; i--) {
		size_t j = draw(i);
		struct table_rule rule = rules[j];

		rules[j] = rules[i - 1];
		rules[i - 1] = rule;
	}
	for (size_t i = 0; i < kept; i++)
		rules[i].id = 1 + i * ID_STEP;
	return kept;
}

static size_t draw_rules(const struct shape *shape, struct table_rule *rules)
{
	const struct prefix base = parse(shape->base);

	for (size_t i = 0; i < shape->count; i++) {
		struct table_rule *rule = &rules[i];

		memset(rule, 0, sizeof(*rule));
		rule->prefix = base;
		for (unsigned int bit = 0; bit < shape->bits; bit++) {
			if (draw(2))
				flip(&rule->prefix, base.length + bit);
		}
		clear_behind(&rule->prefix,
			     shape->shortest + draw(shape->longest - shape->shortest + 1));
		rule->allow = draw(100) < shape->allow_percent;
		rule->expires = draw(100) < shape->expires_percent;
	}
	return make_unique(rules, shape->count);
}

static void compile(struct compiled *compiled, const struct table_rule *rules, size_t count)
{
	assert_int_equal(table_plan(rules, count, NULL, &compiled->table), 0);
	compiled->layout = table_get_layout(compiled->table);
	compiled->parents = table_get_parents(compiled->table);
	for (int map = 0; map < TABLE_MAPS; map++) {
		const struct table_array_size *size = &compiled->layout->map[map];

		assert_int_equal(size->value_size % 8, 0);
		assert_true(size->max_entries > 0);
		compiled->memory[map] = calloc(size->max_entries, size->value_size);
		assert_non_null(compiled->memory[map]);
	}
	assert_int_equal(table_fill(compiled->table, compiled->memory), 0);
}

static void release(struct compiled *compiled)
{
	for (int map = 0; map < TABLE_MAPS; map++)
		free(compiled->memory[map]);
	table_free(compiled->table);
}

/* Which of the rules that expire are still in force. */
enum liveness {
	ALL_LIVE,
	NONE_LIVE,
	EVERY_THIRD_EXPIRED,
	EVERY_THIRD_LIVE,
	LIVENESSES,
};

static bool is_live(const struct table_rule *rule, enum liveness liveness)
{
	if (!rule->expires || liveness == ALL_LIVE)
		return true;
	if (liveness == NONE_LIVE)
		return false;
	return (rule->id / ID_STEP % 3 == 0) == (liveness == EVERY_THIRD_LIVE);
}

/* The rule that drops the address, or NULL: what the list means. */
static const struct table_rule *judge(const struct table_rule *rules, size_t count,
				      const struct prefix *address, enum liveness liveness)
{
	const struct table_rule *drop = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!prefix_covers(&rules[i].prefix, address) || !is_live(&rules[i], liveness))
			continue;
		if (rules[i].allow)
			return NULL;
		if (!drop || rules[i].prefix.length > drop->prefix.length)
			drop = &rules[i];
	}
	return drop;
}

static const struct table_rule *rule_of(const struct table_rule *rules, uint32_t id)
{
	return id ? &rules[(id - 1) / ID_STEP] : NULL;
}

/* The same as the data path finds it, from the table's answer and the chain of parents. */
static const struct table_rule *walk(const struct compiled *compiled,
				     const struct table_rule *rules, uint32_t answer,
				     enum liveness liveness)
{
	const struct table_rule *rule = rule_of(rules, answer & TABLE_ID_MASK);
	const struct table_rule *drop = NULL;

	if (!(answer & TABLE_WALK))
		return rule;
	for (; rule; rule = rule_of(rules, compiled->parents[rule - rules])) {
		if (!is_live(rule, liveness))
			continue;
		if (rule->allow)
			return NULL;
		if (!drop)
			drop = rule;
	}
	return drop;
}

static bool expiry_matters(const struct table_rule *rules, size_t count,
			   const struct prefix *address)
{
	const struct table_rule *all = judge(rules, count, address, ALL_LIVE);

	for (enum liveness liveness = NONE_LIVE; liveness < LIVENESSES; liveness++) {
		if (judge(rules, count, address, liveness) != all)
			return true;
	}
	return false;
}

static void check_address(const struct compiled *compiled, const struct table_rule *rules,
			  size_t count, struct prefix address)
{
	uint32_t answer = table_find(compiled->layout, compiled->memory, &address);
	char text[PREFIX_TEXT_SIZE];

	assert_int_equal(answer & ~(TABLE_WALK | TABLE_ID_MASK), 0);
	for (enum liveness liveness = 0; liveness < LIVENESSES; liveness++) {
		if (walk(compiled, rules, answer, liveness) ==
		    judge(rules, count, &address, liveness))
			continue;
		fail_msg("%s: answer %#x, liveness %d", prefix_format(&address, text), answer,
			 liveness);
	}
	if (answer & TABLE_WALK)
		return;
	assert_false(expiry_matters(rules, count, &address));
}

/* Each rule's edges from both sides, addresses within it, and addresses anywhere. */
static void check_all(const struct table_rule *rules, size_t count)
{
	struct compiled compiled;
	struct prefix anywhere = { .family = rules[0].prefix.family };

	compile(&compiled, rules, count);
	for (size_t i = 0; i < count; i++) {
		struct prefix first = first_address(&rules[i].prefix);
		struct prefix last = last_address(&rules[i].prefix);

		check_address(&compiled, rules, count, first);
		check_address(&compiled, rules, count, last);
		check_address(&compiled, rules, count, neighbour(first, -1));
		check_address(&compiled, rules, count, neighbour(last, 1));
		check_address(&compiled, rules, count, random_within(&rules[i].prefix));
		check_address(&compiled, rules, count, random_within(&anywhere));
	}
	release(&compiled);
}

static void check_shapes(const struct shape *shapes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct table_rule *rules = calloc(shapes[i].count, sizeof(*rules));

		assert_non_null(rules);
		random_state = UINT64_C(88172645463325252) + i;
		check_all(rules, draw_rules(&shapes[i], rules));
		free(rules);
	}
}

static void random_lists_of_ipv4_are_judged_right(void **state)
{
	static const struct shape shapes[] = {
		{ "0.0.0.0/0", 32, 16, 32, 600, 0, 0 },
		{ "0.0.0.0/0", 32, 16, 32, 600, 20, 20 },
		{ "0.0.0.0/0", 32, 0, 32, 600, 5, 5 },
		{ "0.0.0.0/0", 3, 0, 8, 300, 10, 30 },
		{ "10.0.0.0/8", 24, 32, 32, 600, 10, 10 },
		{ "10.1.0.0/16", 8, 16, 25, 400, 10, 10 },
		{ "192.0.2.0/24", 8, 24, 32, 60, 10, 20 },
		{ "192.0.2.0/24", 8, 31, 32, 400, 20, 20 },
		{ "198.51.100.0/22", 10, 20, 32, 100, 30, 30 },
		{ "198.51.100.0/22", 10, 28, 32, 500, 5, 40 },
		{ "255.255.255.0/24", 8, 0, 32, 60, 20, 20 },
		{ "0.0.0.0/24", 8, 0, 32, 60, 20, 20 },
		{ "203.0.113.77/32", 0, 0, 32, 200, 0, 50 },
		{ "203.0.113.77/32", 0, 0, 32, 200, 20, 60 },
	};

	(void)state;
	check_shapes(shapes, COUNT(shapes));
}

static void random_lists_of_ipv6_are_judged_right(void **state)
{
	static const struct shape shapes[] = {
		{ "2000::/3", 125, 16, 128, 600, 0, 0 },
		{ "2000::/3", 125, 16, 128, 600, 20, 20 },
		{ "::/0", 128, 0, 128, 400, 10, 10 },
		{ "::/0", 3, 0, 8, 300, 10, 30 },
		{ "2001:db8::/32", 32, 48, 64, 600, 10, 10 },
		{ "2001:db8::/32", 8, 33, 47, 300, 10, 10 },
		{ "2001:db8::/32", 96, 128, 128, 600, 10, 10 },
		{ "2001:db8:0:1::/64", 64, 65, 128, 12, 0, 0 },
		{ "2001:db8:0:1::/64", 64, 65, 128, 36, 10, 10 },
		{ "2001:db8:0:1::/64", 64, 65, 128, 600, 20, 20 },
		{ "2001:db8:0:1::/64", 6, 60, 72, 100, 20, 20 },
		{ "2001:db8:0:1:ffff:ffff:ffff:ff00/120", 8, 64, 128, 200, 10, 10 },
		{ "2001:db8:0:fffc::/62", 10, 62, 128, 500, 20, 20 },
		{ "7fff:ffff:ffff:fffe::/63", 10, 0, 76, 200, 10, 10 },
		{ "8000::/62", 10, 0, 76, 200, 10, 10 },
		{ "ffff:ffff:ffff:ffff::/64", 64, 0, 128, 300, 10, 10 },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00/120", 8, 0, 128, 300, 10, 10 },
		{ "2001:db8::1/128", 0, 0, 128, 500, 0, 50 },
		{ "2001:db8::8000:0:0:1/128", 0, 0, 128, 500, 20, 60 },
	};

	(void)state;
	check_shapes(shapes, COUNT(shapes));
}

/* Enough for several levels of search trees, above /64 and below. */
static void long_lists_of_ipv6_are_judged_right(void **state)
{
	static const struct shape shapes[] = {
		{ "2001:db8::/32", 32, 60, 64, 20000, 10, 10 },
		{ "2001:db8:0:1::/64", 64, 120, 128, 20000, 10, 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct table_rule *rules = calloc(shapes[i].count, sizeof(*rules));
		struct compiled compiled;
		size_t count;

		assert_non_null(rules);
		random_state = 42 + i;
		count = draw_rules(&shapes[i], rules);
		compile(&compiled, rules, count);
		for (size_t j = 0; j < 300; j++) {
			const struct prefix *prefix = &rules[draw(count)].prefix;
			struct prefix last = last_address(prefix);

			check_address(&compiled, rules, count, first_address(prefix));
			check_address(&compiled, rules, count, last);
			check_address(&compiled, rules, count, neighbour(last, 1));
		}
		release(&compiled);
		free(rules);
	}
}

/* Every address of a block that is cut into pieces of all kinds. */
static void each_address_of_a_block_is_judged_right(void **state)
{
	static const struct shape shapes[] = {
		{ "10.0.0.0/21", 11, 16, 32, 4, 0, 0 },
		{ "10.0.0.0/21", 11, 16, 32, 8, 0, 0 },
		{ "10.0.0.0/21", 11, 16, 28, 16, 10, 10 },
		{ "10.0.0.0/21", 11, 21, 32, 400, 10, 10 },
		{ "2001:db8::/117", 11, 117, 128, 8, 0, 0 },
		{ "2001:db8::/117", 11, 117, 128, 14, 10, 10 },
		{ "2001:db8::/117", 11, 117, 128, 400, 10, 10 },
	};
	struct table_rule rules[400];

	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct prefix address = parse(shapes[i].base);
		struct compiled compiled;
		size_t count;

		random_state = 7 + i;
		count = draw_rules(&shapes[i], rules);
		compile(&compiled, rules, count);
		address.length = prefix_length_max(address.family);
		for (unsigned int j = 0; j < 1U << 11; j++) {
			check_address(&compiled, rules, count, address);
			address = neighbour(address, 1);
		}
		release(&compiled);
	}
}

static void families_share_a_list(void **state)
{
	static const struct shape shapes[] = {
		{ "0.0.0.0/0", 32, 8, 32, 300, 10, 10 },
		{ "2000::/3", 125, 8, 128, 300, 10, 10 },
	};
	struct table_rule rules[600];
	size_t count;

	(void)state;
	random_state = 4711;
	count = draw_rules(&shapes[0], rules);
	count += draw_rules(&shapes[1], rules + count);
	check_all(rules, make_unique(rules, count));
}

static void parents_are_the_next_shorter(void **state)
{
	static const char *const prefixes[] = {
		"10.0.0.0/8", "10.0.0.0/24", "10.0.0.7/32", "10.0.1.0/24",     "::/0",
		"0.0.0.0/0",  "11.0.0.0/8",  "a00::/8",	    "2001:db8::1/128",
	};
	static const unsigned int parents[] = { 5, 0, 1, 0, -1, -1, 5, 4, 4 };
	struct table_rule rules[COUNT(prefixes)] = { 0 };
	struct compiled compiled;

	(void)state;
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		rules[i].prefix = parse(prefixes[i]);
		rules[i].id = 100 + i;
		rules[i].allow = i % 2;
		rules[i].expires = i % 3;
	}
	compile(&compiled, rules, COUNT(rules));
	for (size_t i = 0; i < COUNT(prefixes); i++)
		assert_int_equal(compiled.parents[i],
				 parents[i] == (unsigned int)-1 ? 0 : 100 + parents[i]);
	release(&compiled);
}

static void an_empty_list_has_no_answer(void **state)
{
	struct table_rule allow = { .prefix = { .family = 4 }, .id = 1, .allow = true };
	struct compiled compiled;

	(void)state;
	for (size_t count = 0; count < 2; count++) {
		compile(&compiled, &allow, count);
		assert_int_equal(compiled.layout->v4.used, 0);
		assert_int_equal(compiled.layout->v6.root[0] | compiled.layout->v6.root[1], 0);
		assert_true(table_layout_bytes(compiled.layout) <= 8 * TABLE_MAPS);
		check_address(&compiled, &allow, count, parse("192.0.2.1"));
		check_address(&compiled, &allow, count, parse("2001:db8::1"));
		release(&compiled);
	}
}

static void bad_rules_are_refused(void **state)
{
	static const struct {
		struct table_rule rules[2];
		int err;
	} cases[] = {
		{ { { .prefix = { 4, 0, { 0 } }, .id = 1 },
		    { .prefix = { 4, 0, { 0 } }, .id = 2 } },
		  -EEXIST },
		{ { { .prefix = { 6, 8, { 32 } }, .id = 1 },
		    { .prefix = { 6, 8, { 32 } }, .id = 2, .allow = true } },
		  -EEXIST },
		{ { { .prefix = { 4, 0, { 0 } }, .id = 1 },
		    { .prefix = { 4, 33, { 0 } }, .id = 2 } },
		  -EINVAL },
		{ { { .prefix = { 4, 0, { 0 } }, .id = 1 },
		    { .prefix = { 6, 129, { 0 } }, .id = 2 } },
		  -EINVAL },
		{ { { .prefix = { 4, 0, { 0 } }, .id = 1 },
		    { .prefix = { 5, 8, { 0 } }, .id = 2 } },
		  -EINVAL },
		{ { { .prefix = { 4, 0, { 0 } }, .id = 1 },
		    { .prefix = { 4, 8, { 9 } }, .id = 0 } },
		  -EINVAL },
		{ { { .prefix = { 4, 0, { 0 } }, .id = 1 },
		    { .prefix = { 4, 8, { 9 } }, .id = TABLE_ID_MAX + 1 } },
		  -EINVAL },
		{ { { .prefix = { 4, 0, { 0 } }, .id = 1 },
		    { .prefix = { 4, 8, { 9, 1 } }, .id = 2 } },
		  -EINVAL },
		{ { { .prefix = { 4, 0, { 0 } }, .id = 1 },
		    { .prefix = { 4, 32, { 9, 1, 1, 1, 1 } }, .id = 2 } },
		  -EINVAL },
	};
	struct table *const untouched = (struct table *)&cases;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table *table = untouched;

		assert_int_equal(table_plan(cases[i].rules, 2, NULL, &table), cases[i].err);
		assert_ptr_equal(table, untouched);
	}
}

/* `per_block` prefixes in each of evenly spread /24s or /64s, a million together. */
static size_t spread_rules(struct table_rule *rules, const char *all, size_t per_block,
			   unsigned int shortest)
{
	const struct prefix base = parse(all);
	unsigned int bits = base.family == 4 ? 24 : 64, max = prefix_length_max(base.family);
	size_t blocks = MANY / per_block, count = 0;

	for (size_t i = 0; i < blocks * per_block; i++) {
		struct table_rule *rule = &rules[count++];
		uint64_t block = i / per_block * ((UINT64_C(1) << 24) / blocks);

		memset(rule, 0, sizeof(*rule));
		rule->prefix = base;
		for (unsigned int bit = 0; bit < 24; bit++) {
			if (block >> (23 - bit) & 1)
				flip(&rule->prefix, bits - 24 + bit);
		}
		for (unsigned int bit = 0; bit < 6; bit++) {
			if (i % per_block >> (5 - bit) & 1)
				flip(&rule->prefix, bits + bit);
		}
		clear_behind(&rule->prefix, shortest + draw(max - shortest + 1));
		rule->id = count;
	}
	return count;
}

static void a_million_prefixes_fit_into_the_memory_promised(void **state)
{
	static const struct {
		const char *all;
		bool all_listed;
		size_t per_block;
		unsigned int shortest;
		size_t megabytes;
	} cases[] = {
		{ "0.0.0.0/0", true, 1, 32, 34 },
		{ "0.0.0.0/0", true, 5, 30, 34 },
		{ "2001:db8::/32", true, 1, 128, 64 },
		{ "2001:db8::/32", true, 33, 70, 64 },
	};
	struct table_rule *rules = calloc(MANY + 1, sizeof(*rules));

	(void)state;
	assert_non_null(rules);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table *table;
		size_t count;

		random_state = 99 + i;
		count = spread_rules(rules, cases[i].all, cases[i].per_block, cases[i].shortest);
		if (cases[i].all_listed) {
			memset(&rules[count], 0, sizeof(*rules));
			rules[count].prefix.family = rules[0].prefix.family;
			rules[count].id = MANY + 1;
			count++;
		}
		assert_int_equal(table_plan(rules, count, NULL, &table), 0);
		assert_in_range(table_layout_bytes(table_get_layout(table)), MANY,
				cases[i].megabytes * MANY);
		table_free(table);
	}
	free(rules);
}

static void note_percent(void *context, unsigned int percent)
{
	unsigned int *last = context;

	assert_true(percent >= *last && percent <= 100);
	*last = percent;
}

static void progress_grows_to_100(void **state)
{
	struct table_rule rule = { .prefix = { .family = 4 }, .id = 1 };
	unsigned int percent = 0;
	const struct table_progress progress = { note_percent, &percent };
	void *memory[TABLE_MAPS];
	struct table *table;

	(void)state;
	assert_int_equal(table_plan(&rule, 1, &progress, &table), 0);
	assert_int_equal(percent, 50);
	for (int map = 0; map < TABLE_MAPS; map++)
		memory[map] = calloc(table_get_layout(table)->map[map].max_entries,
				     table_get_layout(table)->map[map].value_size);
	assert_int_equal(table_fill(table, memory), 0);
	assert_int_equal(percent, 100);
	for (int map = 0; map < TABLE_MAPS; map++)
		free(memory[map]);
	table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_lists_of_ipv4_are_judged_right),
		cmocka_unit_test(random_lists_of_ipv6_are_judged_right),
		cmocka_unit_test(long_lists_of_ipv6_are_judged_right),
		cmocka_unit_test(each_address_of_a_block_is_judged_right),
		cmocka_unit_test(families_share_a_list),
		cmocka_unit_test(parents_are_the_next_shorter),
		cmocka_unit_test(an_empty_list_has_no_answer),
		cmocka_unit_test(bad_rules_are_refused),
		cmocka_unit_test(a_million_prefixes_fit_into_the_memory_promised),
		cmocka_unit_test(progress_grows_to_100),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
