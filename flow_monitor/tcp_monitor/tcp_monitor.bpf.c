// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Follows TCP flows by the states of their sockets.
 *
 * A flow is known by the address of its socket: noted when it begins (over whatever was noted
 * before), forgotten when it ends. Everything else is read from the socket at the end.
 *
 * The kernel doesn't run a program within itself: where a soft interrupt comes upon the program at
 * the tracepoint, events in it are refused. Rescuers at tracepoints that come after those which
 * matter make up for that. Only connections that are accepted begin in soft interrupts; the first
 * congestion state that such a one is given is met by birth_met(), which notes it if nobody has.
 * Sockets that are destroyed are met by end_met(): a flow that is still noted has ended unseen.
 * One event is never refused twice, as a soft interrupt comes upon one program at most.
 *
 * There are kernels on which nothing is traced while certain processes run, nor in soft interrupts
 * that come upon these; a flow's own process is none of them. So it is noted what a flow looks like
 * when its own process closes it. Where its socket is found to be another's, or nobody's, that makes
 * its record.
 */
#include "flows.bpf.h"
#include "search.bpf.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* Nothing here reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct monitor_report);
} report SEC(".maps");

/* Of task_struct.flags. */
#define PF_KTHREAD 0x00200000

/* One works on sockets for others: subflows of MPTCP are its. */
static __always_inline bool is_kernel_thread(bool direct)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

#ifndef MONITOR_WITHOUT_CMPXCHG
	/* These take Linux 5.11. */
	if (direct)
		task = bpf_get_current_task_btf();
#else
	direct = false;
#endif
	return READ_AT(direct, task, flags) & PF_KTHREAD;
}

static __always_inline void note_process(struct monitor_event *flow, bool direct)
{
	if (is_kernel_thread(direct))
		return;
	flow->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(flow->name, sizeof(flow->name));
}

static __always_inline void begin(struct monitor_percpu *cpu, __u64 key, bool passive, bool direct)
{
	int slot = flow_take(key);
	struct monitor_event *flow;

	if (slot == -EEXIST) {
		give_up(cpu, key, 0);
		slot = flow_take(key);
	}
	flow = slot < 0 ? NULL : flow_at(slot);
	if (!flow) {
		count(cpu, MONITOR_COUNT_REFUSED);
		cpu->refused = key;
		__sync_fetch_and_add(&untracked, 1);
		return;
	}
	*flow = (struct monitor_event){ .start = bpf_ktime_get_ns() };
	if (passive)
		flow->bits = MONITOR_FLOW_PASSIVE;
	else
		note_process(flow, direct);
	flow_give(slot, key);
	count(cpu, MONITOR_COUNT_OPENED);
}

/**
 * struct ending - what is known of a flow that has ended
 * @flow: as it was noted, in @slot; NULL: nobody saw it begin
 * @old: state before
 */
struct ending {
	const struct flow_socket *socket;
	const struct monitor_event *flow;
	int slot;
	int old;
	__u64 now;
};

/* What doesn't change once a flow closes. */
static __always_inline void read_lasting(const struct flow_socket *socket,
					 struct monitor_event *event)
{
	read_identity(socket, event);
	read_dscp(socket, event->bits & MONITOR_FLOW_PASSIVE, event);
}

/* What does. */
static __always_inline void read_changing(const struct flow_socket *socket, int old,
					  struct monitor_event *event)
{
	__u8 bits = event->bits;

	event->error = READ_SK(socket, sk_err);
	event->old_state = old;
	event->new_state = BPF_TCP_CLOSE;
	event->flags = flags_at_end(socket, event->error, old);
	if (bits & (MONITOR_FLOW_FOUND | MONITOR_FLOW_LATE))
		event->flags |= FLOW_BEGAN_BEFORE;
	if (bits & MONITOR_FLOW_PASSIVE)
		event->flags |= FLOW_PASSIVE;
	read_counters(socket, event);
}

