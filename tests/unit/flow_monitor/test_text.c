// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What goes into columns: cut, rounded, named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/bpf.h>

#include "output_text.h"
#include "record.h"

static void test_fit(void **state)
{
	char text[RECORD_ENDPOINT_MAX] = "[2001:db8:1:2:3:4:5:6]:65535";

	(void)state;
	output_text_fit(text, 28);
	assert_string_equal(text, "[2001:db8:1:2:3:4:5:6]:65535");
	output_text_fit(text, 19);
	assert_int_equal(strlen(text), 19);
	assert_string_equal(text, "[2001:db8~:6]:65535");
	strcpy(text, "192.0.2.1:1");
	output_text_fit(text, 19);
	assert_string_equal(text, "192.0.2.1:1");
}

static void test_octets(void **state)
{
	static const struct {
		uint64_t octets;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 99999, "99999" },
		{ 100000, "98K" },
		{ 1 << 20, "1.0M" },
		{ 1023ULL << 20, "1.0G" },
		{ (4ULL << 30) + 1, "4.0G" },
		{ UINT64_MAX, "16E" },
	};
	char text[8];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		output_text_octets(cases[i].octets, text);
		assert_string_equal(text, cases[i].text);
	}
}

static const char *end_of(uint8_t kind, uint8_t old, uint8_t flags, uint32_t error)
{
	const struct monitor_event event = {
		.kind = kind,
		.family = 4,
		.old_state = old,
		.flags = flags,
		.error = error,
	};
	struct record record;

	record_from_event(&event, 0, 0, &record);
	return record.end;
}

static void test_ends(void **state)
{
	const uint8_t never = FLOW_NEVER_ESTABLISHED;

	(void)state;
	assert_string_equal(end_of(MONITOR_FLOW_ENDED, BPF_TCP_LAST_ACK, 0, 0), "fin");
	assert_string_equal(end_of(MONITOR_FLOW_ENDED, BPF_TCP_ESTABLISHED, FLOW_RESET, ECONNRESET),
			    "rst");
	assert_string_equal(end_of(MONITOR_FLOW_ENDED, BPF_TCP_ESTABLISHED, 0, ETIMEDOUT),
			    "timeout");
	assert_string_equal(end_of(MONITOR_FLOW_ENDED, BPF_TCP_ESTABLISHED, 0, EHOSTUNREACH),
			    "timeout");
	assert_string_equal(end_of(MONITOR_FLOW_ENDED, BPF_TCP_SYN_SENT, never | FLOW_RESET,
				   ECONNREFUSED),
			    "refused");
	assert_string_equal(end_of(MONITOR_FLOW_ENDED, BPF_TCP_SYN_SENT, never, ETIMEDOUT),
			    "never_established");
	assert_string_equal(end_of(MONITOR_FLOW_IS_OPEN, BPF_TCP_ESTABLISHED, 0, 0), "open");
}

static void test_times(void **state)
{
	struct monitor_event event = { .family = 4, .start = 1000, .now = 3500 };
	struct record record;

	(void)state;
	record_from_event(&event, 1000000, 9, &record);
	assert_int_equal(record.flow.start, 1001000);
	assert_int_equal(record.flow.duration, 2500);
	assert_int_equal(record.time, 1003500);
	assert_int_equal(record.flow.sequence, 9);
	assert_int_equal(record.direction, RECORD_ACTIVE);
	event.flags = FLOW_BEGAN_BEFORE;
	event.start = event.now;
	record_from_event(&event, 0, 0, &record);
	assert_int_equal(record.direction, RECORD_UNKNOWN);
	event.flags |= FLOW_PASSIVE;
	record_from_event(&event, 0, 0, &record);
	assert_int_equal(record.direction, RECORD_PASSIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
