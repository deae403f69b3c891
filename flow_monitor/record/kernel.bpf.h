/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's types, as far as tools here read them. Where a field is found out when a program is
 * loaded (CO-RE); members of unnamed unions stand beside the others here.
 */
#ifndef FLOW_MONITOR_KERNEL_BPF_H
#define FLOW_MONITOR_KERNEL_BPF_H

#include <linux/bpf.h>
#include <linux/in6.h>
#include <linux/types.h>

#define AF_INET	 2
#define AF_INET6 10

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	atomic_t refs;
} refcount_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
	refcount_t skc_refcnt;
};

struct cgroup;

/* Since 5.15; before, @val held the pointer, unless its lowest bit was set. */
struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock_cgroup_data___until_5_14 {
	__u64 val;
};

struct sock {
	struct sock_common __sk_common;
	int sk_err;
	__u8 sk_shutdown;
	__u16 sk_protocol;
	struct sock_cgroup_data sk_cgrp_data;
	unsigned long sk_pacing_rate;
	unsigned long sk_max_pacing_rate;
};

struct socket {
	struct sock *sk;
};

struct file {
	void *private_data;
};

struct fdtable {
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	unsigned int flags;
	struct files_struct *files;
};

struct kernfs_node {
	__u64 id;
};

/* Since 6.1, of all levels down to the own one. */
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[];
};

struct cgroup___until_6_0 {
	int level;
	__u64 ancestor_ids[];
};

struct ipv6_pinfo {
	__u8 tclass;
	__be32 rcv_flowinfo;
};

struct inet_sock {
	struct sock sk;
	struct ipv6_pinfo *pinet6;
	__be16 inet_sport;
	__u8 tos;
	__u8 rcv_tos;
};

struct tcp_congestion_ops {
	char name[16];
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	__u32 icsk_rto;
	__u32 icsk_pmtu_cookie;
	const struct tcp_congestion_ops *icsk_ca_ops;
	__u8 icsk_ca_state : 5;
	__u8 icsk_retransmits;
	__u8 icsk_backoff;
	__u8 icsk_probes_out;
	struct {
		__u32 ato : 8;
		__u32 lrcvtime;
		__u16 rcv_mss;
	} icsk_ack;
	__u64 icsk_ca_priv[13];
};

struct minmax_sample {
	__u32 t;
	__u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_options_received {
	__u16 tstamp_ok : 1, wscale_ok : 1, sack_ok : 3, snd_wscale : 4, rcv_wscale : 4;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	struct tcp_options_received rx_opt;
	__u32 rcv_ssthresh;
	__u32 reordering;
	__u32 snd_wnd;
	__u32 mss_cache;
	__u32 snd_cwnd;
	__u32 lost_out;
	__u32 sacked_out;
	__u32 retrans_out;
	__u32 packets_out;
	__u16 advmss;
	__u32 snd_ssthresh;
	struct minmax rtt_min;
	__u32 segs_out;
	__u32 segs_in;
	__u32 data_segs_out;
	__u32 data_segs_in;
	__u8 chrono_type : 2;
	__u8 rate_app_limited : 1;
	__u8 fastopen_client_fail : 2;
	__u8 syn_data_acked : 1;
	__u8 tcp_usec_ts : 1;
	__u8 syn_fastopen_child : 1;
	__u32 chrono_start;
	__u32 chrono_stat[3];
	__u32 write_seq;
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 lsndtime;
	__u32 rcv_tstamp;
	__u64 tcp_clock_cache;
	__u32 mdev_us;
	__u32 srtt_us;
	__u8 ecn_flags;
	__u32 delivered;
	__u32 delivered_ce;
	__u32 rcv_wnd;
	__u32 rate_delivered;
	__u32 rate_interval_us;
	struct {
		__u32 rtt_us;
	} rcv_rtt_est;
	struct {
		__u32 space;
	} rcvq_space;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u32 total_retrans;
	int linger2;
	__u32 dsack_dups;
	__u32 reord_seen;
	__u32 rcv_ooopack;
	__u16 timeout_rehash;
	__u32 plb_rehash;
	__u16 total_rto;
	__u16 total_rto_recoveries;
	__u32 total_rto_time;
	__u32 rto_stamp;
	__u32 received_ce;
	__u32 delivered_ecn_bytes[3];
	__u32 received_ecn_bytes[3];
	__u8 accecn_fail_mode : 4;
	__u8 saw_accecn_opt : 2;
};

/* Of which only the size is asked for. */
struct tcp_info {
	__u8 tcpi_state;
};

/* What congestion controls keep in icsk_ca_priv. */
struct bictcp {
	__u32 cnt;
	__u32 last_max_cwnd;
	__u32 bic_origin_point;
	__u32 bic_K;
	__u32 delay_min;
	__u32 tcp_cwnd;
};

struct bbr {
	__u32 min_rtt_us;
	struct minmax bw;
	__u32 lt_use_bw : 1;
	__u32 lt_bw;
	__u32 pacing_gain : 10;
	__u32 cwnd_gain : 10;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

/* sock:inet_sock_set_state as a classic tracepoint */
struct trace_event_raw_inet_sock_set_state {
	const void *skaddr;
	int oldstate;
	int newstate;
};

#pragma clang attribute pop

#endif
