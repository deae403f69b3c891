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
	__u16 sk_protocol;
	struct sock_cgroup_data sk_cgrp_data;
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

struct inet_connection_sock {
	struct inet_sock icsk_inet;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u32 srtt_us;
	__u32 total_retrans;
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
