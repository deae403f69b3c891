// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* xdp_filter's list in user space, and the files that it is read from. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <ecbpf/ecbpf.h>

#include "list.h"
#include "list_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char last_message[1024];

static void keep_message(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)context;
	snprintf(last_message, sizeof(last_message), "%s", message);
}

static struct filter_item item_of(const char *text, enum filter_action action)
{
	struct filter_item item = { .action = action };
	bool host_bits;

	assert_int_equal(prefix_parse(text, &item.prefix, &host_bits), 0);
	return item;
}

static void append(struct filter_list *list, const char *text, enum filter_action action)
{
	struct filter_item item = item_of(text, action);

	assert_int_equal(filter_list_append(list, &item), 0);
}

static size_t sort(struct filter_list *list)
{
	size_t duplicates = 77;

	assert_int_equal(filter_list_sort(list, &duplicates), 0);
	return duplicates;
}

static void last_of_equal_prefixes_stays(void **state)
{
	struct filter_list list = {};
	struct filter_item wanted;

	(void)state;
	append(&list, "10.0.0.0/8", FILTER_DROP);
	append(&list, "2001:db8::/32", FILTER_DROP);
	append(&list, "10.0.0.0/8", FILTER_ALLOW);
	append(&list, "9.0.0.0/8", FILTER_DROP);
	append(&list, "10.0.0.0/9", FILTER_DROP);
	assert_int_equal(sort(&list), 1);
	assert_int_equal(list.count, 4);
	wanted = item_of("10.0.0.0/8", FILTER_DROP);
	assert_int_equal(filter_list_find(&list, &wanted.prefix)->action, FILTER_ALLOW);
	assert_int_equal(sort(&list), 0);
	filter_list_free(&list);
}

static void longest_cover_is_found(void **state)
{
	struct filter_list list = {};
	struct filter_item wanted = item_of("10.1.2.0/24", FILTER_DROP);

	(void)state;
	append(&list, "0.0.0.0/0", FILTER_DROP);
	append(&list, "10.0.0.0/8", FILTER_DROP);
	append(&list, "10.1.0.0/16", FILTER_ALLOW);
	append(&list, "10.1.2.0/24", FILTER_DROP);
	append(&list, "10.1.2.128/25", FILTER_DROP);
	sort(&list);
	assert_int_equal(filter_list_cover(&list, &wanted.prefix, FILTER_DROP)->prefix.length, 8);
	assert_int_equal(filter_list_cover(&list, &wanted.prefix, FILTER_ALLOW)->prefix.length, 16);
	wanted = item_of("11.0.0.0/8", FILTER_DROP);
	assert_int_equal(filter_list_cover(&list, &wanted.prefix, FILTER_DROP)->prefix.length, 0);
	assert_null(filter_list_cover(&list, &wanted.prefix, FILTER_ALLOW));
	wanted = item_of("::/0", FILTER_DROP);
	assert_null(filter_list_cover(&list, &wanted.prefix, FILTER_DROP));
	filter_list_free(&list);
}

static void tags_are_kept_once(void **state)
{
	struct filter_list list = {};
	char text[32];
	uint32_t first, again, other, i;

	(void)state;
	assert_int_equal(filter_list_tag(&list, "scan", &first), 0);
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "tag %u", i);
		assert_int_equal(filter_list_tag(&list, text, &other), 0);
		assert_string_equal(filter_list_tag_text(&list, other), text);
	}
	assert_int_equal(filter_list_tag(&list, "scan", &again), 0);
	assert_int_equal(first, again);
	assert_int_equal(list.tag_count, 1002);
	assert_int_equal(filter_list_tag(&list, "", &other), 0);
	assert_int_equal(other, 0);
	assert_string_equal(filter_list_tag_text(&list, 0), "");
	filter_list_free(&list);
}

static void expired_entries_leave(void **state)
{
	struct filter_list list = {};

	(void)state;
	append(&list, "10.0.0.0/8", FILTER_DROP);
	append(&list, "11.0.0.0/8", FILTER_DROP);
	append(&list, "12.0.0.0/8", FILTER_DROP);
	list.items[0].expires = 100;
	list.items[1].expires = 101;
	assert_int_equal(filter_list_expire(&list, 100), 1);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.items[0].prefix.addr[0], 11);
	filter_list_free(&list);
}

