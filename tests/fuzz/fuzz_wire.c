// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Datagrams of flow records: what is taken for one is the same when it is written again. */
#include "flow_wire.h"
#include "target.h"

static void check_record(const uint8_t record[FLOW_WIRE_RECORD])
{
	static const struct flow untouched = { .pid = 0xabcdef };
	uint8_t again[FLOW_WIRE_RECORD];
	struct flow flow = untouched;

	if (flow_wire_decode(record, &flow)) {
		REQUIRE(!memcmp(&flow, &untouched, sizeof(flow)));
		REQUIRE(record[0] != 4 && record[0] != 6);
		return;
	}
	REQUIRE(flow.family == 4 || flow.family == 6);
	flow_wire_encode(&flow, again);
	REQUIRE(!memcmp(again, record, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own, so that no octet behind it is read unnoticed. */
	uint8_t *datagram = malloc(size ? size : 1), header[FLOW_WIRE_HEADER];
	int count, i;

	REQUIRE(datagram);
	memcpy(datagram, data, size);
	count = flow_wire_count(datagram, size);
	if (count >= 0) {
		REQUIRE(size == FLOW_WIRE_HEADER + (size_t)count * FLOW_WIRE_RECORD);
		flow_wire_encode_count(count, header);
		REQUIRE(!memcmp(header, datagram, sizeof(header)));
	}
	for (i = 0; i < count; i++)
		check_record(datagram + FLOW_WIRE_HEADER + i * FLOW_WIRE_RECORD);
	free(datagram);
	return 0;
}