static __always_inline void fill_end(const struct ending *ending, struct monitor_event *event)
{
	const struct monitor_event *flow = ending->flow;

	if (flow) {
		*event = *flow;
		event->now = ending->now;
		if (flow->bits & MONITOR_FLOW_LATE)
			event->start = ending->now;
	} else {
		*event = (struct monitor_event){
			.bits = MONITOR_FLOW_LATE,
			.start = ending->now,
			.now = ending->now,
		};
	}
	if (!(event->bits & MONITOR_FLOW_CLOSING))
		read_lasting(ending->socket, event);
	read_changing(ending->socket, ending->old, event);
}

static __always_inline void deliver_all(struct monitor_percpu *cpu, const struct ending *ending)
{
	struct monitor_event *event = gather_begin(cpu);

	if (event) {
		fill_end(ending, event);
		gather_end(cpu);
		return;
	}
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(cpu, MONITOR_COUNT_RING_FULL);
		return;
	}
	fill_end(ending, event);
	bpf_ringbuf_submit(event, wake_up_seldom(cpu));
	count(cpu, MONITOR_COUNT_EMITTED);
}

static __always_inline void deliver_wanted(struct monitor_percpu *cpu, const struct ending *ending)
{
	struct monitor_event draft, *event;

	fill_end(ending, &draft);
	if (!flow_is_wanted(ending->socket->sk, &draft)) {
		count(cpu, MONITOR_COUNT_FILTERED);
		return;
	}
	event = gather_begin(cpu);
	if (event) {
		*event = draft;
		gather_end(cpu);
		return;
	}
	ring_put(cpu, &draft, MONITOR_COUNT_EMITTED, MONITOR_COUNT_RING_FULL);
}

static __always_inline void end(struct monitor_percpu *cpu, const struct ending *ending)
{
	__u8 bits = ending->flow ? ending->flow->bits : 0;
	__u64 key = ending->socket->key;

	count(cpu, MONITOR_COUNT_CLOSES);
	if (!ending->flow && untracked > 0) {
		__sync_fetch_and_add(&untracked, -1);
		count(cpu, MONITOR_COUNT_TABLE_FULL);
		return;
	}
	/* Where all flows are wanted, the record is written where it is read. */
	if (config.filtered)
		deliver_wanted(cpu, ending);
	else
		deliver_all(cpu, ending);
	if (ending->flow && flow_remove_at(ending->slot, key))
		count(cpu, MONITOR_COUNT_ENDED);
	/* Those that are not noted when they begin may be noted by two at once. */
	if (bits & (MONITOR_FLOW_FOUND | MONITOR_FLOW_LATE) && flow_remove(key))
		count(cpu, MONITOR_COUNT_ENDED);
}

static __always_inline void report_state(struct monitor_percpu *cpu,
					 const struct flow_socket *socket, int from, int to)
{
	struct monitor_event event = {
		.kind = MONITOR_STATE_CHANGED,
		.old_state = from,
		.new_state = to,
	};
	struct monitor_event *flow;
	__u64 key = socket->key;

	event.now = bpf_ktime_get_ns();
	event.start = event.now;
	read_identity(socket, &event);
	flow = flow_find(key);
	if (flow) {
		event.start = flow->start;
		event.pid = flow->pid;
		if (flow->bits & MONITOR_FLOW_PASSIVE)
			event.flags = FLOW_PASSIVE;
		__builtin_memcpy(event.name, flow->name, sizeof(event.name));
	}
	if (!identity_is_wanted(socket->sk, &event))
		return;
	ring_put(cpu, &event, MONITOR_COUNT_STATES, MONITOR_COUNT_STATES_LOST);
}

/* What @flow's record is to be, should nobody see the end: its own process closes it here. */
static __always_inline void read_closing(const struct flow_socket *socket, int to,
					 struct monitor_event *flow)
{
	__u64 now = READ_TP(socket, tcp_clock_cache);

