/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a TCP socket tells about its flow. Where the kernel vouches for the pointer's type (@direct)
 * fields are loads; else each is copied by a helper.
 */
#ifndef TCP_MONITOR_SOCKET_BPF_H
#define TCP_MONITOR_SOCKET_BPF_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../record/flow.h"
#include "../record/kernel.bpf.h"
#include "tcp_monitor.h"

#define EPIPE	     32
#define ECONNABORTED 103
#define ECONNRESET   104
#define ECONNREFUSED 111

/* No process has it any more; a FIN was received: bits of skc_flags (enum sock_flags in the kernel). */
#define SOCK_DEAD 0
#define SOCK_DONE 1

/* Of sk_shutdown: both ways. */
#define SHUTDOWN_MASK 3

#define IPPROTO_TCP_ 6

/**
 * struct flow_socket - a socket by both of its types, which are at one address
 * @sk: the kernel vouches for loads from it, if @direct
 * @tp: it checks loads from it one by one; so what @sk has is read there
 * @key: its address
 */
struct flow_socket {
	struct sock *sk;
	struct tcp_sock *tp;
	__u64 key;
	bool direct;
};

#define READ_AT(direct, pointer, field)                                                \
	({                                                                             \
		typeof(pointer) from_ = (pointer);                                     \
		typeof(from_->field) value_;                                           \
                                                                                       \
		if (direct)                                                            \
			value_ = from_->field;                                         \
		else                                                                   \
			bpf_core_read((void *)&value_, sizeof(value_), &from_->field); \
		value_;                                                                \
	})

#define READ_SK(socket, field) READ_AT((socket)->direct, (socket)->sk, field)
#define READ_TP(socket, field) READ_AT((socket)->direct, (socket)->tp, field)

static __always_inline struct flow_socket flow_socket(struct sock *sk, __u64 key, bool direct)
{
	return (struct flow_socket){
		.sk = sk,
		.tp = direct ? bpf_skc_to_tcp_sock(sk) : (struct tcp_sock *)sk,
		.key = key,
		.direct = direct,
	};
}

