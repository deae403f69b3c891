/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records as outputs get them, and what outputs are. */
#ifndef TCP_MONITOR_RECORD_H
#define TCP_MONITOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow.h"
#include "tcp_monitor.h"

/* "[ffff:…]:65535" and a NUL. */
#define RECORD_ENDPOINT_MAX 56

enum record_direction {
	RECORD_ACTIVE,
	RECORD_PASSIVE,
	/* Nobody saw it begin. */
	RECORD_UNKNOWN,
};

/**
 * struct record - a flow, or a change of its state, with what only this host can know
 * @event: from the kernel
 * @time: of the event, ns since the Unix epoch
 * @end: word for how it ended
 */
struct record {
	struct flow flow;
	const struct monitor_event *event;
	uint64_t time;
	enum record_direction direction;
	const char *end;
};

/* @epoch: CLOCK_REALTIME less CLOCK_MONOTONIC, ns. */
void record_from_event(const struct monitor_event *event, uint64_t epoch, uint32_t sequence,
		       struct record *record);

/* "active", "passive", "unknown" */
const char *record_direction_name(enum record_direction direction);

/* "ESTABLISHED", … */
const char *record_state_name(unsigned int state);

const char *record_address(const struct flow *flow, const __u8 address[16],
			   char text[RECORD_ENDPOINT_MAX]);
/* "192.0.2.1:443", "[2001:db8::1]:443" */
const char *record_endpoint(const struct flow *flow, const __u8 address[16], uint16_t port,
			    char text[RECORD_ENDPOINT_MAX]);

struct record_output;

/**
 * struct record_output_calls - one way out
 * @take: a flow; it is counted as held until it is delivered or lost
 * @state: a change of state; may be NULL
 * @tick: often; @now is CLOCK_MONOTONIC, ns
 * @close: delivers what is held, and frees the output
 */
struct record_output_calls {
	void (*take)(struct record_output *output, const struct record *record);
	void (*state)(struct record_output *output, const struct record *record);
	void (*tick)(struct record_output *output, uint64_t now);
	void (*close)(struct record_output *output);
};

/**
 * struct record_output - begins the output's own struct
 * @delivered, @lost, @held: where to count records
 * @last: these are the last ones: worth a moment's wait
 * @gone: nobody will ever take any more
 */
struct record_output {
	const struct record_output_calls *calls;
	__u64 *delivered;
	__u64 *lost;
	__u64 *held;
	bool last;
	bool gone;
};

#endif
