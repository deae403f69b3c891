// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Events of the kernel side as records for the outputs. */
#include "record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>

static const char *end_of(const struct monitor_event *event)
{
	if (event->kind == MONITOR_FLOW_IS_OPEN)
		return "open";
	if (event->old_state == BPF_TCP_SYN_SENT && event->error == ECONNREFUSED)
		return "refused";
	if (event->flags & FLOW_NEVER_ESTABLISHED)
		return "never_established";
	if (event->flags & FLOW_RESET)
		return "rst";
	/* What the network said meanwhile stands in for ETIMEDOUT. */
	return event->error ? "timeout" : "fin";
}

static enum record_direction direction_of(const struct monitor_event *event)
{
	if (event->flags & FLOW_PASSIVE)
		return RECORD_PASSIVE;
	if (event->flags & FLOW_BEGAN_BEFORE && event->start == event->now)
		return RECORD_UNKNOWN;
	return RECORD_ACTIVE;
}

void record_from_event(const struct monitor_event *event, uint64_t epoch, uint32_t sequence,
		       struct record *record)
{
	*record = (struct record){
		.event = event,
		.time = event->now + epoch,
		.direction = direction_of(event),
		.end = end_of(event),
		.flow = {
			.family = event->family,
			.flags = event->flags,
			.dscp_sent = event->dscp_sent,
			.dscp_received = event->dscp_received,
			.local_port = event->local_port,
			.remote_port = event->remote_port,
			.sent = event->sent,
			.received = event->received,
			.start = event->start + epoch,
			.duration = event->now - event->start,
			.retransmitted = event->retransmitted,
			.srtt = event->srtt,
			.sequence = sequence,
			.pid = event->pid,
		},
	};
	memcpy(record->flow.local, event->local, sizeof(event->local));
	memcpy(record->flow.remote, event->remote, sizeof(event->remote));
}

const char *record_direction_name(enum record_direction direction)
{
	static const char *const names[] = {
		[RECORD_ACTIVE] = "active",
		[RECORD_PASSIVE] = "passive",
		[RECORD_UNKNOWN] = "unknown",
	};

	return names[direction];
}

const char *record_state_name(unsigned int state)
{
	static const char *const names[] = {
		[BPF_TCP_ESTABLISHED] = "ESTABLISHED",
		[BPF_TCP_SYN_SENT] = "SYN_SENT",
		[BPF_TCP_SYN_RECV] = "SYN_RECV",
		[BPF_TCP_FIN_WAIT1] = "FIN_WAIT1",
		[BPF_TCP_FIN_WAIT2] = "FIN_WAIT2",
		[BPF_TCP_TIME_WAIT] = "TIME_WAIT",
		[BPF_TCP_CLOSE] = "CLOSE",
		[BPF_TCP_CLOSE_WAIT] = "CLOSE_WAIT",
		[BPF_TCP_LAST_ACK] = "LAST_ACK",
		[BPF_TCP_LISTEN] = "LISTEN",
		[BPF_TCP_CLOSING] = "CLOSING",
	};

	return state < sizeof(names) / sizeof(names[0]) && names[state] ? names[state] : "?";
}

const char *record_address(const struct flow *flow, const __u8 address[16],
			   char text[RECORD_ENDPOINT_MAX])
{
	inet_ntop(flow->family == 4 ? AF_INET : AF_INET6, address, text, RECORD_ENDPOINT_MAX);
	return text;
}

const char *record_endpoint(const struct flow *flow, const __u8 address[16], uint16_t port,
			    char text[RECORD_ENDPOINT_MAX])
{
	char only[INET6_ADDRSTRLEN];

	inet_ntop(flow->family == 4 ? AF_INET : AF_INET6, address, only, sizeof(only));
	snprintf(text, RECORD_ENDPOINT_MAX, flow->family == 4 ? "%s:%u" : "[%s]:%u", only, port);
	return text;
}
