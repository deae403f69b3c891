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
 * that come upon these. So, where flows end in soft interrupts upon others than their own process,
 * it is noted what a flow looked like when its own process closed it. Where its socket is found to
 * be another's, or nobody's, that makes its record.
 */
#include "flows.bpf.h"
#include "search.bpf.h"

#define EEXIST	   17
#define PF_KTHREAD 0x00200000

char _license[] SEC("license") = "Dual BSD/GPL";

/* Flows end upon other processes: what closes is noted. The user side clears this... */
__u32 foreign = 1;
/* ...when this, which it clears every second, has been 0 for a while. */
__u32 foreign_seen = 0;

/* Nothing here reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct monitor_report);
} report SEC(".maps");

static __always_inline void note_process(struct monitor_flow *flow)
{
	flow->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(flow->name, sizeof(flow->name));
}

/* What is noted for a socket is of a flow before, and nobody saw the end of that. */
static __always_inline void give_up(struct monitor_percpu *cpu, const struct monitor_flow *flow,
				    __u64 key)
{
	foreign = 1;
	reconstruct(cpu, flow, key);
	bpf_map_delete_elem(&flows, &key);
}

static __always_inline void begin(struct monitor_percpu *cpu, struct sock *sk, bool passive)
{
	struct monitor_flow flow = { .start = bpf_ktime_get_ns() }, *noted;
	__u64 key = (__u64)sk;
	long err;

	if (passive)
		flow.bits = MONITOR_FLOW_PASSIVE;
	else
		note_process(&flow);
	err = bpf_map_update_elem(&flows, &key, &flow, BPF_NOEXIST);
	if (err == -EEXIST) {
		noted = bpf_map_lookup_elem(&flows, &key);
		if (noted)
			give_up(cpu, noted, key);
		err = bpf_map_update_elem(&flows, &key, &flow, BPF_NOEXIST);
	}
	count(cpu, err ? MONITOR_COUNT_REFUSED : MONITOR_COUNT_OPENED);
	if (!err)
		return;
	cpu->refused = key;
	__sync_fetch_and_add(&untracked, 1);
}

/**
 * struct ending - what is known of a flow that has ended
 * @flow: as it was noted; NULL: nobody saw it begin
 * @old: state before
 */
struct ending {
	struct tcp_sock *tp;
	const struct monitor_flow *flow;
	__u64 now;
	int old;
};

/* What its socket says, beside what is noted. */
static __always_inline void read_socket(struct tcp_sock *tp, int old, bool direct,
					struct monitor_event *event)
{
	__u8 bits = event->bits;

	event->error = READ(tp, inet_conn.icsk_inet.sk.sk_err);
	event->old_state = old;
	event->new_state = BPF_TCP_CLOSE;
	event->flags = flags_at_end(tp, direct, event->error, old);
	if (bits & (MONITOR_FLOW_FOUND | MONITOR_FLOW_LATE))
		event->flags |= FLOW_BEGAN_BEFORE;
	if (bits & MONITOR_FLOW_PASSIVE)
		event->flags |= FLOW_PASSIVE;
	read_identity(tp, direct, event);
	read_dscp(tp, direct, bits & MONITOR_FLOW_PASSIVE, event);
	read_counters(tp, direct, event);
}

static __always_inline void fill_end(const struct ending *ending, bool direct,
				     struct monitor_event *event)
{
	const struct monitor_flow *flow = ending->flow;

	*event = (struct monitor_event){
		.kind = MONITOR_FLOW_ENDED,
		.bits = flow ? flow->bits : MONITOR_FLOW_LATE,
		.start = ending->now,
		.now = ending->now,
	};
	if (flow) {
		if (!(flow->bits & MONITOR_FLOW_LATE))
			event->start = flow->start;
		event->pid = flow->pid;
		__builtin_memcpy(event->name, flow->name, sizeof(event->name));
	}
	read_socket(ending->tp, ending->old, direct, event);
}

