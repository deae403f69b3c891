/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is noted of active flows, by the addresses of their sockets. */
#ifndef TCP_MONITOR_FLOWS_BPF_H
#define TCP_MONITOR_FLOWS_BPF_H

#include "ring.bpf.h"
#include "table.bpf.h"

/* Flows that began when the table was full and haven't ended yet. */
__s64 untracked = 0;

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
	else
		ring_put(cpu, flow, MONITOR_COUNT_EMITTED, MONITOR_COUNT_RING_FULL);
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