static __always_inline bool is_mapped(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

static __always_inline void read_addresses(const struct flow_socket *socket,
					   struct monitor_event *event)
{
	struct sock_common *common = (void *)&socket->sk->__sk_common;

	event->family = 4;
	if (READ_SK(socket, __sk_common.skc_family) == AF_INET6) {
		bpf_core_read(event->remote, sizeof(event->remote), &common->skc_v6_daddr);
		if (!is_mapped(event->remote)) {
			bpf_core_read(event->local, sizeof(event->local),
				      &common->skc_v6_rcv_saddr);
			event->family = 6;
			return;
		}
		__builtin_memset(event->remote, 0, sizeof(event->remote));
	}
	*(__u32 *)event->local = READ_SK(socket, __sk_common.skc_rcv_saddr);
	*(__u32 *)event->remote = READ_SK(socket, __sk_common.skc_daddr);
}

/* What tells one flow from another. The local port stays where it is when a socket is unhashed. */
static __always_inline void read_identity(const struct flow_socket *socket,
					  struct monitor_event *event)
{
	struct net *net = READ_SK(socket, __sk_common.skc_net.net);

	read_addresses(socket, event);
	event->local_port = bpf_ntohs(READ_TP(socket, inet_conn.icsk_inet.inet_sport));
	event->remote_port = bpf_ntohs(READ_SK(socket, __sk_common.skc_dport));
	event->netns = net ? READ_AT(socket->direct, net, ns.inum) : 0;
}

/* The second two bits of a traffic class are for congestion (ECN). */
static __always_inline void read_dscp(const struct flow_socket *socket, bool passive,
				      struct monitor_event *event)
{
	struct ipv6_pinfo *ipv6;

	event->dscp_received = FLOW_DSCP_UNKNOWN;
	if (event->family == 4) {
		event->dscp_sent = READ_TP(socket, inet_conn.icsk_inet.tos) >> 2;
		if (passive)
			event->dscp_received = READ_TP(socket, inet_conn.icsk_inet.rcv_tos) >> 2;
		return;
	}
	ipv6 = READ_TP(socket, inet_conn.icsk_inet.pinet6);
	if (!ipv6)
		return;
	event->dscp_sent = READ_AT(socket->direct, ipv6, tclass) >> 2;
	if (passive)
		event->dscp_received =
			bpf_ntohl(READ_AT(socket->direct, ipv6, rcv_flowinfo)) >> 22 & 0x3f;
}

/* Payload: bytes_received counts a FIN for an octet. */
static __always_inline void read_counters(const struct flow_socket *socket,
					  struct monitor_event *event)
{
	__u64 received = READ_TP(socket, bytes_received);
	__u64 flags = READ_SK(socket, __sk_common.skc_flags);

	event->sent = READ_TP(socket, bytes_sent) - READ_TP(socket, bytes_retrans);
	event->received = received && flags >> SOCK_DONE & 1 ? received - 1 : received;
	event->retransmitted = READ_TP(socket, total_retrans);
	/* In eighths. */
	event->srtt = READ_TP(socket, srtt_us) >> 3;
}

/*
 * Whether its own process closes it by a reset: nobody else finds a socket in these states shut down
 * both ways.
 */
static __always_inline bool is_aborted(const struct flow_socket *socket, int old)
{
	return (old == BPF_TCP_ESTABLISHED || old == BPF_TCP_CLOSE_WAIT) &&
	       READ_SK(socket, sk_shutdown) == SHUTDOWN_MASK;
}

/*
 * Whether its own process resets a flow that it half closed before: what else leaves FIN_WAIT2 waits
 * for the other's FIN, or has it.
 */
static __always_inline bool is_reset_half_closed(const struct flow_socket *socket)
{
	__u64 flags = READ_SK(socket, __sk_common.skc_flags);

	if (flags >> SOCK_DONE & 1)
		return false;
	return !(flags >> SOCK_DEAD & 1) || READ_TP(socket, linger2) < 0;
}

/* Whether a reset, sent or received, ended a flow that was in state @old. */
static __always_inline bool ended_by_reset(const struct flow_socket *socket, int error, int old)
{
	switch (error) {
	case 0:
		if (old == BPF_TCP_FIN_WAIT2)
			return is_reset_half_closed(socket);
		return old == BPF_TCP_ESTABLISHED || old == BPF_TCP_CLOSE_WAIT ||
		       old == BPF_TCP_FIN_WAIT1;
	case EPIPE:
	case ECONNABORTED:
	case ECONNRESET:
	case ECONNREFUSED:
		return true;
	}
	return false;
}

/* Where nobody saw it, when a flow ended: CLOCK_MONOTONIC, ns. */
static __always_inline __u64 time_of_last_segment(const struct flow_socket *socket, __u64 start)
{
	__u64 time = READ_TP(socket, tcp_clock_cache);

	return time > start ? time : bpf_ktime_get_ns();
}

/* Whether the segment that the kernel deals with is what ends a flow that was in state @old. */
static __always_inline bool ends_by_segment(const struct flow_socket *socket, int old)
{
	__u64 flags;

	if (READ_SK(socket, sk_err))
		return false;
	if (old == BPF_TCP_LAST_ACK)
		return READ_TP(socket, snd_una) == READ_TP(socket, write_seq);
	flags = READ_SK(socket, __sk_common.skc_flags);
	return old == BPF_TCP_FIN_WAIT2 && flags >> SOCK_DONE & 1;
}

/*
 * CLOCK_MONOTONIC, ns. The kernel read its clock, which takes longer than all else here, when the
 * segment arrived (tcp_rcv_state_process).
 */
static __always_inline __u64 time_of_end(const struct flow_socket *socket, int old)
{
	return ends_by_segment(socket, old) ? READ_TP(socket, tcp_clock_cache) : bpf_ktime_get_ns();
}

/* Where nobody saw it, in which state a flow was that a soft interrupt ended. */
static __always_inline int state_before_end(const struct flow_socket *socket, bool passive)
{
	/* The SYN that a connecting side sends counts for an octet. */
	if (!passive && !READ_TP(socket, bytes_acked))
		return BPF_TCP_SYN_SENT;
	return READ_TP(socket, snd_una) == READ_TP(socket, write_seq) ? BPF_TCP_FIN_WAIT2 :
									BPF_TCP_FIN_WAIT1;
}

static __always_inline __u8 flags_at_end(const struct flow_socket *socket, int error, int old)
{
	__u8 flags = 0;

	if (old == BPF_TCP_SYN_SENT || old == BPF_TCP_SYN_RECV)
		flags = FLOW_NEVER_ESTABLISHED;
	if (ended_by_reset(socket, error, old))
		flags |= FLOW_RESET;
	return flags;
}

#endif
