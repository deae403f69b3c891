// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The wire format, octet by octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "flow_wire.h"

static const struct flow sample = {
	.family = 6,
	.flags = FLOW_PASSIVE | FLOW_RESET,
	.dscp_sent = 46,
	.dscp_received = FLOW_DSCP_UNKNOWN,
	.local_port = 0x0102,
	.remote_port = 0x0304,
	.local = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
	.remote = { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 },
	.sent = 0x1112131415161718,
	.received = 0x2122232425262728,
	.start = 0x3132333435363738,
	.duration = 0x4142434445464748,
	.retransmitted = 0x51525354,
	.srtt = 0x61626364,
	.sequence = 0x71727374,
	.pid = 0x81828384,
};

static const uint8_t wire[FLOW_WIRE_RECORD] = {
	0x06, 0x06, 46,	  255,	0x01, 0x02, 0x03, 0x04, /* 0 */
	0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,	  0, /* 8 */
	0,    0,    0,	  0,	0,    0,    0,	  1, /* 16 */
	0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,	  0, /* 24 */
	0,    0,    0,	  0,	0,    0,    0,	  2, /* 32 */
	0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, /* 40 */
	0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, /* 48 */
	0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, /* 56 */
	0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, /* 64 */
	0x51, 0x52, 0x53, 0x54, 0x61, 0x62, 0x63, 0x64, /* 72 */
	0x71, 0x72, 0x73, 0x74, 0x81, 0x82, 0x83, 0x84, /* 80 */
};

static void test_encode(void **state)
{
	uint8_t record[FLOW_WIRE_RECORD];

	(void)state;
	memset(record, 0xee, sizeof(record));
	flow_wire_encode(&sample, record);
	assert_memory_equal(record, wire, sizeof(wire));
}

static void test_decode(void **state)
{
	struct flow flow;

	(void)state;
	memset(&flow, 0, sizeof(flow));
	assert_int_equal(flow_wire_decode(wire, &flow), 0);
	assert_memory_equal(&flow, &sample, sizeof(sample));
}

static void test_refused(void **state)
{
	static const uint8_t firsts[] = { 0x00, 0x05, 0x0f, 0x14, 0x16, 0xf6 };
	uint8_t record[FLOW_WIRE_RECORD];
	struct flow flow = { .pid = 7 };
	size_t i;

	(void)state;
	memcpy(record, wire, sizeof(record));
	for (i = 0; i < sizeof(firsts); i++) {
		record[0] = firsts[i];
		assert_int_equal(flow_wire_decode(record, &flow), -EBADMSG);
		assert_int_equal(flow.pid, 7);
	}
}

static void test_count(void **state)
{
	static uint8_t datagram[2 + 256 * FLOW_WIRE_RECORD];
	size_t length;
	int count;

	(void)state;
	for (count = 0; count <= 256; count++) {
		flow_wire_encode_count(count, datagram);
		length = 2 + count * FLOW_WIRE_RECORD;
		assert_int_equal(flow_wire_count(datagram, length), count);
		assert_int_equal(flow_wire_count(datagram, length - 1), -EBADMSG);
		assert_int_equal(flow_wire_count(datagram, length + 1), -EBADMSG);
	}
	assert_int_equal(flow_wire_count(datagram, 0), -EBADMSG);
	assert_int_equal(datagram[0], 1);
	assert_int_equal(datagram[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
