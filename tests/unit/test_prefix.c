// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Networks as text, their order, and which covers which. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prefix.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct prefix parsed(const char *text)
{
	struct prefix prefix;
	bool host_bits;

	assert_int_equal(prefix_parse(text, &prefix, &host_bits), 0);
	return prefix;
}

static void networks_are_read_and_normalised(void **state)
{
	static const struct {
		const char *text;
		const char *normal;
		bool host_bits;
	} cases[] = {
		{ "10.0.0.0/8", "10.0.0.0/8", false },
		{ "10.0.0.1", "10.0.0.1/32", false },
		{ "10.0.0.1/32", "10.0.0.1/32", false },
		{ "10.0.0.1/8", "10.0.0.0/8", true },
		{ "10.255.255.255/31", "10.255.255.254/31", true },
		{ "255.255.255.255/1", "128.0.0.0/1", true },
		{ "0.0.0.0/0", "0.0.0.0/0", false },
		{ "1.2.3.4/0", "0.0.0.0/0", true },
		{ "::/0", "::/0", false },
		{ "::", "::/128", false },
		{ "2001:db8::/32", "2001:db8::/32", false },
		{ "2001:DB8:0:0::1", "2001:db8::1/128", false },
		{ "2001:db8::1/64", "2001:db8::/64", true },
		{ "2001:db8::ffff/127", "2001:db8::fffe/127", true },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", false },
		{ "::ffff:192.0.2.1", "192.0.2.1/32", false },
		{ "::ffff:192.0.2.1/128", "192.0.2.1/32", false },
		{ "::ffff:c000:200/120", "192.0.2.0/24", false },
		{ "::ffff:192.0.2.1/120", "192.0.2.0/24", true },
		{ "::ffff:0:0/97", "0.0.0.0/1", false },
		{ "::ffff:0:0/96", "::ffff:0.0.0.0/96", false },
		{ "::ffff:1.2.3.4/96", "::ffff:0.0.0.0/96", true },
		{ "::ffff:0:0/80", "::/80", true },
		{ "::fffe:1.2.3.4/120", "::fffe:102:300/120", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[PREFIX_TEXT_SIZE];
		struct prefix prefix;
		bool host_bits = !cases[i].host_bits;

		assert_int_equal(prefix_parse(cases[i].text, &prefix, &host_bits), 0);
		assert_ptr_equal(prefix_format(&prefix, text), text);
		assert_string_equal(text, cases[i].normal);
		assert_int_equal(host_bits, cases[i].host_bits);
	}
}

static void mapped_networks_stay_what_they_are_written_as(void **state)
{
	static const struct {
		const char *text;
		const char *normal;
		bool host_bits;
	} cases[] = {
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1/128", false },
		{ "::ffff:c000:200/120", "::ffff:192.0.2.0/120", false },
		{ "::ffff:192.0.2.1/120", "::ffff:192.0.2.0/120", true },
		{ "::ffff:1.2.3.4/96", "::ffff:0.0.0.0/96", true },
		{ "192.0.2.1/24", "192.0.2.0/24", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[PREFIX_TEXT_SIZE];
		struct prefix prefix;
		bool host_bits = !cases[i].host_bits;

		assert_int_equal(prefix_parse_as_written(cases[i].text, &prefix, &host_bits), 0);
		assert_string_equal(prefix_format(&prefix, text), cases[i].normal);
		assert_int_equal(host_bits, cases[i].host_bits);
	}
}

static void what_is_no_network_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/08",
		"10.0.0.0/00",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/8 ",
		" 10.0.0.0/8",
		"10.0.0.0 /8",
		"10.0.0.0/ 8",
		"10.0.0.0/8/8",
		"10.0.0.0/8x",
		"10.0.0.0/4294967304",
		"10.0.0.0/18446744073709551624",
		"10.0.0/8",
		"10/8",
		"010.0.0.0/8",
		"10.0.0.256",
		"0x0a.0.0.0/8",
		"10.0.0.0/255.0.0.0",
		"2001:db8::/129",
		"2001:db8::/064",
		"2001:db8:::/32",
		"2001:db8::%eth0/64",
		"fe80::1%1",
		"[2001:db8::1]",
		"2001:db8::g",
		"::ffff:1.2.3.4/129",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999",
		"0000000000000000000000000000000000000000000000001::",
		"localhost",
	};
	struct prefix prefix, before;
	bool host_bits = true;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	prefix = before;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(prefix_parse(cases[i], &prefix, &host_bits), -EINVAL);
		assert_memory_equal(&prefix, &before, sizeof(prefix));
		assert_true(host_bits);
	}
}

static void a_network_sorts_before_those_that_it_covers(void **state)
{
	static const char *const sorted[] = {
		"0.0.0.0/0",	  "0.0.0.0/32",	     "10.0.0.0/8",    "10.0.0.0/9",
		"10.0.0.0/24",	  "10.0.0.0/32",     "10.0.0.1/32",   "10.0.1.0/24",
		"10.128.0.0/9",	  "11.0.0.0/8",	     "255.0.0.0/8",   "::/0",
		"::/128",	  "2001:db8::/32",   "2001:db8::/64", "2001:db8::/65",
		"2001:db8::/128", "2001:db8:1::/48", "ff00::/8",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sorted); i++) {
		struct prefix left = parsed(sorted[i]);

		for (size_t j = 0; j < COUNT(sorted); j++) {
			struct prefix right = parsed(sorted[j]);
			int order = prefix_compare(&left, &right);

			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
			if (i != j && prefix_covers(&left, &right))
				assert_true(order < 0);
		}
	}
}

static void covering_is_told_bit_by_bit(void **state)
{
	(void)state;
	for (unsigned int family = 4; family <= 6; family += 2) {
		struct prefix inner = parsed(family == 4 ? "203.0.113.85" : "2001:db8::85:1234");
		unsigned int max = prefix_length_max(family);

		for (unsigned int length = 0; length <= max; length++) {
			char text[PREFIX_TEXT_SIZE];
			struct prefix outer, other;

			prefix_format(&inner, text);
			sprintf(strchr(text, '/'), "/%u", length);
			outer = parsed(text);
			assert_true(prefix_covers(&outer, &inner));
			assert_int_equal(prefix_covers(&inner, &outer), length == max);
			if (!length)
				continue;
			other = outer;
			other.addr[(length - 1) / 8] ^= 0x80 >> (length - 1) % 8;
			assert_false(prefix_covers(&other, &inner));
		}
	}
	assert_false(
		prefix_covers(&(struct prefix){ .family = 4 }, &(struct prefix){ .family = 6 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_read_and_normalised),
		cmocka_unit_test(mapped_networks_stay_what_they_are_written_as),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(a_network_sorts_before_those_that_it_covers),
		cmocka_unit_test(covering_is_told_bit_by_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