	flow->now = now > flow->start ? now : flow->start;
	read_lasting(socket, flow);
	read_changing(socket, to == BPF_TCP_LAST_ACK ? to : BPF_TCP_CLOSING, flow);
	/* What it will still send or receive isn't known. */
	if (to != BPF_TCP_LAST_ACK || READ_TP(socket, snd_nxt) != READ_TP(socket, write_seq))
		flow->flags |= FLOW_NO_COUNTERS;
	if (config.filtered && !flow_is_wanted(socket->sk, flow))
		flow->bits |= MONITOR_FLOW_UNWANTED;
	flow->bits |= MONITOR_FLOW_CLOSING;
}

static __always_inline void note_closing(struct monitor_percpu *cpu,
					 const struct flow_socket *socket, int to)
{
	struct monitor_event late, *flow;
	__u64 key = socket->key;

	flow = flow_find(key);
	/* Nothing begins to close twice. */
	if (flow && flow->bits & MONITOR_FLOW_CLOSING) {
		give_up(cpu, key, 0);
		flow = NULL;
	}
	if (flow) {
		read_closing(socket, to, flow);
		return;
	}
	if (untracked > 0)
		return;
	late = (struct monitor_event){
		.start = READ_TP(socket, tcp_clock_cache),
		.bits = MONITOR_FLOW_LATE,
	};
	read_closing(socket, to, &late);
	if (flow_add(key, &late) >= 0)
		count(cpu, MONITOR_COUNT_FOUND);
}

/* The accepting side's process, if it isn't known. */
static __always_inline void note_accepting(__u64 key, bool direct)
{
	struct monitor_event *flow = flow_find(key);

	if (flow && flow->bits & MONITOR_FLOW_PASSIVE && !flow->pid)
		note_process(flow, direct);
}

/* Whether anything is done about a change of state: of most that a flow goes through, nothing. */
static __always_inline bool matters(int from, int to)
{
	/* close() after shutdown(): the state that it has already is set once more. */
	if (from == to)
		return false;
	if (to == BPF_TCP_CLOSE)
		return from != BPF_TCP_LISTEN;
	if (from == BPF_TCP_LISTEN)
		return to == BPF_TCP_SYN_RECV;
	if (to == BPF_TCP_SYN_SENT || to == BPF_TCP_FIN_WAIT1 || to == BPF_TCP_LAST_ACK)
		return true;
	return config.states && to != BPF_TCP_LISTEN;
}

static __always_inline void closed(struct monitor_percpu *cpu, const struct flow_socket *socket,
				   int from)
{
	struct ending ending = { .socket = socket, .now = time_of_end(socket, from), .old = from };
	__u64 key = socket->key;
	struct monitor_event *flow;

	ending.slot = flow_slot(key);
	flow = ending.slot < 0 ? NULL : flow_at(ending.slot);
	if (flow && is_of_another(flow, socket)) {
		give_up(cpu, key, 0);
		flow = NULL;
	}
	if (flow && ending.now < flow->start)
		ending.now = flow->start;
	ending.flow = flow;
	end(cpu, &ending);
	cpu->ended = key;
}

static __always_inline int state_changed(struct sock *sk, int from, int to, bool direct)
{
	struct monitor_percpu *cpu;
	struct flow_socket socket;
	bool closes;
	__u64 key;

	/* MPTCP's own sockets and other protocols come here too. */
	if (!matters(from, to) || READ_AT(direct, sk, sk_protocol) != IPPROTO_TCP_)
		return 0;
	cpu = this_cpu();
	if (!cpu)
		return 0;
	key = key_of_socket(sk);
	if (to == BPF_TCP_SYN_SENT) {
		begin(cpu, key, false, direct);
	} else if (from == BPF_TCP_LISTEN) {
		begin(cpu, key, true, direct);
		cpu->born = key;
	}
	closes = to == BPF_TCP_FIN_WAIT1 || to == BPF_TCP_LAST_ACK;
	if (!config.states && to != BPF_TCP_CLOSE && !closes)
		return 0;
	socket = flow_socket(sk, key, direct);
	if (!socket.tp)
		return 0;
	/* The process is right where it closes; softirqs, which come upon any, don't change to these. */
	if (config.accept_pid && (closes || (to == BPF_TCP_CLOSE && is_aborted(&socket, from))))
		note_accepting(key, direct);
	if (closes)
		note_closing(cpu, &socket, to);
	if (config.states)
		report_state(cpu, &socket, from, to);
	if (to == BPF_TCP_CLOSE)
		closed(cpu, &socket, from);
	return 0;
}

