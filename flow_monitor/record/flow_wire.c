// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Flow records to octets, and back. */
#include "flow_wire.h"

#include <errno.h>
#include <string.h>

/* Offsets in a record. */
enum {
	AT_FAMILY = 0,
	AT_FLAGS = 1,
	AT_DSCP_SENT = 2,
	AT_DSCP_RECEIVED = 3,
	AT_LOCAL_PORT = 4,
	AT_REMOTE_PORT = 6,
	AT_LOCAL = 8,
	AT_REMOTE = 24,
	AT_SENT = 40,
	AT_RECEIVED = 48,
	AT_START = 56,
	AT_DURATION = 64,
	AT_RETRANSMITTED = 72,
	AT_SRTT = 76,
	AT_SEQUENCE = 80,
	AT_PID = 84,
};

#define VERSION_SHIFT 4
#define FAMILY_MASK   0xf

static void put(uint8_t *at, uint64_t value, size_t octets)
{
	while (octets--) {
		at[octets] = value;
		value >>= 8;
	}
}

static uint64_t get(const uint8_t *at, size_t octets)
{
	uint64_t value = 0;

	while (octets--)
		value = value << 8 | *at++;
	return value;
}

void flow_wire_encode(const struct flow *flow, uint8_t record[FLOW_WIRE_RECORD])
{
	record[AT_FAMILY] = FLOW_WIRE_VERSION << VERSION_SHIFT | flow->family;
	record[AT_FLAGS] = flow->flags;
	record[AT_DSCP_SENT] = flow->dscp_sent;
	record[AT_DSCP_RECEIVED] = flow->dscp_received;
	put(record + AT_LOCAL_PORT, flow->local_port, 2);
	put(record + AT_REMOTE_PORT, flow->remote_port, 2);
	memcpy(record + AT_LOCAL, flow->local, sizeof(flow->local));
	memcpy(record + AT_REMOTE, flow->remote, sizeof(flow->remote));
	put(record + AT_SENT, flow->sent, 8);
	put(record + AT_RECEIVED, flow->received, 8);
	put(record + AT_START, flow->start, 8);
	put(record + AT_DURATION, flow->duration, 8);
	put(record + AT_RETRANSMITTED, flow->retransmitted, 4);
	put(record + AT_SRTT, flow->srtt, 4);
	put(record + AT_SEQUENCE, flow->sequence, 4);
	put(record + AT_PID, flow->pid, 4);
}

void flow_wire_encode_count(uint16_t count, uint8_t header[FLOW_WIRE_HEADER])
{
	put(header, count, FLOW_WIRE_HEADER);
}

int flow_wire_count(const uint8_t *datagram, size_t length)
{
	size_t count;

	if (length < FLOW_WIRE_HEADER)
		return -EBADMSG;
	count = get(datagram, FLOW_WIRE_HEADER);
	return count * FLOW_WIRE_RECORD + FLOW_WIRE_HEADER == length ? (int)count : -EBADMSG;
}

int flow_wire_decode(const uint8_t record[FLOW_WIRE_RECORD], struct flow *flow)
{
	uint8_t family = record[AT_FAMILY] & FAMILY_MASK;

	if (record[AT_FAMILY] >> VERSION_SHIFT != FLOW_WIRE_VERSION || (family != 4 && family != 6))
		return -EBADMSG;
	*flow = (struct flow){
		.family = family,
		.flags = record[AT_FLAGS],
		.dscp_sent = record[AT_DSCP_SENT],
		.dscp_received = record[AT_DSCP_RECEIVED],
		.local_port = get(record + AT_LOCAL_PORT, 2),
		.remote_port = get(record + AT_REMOTE_PORT, 2),
		.sent = get(record + AT_SENT, 8),
		.received = get(record + AT_RECEIVED, 8),
		.start = get(record + AT_START, 8),
		.duration = get(record + AT_DURATION, 8),
		.retransmitted = get(record + AT_RETRANSMITTED, 4),
		.srtt = get(record + AT_SRTT, 4),
		.sequence = get(record + AT_SEQUENCE, 4),
		.pid = get(record + AT_PID, 4),
	};
	memcpy(flow->local, record + AT_LOCAL, sizeof(flow->local));
	memcpy(flow->remote, record + AT_REMOTE, sizeof(flow->remote));
	return 0;
}
