/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What xdp_filter's BPF program and its loader share: configuration, entries, statistics. */
#ifndef XDP_FILTER_H
#define XDP_FILTER_H

#ifdef __bpf__
#include <linux/bpf.h>
#endif
#include <linux/types.h>

/*
 * In .rodata: a changed configuration is a new program, so that no packet meets half of one and
 * branches that are off cost nothing.
 */
struct filter_config {
	__u8 frags_drop;
	/* Fragments addressed to the host itself stay. */
	__u8 frags_local_pass;
	__u8 drop_options;
	__u8 truncated_drop;
	/* The kernel has bpf_check_mtu (5.12): ask it instead of using mtu. */
	__u8 have_check_mtu;
	/* CPUs outnumber the copies of the hit counters. */
	__u8 hit_shards_shared;
	__u8 reserved[2];
	/* Path MTU messages in any aligned second of CLOCK_MONOTONIC, all CPUs together. */
	__u32 ptb_max_pps;
	/* Octets, of the interface when it was loaded. */
	__u32 mtu;
	/* Hit counters: copies that CPUs are spread over (a power of two), less one. */
	__u32 hit_shard_mask;
	/* Counters in each copy. */
	__u32 hit_shard_size;
	/* Of this instance alone: see source_memo_key(). */
	__u64 memo_key;
};

enum filter_action {
	FILTER_DROP,
	FILTER_ALLOW,
};

/* Unit of filter_entry.expires: 2^26 ns (67 ms) of CLOCK_BOOTTIME; lasts nine years. */
#define FILTER_TICK_SHIFT 26

/*
 * Value of "entries", indexed by the entry's id; id 0 is nobody, length 255 an unused id.
 * Everything that there is to know of an entry but its tag's text, its hits and, for IPv6,
 * its address.
 */
struct filter_entry {
	/* IPv4: the address, network order; IPv6: its index in "addresses6". */
	__u32 address;
	/* Id of the next shorter entry that covers this one, or 0. */
	__u32 parent;
	/* Tick at which it stops to match; 0: never. */
	__u32 expires;
	/* Seconds since the Unix epoch. */
	__u32 added;
	/* Offset of its text in "tags"; 0: none. */
	__u32 tag;
	__u8 length;
	__u8 action;
	__u8 family;
	__u8 reserved;
};

#define FILTER_UNUSED 255
/* Octets of a tag, its terminator included. */
#define FILTER_TAG_MAX	   64
#define FILTER_ENTRIES_MAX 1000000

#define FILTER_HITS_PER_VALUE 64

struct filter_tag {
	char text[FILTER_TAG_MAX];
};

struct filter_hits {
	__u64 count[FILTER_HITS_PER_VALUE];
};

/* Value of "ptb_budget": messages sent in the second that it is about. */
struct filter_ptb_budget {
#ifdef __bpf__
	struct bpf_spin_lock lock;
#else
	__u32 lock;
#endif
	__u32 sent;
	__u64 second;
};

/* Key of "local_addresses"; IPv4 as ::ffff:a.b.c.d. */
struct filter_address {
	__be32 words[4];
};

/* Its value; an address that isn't there is elsewhere. */
enum filter_local {
	FILTER_ELSEWHERE,
	/* The host's own. */
	FILTER_OWN,
	/* Stands for all hosts of one of its subnets. */
	FILTER_BROADCAST,
};

/*
 * Key of "allows", an LPM trie: ids of the allow entries. The length counts the bits of the family
 * too; an IPv4 address is the first word.
 */
struct filter_allow_key {
	__u32 length;
	__u32 family;
	struct filter_address address;
};

#define FILTER_ALLOW_FAMILY_BITS 32

/* X(CONSTANT, key in status and JSON) */
#define FILTER_STATS(X)                     \
	X(ETH_FRAME_ERR, eth_frame_err)     \
	X(IP_HEADER_ERR, ip_header_err)     \
	X(IP6_HEADER_ERR, ip6_header_err)   \
	X(IP_DROP, ip_drop_count)           \
	X(IP6_DROP, ip6_drop_count)         \
	X(IP_FRAG_DROP, ip_frag_drop_count) \
	X(PTB_SENT, ptb_sent_count)         \
	X(PTB_ERR, ptb_err_count)           \
	X(PTB_MEM_ERR, ptb_mem_err_count)   \
	X(PTB_LIMIT, ptb_limit_count)       \
	X(FRAG_LOCAL, frag_local_count)     \
	X(IP_EVIL_BIT, ip_evil_bit_count)   \
	X(BAD_LENGTH, bad_length_count)     \
	X(IP_OPTIONS, ip_options_count)

enum filter_stat {
#define X(constant, key) FILTER_STAT_##constant,
	FILTER_STATS(X)
#undef X
	FILTER_STAT_COUNT,
};

/* Value of the per-CPU "stats", where those have zero that are counted by reason. */
struct filter_stats {
	__u64 values[FILTER_STAT_COUNT];
};

#endif
