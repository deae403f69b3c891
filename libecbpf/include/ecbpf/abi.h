/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the root program, its subprograms and user space agree on.
 *
 * Anything that changes the meaning or the size of a map shared between programs raises
 * ECBPF_ABI; programs of different numbers never share a root array.
 */
#ifndef ECBPF_ABI_H
#define ECBPF_ABI_H

#include <linux/types.h>

#include <ecbpf/reasons.h>

#define ECBPF_ABI 2

#define ECBPF_SLOTS 8

enum ecbpf_slot {
	ECBPF_SLOT_SAMPLER = 1,
	ECBPF_SLOT_FILTER = 2,
	ECBPF_SLOT_FIREWALL = 5,
	ECBPF_SLOT_PRINTK = 6,
	ECBPF_SLOT_BYPASS = 7,
	/* Row of the counters for verdicts that root itself gives. */
	ECBPF_SLOT_ROOT = ECBPF_SLOTS,
};

/* XDP_ABORTED … XDP_REDIRECT, and one column for every other value. */
#define ECBPF_ACTIONS	     6
#define ECBPF_ACTION_INVALID 5

/* Facts about the packet in struct ecbpf_packet.flags. */
enum ecbpf_packet_flags {
	/* saddr, daddr, protocol, ttl are valid. */
	ECBPF_ADDRESSES = 1 << 0,
	/* sport and dport are valid. */
	ECBPF_PORTS = 1 << 1,
	/* tcp_flags and tcp_window are valid. */
	ECBPF_TCP = 1 << 2,
	/* icmp_type and icmp_code are valid. */
	ECBPF_ICMP = 1 << 3,
	/* A piece of a larger packet (an "atomic" IPv6 fragment, RFC 6946, is none). */
	ECBPF_FRAGMENT = 1 << 4,
	/* The piece that begins the packet; with ECBPF_FRAGMENT. */
	ECBPF_FIRST_FRAGMENT = 1 << 5,
	/* The frame ends inside a header. */
	ECBPF_TRUNCATED = 1 << 6,
	/* IP version or header length contradicts itself. */
	ECBPF_MALFORMED = 1 << 7,
	/* The IP length field is shorter than the header or longer than the frame. */
	ECBPF_BAD_LENGTH = 1 << 8,
	/* IPv4 options or any IPv6 extension header. */
	ECBPF_OPTIONS = 1 << 9,
	/* Reserved bit of the IPv4 flags (RFC 3514). */
	ECBPF_EVIL_BIT = 1 << 10,
	/* What follows the addresses is no protocol that root reads, or lies too deep. */
	ECBPF_L4_UNKNOWN = 1 << 11,
	/* A slot chose this packet as a sample: the verdict goes through the emitter. */
	ECBPF_SAMPLED = 1 << 12,
};

/**
 * struct ecbpf_packet - what root found out about the packet in flight
 * @flags: enum ecbpf_packet_flags; fields not announced there are undefined
 * @family: 4, 6, or 0 when the frame ends inside its VLAN tags
 * @protocol: protocol after the extension headers (IANA number); of a later fragment the
 *	one that its fragment header names
 * @l3_offset: octets from the start of the frame to the IP header
 * @l4_offset: octets from the start of the frame to what follows the IP headers
 * @saddr: source, network order; IPv4 in the first word, the others undefined
 * @daddr: destination, likewise
 * @sport: source port, network order
 * @dport: destination port, network order
 * @vlan_tci: tags found in the frame, outer first, network order
 * @vlan_count: how many of them, 0 to 2
 * @fragment_offset: octets, of IPv4 or of the IPv6 fragment header; valid with ECBPF_FRAGMENT
 * @tcp_offset: octet 12 of the TCP header, the upper half of it in words of 4 octets
 * @tcp_flags: octet 13 of it
 * @tcp_window: network order, unscaled
 * @ttl: time to live or hop limit
 * @verdict_slot: who decided, for the emitter of sampled packets; with @verdict_action and
 *	@verdict_reason
 */
