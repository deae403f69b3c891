/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known about a TCP flow. */
#ifndef FLOW_MONITOR_FLOW_H
#define FLOW_MONITOR_FLOW_H

#include <linux/types.h>

/* Of struct flow and of the wire format. */
enum flow_flags {
	/* Began before the monitor. */
	FLOW_BEGAN_BEFORE = 1,
	FLOW_RESET = 2,
	/* The accepting side's. */
	FLOW_PASSIVE = 4,
	FLOW_NO_COUNTERS = 8,
	FLOW_NEVER_ESTABLISHED = 16,
	/* It goes on; counters are those until now. */
	FLOW_INTERIM = 32,
	/* Still open when the monitor ended. */
	FLOW_OPEN = 64,
};

#define FLOW_DSCP_UNKNOWN 255

/**
 * struct flow - a record, in host order but for the addresses
 * @family: 4 or 6; an IPv4 address that is mapped into IPv6 counts as IPv4
 * @flags: enum flow_flags
 * @local, @remote: network order; IPv4 in the first four octets, the rest zero
 * @sent: payload, each octet once however often it was sent
 * @start: ns since the Unix epoch
 * @duration: ns
 * @retransmitted: segments
 * @srtt: smoothed round trip time, us
 * @sequence: one more for each record of a sender
 * @pid: 0: unknown
 */
struct flow {
	__u8 family;
	__u8 flags;
	__u8 dscp_sent;
	__u8 dscp_received;
	__u16 local_port;
	__u16 remote_port;
	__u8 local[16];
	__u8 remote[16];
	__u64 sent;
	__u64 received;
	__u64 start;
	__u64 duration;
	__u32 retransmitted;
	__u32 srtt;
	__u32 sequence;
	__u32 pid;
};

#endif
