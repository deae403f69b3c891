// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Records as JSON, one object a line, to standard output. */
#include "output_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include <ecbpf/tool.h>

#include "output_lines.h"

static const struct {
	enum flow_flags flag;
	const char *name;
} flag_names[] = {
	{ FLOW_BEGAN_BEFORE, "began_before" },
	{ FLOW_RESET, "reset" },
	{ FLOW_PASSIVE, "passive" },
	{ FLOW_NO_COUNTERS, "no_counters" },
	{ FLOW_NEVER_ESTABLISHED, "never_established" },
	{ FLOW_INTERIM, "interim" },
	{ FLOW_OPEN, "open" },
};

static void add_number(struct json_object *json, const char *key, uint64_t number)
{
	json_object_object_add(json, key, json_object_new_uint64(number));
}

static void add_text(struct json_object *json, const char *key, const char *text)
{
	json_object_object_add(json, key, json_object_new_string(text));
}

static void add_flags(struct json_object *json, unsigned int flags)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
		if (flags & flag_names[i].flag)
			json_object_array_add(array, json_object_new_string(flag_names[i].name));
	json_object_object_add(json, "flags", array);
}

static void add_identity(struct json_object *json, const struct record *record)
{
	const struct flow *flow = &record->flow;
	char text[RECORD_ENDPOINT_MAX];

	add_number(json, "family", flow->family);
	add_text(json, "direction", record_direction_name(record->direction));
	add_text(json, "local_address", record_address(flow, flow->local, text));
	add_number(json, "local_port", flow->local_port);
	add_text(json, "remote_address", record_address(flow, flow->remote, text));
	add_number(json, "remote_port", flow->remote_port);
	add_number(json, "pid", flow->pid);
	json_object_object_add(json, "process",
			       flow->pid ? ecbpf_json_text(record->event->name, MONITOR_NAME_MAX) :
					   NULL);
	add_number(json, "netns", record->event->netns);
}

static void add_counters(struct json_object *json, const struct record *record)
{
	const struct flow *flow = &record->flow;

	add_number(json, "dscp_sent", flow->dscp_sent);
	json_object_object_add(json, "dscp_received",
			       flow->dscp_received == FLOW_DSCP_UNKNOWN ?
				       NULL :
				       json_object_new_int(flow->dscp_received));
	add_number(json, "bytes_sent", flow->sent);
	add_number(json, "bytes_received", flow->received);
	add_number(json, "segments_retransmitted", flow->retransmitted);
	add_number(json, "srtt_us", flow->srtt);
	json_object_object_add(json, "start", ecbpf_json_time(flow->start));
	add_number(json, "start_ns", flow->start);
	add_number(json, "duration_ns", flow->duration);
	add_text(json, "end", record->end);
	add_flags(json, flow->flags);
	add_number(json, "sequence", flow->sequence);
}

static void print(struct record_output *output, struct json_object *json, bool is_record)
{
	struct output_lines *lines = (struct output_lines *)output;

	output_lines_begin(lines);
	ecbpf_json_line(lines->line, json);
	output_lines_end(lines, is_record);
}

static void take(struct record_output *output, const struct record *record)
{
	struct json_object *json = json_object_new_object();

	add_text(json, "event", "flow");
	add_identity(json, record);
	add_counters(json, record);
	print(output, json, true);
}

static void state(struct record_output *output, const struct record *record)
{
	struct json_object *json = json_object_new_object();

	add_text(json, "event", "state");
	json_object_object_add(json, "time", ecbpf_json_time(record->time));
	add_number(json, "time_ns", record->time);
	add_text(json, "old", record_state_name(record->event->old_state));
	add_text(json, "new", record_state_name(record->event->new_state));
	add_identity(json, record);
	add_number(json, "start_ns", record->flow.start);
	print(output, json, false);
}

static void tick(struct record_output *output, uint64_t now)
{
	(void)now;
	output_lines_write((struct output_lines *)output);
}

static void close_output(struct record_output *output)
{
	output_lines_close((struct output_lines *)output);
	free(output);
}

static const struct record_output_calls calls = { take, state, tick, close_output };

int output_json_open(struct record_output **output)
{
	struct output_lines *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return ecbpf_fail(-ENOMEM, "out of memory");
	err = output_lines_open(self);
	if (err) {
		free(self);
		return err;
	}
	self->output.calls = &calls;
	*output = &self->output;
	return 0;
}