/* Where all flows are wanted, the record is written where it is read. */
static __always_inline enum monitor_count deliver(const struct monitor_percpu *cpu,
						  const struct ending *ending, bool direct)
{
	struct monitor_event draft, *event;

	if (config.filtered) {
		fill_end(ending, direct, &draft);
		if (!flow_is_wanted((struct sock *)ending->tp, &draft))
			return MONITOR_COUNT_FILTERED;
		return bpf_ringbuf_output(&events, &draft, sizeof(draft), wake_up(cpu)) ?
			       MONITOR_COUNT_RING_FULL :
			       MONITOR_COUNT_EMITTED;
	}
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return MONITOR_COUNT_RING_FULL;
	fill_end(ending, direct, event);
	bpf_ringbuf_submit(event, wake_up(cpu));
	return MONITOR_COUNT_EMITTED;
}

static __always_inline void end(struct monitor_percpu *cpu, const struct ending *ending,
				bool direct)
{
	__u64 key = (__u64)ending->tp;

	count(cpu, MONITOR_COUNT_CLOSES);
	if (!ending->flow && untracked > 0) {
		__sync_fetch_and_add(&untracked, -1);
		count(cpu, MONITOR_COUNT_TABLE_FULL);
		return;
	}
	count(cpu, deliver(cpu, ending, direct));
	if (ending->flow && !bpf_map_delete_elem(&flows, &key))
		count(cpu, MONITOR_COUNT_ENDED);
}

static __always_inline void report_state(struct monitor_percpu *cpu, struct tcp_sock *tp, int from,
					 int to, bool direct)
{
	struct monitor_event event = {
		.kind = MONITOR_STATE_CHANGED,
		.old_state = from,
		.new_state = to,
	};
	struct monitor_flow *flow;
	__u64 key = (__u64)tp;

	event.now = bpf_ktime_get_ns();
	event.start = event.now;
	read_identity(tp, direct, &event);
	flow = bpf_map_lookup_elem(&flows, &key);
	if (flow) {
		event.start = flow->start;
		event.pid = flow->pid;
		if (flow->bits & MONITOR_FLOW_PASSIVE)
			event.flags = FLOW_PASSIVE;
		__builtin_memcpy(event.name, flow->name, sizeof(event.name));
	}
	if (!identity_is_wanted((struct sock *)tp, &event))
		return;
	count(cpu, bpf_ringbuf_output(&events, &event, sizeof(event), wake_up(cpu)) ?
			   MONITOR_COUNT_STATES_LOST :
			   MONITOR_COUNT_STATES);
}

/* Note what its record is to be, should nobody see the end: its own process closes it here. */
static __always_inline void note_closing(struct monitor_percpu *cpu, struct tcp_sock *tp, int to,
					 bool direct)
{
	struct ending ending = {
		.tp = tp,
		.now = READ(tp, tcp_clock_cache),
		.old = to == BPF_TCP_LAST_ACK ? to : BPF_TCP_CLOSING,
	};
	struct monitor_flow late = { .start = ending.now, .bits = MONITOR_FLOW_LATE }, *flow;
	struct monitor_event last;
	__u64 key = (__u64)tp;

	flow = bpf_map_lookup_elem(&flows, &key);
	/* Nothing begins to close twice. */
	if (flow && flow->bits & MONITOR_FLOW_CLOSING) {
		give_up(cpu, flow, key);
		flow = NULL;
	}
	if (!flow && untracked > 0)
		return;
	if (flow && ending.now < flow->start)
		ending.now = flow->start;
	ending.flow = flow ? flow : &late;
	fill_end(&ending, direct, &last);
	/* What it will still send or receive isn't known. */
	if (to != BPF_TCP_LAST_ACK || READ(tp, snd_nxt) != READ(tp, write_seq))
		last.flags |= FLOW_NO_COUNTERS;
	if (config.filtered && !flow_is_wanted((struct sock *)tp, &last))
		last.bits |= MONITOR_FLOW_UNWANTED;
	if (bpf_map_update_elem(&closings, &key, &last, BPF_ANY))
		return;
	late.bits |= MONITOR_FLOW_CLOSING;
	if (flow)
		flow->bits |= MONITOR_FLOW_CLOSING;
	else if (!bpf_map_update_elem(&flows, &key, &late, BPF_NOEXIST))
		count(cpu, MONITOR_COUNT_FOUND);
}

/* The accepting side's process, if it isn't known. */
static __always_inline void note_accepting(__u64 key)
{
	struct monitor_flow *flow = bpf_map_lookup_elem(&flows, &key);

	if (flow && flow->bits & MONITOR_FLOW_PASSIVE && !flow->pid)
		note_process(flow);
}

