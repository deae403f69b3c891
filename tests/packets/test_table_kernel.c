// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the kernel finds in source tables, against the same look-up in user space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "harness.h"
#include "table_maps.h"
#include "table_lookup.h"
#include "table_lookup.skel.h"

/* Prefixes of `shortest` to `longest`, anywhere in the `bits` bits behind the base. */
struct list {
	const char *base;
	unsigned int bits;
	unsigned int shortest;
	unsigned int longest;
	size_t count;
};

struct loaded {
	struct table_lookup_bpf *skeleton;
	struct table *table;
	struct table_maps maps;
	struct map_view lookups;
};

static struct prefix parse(const char *text)
{
	struct prefix prefix;
	bool host_bits;

	if (prefix_parse(text, &prefix, &host_bits))
		fail_msg("%s", text);
	return prefix;
}

static uint32_t spread(size_t number, unsigned int salt)
{
	uint64_t mixed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15) + salt;

	mixed ^= mixed >> 31;
	mixed *= UINT64_C(0xbf58476d1ce4e5b9);
	return mixed >> 32;
}

static void flip(struct prefix *prefix, unsigned int bit)
{
	prefix->addr[bit / 8] ^= 0x80 >> bit % 8;
}

static struct prefix listed(const struct list *list, size_t i)
{
	struct prefix prefix = parse(list->base);
	unsigned int lengths = list->longest - list->shortest + 1;
	char text[PREFIX_TEXT_SIZE];

	for (unsigned int bit = prefix.length; bit < prefix.length + list->bits; bit++) {
		if (spread(i, bit) & 1)
			flip(&prefix, bit);
	}
	prefix.length = list->shortest + spread(i, 200) % lengths;
	return parse(prefix_format(&prefix, text));
}

static int compare_rules(const void *left, const void *right)
{
	return prefix_compare(&((const struct table_rule *)left)->prefix,
			      &((const struct table_rule *)right)->prefix);
}

static size_t make_rules(const struct list *lists, struct table_rule *rules)
{
	size_t drawn = 0, kept = 0;

	for (; lists->base; lists++) {
		for (size_t i = 0; i < lists->count; i++) {
			rules[drawn].prefix = listed(lists, i);
			rules[drawn].allow = spread(i, 201) % 16 == 0;
			rules[drawn++].expires = spread(i, 202) % 16 == 0;
		}
	}
	qsort(rules, drawn, sizeof(*rules), compare_rules);
	for (size_t i = 0; i < drawn; i++) {
		if (kept && !compare_rules(&rules[kept - 1], &rules[i]))
			continue;
		rules[kept] = rules[i];
		rules[kept].id = 2 * kept + 1;
		kept++;
	}
	return kept;
}

static void load(struct loaded *loaded, const struct table_rule *rules, size_t count)
{
	const struct table_layout *layout;

	assert_int_equal(table_plan(rules, count, NULL, &loaded->table), 0);
	layout = table_get_layout(loaded->table);
	loaded->skeleton = table_lookup_bpf__open();
	assert_non_null(loaded->skeleton);
	assert_int_equal(table_maps_size(loaded->skeleton->obj, table_map_names, layout), 0);
	memcpy((void *)&loaded->skeleton->rodata->table4, &layout->v4, sizeof(layout->v4));
	memcpy((void *)&loaded->skeleton->rodata->table6, &layout->v6, sizeof(layout->v6));
	assert_int_equal(table_lookup_bpf__load(loaded->skeleton), 0);
	assert_int_equal(table_maps_fill(loaded->skeleton->obj, table_map_names, loaded->table), 0);
	assert_int_equal(table_maps_open(loaded->skeleton->obj, table_map_names, &loaded->maps), 0);
	assert_int_equal(map_view_open(bpf_map__fd(loaded->skeleton->maps.lookups), true,
				       &loaded->lookups),
			 0);
}

static void unload(struct loaded *loaded)
{
	map_view_close(&loaded->lookups);
	table_maps_close(&loaded->maps);
	table_lookup_bpf__destroy(loaded->skeleton);
	table_free(loaded->table);
}

/* A rule's first address, or one that differs from it in a bit or two. */
static struct prefix ask(const struct table_rule *rules, size_t count, size_t i)
{
	struct prefix address = { .family = i % 2 ? 4 : 6 };
	unsigned int max;

