/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is noted of active flows, and the record of one whose end nobody saw. */
#ifndef TCP_MONITOR_FLOWS_BPF_H
#define TCP_MONITOR_FLOWS_BPF_H

#include "wanted.bpf.h"

/* Flows that began when the table was full and haven't ended yet. */
__s64 untracked = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__type(key, __u64);
	__type(value, struct monitor_flow);
} flows SEC(".maps");

/* For no longer than it takes to close. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct monitor_event);
} closings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct monitor_percpu);
} percpu SEC(".maps");

static __always_inline struct monitor_percpu *this_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&percpu, &zero);
}

/* Atomic: a soft interrupt between load and store would be lost from the count. */
static __always_inline void count(struct monitor_percpu *cpu, enum monitor_count which)
{
	__sync_fetch_and_add(&cpu->counts[which], 1);
}

/* Asked for now and then, as asking costs. */
static __always_inline __u64 wake_up(const struct monitor_percpu *cpu)
{
	if (cpu->counts[MONITOR_COUNT_EMITTED] & config.wakeup_mask)
		return BPF_RB_NO_WAKEUP;
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= config.wakeup ?
		       BPF_RB_FORCE_WAKEUP :
		       BPF_RB_NO_WAKEUP;
}

/* What @flow looked like when it began to close; NULL: that isn't known. */
static __always_inline struct monitor_event *closing_of(const struct monitor_flow *flow, __u64 key)
{
	struct monitor_event *last;

	if (!(flow->bits & MONITOR_FLOW_CLOSING))
		return NULL;
	last = bpf_map_lookup_elem(&closings, &key);
	return last && last->start == flow->start ? last : NULL;
}

/* A flow that ended unseen, as it was when it began to close. */
static __always_inline void reconstruct(struct monitor_percpu *cpu, const struct monitor_flow *flow,
					__u64 key)
{
	struct monitor_event *last = closing_of(flow, key);

	count(cpu, MONITOR_COUNT_CLOSES);
	count(cpu, MONITOR_COUNT_ENDED);
	if (!last) {
		count(cpu, MONITOR_COUNT_UNSEEN);
		return;
	}
	count(cpu, MONITOR_COUNT_RECONSTRUCTED);
	if (last->bits & MONITOR_FLOW_UNWANTED)
		count(cpu, MONITOR_COUNT_FILTERED);
	else if (bpf_ringbuf_output(&events, last, sizeof(*last), wake_up(cpu)))
		count(cpu, MONITOR_COUNT_RING_FULL);
	else
		count(cpu, MONITOR_COUNT_EMITTED);
}

/* Whether what is noted for a socket is of a flow before. */
static __always_inline bool is_of_another(const struct monitor_flow *flow, struct tcp_sock *tp,
					  bool direct)
{
	const struct monitor_event *last = closing_of(flow, (__u64)tp);

	return last && (last->remote_port !=
				bpf_ntohs(READ(tp, inet_conn.icsk_inet.sk.__sk_common.skc_dport)) ||
			last->local_port != bpf_ntohs(READ(tp, inet_conn.icsk_inet.inet_sport)));
}

#endif
