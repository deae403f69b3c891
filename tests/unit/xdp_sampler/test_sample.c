// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Records that are believed, names of what to read, keys of the table, and sFlow's octets. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "outputs.h"
#include "sample.h"
#include "sflow.h"
#include "top_key.h"

#define OCTETS 54

static const struct sampler_interface eth0 = { .name = "eth0", .index = 1, .ifindex = 7 };

static struct {
	struct sampler_record head;
	uint8_t data[64];
} record;

static void fill(void **state)
{
	(void)state;
	memset(&record, 0, sizeof(record));
	record.head = (struct sampler_record){ .timestamp = 5,
					       .sequence = 9,
					       .ifindex = 7,
					       .queue = 3,
					       .length = 60,
					       .captured = OCTETS,
					       .rate = 100,
					       .reason = 2,
					       .slot = 2,
					       .action = XDP_DROP };
}

static int decode(size_t octets, struct sample *sample)
{
	return sample_decode(&record, octets, 1000, &eth0, sample);
}

static void records_are_read(void **state)
{
	struct sample sample;

	fill(state);
	assert_int_equal(decode(sizeof(record.head) + OCTETS, &sample), 0);
	assert_int_equal(sample.time, 1005);
	assert_int_equal(sample.sequence, 9);
	assert_int_equal(sample.queue, 3);
	assert_int_equal(sample.length, 60);
	assert_int_equal(sample.captured, OCTETS);
	assert_int_equal(sample.rate, 100);
	assert_int_equal(sample.slot, 2);
	assert_int_equal(sample.action, XDP_DROP);
	assert_int_equal(sample.reason, 2);
	assert_ptr_equal(sample.data, record.data);
	assert_ptr_equal(sample.interface, &eth0);
}

static void check_refused(void)
{
	struct sample sample;

	assert_int_equal(decode(sizeof(record.head) + OCTETS, &sample), -EBADMSG);
	fill(NULL);
}

static void contradictions_are_refused(void **state)
{
	struct sample sample;
	size_t octets;

	fill(state);
	for (octets = 0; octets < sizeof(record); octets++)
		if (octets != sizeof(record.head) + OCTETS)
			assert_int_equal(decode(octets, &sample), -EBADMSG);
	record.head.length = OCTETS - 1;
	check_refused();
	record.head.slot = ECBPF_SLOT_ROOT + 1;
	check_refused();
	record.head.action = ECBPF_ACTIONS;
	check_refused();
	record.head.rate = 0;
	check_refused();
	record.head.rate = SAMPLER_RATE_MAX + 1;
	check_refused();
	record.head.ifindex = 8;
	check_refused();
}

static void wish_for(struct ecbpf_strings *names, const char *name, int wanted,
		     const struct outputs_options *options, struct reader_wishes *wishes)
{
	assert_int_equal(ecbpf_strings_add(names, name), 0);
	assert_int_equal(outputs_wishes(options, wishes), wanted);
}

static void names_become_bits(void **state)
{
	struct outputs_options options = { .count = 4 };
	struct reader_wishes wishes;

	(void)state;
	assert_int_equal(outputs_wishes(&options, &wishes), 0);
	assert_int_equal(wishes.actions | wishes.slots | wishes.reasons, 0);
	assert_int_equal(wishes.count, 4);
	wish_for(&options.actions, "drop", 0, &options, &wishes);
	wish_for(&options.actions, "XDP_TX", 0, &options, &wishes);
	assert_int_equal(wishes.actions, 1 << XDP_DROP | 1 << XDP_TX);
	wish_for(&options.slots, "filter", 0, &options, &wishes);
	wish_for(&options.slots, "7", 0, &options, &wishes);
	wish_for(&options.slots, "root", 0, &options, &wishes);
	assert_int_equal(wishes.slots, 1 << 2 | 1 << 7 | 1 << ECBPF_SLOT_ROOT);
	wish_for(&options.reasons, "user_3", 0, &options, &wishes);
	assert_int_equal(wishes.reasons, 1ULL << ECBPF_REASON_USER_3);
	wish_for(&options.reasons, "filter", -EINVAL, &options, &wishes);
	outputs_options_free(&options);
	options = (struct outputs_options){ 0 };
	wish_for(&options.slots, "8", -EINVAL, &options, &wishes);
	outputs_options_free(&options);
	options = (struct outputs_options){ 0 };
	wish_for(&options.actions, "XDP_", -EINVAL, &options, &wishes);
	outputs_options_free(&options);
}

static const char *key(const char *field, const uint8_t *frame, size_t octets)
{
	struct sample sample = { .data = frame, .captured = octets, .reason = 2 };
	static char text[TOP_KEY_TEXT];
	struct top_field_spec spec;
	struct top_key made;

	assert_int_equal(top_field_parse(field, &spec), 0);
	top_key_of(&spec, &sample, &made);
	return top_key_format(&spec, &made, text);
}