struct ecbpf_packet {
	__u32 flags;
	__u8 family;
	__u8 protocol;
	__u16 l3_offset;
	__u16 l4_offset;
	__u16 fragment_offset;
	union {
		struct {
			__be16 sport;
			__be16 dport;
		};
		/* As in the header, so that they are one load and one store. */
		__be32 ports;
	};
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 vlan_tci[2];
	__u8 vlan_count;
	__u8 ttl;
	union {
		struct {
			__u8 tcp_offset;
			__u8 tcp_flags;
			__be16 tcp_window;
		};
		/* The fourth word of the header; octets 12 to 15. */
		__be32 tcp_word;
		struct {
			__u8 icmp_type;
			__u8 icmp_code;
		};
	};
	__u8 verdict_slot;
	__u8 verdict_action;
	__u16 verdict_reason;
	__u16 reserved;
};

/**
 * struct ecbpf_countdown - packets that need not see the sampler's slot, so that they don't pay for it
 * @left: packets up to and with the next one that runs the slot; 1 or less: this one does
 * @changes: of struct ecbpf_control when @left was set; where it differs, @left means nothing
 */
struct ecbpf_countdown {
	__s64 left;
	__u32 changes;
	__u32 reserved;
};

/**
 * struct ecbpf_memo - what a slot's programs keep on a CPU from packet to packet; at first zero
 *
 * Whatever comes into the slot next finds it, so something in it should tell whose it is.
 */
struct ecbpf_memo {
	__u64 key;
	__u64 value;
};

/* The one value of the per-CPU map "ecbpf_percpu": packet in flight, and the counters. */
struct ecbpf_percpu {
	struct ecbpf_packet packet;
	struct ecbpf_countdown countdown;
	struct ecbpf_memo memos[ECBPF_SLOTS];
	/* Verdicts by who gave them: slots, then root. */
	__u64 actions[ECBPF_SLOTS + 1][ECBPF_ACTIONS];
	__u64 reasons[ECBPF_REASON_MAX];
};

/* Sums over all CPUs, and the snapshot that --clear subtracts. */
struct ecbpf_counters {
	__u64 actions[ECBPF_SLOTS + 1][ECBPF_ACTIONS];
	__u64 reasons[ECBPF_REASON_MAX];
};

/* Value of ".data.ecbpf", written by loaders under the interface's lock. */
struct ecbpf_control {
	/*
	 * Bit N: slot N may be occupied. Set before the slot and cleared after it, so that the
	 * slots alone tell who runs, whenever a loader dies.
	 */
	__u32 occupied;
	/* Grows whenever a slot is changed, before and after. */
	__u32 changes;
	__u32 reserved[14];
};

#define ECBPF_NAME_MAX 64

enum ecbpf_generation_state {
	/* Cleared away by the next loader unless the link runs its program. */
	ECBPF_GENERATION_BUILDING,
	ECBPF_GENERATION_STAGED,
};

/* Value of a generation's "meta"; the first two words are the same in every ABI. */
struct ecbpf_generation_meta {
	__u32 abi;
	__u32 state;
	/* Programs of this generation handle multi-buffer frames (xdp.frags). */
	__u32 frags;
	/* enum ecbpf_mode, for the attachment that a commit makes where there is none. */
	__u32 mode;
	/* ns since the Unix epoch. */
	__u64 created;
	/* Snapshot that status subtracts, so that clearing loses no count. */
	struct ecbpf_counters cleared;
};

/* Value of a subprogram's "meta". */
struct ecbpf_slot_meta {
	__u32 program_id;
	__u32 reserved;
	/* ns since the Unix epoch. */
	__u64 loaded;
	/* The name that the kernel cuts at 15 octets, whole. */
	char name[ECBPF_NAME_MAX];
};

/* Value of an interface's "meta". */
struct ecbpf_interface_meta {
	__u32 ifindex;
	/* Attach turned rx-vlan offload off; detach turns it on again. */
	__u32 restore_rxvlan;
	/* enum ecbpf_mode. */
	__u32 mode;
	/* Id of the root program that libxdp's dispatcher calls; 0: a link of ours is attached. */
	__u32 dispatched;
	char name[16];
};

#endif
