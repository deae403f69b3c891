/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flows that are looked for: open at the start, active now, and gone though nobody saw it. */
#ifndef TCP_MONITOR_ITERATORS_BPF_H
#define TCP_MONITOR_ITERATORS_BPF_H

#include "flows.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct monitor_listener);
	__type(value, __u8);
} listeners SEC(".maps");

static __always_inline bool is_open(unsigned char state)
{
	return state == BPF_TCP_ESTABLISHED || state == BPF_TCP_SYN_SENT ||
	       state == BPF_TCP_SYN_RECV || state == BPF_TCP_FIN_WAIT1 ||
	       state == BPF_TCP_FIN_WAIT2 || state == BPF_TCP_CLOSE_WAIT ||
	       state == BPF_TCP_LAST_ACK || state == BPF_TCP_CLOSING;
}

/*
 * For each socket of a network namespace, listeners first: note those that are open. One that
 * ends meanwhile has either been noted before, or is closed now.
 */
SEC("iter/tcp")
int find_open(struct bpf_iter__tcp *ctx)
{
	struct monitor_flow flow = { .bits = MONITOR_FLOW_FOUND };
	struct sock_common *common = ctx->sk_common;
	struct monitor_percpu *cpu = this_cpu();
	struct monitor_listener listener = {};
	struct tcp_sock *tp;
	__u8 one = 1;
	__u64 key;

	if (!common || !cpu)
		return 0;
	listener.netns = common->skc_net.net->ns.inum;
	listener.port = common->skc_num;
	if (common->skc_state == BPF_TCP_LISTEN) {
		bpf_map_update_elem(&listeners, &listener, &one, BPF_ANY);
		return 0;
	}
	if (!is_open(common->skc_state))
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (!tp)
		return 0;
	if (bpf_map_lookup_elem(&listeners, &listener))
		flow.bits |= MONITOR_FLOW_PASSIVE;
	flow.start = bpf_ktime_get_ns();
	key = (__u64)tp;
	if (bpf_map_update_elem(&flows, &key, &flow, BPF_NOEXIST)) {
		if (!bpf_map_lookup_elem(&flows, &key)) {
			count(cpu, MONITOR_COUNT_REFUSED);
			__sync_fetch_and_add(&untracked, 1);
		}
		return 0;
	}
	count(cpu, MONITOR_COUNT_FOUND);
	if (!is_open(common->skc_state) && !bpf_map_delete_elem(&flows, &key))
		count(cpu, MONITOR_COUNT_ENDED);
	return 0;
}

/* For each active flow: what its socket says now. */
SEC("iter/bpf_map_elem")
int read_open(struct bpf_iter__bpf_map_elem *ctx)
{
	struct monitor_event event = { .kind = MONITOR_FLOW_IS_OPEN };
	struct monitor_flow *noted = ctx->value, *still;
	__u64 *socket = ctx->key, key;
	struct tcp_sock *tp;
	unsigned char state;
	bool passive;

	if (!socket || !noted)
		return 0;
	key = *socket;
	tp = (struct tcp_sock *)key;
	state = BPF_CORE_READ(tp, inet_conn.icsk_inet.sk.__sk_common.skc_state);
	if (!is_open(state))
		return 0;
	passive = noted->bits & MONITOR_FLOW_PASSIVE;
	event.now = bpf_ktime_get_ns();
	event.start = noted->start;
	event.old_state = state;
	event.new_state = state;
	event.pid = noted->pid;
	__builtin_memcpy(event.name, noted->name, sizeof(event.name));
	if (passive)
		event.flags = FLOW_PASSIVE;
	if (noted->bits & (MONITOR_FLOW_FOUND | MONITOR_FLOW_LATE))
		event.flags |= FLOW_BEGAN_BEFORE;
	if (state == BPF_TCP_SYN_SENT || state == BPF_TCP_SYN_RECV)
		event.flags |= FLOW_NEVER_ESTABLISHED;
	read_identity(tp, false, &event);
	read_dscp(tp, false, passive, &event);
	read_counters(tp, false, &event);
	/* The socket may have become another flow's while it was read. */
	still = bpf_map_lookup_elem(&flows, &key);
	if (!still || still->start != event.start || !flow_is_wanted((struct sock *)tp, &event))
		return 0;
	bpf_seq_write(ctx->meta->seq, &event, sizeof(event));
	return 0;
}

/* Others may be nobody's any more: of what is freed, state and references stay until it is used. */
static __always_inline bool is_in_use(struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;

	return is_open(BPF_CORE_READ(sk, __sk_common.skc_state)) ||
	       BPF_CORE_READ(sk, __sk_common.skc_refcnt.refs.counter);
}

/* For each active flow: whether its socket is gone. */
SEC("iter/bpf_map_elem")
int find_unseen(struct bpf_iter__bpf_map_elem *ctx)
{
	struct monitor_flow *noted = ctx->value, flow;
	struct monitor_percpu *cpu = this_cpu();
	__u64 *socket = ctx->key, key;
	struct tcp_sock *tp;

	if (!socket || !noted || !cpu)
		return 0;
	key = *socket;
	tp = (struct tcp_sock *)key;
	if (!is_of_another(noted, tp, false) && is_in_use(tp))
		return 0;
	flow = *noted;
	if (!bpf_map_delete_elem(&flows, &key))
		reconstruct(cpu, &flow, key);
	return 0;
}

#endif
