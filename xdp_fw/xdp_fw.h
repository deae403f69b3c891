/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What xdp_fw's BPF program and its loader share: rules, limits, counters, settings. */
#ifndef XDP_FW_H
#define XDP_FW_H

#ifdef __bpf__
#include <linux/bpf.h>
#endif
#include <linux/types.h>

enum fw_action {
	FW_DROP,
	FW_PASS,
	FW_LIMIT,
	FW_COUNT,
};

/* Octets, their terminator included. */
#define FW_NAME_MAX 64
/* Rules of a ruleset, both families together. */
#define FW_RULES_MAX	  8000
#define FW_PER_SECOND_MAX 10000000
/* Prefixes of a set. */
#define FW_SET_MAX 1000000
/* Prefixes that rules ask for, sources and destinations each. */
#define FW_PREFIXES_MAX 4000000
/* Sources that limits remember, of all rules together. */
#define FW_SOURCES 65536

/*
 * A rule where the matcher finds it. When several match, the one with the lowest priority decides;
 * @rule is its place in the file, from 0.
 */
struct fw_entry {
	__u32 priority;
	__u32 rule;
	__u32 action;
	__u32 per_source;
	/* ns between packets, and how far ahead of time they may come, see limit.h */
	__u64 interval;
	__u64 tolerance;
};

/* Value of the per-CPU "hits", and of "hits_base", which is added: both by the rule's place. */
struct fw_hits {
	__u64 matched;
	/* With --dry-run: that would have been. */
	__u64 dropped;
};

/* Value of "buckets", by the rule's place, and of "sources": one packet's time, ns. */
struct fw_bucket {
	__u64 due;
};

struct fw_bucket_locked {
#ifdef __bpf__
	struct bpf_spin_lock lock;
#else
	__u32 lock;
#endif
	__u32 reserved;
	struct fw_bucket bucket;
};

struct fw_source_key {
	__u32 rule;
	__u32 family;
	__be32 address[4];
};

/* Locks for "sources", shared by what hashes to the same. */
#define FW_SOURCE_LOCKS 256

struct fw_lock {
#ifdef __bpf__
	struct bpf_spin_lock lock;
#else
	__u32 lock;
#endif
	__u32 reserved;
};

/* In .rodata, and for the loader in the map "config". */
struct fw_settings {
	/* ns of CLOCK_BOOTTIME at which the rules stop to match; 0: never. */
	__u64 expires;
	__u32 dry_run;
	__u32 first_match;
	/* Numbers of rules with these actions: what has none costs nothing. */
	__u32 counts;
	__u32 limits;
	__u32 limits_per_source;
	__u32 rules;
};

/* Value of "names", by the rule's place; empty: none. */
struct fw_name {
	char text[FW_NAME_MAX];
};

/* Value of "listing", by the rule's place: where its line is in "texts". */
struct fw_listing {
	__u64 text;
	__u32 length;
	__u32 action;
};

/* Value of "log_control": one in @every drops is recorded; 0: none. */
struct fw_log_control {
	__u32 every;
	__u32 reserved;
};

/* Octets of the ring buffer. */
#define FW_LOG_RING (1U << 18)

/* A record of the ring buffer. */
struct fw_log_record {
	__u64 time; /* ns of CLOCK_BOOTTIME */
	__u32 rule;
	__u32 length;
	__u8 family;
	__u8 protocol;
	__be16 sport;
	__be16 dport;
	__u8 ports; /* sport and dport are valid */
	__u8 dry_run;
	__be32 saddr[4];
	__be32 daddr[4];
	char name[FW_NAME_MAX];
};

#endif
