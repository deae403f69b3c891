// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Terms of --filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "filter.h"

static int parse(const char *term, struct filter *filter)
{
	char *items[] = { (char *)term, NULL };
	const struct ecbpf_strings terms = { items, 1 }, none = {};

	return filter_parse(&terms, &none, filter);
}

static void quiet(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)message;
	(void)context;
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *text;
		uint8_t family;
		uint32_t bits;
		uint8_t octet_0;
		uint8_t octet_3;
		uint8_t octet_15;
	} cases[] = {
		{ "10.1.2.3", 4, 32, 10, 3, 0 },
		{ "10.1.2.3/8", 4, 8, 10, 0, 0 },
		{ "address=10.1.2.3/32", 4, 32, 10, 3, 0 },
		{ "0.0.0.0/0", 4, 0, 0, 0, 0 },
		{ "2001:db8::1", 6, 128, 0x20, 0xb8, 1 },
		{ "2001:db8::1/32", 6, 32, 0x20, 0xb8, 0 },
		{ "2001:db8::1/31", 6, 31, 0x20, 0xb8, 0 },
		{ "::/0", 6, 0, 0, 0, 0 },
		{ "::ffff:10.1.2.3", 4, 32, 10, 3, 0 },
		{ "::ffff:10.1.2.3/104", 4, 8, 10, 0, 0 },
		{ "::ffff:0:0/96", 4, 0, 0, 0, 0 },
		{ "::ffff:10.1.2.3/95", 6, 95, 0, 0, 0 },
	};
	struct filter filter;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].text, &filter), 0);
		assert_int_equal(filter.prefix_count, 1);
		assert_int_equal(filter.prefixes[0].family, cases[i].family);
		assert_int_equal(filter.prefixes[0].length,
				 MONITOR_PREFIX_FAMILY_BITS + cases[i].bits);
		assert_int_equal(filter.prefixes[0].address[0], cases[i].octet_0);
		assert_int_equal(filter.prefixes[0].address[3], cases[i].octet_3);
		assert_int_equal(filter.prefixes[0].address[15], cases[i].octet_15);
		filter_free(&filter);
	}
}

static void test_ports(void **state)
{
	struct filter filter;
	uint64_t bits = 0;
	size_t i;

	(void)state;
	assert_int_equal(parse("443", &filter), 0);
	assert_true(filter.by_port && filter.ports[443 / 64] == 1ULL << 443 % 64);
	assert_int_equal(filter.prefix_count, 0);
	assert_int_equal(parse("port=60-70", &filter), 0);
	assert_int_equal(filter.ports[0], 0xfULL << 60);
	assert_int_equal(filter.ports[1], 0x7f);
	assert_int_equal(parse("0-65535", &filter), 0);
	for (i = 0; i < MONITOR_PORT_WORDS; i++)
		bits += filter.ports[i] == UINT64_MAX;
	assert_int_equal(bits, MONITOR_PORT_WORDS);
}

static void test_refused(void **state)
{
	static const char *const terms[] = {
		"65536",
		"-1",
		"80-",
		"90-80",
		"80-90-100",
		"10.0.0.0/33",
		"::/129",
		"10.0.0.0/",
		"10.0.0.0/x",
		"10.0.0",
		"port=10.0.0.1",
		"address=80",
		"cgroup=",
		"name",
		"/8",
		"11111111111111111111111111111111111111111111111111111111111111111",
	};
	struct filter filter;
	size_t i;

	(void)state;
	ecbpf_log_set(quiet, NULL, ECBPF_LOG_ERROR);
	for (i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		assert_int_equal(parse(terms[i], &filter), -EINVAL);
		filter_free(&filter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
