/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flow records in datagrams: a 16-bit count, then that many records of 88 octets each, without
 * padding, integers in network order.
 */
#ifndef FLOW_MONITOR_FLOW_WIRE_H
#define FLOW_MONITOR_FLOW_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "flow.h"

#define FLOW_WIRE_VERSION 0
#define FLOW_WIRE_HEADER  2
#define FLOW_WIRE_RECORD  88

void flow_wire_encode(const struct flow *flow, uint8_t record[FLOW_WIRE_RECORD]);
void flow_wire_encode_count(uint16_t count, uint8_t header[FLOW_WIRE_HEADER]);

/* Records in a datagram of @length octets, or -EBADMSG if count and length don't agree. */
int flow_wire_count(const uint8_t *datagram, size_t length);

/* The record that begins at @record; -EBADMSG: another version, or no family that there is. */
int flow_wire_decode(const uint8_t record[FLOW_WIRE_RECORD], struct flow *flow);

#endif
