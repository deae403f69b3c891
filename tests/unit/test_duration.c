// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Durations and times as text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ecbpf/tool.h>

#define MS UINT64_C(1000000)
#define S  (1000 * MS)
#define M  (60 * S)
#define H  (60 * M)
#define D  (24 * H)

#define UNTOUCHED    UINT64_C(77)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t nanoseconds;
	} cases[] = {
		{ "0", 0 },
		{ "1", S },
		{ "90", 90 * S },
		{ "90s", 90 * S },
		{ "10m", 10 * M },
		{ "2h", 2 * H },
		{ "1d", D },
		{ "2w", 14 * D },
		{ "500ms", 500 * MS },
		{ "1h30m", H + 30 * M },
		{ "1d2h3m4s5ms", D + 2 * H + 3 * M + 4 * S + 5 * MS },
		{ "0.5", 500 * MS },
		{ ".25s", 250 * MS },
		{ "1.5h", 90 * M },
		{ "0.0000000019", 1 },
		{ "18446744073", 18446744073 * S },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t value = UNTOUCHED;

		assert_int_equal(ecbpf_duration_parse(cases[i].text, &value), 0);
		assert_int_equal(value, cases[i].nanoseconds);
	}
}

static void what_is_no_duration_is_refused(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "", -EINVAL },
		{ "m", -EINVAL },
		{ ".", -EINVAL },
		{ "-1", -EINVAL },
		{ "+1", -EINVAL },
		{ " 1", -EINVAL },
		{ "1 ", -EINVAL },
		{ "1 h", -EINVAL },
		{ "1y", -EINVAL },
		{ "1min", -EINVAL },
		{ "1H", -EINVAL },
		{ "1h30", -EINVAL },
		{ "1.2.3s", -EINVAL },
		{ "0x10", -EINVAL },
		{ "18446744074", -ERANGE },
		{ "999999999999999999999", -ERANGE },
		{ "30000w30000w", -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t value = UNTOUCHED;

		assert_int_equal(ecbpf_duration_parse(cases[i].text, &value), cases[i].err);
		assert_int_equal(value, UNTOUCHED);
	}
}

static void durations_are_written(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "0s" },	      { 59, "59s" },
		{ 60, "1m" },	      { 61, "1m 1s" },
		{ 3600, "1h" },	      { 3659, "1h" },
		{ 3660, "1h 1m" },    { 86400 + 7 * 3600 + 59, "1d 7h" },
		{ 86400 + 59, "1d" }, { UINT64_MAX, "213503982334601d 7h" },
	};
	char text[ECBPF_TIME_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(ecbpf_duration_format(cases[i].seconds, text), cases[i].text);
}

static void times_are_written(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *iso;
		const char *mail;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 +0000" },
		{ 951782399, "2000-02-28T23:59:59Z", "Mon, 28 Feb 2000 23:59:59 +0000" },
		{ 951782400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 +0000" },
		{ 1696028527, "2023-09-29T23:02:07Z", "Fri, 29 Sep 2023 23:02:07 +0000" },
		{ 1772366400, "2026-03-01T12:00:00Z", "Sun, 01 Mar 2026 12:00:00 +0000" },
		{ 4102444799, "2099-12-31T23:59:59Z", "Thu, 31 Dec 2099 23:59:59 +0000" },
	};
	char text[ECBPF_TIME_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t nanoseconds = cases[i].seconds * S + 999999999;

		assert_string_equal(ecbpf_time_iso(nanoseconds, text), cases[i].iso);
		assert_string_equal(ecbpf_time_mail(nanoseconds, text), cases[i].mail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(durations_are_written),
		cmocka_unit_test(times_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
