/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What tcp_monitor's BPF programs and its user side share. */
#ifndef TCP_MONITOR_H
#define TCP_MONITOR_H

#include <linux/types.h>

#define MONITOR_NAME_MAX 16

/* Sockets that one call looks at: as many words as a raw tracepoint has at most. */
#define MONITOR_SWEEP_KEYS 12

/* Pages of the ring that one call touches. */
#define MONITOR_TOUCHED_PAGES 32

/* Records that a CPU puts into the ring at once. */
#define MONITOR_GATHERED 8

/* Words of a set of all ports. */
#define MONITOR_PORT_WORDS 1024

/* Slots that a bucket of active flows has. */
#define MONITOR_WAYS 8

/* In the place of a key, which it is below: a slot is being filled in. */
#define MONITOR_TAKEN 1

/* Of "buckets": the addresses of sockets; 0: the slot is free. */
struct monitor_bucket {
	__u64 keys[MONITOR_WAYS];
};

/* In .rodata: set before loading. */
struct monitor_config {
	/* Report state changes too. */
	__u32 states;
	/* Find the process of the accepting side. */
	__u32 accept_pid;
	/* Which filters there are. */
	__u32 by_address;
	__u32 by_port;
	__u32 by_cgroup;
	__u32 by_netns;
	/* There is one at all. */
	__u32 filtered;
	/* Of the number of records: which bits are 0 where the ring is asked how full it is. */
	__u32 wakeup_mask;
	/* Entries of "buckets"; there are so many times MONITOR_WAYS slots in "flows". */
	__u32 buckets;
	/* Of which so many may be used; 0: all. */
	__u32 max_slots;
	__u64 min_bytes;
	/* ns */
	__u64 min_duration;
	/* Data in the ring, in octets, from which on its reader is woken. */
	__u64 wakeup;
};

/*
 * Per CPU. CLOSES = FILTERED + EMITTED + RING_FULL + TABLE_FULL + UNSEEN, always.
 * TABLE_FULL counts when such a flow ends, REFUSED when it begins. UNSEEN: ends that nobody saw, of
 * flows that can't be RECONSTRUCTED either, which are among those others.
 */
#define MONITOR_COUNTS(X)               \
	X(CLOSES, closes)               \
	X(FILTERED, filtered)           \
	X(EMITTED, emitted)             \
	X(RING_FULL, ring_full)         \
	X(TABLE_FULL, table_full)       \
	X(UNSEEN, unseen)               \
	X(OPENED, opened)               \
	X(FOUND, found)                 \
	X(ENDED, ended)                 \
	X(REFUSED, refused)             \
	X(RESCUED, rescued)             \
	X(RECONSTRUCTED, reconstructed) \
	X(STATES, states)               \
	X(STATES_LOST, states_lost)

enum monitor_count {
#define X(constant, key) MONITOR_COUNT_##constant,
	MONITOR_COUNTS(X)
#undef X
	MONITOR_COUNT_MAX,
};

enum monitor_flow_bits {
	MONITOR_FLOW_PASSIVE = 1 << 0,
	/* Was open when the monitor began. */
	MONITOR_FLOW_FOUND = 1 << 1,
	/* Nobody saw it begin. */
	MONITOR_FLOW_LATE = 1 << 2,
	/* The filter leaves it out. */
	MONITOR_FLOW_UNWANTED = 1 << 3,
	/* It began to close, and looked then as is noted. */
	MONITOR_FLOW_CLOSING = 1 << 4,
};

enum monitor_kind {
	MONITOR_FLOW_ENDED,
	MONITOR_FLOW_IS_OPEN,
	MONITOR_STATE_CHANGED,
};

/**
 * struct monitor_event - in the ring, read from active flows, and in "flows", by slot, where @start, @pid,
 *	@bits and @name are known from the beginning, and the rest when it closes
 * @kind: enum monitor_kind
 * @bits: enum monitor_flow_bits
 * @family, @flags, @dscp_sent and so on: as in struct flow
 * @old_state, @new_state: as in enum BPF_TCP_*
 * @start, @now: CLOCK_MONOTONIC, ns
 * @error: the socket's, an errno
 * @netns: inode number
 * @name: of process @pid
 */
struct monitor_event {
	__u8 kind;
	__u8 family;
	__u8 flags;
	__u8 dscp_sent;
	__u8 dscp_received;
	__u8 old_state;
	__u8 new_state;
	__u8 bits;
	__u16 local_port;
	__u16 remote_port;
	__u32 error;
	__u8 local[16];
	__u8 remote[16];
	__u64 sent;
	__u64 received;
	__u64 start;
	__u64 now;
	__u32 retransmitted;
	__u32 srtt;
	__u32 pid;
	__u32 netns;
	char name[MONITOR_NAME_MAX];
};

/**
 * struct monitor_percpu - value of "percpu", in cache lines of its own, what is used most in the first
 * @born, @ended: accepting and closing socket that the program at the hook had last, until a rescuer
 *	met it: which needn't look it up then
 * @busy: a program is at @records
 * @gathered: of @records, emitted and not yet in the ring
 * @refused: socket that the table had no room for, last
 */
struct monitor_percpu {
	__u64 born;
	__u64 ended;
	__u32 busy;
	__u32 gathered;
	__u64 counts[MONITOR_COUNT_MAX];
	__u64 refused;
	struct monitor_event records[MONITOR_GATHERED];
} __attribute__((aligned(64)));

#define MONITOR_OUTPUTS(X) \
	X(TEXT, text)      \
	X(JSON, json)      \
	X(UDP, udp)

enum monitor_output {
#define X(constant, key) MONITOR_OUTPUT_##constant,
	MONITOR_OUTPUTS(X)
#undef X
	MONITOR_OUTPUT_MAX,
};

/**
 * struct monitor_report - value of "report": what the user side did, for --status
 * @hook: that the programs are at
 * @began: when all was set up, ns since the Unix epoch; 0: it isn't yet
 * @missed_first, @missed_rescuer: events that the kernel refused to the program at the hook, and to
 *	those that make up for that
 * @received: records read from the ring
 * @interim, @open: records of flows while they ran, and of those open at the end
 * @left_out: network namespaces, or processes, that were not searched for open flows
 * @delivered, @lost, @held: by output; their sum is received + interim + open
 * @outputs: a bit for each that is on
 */
struct monitor_report {
	char hook[32];
	__u64 began;
	__u64 max_flows;
	__u64 ring;
	__u64 missed_first;
	__u64 missed_rescuer;
	__u64 received;
	__u64 interim;
	__u64 open;
	__u64 left_out;
	__u64 delivered[MONITOR_OUTPUT_MAX];
	__u64 lost[MONITOR_OUTPUT_MAX];
	__u64 held[MONITOR_OUTPUT_MAX];
	__u64 outputs;
};

/* Of what is before the address in a prefix. */
#define MONITOR_PREFIX_FAMILY_BITS 8

/**
 * struct monitor_prefix - key of "addresses"
 * @length: in bits, the family's among them
 * @family: 4 or 6
 * @address: IPv4 in the first four octets, the rest zero
 */
struct monitor_prefix {
	__u32 length;
	__u8 family;
	__u8 address[16];
	__u8 unused[3];
};

/* Key of "listeners": where accepted connections come from. */
struct monitor_listener {
	__u32 netns;
	__u32 port;
};

#endif
