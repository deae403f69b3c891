/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows that are looked for: open at the start, active now, and gone though nobody saw it. By
 * iterators; where the kernel takes none, by programs that are called for one socket after another
 * (BPF_PROG_TEST_RUN).
 */
#ifndef TCP_MONITOR_SEARCH_BPF_H
#define TCP_MONITOR_SEARCH_BPF_H

#include "flows.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct monitor_listener);
	__type(value, __u8);
} listeners SEC(".maps");

/* What read_one() read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct monitor_event);
} one_read SEC(".maps");

static __always_inline bool is_open(unsigned char state)
{
	return state == BPF_TCP_ESTABLISHED || state == BPF_TCP_SYN_SENT ||
	       state == BPF_TCP_SYN_RECV || state == BPF_TCP_FIN_WAIT1 ||
	       state == BPF_TCP_FIN_WAIT2 || state == BPF_TCP_CLOSE_WAIT ||
	       state == BPF_TCP_LAST_ACK || state == BPF_TCP_CLOSING;
}

static __always_inline struct monitor_listener listener_of(struct sock *sk, bool direct)
{
	struct net *net = READ_AT(direct, sk, __sk_common.skc_net.net);
	struct monitor_listener listener = { .netns = net ? READ_AT(direct, net, ns.inum) : 0 };

	listener.port = READ_AT(direct, sk, __sk_common.skc_num);
	return listener;
}

static __always_inline void note_listener(struct sock *sk, bool direct)
{
	struct monitor_listener listener = listener_of(sk, direct);
	__u8 one = 1;

	bpf_map_update_elem(&listeners, &listener, &one, BPF_ANY);
}

/*
 * Whether it was accepted. The SYN counts for an acknowledged octet where it was sent (bytes_acked; see
 * tcp_ack and tcp_create_openreq_child), so what is acknowledged beyond payload and FIN tells; where that
 * tells nothing, as of a socket that was restored, a listener at its port does.
 */
static __always_inline bool was_accepted(const struct flow_socket *socket)
{
	unsigned char state = READ_SK(socket, __sk_common.skc_state);
	__u64 acked = READ_TP(socket, bytes_sent) - READ_TP(socket, bytes_retrans);
	__u32 next = READ_TP(socket, snd_nxt);
	struct monitor_listener listener;

	if (state == BPF_TCP_SYN_SENT || state == BPF_TCP_SYN_RECV)
		return state == BPF_TCP_SYN_RECV;
	acked -= next - READ_TP(socket, snd_una);
	/* A FIN is the last octet, once it was sent. */
	if (state != BPF_TCP_ESTABLISHED && state != BPF_TCP_CLOSE_WAIT &&
	    next == READ_TP(socket, write_seq))
		acked++;
	switch (READ_TP(socket, bytes_acked) - acked) {
	case 0:
		return true;
	case 1:
		return false;
	}
	listener = listener_of(socket->sk, socket->direct);
	return bpf_map_lookup_elem(&listeners, &listener);
}

/* One that ends meanwhile has either been noted before, or is closed now. */
static __always_inline void note_open(struct sock *sk, bool direct)
{
	struct monitor_event flow = { .bits = MONITOR_FLOW_FOUND };
	struct monitor_percpu *cpu = this_cpu();
	__u64 key = key_of_socket(sk);
	struct flow_socket socket = flow_socket(sk, key, direct);
	int slot;

	if (!cpu || !socket.tp)
		return;
	if (was_accepted(&socket))
		flow.bits |= MONITOR_FLOW_PASSIVE;
	flow.start = bpf_ktime_get_ns();
	slot = flow_add(key, &flow);
	if (slot == -E2BIG) {
		count(cpu, MONITOR_COUNT_REFUSED);
		__sync_fetch_and_add(&untracked, 1);
	}
	if (slot < 0)
		return;
	count(cpu, MONITOR_COUNT_FOUND);
	if (!is_open(READ_AT(direct, sk, __sk_common.skc_state)) && flow_remove_at(slot, key))
		count(cpu, MONITOR_COUNT_ENDED);
}

/* For each socket of a network namespace, listeners first. */
SEC("iter/tcp")
int find_open(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;

	if (!common)
		return 0;
	if (common->skc_state == BPF_TCP_LISTEN)
		note_listener((struct sock *)common, true);
	else if (is_open(common->skc_state))
		note_open((struct sock *)common, true);
	return 0;
}

/* The caller's descriptor ctx[0], which is a socket's; ctx[1]: listeners are asked for. */
SEC("raw_tp")
int find_one(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct file **files = BPF_CORE_READ(task, files, fdt, fd), *file = NULL;
	unsigned short family;
	struct socket *socket;
	struct sock *sk;
	bool listens;

	bpf_probe_read_kernel(&file, sizeof(file), files + ctx[0]);
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return 0;
	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP_)
		return 0;
	listens = BPF_CORE_READ(sk, __sk_common.skc_state) == BPF_TCP_LISTEN;
	if (listens && ctx[1])
		note_listener(sk, false);
	else if (!ctx[1] && is_open(BPF_CORE_READ(sk, __sk_common.skc_state)))
		note_open(sk, false);
	return 0;
}

