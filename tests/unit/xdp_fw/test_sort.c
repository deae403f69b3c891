// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rules that match the same packets are in few words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compile_parts.h"
#include "rules_text.h"

#define RULES	 2048
#define PORTS	 32
#define NETWORKS 128

/* Writes rule @number. */
typedef void (*write_rule)(FILE *out, unsigned int number);

/* The same addresses in any order of theirs: @number, all of its bits turned round. */
static unsigned int turned(unsigned int number)
{
	unsigned int i, out = 0;

	for (i = 1; i < RULES; i *= 2, number /= 2)
		out = 2 * out + number % 2;
	return out;
}

static void order(write_rule write, struct fw_ruleset *ruleset, struct fw_family *family)
{
	unsigned int i;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	for (i = 0; i < RULES; i++)
		write(out, turned(i));
	fclose(out);
	assert_int_equal(fw_rules_parse("rules", text, size, stderr, ruleset), 0);
	assert_int_equal(fw_family_order(ruleset, 4, family), 0);
	assert_int_equal(family->chunks, RULES / FW_CHUNK);
	free(text);
}

/* In at most so many words are the rules of each kind, that is number % @kinds. */
static void check_words(write_rule write, unsigned int kinds, unsigned int most)
{
	struct fw_ruleset ruleset;
	struct fw_family family;
	unsigned int kind, i;
	uint64_t words;

	order(write, &ruleset, &family);
	for (kind = 0; kind < kinds; kind++) {
		for (i = 0, words = 0; i < RULES; i++)
			if (turned(i) % kinds == kind)
				words |= 1ULL << family.positions[i] / FW_CHUNK;
		assert_in_range(__builtin_popcountll(words), 1, most);
	}
	fw_family_free(&family);
	fw_ruleset_free(&ruleset);
}

/* One address is in half of the prefixes. */
static void prefixes_within_prefixes(FILE *out, unsigned int number)
{
	fprintf(out, "ip from { 10.0.0.0/%u } to { 10.0.0.0/%u } tcp dport %u\n",
		8 + number / PORTS % 8, 8 + number / PORTS / 8, 1 + number % PORTS);
}

static void networks_apart(FILE *out, unsigned int number)
{
	fprintf(out, "ip from { 10.%u.%u.0/24 } to any tcp dport { %u-65535 } sport { %u-65535 }\n",
		number % NETWORKS, number % NETWORKS, 1 + number / NETWORKS, 1 + number % 7);
}

static void test_by_port(void **state)
{
	(void)state;
	check_words(prefixes_within_prefixes, PORTS, RULES / PORTS / FW_CHUNK + 1);
}

static void test_by_network(void **state)
{
	(void)state;
	check_words(networks_apart, NETWORKS, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_port),
		cmocka_unit_test(test_by_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
