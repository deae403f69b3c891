// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Text that others chose, in JSON and on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include <ecbpf/tool.h>

#define BAD "\xef\xbf\xbd"

static void json_is_utf8(void **state)
{
	static const struct {
		const char *text;
		const char *wanted;
	} cases[] = {
		{ "", "" },
		{ "plain \"\\\n", "plain \"\\\n" },
		{ "h\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80",
		  "h\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xff"
		  "a\xfe",
		  BAD "a" BAD },
		{ "\xc3(", BAD "(" },
		{ "\xe2\x82", BAD BAD },
		{ "\xc0\xaf", BAD BAD },
		{ "\xed\xa0\x80", BAD BAD BAD },
		{ "\xf4\x90\x80\x80", BAD BAD BAD BAD },
	};
	struct json_object *json;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json = ecbpf_json_text(cases[i].text, SIZE_MAX);
		assert_string_equal(json_object_get_string(json), cases[i].wanted);
		json_object_put(json);
	}
}

static void json_is_bounded(void **state)
{
	static const char unterminated[3] = { 'a', '\xc3', '\xb6' };
	struct json_object *json = ecbpf_json_text(unterminated, 2);

	(void)state;
	assert_string_equal(json_object_get_string(json), "a" BAD);
	json_object_put(json);
}

static void terminals_get_ascii(void **state)
{
	char text[16];

	(void)state;
	assert_string_equal(ecbpf_text_printable("\033[2J\n\t~ \x7f\xc2\x9b", text, sizeof(text)),
			    "?[2J??~ ???");
	assert_string_equal(ecbpf_text_printable("0123456789", text, 5), "0123");
	assert_string_equal(ecbpf_text_printable("", text, sizeof(text)), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_utf8),
		cmocka_unit_test(json_is_bounded),
		cmocka_unit_test(terminals_get_ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
