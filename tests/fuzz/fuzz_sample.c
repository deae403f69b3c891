// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Records of the sampler's ring, and what is made of those believed. */
#include <ecbpf/abi.h>

#include "pcapng.h"
#include "sflow.h"
#include "target.h"
#include "top_key.h"

static void check_blocks(const struct sample *sample)
{
	size_t room = pcapng_packet_max(sample), octets;
	uint8_t *block = malloc(room), flow[SFLOW_FLOW_MAX + SFLOW_PACKET_MAX];
	uint32_t length;

	REQUIRE(block);
	octets = pcapng_packet(block, sample);
	REQUIRE(octets <= room && octets % 4 == 0);
	memcpy(&length, block + octets - 4, sizeof(length));
	REQUIRE(length == octets);
	free(block);
	octets = sflow_flow(flow, sample, 1, 2, 3);
	REQUIRE(octets <= sizeof(flow) && octets % 4 == 0);
}

static void check_keys(const struct sample *sample)
{
	static const char *const fields[] = { "src", "dst/9", "src/24/47", "dport", "reason" };
	struct top_field_spec spec;
	char text[TOP_KEY_TEXT];
	struct top_key key;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		REQUIRE(!top_field_parse(fields[i], &spec));
		top_key_of(&spec, sample, &key);
		REQUIRE(strlen(top_key_format(&spec, &key, text)) < sizeof(text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sampler_interface interface = { .name = "eth0", .ifindex = 7 };
	/* Of its own, so that no octet behind it is read unnoticed. */
	uint8_t *record = malloc(size ? size : 1);
	struct sample sample;

	REQUIRE(record);
	memcpy(record, data, size);
	if (!sample_decode(record, size, 0, &interface, &sample)) {
		REQUIRE(sample.data + sample.captured == record + size);
		REQUIRE(sample.captured <= sample.length && sample.slot <= ECBPF_SLOT_ROOT);
		check_blocks(&sample);
		check_keys(&sample);
	}
	free(record);
	return 0;
}
