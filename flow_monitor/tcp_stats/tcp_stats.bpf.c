// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Samples TCP connections of a control group: when a round trip was measured, and when they change
 * state. Connections are seen from their beginning on.
 */
#include "sample.bpf.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile struct stats_config config = { .hz = 1000 };

/* The kernel's clocks, for what_time(). */
__u64 clock_jiffies = 0;
__u64 clock_ns = 0;

/* Samples that found the ring full. */
__u64 lost = 0;

struct stats_last {
	/* When the connection was last sampled, ns. */
	__u64 sampled;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct stats_last);
} last SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} samples SEC(".maps");

static __always_inline bool end_matches(const volatile struct stats_end *end, const __u8 *address,
					__u8 family, __u16 port)
{
	int i;

	if (end->port && end->port != port)
		return false;
	if (!end->family)
		return true;
	if (end->family != family)
		return false;
	for (i = 0; i < 16; i++)
		if (end->address[i] != address[i])
			return false;
	return true;
}

static __always_inline bool is_wanted(const struct stats_sample *sample)
{
	__u32 i;

	for (i = 0; i < STATS_FLOWS_MAX && i < config.flow_count; i++)
		if (end_matches(&config.flows[i].local, sample->local, sample->family,
				sample->local_port) &&
		    end_matches(&config.flows[i].remote, sample->remote, sample->family,
				sample->remote_port))
			return true;
	return !config.flow_count;
}

static __always_inline void take(struct bpf_sock_ops *ctx, __u64 now, enum stats_reason reason,
				 int old, int new)
{
	struct stats_sample *sample;
	struct tcp_sock *tp;

	if (!ctx->sk)
		return;
	tp = bpf_skc_to_tcp_sock(ctx->sk);
	if (!tp)
		return;
	sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);
	if (!sample) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	__builtin_memset(sample, 0, sizeof(*sample));
	sample->monotonic = now;
	sample->length = bpf_core_type_size(struct tcp_info);
	sample->reason = reason;
	sample->old_state = old;
	sample->new_state = new;
	read_identity(tp, sample);
	if (!is_wanted(sample)) {
		bpf_ringbuf_discard(sample, BPF_RB_NO_WAKEUP);
		return;
	}
	read_state(tp, &sample->info);
	read_times(tp, &sample->info);
	read_windows(tp, &sample->info);
	read_rates(tp, &sample->info);
	read_counters(tp, &sample->info);
	read_ecn(tp, &sample->info);
	read_congestion(tp, sample);
	/* The socket is in the old state until the callback is over. */
	if (reason == STATS_STATE)
		sample->info.state = new;
	/* And has the round trip time before this one; newer kernels (not 6.1) tell, in eighths. */
	if (reason == STATS_RTT && ctx->args[1])
		sample->info.rtt = ctx->args[1] >> 3;
	bpf_ringbuf_submit(sample, 0);
}

static __always_inline void poll(struct bpf_sock_ops *ctx)
{
	__u64 now = bpf_ktime_get_ns();
	struct stats_last *mine;

	if (!ctx->sk)
		return;
	mine = bpf_sk_storage_get(&last, ctx->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!mine || (mine->sampled && now - mine->sampled < config.poll))
		return;
	mine->sampled = now;
	take(ctx, now, STATS_RTT, 0, 0);
}

SEC("sockops")
int watch(struct bpf_sock_ops *ctx)
{
	int flags = 0;

	switch (ctx->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		if (config.poll)
			flags |= BPF_SOCK_OPS_RTT_CB_FLAG;
		if (config.states)
			flags |= BPF_SOCK_OPS_STATE_CB_FLAG;
		bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | flags);
		break;
	case BPF_SOCK_OPS_RTT_CB:
		if (config.poll)
			poll(ctx);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (config.states)
			take(ctx, bpf_ktime_get_ns(), STATS_STATE, ctx->args[0], ctx->args[1]);
		break;
	}
	return 1;
}

/* Never attached: run to read the clocks. */
SEC("raw_tp/sched_switch")
int what_time(void *ctx)
{
	(void)ctx;
	clock_jiffies = bpf_jiffies64();
	clock_ns = bpf_ktime_get_ns();
	return 0;
}