static __always_inline int birth_met(struct sock *sk, int congestion_state, bool direct)
{
	struct monitor_percpu *cpu = this_cpu();
	__u64 key;

	if (!cpu)
		return 0;
	if (cpu->born == (__u64)sk) {
		cpu->born = 0;
		return 0;
	}
	if (congestion_state || READ_AT(direct, sk, __sk_common.skc_state) != BPF_TCP_SYN_RECV ||
	    READ_AT(direct, sk, sk_protocol) != IPPROTO_TCP_)
		return 0;
	key = key_of_socket(sk);
	/* Or the table was full. */
	if (flow_slot(key) >= 0 || cpu->refused == key)
		return 0;
	count(cpu, MONITOR_COUNT_RESCUED);
	begin(cpu, key, true, direct);
	return 0;
}

static __always_inline int end_met(struct sock *sk, bool direct)
{
	struct monitor_percpu *cpu = this_cpu();
	struct flow_socket socket;
	struct monitor_event *flow;
	__u64 key;
	int slot;

	if (!cpu)
		return 0;
	if (cpu->ended == (__u64)sk) {
		cpu->ended = 0;
		return 0;
	}
	key = key_of_socket(sk);
	slot = flow_slot(key);
	flow = slot < 0 ? NULL : flow_at(slot);
	if (!flow)
		return 0;
	socket = flow_socket(sk, key, direct);
	if (!socket.tp)
		return 0;
	count(cpu, MONITOR_COUNT_RESCUED);
	end(cpu, &(struct ending){
			 .socket = &socket,
			 .flow = flow,
			 .slot = slot,
			 .now = time_of_last_segment(&socket, flow->start),
			 .old = state_before_end(&socket, flow->bits & MONITOR_FLOW_PASSIVE),
		 });
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int typed_first(__u64 *ctx)
{
	return state_changed((struct sock *)ctx[0], ctx[1], ctx[2], true);
}

SEC("tp_btf/tcp_cong_state_set")
int typed_birth(__u64 *ctx)
{
	return birth_met((struct sock *)ctx[0], ctx[1] & 0xff, true);
}

SEC("tp_btf/tcp_destroy_sock")
int typed_end(__u64 *ctx)
{
	return end_met((struct sock *)ctx[0], true);
}

SEC("raw_tp/inet_sock_set_state")
int raw_first(__u64 *ctx)
{
	return state_changed((struct sock *)ctx[0], ctx[1], ctx[2], false);
}

SEC("raw_tp/tcp_cong_state_set")
int raw_birth(__u64 *ctx)
{
	return birth_met((struct sock *)ctx[0], ctx[1] & 0xff, false);
}

SEC("raw_tp/tcp_destroy_sock")
int raw_end(__u64 *ctx)
{
	return end_met((struct sock *)ctx[0], false);
}

SEC("tp/sock/inet_sock_set_state")
int classic_first(struct trace_event_raw_inet_sock_set_state *ctx)
{
	return state_changed((struct sock *)ctx->skaddr, ctx->oldstate, ctx->newstate, false);
}

/* Where a socket is read. */
SEC("raw_tp/tcp_rcv_space_adjust")
int reader_found(__u64 *ctx)
{
	note_accepting(ctx[0], false);
	return 0;
}