	if (count)
		address = rules[spread(i, 203) % count].prefix;
	max = prefix_length_max(address.family);
	for (unsigned int n = 0; n < i % 3; n++)
		flip(&address, spread(i, 204 + n) % max);
	address.length = max;
	return address;
}

static void check(const struct list *lists)
{
	static struct table_rule rules[TABLE_LOOKUPS * 4];
	size_t count = make_rules(lists, rules), answered = 0;
	struct prefix asked[TABLE_LOOKUPS];
	struct loaded loaded = { 0 };
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = TABLE_LOOKUPS);
	struct table_lookup *lookups;

	load(&loaded, rules, count);
	lookups = loaded.lookups.data;
	for (size_t i = 0; i < TABLE_LOOKUPS; i++) {
		asked[i] = ask(rules, count, i);
		memcpy(lookups[i].address, asked[i].addr, sizeof(lookups[i].address));
		lookups[i].family = asked[i].family;
		lookups[i].answer = UINT32_MAX;
	}
	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(loaded.skeleton->progs.table_lookup_prog),
				       &options),
		0);
	for (size_t i = 0; i < TABLE_LOOKUPS; i++) {
		uint32_t answer =
			table_find(table_get_layout(loaded.table), loaded.maps.memory, &asked[i]);

		if (lookups[i].answer != answer) {
			char text[PREFIX_TEXT_SIZE];

			fail_msg("%s: %#x, not %#x", prefix_format(&asked[i], text),
				 lookups[i].answer, answer);
		}
		answered += !!answer;
	}
	assert_int_equal(!!answered, !!count);
	unload(&loaded);
}

static void nothing_is_found_in_no_list(void **state)
{
	(void)state;
	check((const struct list[]){ { 0 } });
}

static void ipv4_is_found(void **state)
{
	static const struct list lists[] = {
		{ "0.0.0.0/0", 32, 16, 16, 50 },    { "0.0.0.0/0", 32, 17, 31, 3000 },
		{ "0.0.0.0/0", 32, 32, 32, 9000 },  { "10.9.8.0/24", 8, 32, 32, 200 },
		{ "10.9.0.0/20", 12, 29, 32, 900 }, { 0 },
	};

	(void)state;
	check(lists);
}

static void all_of_ipv4_but_holes_is_found(void **state)
{
	static const struct list lists[] = {
		{ "0.0.0.0/0", 0, 0, 0, 1 },
		{ "203.0.113.5/32", 0, 1, 32, 100 },
		{ "0.0.0.0/0", 32, 32, 32, 3000 },
		{ 0 },
	};

	(void)state;
	check(lists);
}

static void ipv6_is_found(void **state)
{
	static const struct list lists[] = {
		{ "2000::/3", 29, 17, 32, 300 },
		{ "2001:db8::/32", 32, 33, 64, 5000 },
		{ "2001:db8::/32", 96, 128, 128, 5000 },
		{ "2001:db8:0:1::/64", 64, 112, 128, 20000 },
		{ "2001:db8:0:2::/64", 4, 65, 128, 10 },
		{ "fe80::/64", 64, 66, 128, 3000 },
		{ 0 },
	};

	(void)state;
	check(lists);
}

static void all_of_ipv6_but_holes_is_found(void **state)
{
	static const struct list lists[] = {
		{ "::/0", 0, 0, 0, 1 },
		{ "2001:db8::5/128", 0, 1, 128, 300 },
		{ "2001:db8:1:2::/64", 16, 80, 80, 300 },
		{ "2001:db8::/32", 32, 64, 64, 3000 },
		{ 0 },
	};

	(void)state;
	check(lists);
}

static void both_families_are_found(void **state)
{
	static const struct list lists[] = {
		{ "0.0.0.0/0", 32, 16, 32, 30000 },
		{ "2000::/3", 125, 32, 128, 30000 },
		{ 0 },
	};

	(void)state;
	check(lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_found_in_no_list),
		cmocka_unit_test(ipv4_is_found),
		cmocka_unit_test(all_of_ipv4_but_holes_is_found),
		cmocka_unit_test(ipv6_is_found),
		cmocka_unit_test(all_of_ipv6_but_holes_is_found),
		cmocka_unit_test(both_families_are_found),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
