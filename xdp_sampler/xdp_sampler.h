/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What xdp_sampler's BPF programs and its user side share. */
#ifndef XDP_SAMPLER_H
#define XDP_SAMPLER_H

#include <linux/types.h>

/* Largest --snaplen: without bpf_xdp_load_bytes (kernel 5.18) bytes are copied one by one. */
#define SAMPLER_SNAPLEN_MAX	   65535
#define SAMPLER_SNAPLEN_MAX_DIRECT 256
#define SAMPLER_SNAPLEN_DEFAULT	   128

/* Larger ones would not fit the 64 bits of a product in distance.bpf.h. */
#define SAMPLER_RATE_MAX (1U << 24)

/* Octets of a --filter expression with its terminator. */
#define SAMPLER_FILTER_MAX 512

/* In .rodata: changing it takes new programs. */
struct sampler_config {
	/* Packets per sample, at least 1. */
	__u32 rate;
	/* Each packet is picked with probability 1/rate instead of every rate-th of a CPU. */
	__u32 random;
	/*
	 * For random: -1/log2(1 - 1/rate) with 16 fractional bits, which scales an exponentially
	 * distributed number to a geometrically distributed distance.
	 */
	__u64 scale;
	/* Octets of a packet that are kept. */
	__u32 snaplen;
	/* Record the frame as it leaves the verdict, not as it came. */
	__u32 as_sent;
	/* The kernel has bpf_xdp_load_bytes (5.18). */
	__u32 have_load_bytes;
	/* A translated --filter is in "stages". */
	__u32 filtered;
	__u32 ifindex;
	/* Data in the ring, in octets, from which on its reader is woken. */
	__u32 wakeup;
	/* Grows with each change of all this. */
	__u32 change;
	__u32 reserved;
};

/* Value of "settings", for user space: what runs. */
struct sampler_settings {
	struct sampler_config config;
	/* Octets of the ring buffer. */
	__u64 ring;
	char filter[SAMPLER_FILTER_MAX];
};

/* Programs that the slot's goes on to, by index in the prog array "stages". */
enum sampler_stage {
	/* Translated from --filter; ends in one of the next two. */
	SAMPLER_STAGE_FILTER,
	/* Marks the packet, and goes on to the next slot. */
	SAMPLER_STAGE_MARK,
	/* Counts it as filtered out, and goes on to the next slot. */
	SAMPLER_STAGE_SKIP,
	SAMPLER_STAGES,
};

enum sampler_record_flags {
	/* The frame as it left the verdict. */
	SAMPLER_AS_SENT = 1 << 0,
	/* Its bytes could not be read; captured is 0. */
	SAMPLER_UNREADABLE = 1 << 1,
};

/**
 * struct sampler_record - what the ring buffer holds for each sample, in host order
 * @timestamp: ns of CLOCK_MONOTONIC, when the verdict was given
 * @sequence: of this CPU and instance, from 1 on without gaps but for losses
 * @pool: packets that this CPU has seen up to this one, whether or not they were picked
 * @length: octets of the frame
 * @captured: octets in @data
 * @rate: packets that it stands for
 * @slot: who decided; ECBPF_SLOT_ROOT: root
 * @action: as in ECBPF_ACTIONS
 * @flags: enum sampler_record_flags
 * @change: of struct sampler_config, by which it was picked
 */
struct sampler_record {
	__u64 timestamp;
	__u64 sequence;
	__u64 pool;
	__u32 ifindex;
	__u32 queue;
	__u32 length;
	__u32 captured;
	__u32 rate;
	__u16 cpu;
	__u16 reason;
	__u8 slot;
	__u8 action;
	__u8 flags;
	__u8 reserved;
	__u32 change;
	__u8 data[];
};

/* X(CONSTANT, key in status and JSON): per-CPU "counts", touched by picked packets only. */
#define SAMPLER_COUNTS(X)                                                                  \
	/* Packets that went by between samples, samples included. */                      \
	X(POOL, pool)                                                                      \
	/* Picked: the sum of all below. */                                                \
	X(PICKED, picked)                                                                  \
	X(EMITTED, emitted)                                                                \
	X(FILTERED, filtered)                                                              \
	X(RING_FULL, ring_full)                                                            \
	/* Programs were swapped, or a slot gave no verdict, between mark and emission. */ \
	X(ABANDONED, abandoned)

enum sampler_count {
#define X(constant, key) SAMPLER_COUNT_##constant,
	SAMPLER_COUNTS(X)
#undef X
	SAMPLER_COUNT_MAX,
};

struct sampler_counts {
	__u64 values[SAMPLER_COUNT_MAX];
	/* A marked packet waits for its verdict; here, as counts outlive a change of programs. */
	__u64 pending;
};

/* Value of the per-CPU "pace". */
struct sampler_pace {
	/* Packets up to and with the next sample, from the one before on; 0: not begun. */
	__u64 distance;
	__u64 sequence;
};

/* Before the bytes of a value of "aside", which a CPU has each: a marked packet on its way. */
struct sampler_aside {
	/* The record is of the packet that waits, and not of one before these programs came. */
	__u64 pending;
	struct sampler_record record;
};

/* X(CONSTANT, key): outputs of a reader. */
#define SAMPLER_OUTPUTS(X) \
	X(FILE, file)      \
	X(LIVE, live)      \
	X(SFLOW, sflow)    \
	X(TOP, top)        \
	X(STATSD, statsd)

enum sampler_output {
#define X(constant, key) SAMPLER_OUTPUT_##constant,
	SAMPLER_OUTPUTS(X)
#undef X
	SAMPLER_OUTPUT_MAX,
};

/* What was read of the ring up to an octet of it. */
struct sampler_taken {
	/* As the ring's consumer position: octets since it was made. */
	__u64 position;
	__u64 received;
	/* By --filter in user space, --action, --slot, --reason. */
	__u64 unwanted;
	/* Records that contradict themselves. */
	__u64 malformed;
};

/*
 * Value of "reader", written by the process that reads the ring, which may be killed at any
 * instant. For each output
 * received = unwanted + malformed + delivered + lost + unused + held, where held is for the reader
 * to deliver. What a dead one held the next one adds to lost. Of an output that isn't in use,
 * unused isn't up to date, and held is 0.
 */
struct sampler_reader {
	/*
	 * That one holds whose position is the ring's: the other is written, and then one store
	 * to the ring commits it.
	 */
	struct sampler_taken taken[2];
	/* Bits by enum sampler_output: in use. */
	__u64 outputs;
	/* Read while the output was not in use. */
	__u64 unused[SAMPLER_OUTPUT_MAX];
	__u64 delivered[SAMPLER_OUTPUT_MAX];
	__u64 lost[SAMPLER_OUTPUT_MAX];
};

#endif