static void lines_are_read(void **state)
{
	static const struct {
		const char *line;
		int result;
		const char *prefix;
		enum filter_action action;
		const char *tag;
	} cases[] = {
		{ "10.0.0.0/8", 1, "10.0.0.0/8", FILTER_DROP, "" },
		{ " \t10.0.0.1\n", 1, "10.0.0.1/32", FILTER_DROP, "" },
		{ "2001:db8::/32 bad net # why\r\n", 1, "2001:db8::/32", FILTER_DROP, "bad net" },
		{ "allow 10.1.0.0/16 office", 1, "10.1.0.0/16", FILTER_ALLOW, "office" },
		{ "drop 10.1.0.0/16", 1, "10.1.0.0/16", FILTER_DROP, "" },
		{ "10.1.0.0/16 a#b", 1, "10.1.0.0/16", FILTER_DROP, "a#b" },
		{ "", 0, NULL, 0, NULL },
		{ "   \n", 0, NULL, 0, NULL },
		{ "# 10.0.0.0/8", 0, NULL, 0, NULL },
		{ "10.0.0.0/33", -EINVAL, NULL, 0, NULL },
		{ "allow", -EINVAL, NULL, 0, NULL },
		{ "deny 10.0.0.0/8", -EINVAL, NULL, 0, NULL },
		{ "10.0.0.0/8 \033[31mred", -EINVAL, NULL, 0, NULL },
		{ "10.0.0.0/8\r", 1, "10.0.0.0/8", FILTER_DROP, "" },
		{ "\r\n", 0, NULL, 0, NULL },
		{ "10.0.0.0/8\r11.0.0.0/8\n", -EINVAL, NULL, 0, NULL },
		{ "10.0.0.0/8 tag\r11.0.0.0/8\n", -EINVAL, NULL, 0, NULL },
		{ "# comment\r10.0.0.0/8\n", -EINVAL, NULL, 0, NULL },
		{ "10.0.0.0/8\r\r\n", -EINVAL, NULL, 0, NULL },
		{ "10.0.0.0/8 caf\xc3\xa9", 1, "10.0.0.0/8", FILTER_DROP, "caf\xc3\xa9" },
		{ "10.0.0.0/8 caf\xe9", -EINVAL, NULL, 0, NULL },
		{ "10.0.0.0/8 \xed\xa0\x80", -EINVAL, NULL, 0, NULL },
		{ "10.0.0.0/8 1234567890123456789012345678901234567890123456789012345678901234",
		  -EINVAL, NULL, 0, NULL },
	};
	char line[LIST_LINE_MAX], text[PREFIX_TEXT_SIZE];
	struct filter_item item;
	const char *tag;
	bool host_bits;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		snprintf(line, sizeof(line), "%s", cases[i].line);
		assert_int_equal(list_line_parse(line, &item, &tag, &host_bits), cases[i].result);
		if (cases[i].result != 1)
			continue;
		assert_string_equal(prefix_format(&item.prefix, text), cases[i].prefix);
		assert_int_equal(item.action, cases[i].action);
		assert_string_equal(tag, cases[i].tag);
	}
}

static int read_text(const char *text, size_t octets, struct filter_list *list)
{
	char path[] = "/tmp/ecbpf-list-XXXXXX";
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, octets), (ssize_t)octets);
	close(fd);
	last_message[0] = '\0';
	err = list_file_read(path, 0, list);
	unlink(path);
	return err;
}

static void bad_lines_are_named(void **state)
{
	static const char nul[] = "10.0.0.0/8\n10.1.0.0/16\0x\n11.0.0.0/8\n";
	struct filter_list list = {};
	char longer[LIST_LINE_MAX + 100];

	(void)state;
	assert_int_equal(read_text("10.0.0.0/8\n\n10.0.0.300/8\n", 25, &list), -EBADMSG);
	assert_non_null(strstr(last_message, ":3: "));
	filter_list_free(&list);
	assert_int_equal(read_text(nul, sizeof(nul) - 1, &list), -EBADMSG);
	assert_non_null(strstr(last_message, ":2: "));
	filter_list_free(&list);
	memset(longer, 'x', sizeof(longer));
	memcpy(longer, "10.0.0.0/8 ", 11);
	longer[sizeof(longer) - 1] = '\n';
	assert_int_equal(read_text(longer, sizeof(longer), &list), -EBADMSG);
	assert_non_null(strstr(last_message, ":1: "));
	filter_list_free(&list);
}

static void files_are_read(void **state)
{
	struct filter_list list = {};
	const char text[] = "10.0.0.1/8\nallow 10.1.0.0/16 office\n10.0.0.0/8 last\n2001:db8::1";

	(void)state;
	assert_int_equal(read_text(text, sizeof(text) - 1, &list), 0);
	assert_int_equal(list.count, 3);
	assert_string_equal(filter_list_tag_text(&list, list.items[0].tag), "last");
	assert_true(list.items[0].added > 0);
	filter_list_free(&list);
	assert_int_not_equal(list_file_read("/nonexistent/list", 0, &list), 0);
	assert_non_null(strstr(last_message, "/nonexistent/list"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_of_equal_prefixes_stays),
		cmocka_unit_test(longest_cover_is_found),
		cmocka_unit_test(tags_are_kept_once),
		cmocka_unit_test(expired_entries_leave),
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(files_are_read),
	};

	ecbpf_log_set(keep_message, NULL, ECBPF_LOG_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