/* Such as ksoftirqd, which everything comes to under load: nothing is hidden from tracing there. */
static __always_inline bool is_kernel_thread(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/* An end upon another process than the flow's own, as far as that is known. */
static __always_inline void note_context(const struct monitor_flow *flow)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (pid && (!flow->pid || flow->pid == pid || is_kernel_thread()))
		return;
	if (!foreign)
		foreign = 1;
	if (!foreign_seen)
		foreign_seen = 1;
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

static __always_inline void closed(struct monitor_percpu *cpu, struct tcp_sock *tp, int from,
				   bool direct)
{
	struct ending ending = { .tp = tp, .now = bpf_ktime_get_ns(), .old = from };
	__u64 key = (__u64)tp;
	struct monitor_flow *flow;

	flow = bpf_map_lookup_elem(&flows, &key);
	if (flow && is_of_another(flow, tp, direct)) {
		give_up(cpu, flow, key);
		flow = NULL;
	}
	if (flow)
		note_context(flow);
	ending.flow = flow;
	end(cpu, &ending, direct);
	cpu->ended = key;
}

static __always_inline int state_changed(struct sock *sk, int from, int to, bool direct)
{
	__u64 key = (__u64)sk;
	struct monitor_percpu *cpu;
	struct tcp_sock *tp;
	bool closes;

	/* MPTCP's own sockets and other protocols come here too. */
	if (!matters(from, to) || READ(sk, sk_protocol) != IPPROTO_TCP_)
		return 0;
	cpu = this_cpu();
	if (!cpu)
		return 0;
	if (to == BPF_TCP_SYN_SENT) {
		begin(cpu, sk, false);
	} else if (from == BPF_TCP_LISTEN) {
		begin(cpu, sk, true);
		cpu->born = key;
	}
	closes = to == BPF_TCP_FIN_WAIT1 || to == BPF_TCP_LAST_ACK;
	if (!config.states && to != BPF_TCP_CLOSE && !(closes && (foreign || config.accept_pid)))
		return 0;
	tp = tcp_sock_of(sk, direct);
	if (!tp)
		return 0;
	/* The process is right where it closes; softirqs, which come upon any, don't change to these. */
	if (config.accept_pid && (closes || (to == BPF_TCP_CLOSE && is_aborted(sk, direct, from))))
		note_accepting(key);
	if (closes && foreign)
		note_closing(cpu, tp, to, direct);
	if (config.states)
		report_state(cpu, tp, from, to, direct);
	if (to == BPF_TCP_CLOSE)
		closed(cpu, tp, from, direct);
	return 0;
}

static __always_inline int birth_met(struct sock *sk, int congestion_state, bool direct)
{
	struct monitor_percpu *cpu = this_cpu();
	__u64 key = (__u64)sk;

	if (!cpu)
		return 0;
	if (cpu->born == key) {
		cpu->born = 0;
		return 0;
	}
	if (congestion_state || READ(sk, __sk_common.skc_state) != BPF_TCP_SYN_RECV ||
	    READ(sk, sk_protocol) != IPPROTO_TCP_ || bpf_map_lookup_elem(&flows, &key))
		return 0;
	/* The table was full. */
	if (cpu->refused == key)
		return 0;
	count(cpu, MONITOR_COUNT_RESCUED);
	begin(cpu, sk, true);
	return 0;
}

static __always_inline int end_met(struct sock *sk, bool direct)
{
	struct monitor_percpu *cpu = this_cpu();
	__u64 key = (__u64)sk;
	struct monitor_flow *flow;
	struct tcp_sock *tp;

	if (!cpu)
		return 0;
	if (cpu->ended == key) {
		cpu->ended = 0;
		return 0;
	}
	flow = bpf_map_lookup_elem(&flows, &key);
	tp = flow ? tcp_sock_of(sk, direct) : NULL;
	if (!flow || !tp)
		return 0;
	count(cpu, MONITOR_COUNT_RESCUED);
	end(cpu,
	    &(struct ending){
		    .tp = tp,
		    .flow = flow,
		    .now = time_of_last_segment(tp, direct, flow->start),
		    .old = state_before_end(tp, direct, flow->bits & MONITOR_FLOW_PASSIVE),
	    },
	    direct);
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
	note_accepting(ctx[0]);
	return 0;
}
