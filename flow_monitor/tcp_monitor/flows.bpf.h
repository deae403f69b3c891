/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is noted of active flows, by the addresses of their sockets. */
#ifndef TCP_MONITOR_FLOWS_BPF_H
#define TCP_MONITOR_FLOWS_BPF_H

#include "table.bpf.h"

/* Flows that began when the table was full and haven't ended yet. */
__s64 untracked = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 << 20);
} events SEC(".maps");

/* By CPU. Where one is, is known without a look at the map, other than in BPF_MAP_TYPE_PERCPU_ARRAY. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct monitor_percpu);
} percpu SEC(".maps");

static __always_inline struct monitor_percpu *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&percpu, &cpu);
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

/* What a record takes in the ring beside its octets. */
#define RING_HEADER 8
#define PAGE	    4096

/*
 * The ring's next pages are touched. Where a hypervisor shadows page tables, the first touch of each
 * leaves the virtual machine, tens of microseconds, for which no connection should wait.
 */
SEC("raw_tp")
int touch_ring(void *ctx)
{
	void *page;
	int i;

	(void)ctx;
	for (i = 0; i < MONITOR_TOUCHED_PAGES; i++) {
		page = bpf_ringbuf_reserve(&events, PAGE - RING_HEADER, 0);
		if (!page)
			break;
		bpf_ringbuf_discard(page, BPF_RB_NO_WAKEUP);
	}
	return 0;
}

/* A flow that ended unseen: its record is as it was when it began to close. */
static __always_inline void reconstruct(struct monitor_percpu *cpu, struct monitor_event *flow)
{
	count(cpu, MONITOR_COUNT_CLOSES);
	count(cpu, MONITOR_COUNT_ENDED);
	if (!(flow->bits & MONITOR_FLOW_CLOSING)) {
		count(cpu, MONITOR_COUNT_UNSEEN);
		return;
	}
	count(cpu, MONITOR_COUNT_RECONSTRUCTED);
	if (flow->bits & MONITOR_FLOW_UNWANTED)
		count(cpu, MONITOR_COUNT_FILTERED);
	else if (bpf_ringbuf_output(&events, flow, sizeof(*flow), wake_up(cpu)))
		count(cpu, MONITOR_COUNT_RING_FULL);
	else
		count(cpu, MONITOR_COUNT_EMITTED);
}

/*
 * What is noted for a socket is of a flow that is gone, and nobody saw the end of that. @start: of that
 * flow; 0: whichever it is.
 */
static __noinline int give_up(struct monitor_percpu *cpu, __u64 key, __u64 start)
{
	struct monitor_event flow, *noted;
	int slot = flow_slot(key);

	noted = slot < 0 ? NULL : flow_at(slot);
	if (!cpu || !noted)
		return 0;
	flow = *noted;
	if (start && flow.start != start)
		return 0;
	/* Where two find out at once, one of them removes it. */
	if (flow_remove_at(slot, key))
		reconstruct(cpu, &flow);
	return 0;
}

/* Whether what is noted for a socket is of a flow before. */
static __always_inline bool is_of_another(const struct monitor_event *flow,
					  const struct flow_socket *socket)
{
	if (!(flow->bits & MONITOR_FLOW_CLOSING))
		return false;
	return flow->remote_port != bpf_ntohs(READ_SK(socket, __sk_common.skc_dport)) ||
	       flow->local_port != bpf_ntohs(READ_TP(socket, inet_conn.icsk_inet.inet_sport));
}

#endif