static void keys_are_found(void **state)
{
	static const uint8_t frame[] = {
		2, 0,	0,    0,  0,   1,  2,	 0, 0, 0, 0,  2,   0x81, 0,  0,	  5,
		8, 0,	0x46, 0,  0,   0,  0,	 0, 0, 0, 64, 17,  0,	 0,  192, 0,
		2, 129, 198,  51, 100, 77, 0xff, 0, 0, 0, 15, 160, 0,	 53,
	};
	struct top_field_spec spec;
	size_t octets;

	(void)state;
	assert_string_equal(key("src", frame, sizeof(frame)), "192.0.2.129");
	assert_string_equal(key("src/25", frame, sizeof(frame)), "192.0.2.128/25");
	assert_string_equal(key("dst/12/48", frame, sizeof(frame)), "198.48.0.0/12");
	assert_string_equal(key("dport", frame, sizeof(frame)), "udp 53");
	assert_string_equal(key("dport", frame, sizeof(frame) - 1), "udp");
	assert_string_equal(key("reason", frame, sizeof(frame)), "filter_source");
	for (octets = 0; octets < 38; octets++)
		assert_string_equal(key("src", frame, octets), "(not IP)");
	assert_int_equal(top_field_parse("source", &spec), -EINVAL);
	assert_int_equal(top_field_parse("src/33", &spec), -EINVAL);
	assert_int_equal(top_field_parse("src/24/129", &spec), -EINVAL);
	assert_int_equal(top_field_parse("src/24x", &spec), -EINVAL);
	assert_int_equal(top_field_parse("dport/8", &spec), -EINVAL);
	assert_int_equal(top_field_parse("", &spec), -EINVAL);
}

/* The @index-th word of @octets. */
static uint32_t word(const uint8_t *octets, size_t index)
{
	uint32_t value;

	memcpy(&value, octets + index * 4, sizeof(value));
	return ntohl(value);
}

static void flows_are_encoded(void **state)
{
	static const uint32_t expected[] = { 1,		 88, 11, 7,  100, 5000, 3, 7,
					     0x40000102, 1,  1,	 48, 1,	  600,	0, 30 };
	uint8_t to[SFLOW_FLOW_MAX + SFLOW_PACKET_MAX], data[SFLOW_PACKET_MAX + 9];
	struct sample sample = { .interface = &eth0,
				 .rate = 100,
				 .length = 600,
				 .captured = 30,
				 .action = XDP_DROP,
				 .data = data };
	size_t octets, i;

	(void)state;
	memset(data, 0xab, sizeof(data));
	octets = sflow_flow(to, &sample, 11, 5000, 3);
	assert_int_equal(octets, sizeof(expected) + 32);
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(word(to, i), expected[i]);
	assert_memory_equal(to + sizeof(expected), data, 30);
	assert_int_equal(to[octets - 1] | to[octets - 2], 0);
	/* What a datagram can't hold is cut, its length stays. */
	sample.captured = sizeof(data);
	sample.action = XDP_TX;
	octets = sflow_flow(to, &sample, 12, 5000, 3);
	assert_true(octets <= sizeof(to));
	assert_int_equal(word(to, 8), 7);
	assert_int_equal(word(to, 15), SFLOW_PACKET_MAX);
}

static void headers_are_encoded(void **state)
{
	struct sockaddr_storage agent = { .ss_family = AF_INET };
	uint8_t to[SFLOW_HEADER_MAX];

	(void)state;
	((struct sockaddr_in *)&agent)->sin_addr.s_addr = inet_addr("192.0.2.9");
	assert_int_equal(sflow_header(to, &agent, 3, 4000, 5), 28);
	assert_int_equal(word(to, 0), 5);
	assert_int_equal(word(to, 1), 1);
	assert_int_equal(word(to, 2), 0xc0000209);
	assert_int_equal(word(to, 4), 3);
	assert_int_equal(word(to, 5), 4000);
	assert_int_equal(word(to, 6), 5);
	agent.ss_family = AF_INET6;
	assert_int_equal(sflow_header(to, &agent, 3, 4000, 5), SFLOW_HEADER_MAX);
	assert_int_equal(word(to, 1), 2);
}

static void say_nothing(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)message;
	(void)context;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read),  cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(names_become_bits), cmocka_unit_test(keys_are_found),
		cmocka_unit_test(flows_are_encoded), cmocka_unit_test(headers_are_encoded),
	};

	ecbpf_log_set(say_nothing, NULL, ECBPF_LOG_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
