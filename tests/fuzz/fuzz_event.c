// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Events of the monitor's ring, and the lines and records that are made of them, believed. */
#include <fcntl.h>
#include <unistd.h>

#include "flow_wire.h"
#include "output_json.h"
#include "output_text.h"
#include "target.h"

struct sink {
	struct record_output *output;
	__u64 delivered, lost, held;
};

static void open_sink(struct sink *sink, int (*open_output)(struct record_output **))
{
	REQUIRE(!open_output(&sink->output));
	sink->output->delivered = &sink->delivered;
	sink->output->lost = &sink->lost;
	sink->output->held = &sink->held;
}

static void show(struct sink *sink, const struct record *record)
{
	__u64 before = sink->delivered;

	sink->output->calls->take(sink->output, record);
	sink->output->calls->state(sink->output, record);
	sink->output->calls->tick(sink->output, 0);
	REQUIRE(sink->delivered == before + 1 && !sink->lost && !sink->held);
}

static void check_wire(const struct record *record)
{
	uint8_t octets[FLOW_WIRE_RECORD];
	struct flow again;

	flow_wire_encode(&record->flow, octets);
	if (record->flow.family != 4 && record->flow.family != 6)
		return;
	REQUIRE(!flow_wire_decode(octets, &again));
	REQUIRE(again.sent == record->flow.sent && again.duration == record->flow.duration &&
		again.sequence == 7 && again.remote_port == record->flow.remote_port);
}

static void prepare(struct sink sinks[2])
{
	int nowhere = open("/dev/null", O_WRONLY);

	REQUIRE(nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) == STDOUT_FILENO);
	open_sink(&sinks[0], output_text_open);
	open_sink(&sinks[1], output_json_open);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sink sinks[2];
	struct monitor_event *event;
	struct record record;

	if (size < sizeof(*event))
		return 0;
	if (!sinks[0].output)
		prepare(sinks);
	/* Of its own, so that no octet behind it is read unnoticed. */
	event = malloc(sizeof(*event));
	REQUIRE(event);
	memcpy(event, data, sizeof(*event));
	record_from_event(event, 1, 7, &record);
	REQUIRE(record.flow.duration == event->now - event->start && record.end);
	check_wire(&record);
	show(&sinks[0], &record);
	show(&sinks[1], &record);
	free(event);
	return 0;
}