/* What the socket of an active flow says now. False: nothing that is asked for. */
static __always_inline bool read_flow(__u64 key, const struct monitor_event *noted,
				      struct monitor_event *event)
{
	struct flow_socket socket = flow_socket((struct sock *)key, key, false);
	struct monitor_event *still;
	unsigned char state;
	bool passive;

	state = READ_SK(&socket, __sk_common.skc_state);
	if (!is_open(state))
		return false;
	passive = noted->bits & MONITOR_FLOW_PASSIVE;
	event->now = bpf_ktime_get_ns();
	event->start = noted->start;
	event->old_state = state;
	event->new_state = state;
	event->pid = noted->pid;
	__builtin_memcpy(event->name, noted->name, sizeof(event->name));
	if (passive)
		event->flags = FLOW_PASSIVE;
	if (noted->bits & (MONITOR_FLOW_FOUND | MONITOR_FLOW_LATE))
		event->flags |= FLOW_BEGAN_BEFORE;
	if (state == BPF_TCP_SYN_SENT || state == BPF_TCP_SYN_RECV)
		event->flags |= FLOW_NEVER_ESTABLISHED;
	read_identity(&socket, event);
	read_dscp(&socket, passive, event);
	read_counters(&socket, event);
	/* The socket may have become another flow's while it was read. */
	still = flow_find(key);
	return still && still->start == event->start && flow_is_wanted(socket.sk, event);
}

/* The flow in slot @way of the bucket that is met, and its @key; NULL: none. */
static __always_inline struct monitor_event *flow_met(struct bpf_iter__bpf_map_elem *ctx, __u32 way,
						      __u64 *key)
{
	struct monitor_bucket *bucket = ctx->value;
	__u32 *number = ctx->key;

	if (!bucket || !number)
		return NULL;
	*key = *(volatile __u64 *)&bucket->keys[way];
	return *key > MONITOR_TAKEN ? flow_at(*number * MONITOR_WAYS + way) : NULL;
}

/* By bucket, as most slots are free. */
SEC("iter/bpf_map_elem")
int read_each(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 i;

	for (i = 0; i < MONITOR_WAYS; i++) {
		struct monitor_event event = { .kind = MONITOR_FLOW_IS_OPEN };
		struct monitor_event *noted;
		__u64 key = 0;

		noted = flow_met(ctx, i, &key);
		if (noted && read_flow(key, noted, &event))
			bpf_seq_write(ctx->meta->seq, &event, sizeof(event));
	}
	return 0;
}

/* Of the socket ctx[0]. Returns 1 if one_read has it. */
SEC("raw_tp")
int read_one(__u64 *ctx)
{
	struct monitor_event event = { .kind = MONITOR_FLOW_IS_OPEN };
	struct monitor_event *noted;
	__u64 key = ctx[0];
	__u32 zero = 0;

	noted = flow_find(key);
	if (!noted || !read_flow(key, noted, &event))
		return 0;
	return !bpf_map_update_elem(&one_read, &zero, &event, BPF_ANY);
}

/* Others may be nobody's any more: of what is freed, state and references stay until it is used. */
static __always_inline bool is_in_use(struct sock *sk)
{
	return is_open(BPF_CORE_READ(sk, __sk_common.skc_state)) ||
	       BPF_CORE_READ(sk, __sk_common.skc_refcnt.refs.counter);
}

/* Whether the socket of an active flow is gone: then the flow ended unseen. */
static __always_inline void end_unseen(__u64 key, const struct monitor_event *noted)
{
	struct flow_socket socket = flow_socket((struct sock *)key, key, false);
	__u64 start = noted->start;

	if (is_of_another(noted, &socket) || !is_in_use(socket.sk))
		give_up(this_cpu(), key, start);
}

SEC("iter/bpf_map_elem")
int sweep_each(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 i;

	for (i = 0; i < MONITOR_WAYS; i++) {
		struct monitor_event *noted;
		__u64 key = 0;

		noted = flow_met(ctx, i, &key);
		if (noted)
			end_unseen(key, noted);
	}
	return 0;
}

/* The sockets in ctx, as many as one call takes; 0: none. */
SEC("raw_tp")
int sweep_some(__u64 *ctx)
{
	__u64 key;
	struct monitor_event *noted;
	int i;

	for (i = 0; i < MONITOR_SWEEP_KEYS; i++) {
		bpf_probe_read_kernel(&key, sizeof(key), ctx + i);
		noted = key ? flow_find(key) : NULL;
		if (noted)
			end_unseen(key, noted);
	}
	return 0;
}

#endif
