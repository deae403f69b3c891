/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What tcp_stats's BPF programs and its user side share. */
#ifndef TCP_STATS_H
#define TCP_STATS_H

#include <linux/types.h>

#define STATS_FLOWS_MAX 32
#define STATS_NAME_MAX	16

/*
 * As the kernel's struct tcp_info (6.18), which only ever grows at its end: a kernel has the fields
 * that its own size covers.
 */
struct stats_info {
	__u8 state;
	__u8 ca_state;
	__u8 retransmits;
	__u8 probes;
	__u8 backoff;
	__u8 options;
	/* Sent in the lower nibble, received in the upper. */
	__u8 wscale;
	/* Bit 0: application limited; bits 1 and 2: why fast open failed. */
	__u8 bits;
	__u32 rto;
	__u32 ato;
	__u32 snd_mss;
	__u32 rcv_mss;
	__u32 unacked;
	__u32 sacked;
	__u32 lost;
	__u32 retrans;
	__u32 fackets;
	__u32 last_data_sent;
	__u32 last_ack_sent;
	__u32 last_data_recv;
	__u32 last_ack_recv;
	__u32 pmtu;
	__u32 rcv_ssthresh;
	__u32 rtt;
	__u32 rttvar;
	__u32 snd_ssthresh;
	__u32 snd_cwnd;
	__u32 advmss;
	__u32 reordering;
	__u32 rcv_rtt;
	__u32 rcv_space;
	__u32 total_retrans;
	__u64 pacing_rate;
	__u64 max_pacing_rate;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u32 segs_out;
	__u32 segs_in;
	__u32 notsent_bytes;
	__u32 min_rtt;
	__u32 data_segs_in;
	__u32 data_segs_out;
	__u64 delivery_rate;
	__u64 busy_time;
	__u64 rwnd_limited;
	__u64 sndbuf_limited;
	__u32 delivered;
	__u32 delivered_ce;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u32 dsack_dups;
	__u32 reord_seen;
	__u32 rcv_ooopack;
	__u32 snd_wnd;
	__u32 rcv_wnd;
	__u32 rehash;
	__u16 total_rto;
	__u16 total_rto_recoveries;
	__u32 total_rto_time;
	__u32 received_ce;
	__u32 delivered_e1_bytes;
	__u32 delivered_e0_bytes;
	__u32 delivered_ce_bytes;
	__u32 received_e1_bytes;
	__u32 received_e0_bytes;
	__u32 received_ce_bytes;
	__u16 accecn_fail_mode;
	__u16 accecn_opt_seen;
};

enum stats_reason {
	STATS_RTT,
	STATS_STATE,
	STATS_NETLINK,
};

/* What a congestion control keeps for itself. */
enum stats_private {
	STATS_PRIVATE_NONE,
	STATS_PRIVATE_CUBIC,
	STATS_PRIVATE_BBR,
};

struct stats_cubic {
	__u32 cnt;
	__u32 last_max_cwnd;
	__u32 origin_point;
	/* ms */
	__u32 k;
	/* us, since 5.5 */
	__u32 delay_min;
	__u32 tcp_cwnd;
};

struct stats_bbr {
	/* octets/s */
	__u64 bw;
	/* us */
	__u32 min_rtt;
	/* 256ths */
	__u32 pacing_gain;
	__u32 cwnd_gain;
};

/**
 * struct stats_sample - of a connection
 * @monotonic: ns
 * @length: octets of @info that the kernel has
 * @reason, @private: enum stats_reason, enum stats_private
 * @old_state, @new_state: with STATS_STATE
 * @family: 4 or 6; an IPv4 address that is mapped into IPv6 counts as IPv4
 */
struct stats_sample {
	__u64 monotonic;
	__u32 length;
	__u32 netns;
	__u8 reason;
	__u8 private;
	__u8 old_state;
	__u8 new_state;
	__u8 family;
	__u8 unused;
	__u16 local_port;
	__u16 remote_port;
	__u16 unused2;
	__u32 unused3;
	__u8 local[16];
	__u8 remote[16];
	char congestion[STATS_NAME_MAX];
	struct stats_info info;
	struct stats_cubic cubic;
	struct stats_bbr bbr;
};

/* One end of --flow: zeroes are any. */
struct stats_end {
	__u8 address[16];
	__u8 family;
	__u8 unused;
	__u16 port;
};

struct stats_flow {
	struct stats_end local;
	struct stats_end remote;
};

/* In .rodata: set before loading. */
struct stats_config {
	/* ns between two samples of a connection; 0: no polling. */
	__u64 poll;
	__u32 states;
	/* The kernel's ticks per second. */
	__u32 hz;
	__u32 flow_count;
	struct stats_flow flows[STATS_FLOWS_MAX];
};

#endif
