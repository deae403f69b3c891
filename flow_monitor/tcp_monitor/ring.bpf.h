/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records on their way to the reader.
 *
 * What the ring's memory costs is that the reader's CPU has it in its caches. So each CPU gathers
 * records in memory of its own and puts some into the ring at once; of those that are left there the
 * reader puts them into it when it comes by. A soft interrupt that comes upon a program which is at
 * what is gathered puts its record into the ring itself: so the reader finds records of one CPU, too,
 * in another order than they were made.
 */
#ifndef TCP_MONITOR_RING_BPF_H
#define TCP_MONITOR_RING_BPF_H

#include "wanted.bpf.h"

/* Set once it is known that the reader can take what is left. */
__u32 gathering = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 << 20);
} events SEC(".maps");

/* By CPU. Where one is, is known without a look at the map, other than in BPF_MAP_TYPE_PERCPU_ARRAY. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
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

static __always_inline __u64 wake_up(void)
{
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= config.wakeup ?
		       BPF_RB_FORCE_WAKEUP :
		       BPF_RB_NO_WAKEUP;
}

/* Asked for now and then, as asking costs. */
static __always_inline __u64 wake_up_seldom(const struct monitor_percpu *cpu)
{
	return cpu->counts[MONITOR_COUNT_EMITTED] & config.wakeup_mask ? BPF_RB_NO_WAKEUP :
									 wake_up();
}

/* At once; counted as @put or @lost. */
static __always_inline void ring_put(struct monitor_percpu *cpu, const struct monitor_event *record,
				     enum monitor_count put, enum monitor_count lost)
{
	count(cpu,
	      bpf_ringbuf_output(&events, (void *)record, sizeof(*record), wake_up_seldom(cpu)) ?
		      lost :
		      put);
}

/* What was loaded before isn't, afterwards; nor is it stored later. */
#define compiler_barrier() asm volatile("" ::: "memory")

/* Whether what this came upon, on its CPU, had set it. */
static __always_inline bool set_busy(struct monitor_percpu *cpu)
{
#ifdef MONITOR_WITHOUT_CMPXCHG
	bool busy = *(volatile __u32 *)&cpu->busy;

	*(volatile __u32 *)&cpu->busy = 1;
	compiler_barrier();
	return busy;
#else
	return __sync_lock_test_and_set(&cpu->busy, 1);
#endif
}

static __always_inline void clear_busy(struct monitor_percpu *cpu)
{
	compiler_barrier();
	*(volatile __u32 *)&cpu->busy = 0;
}

/* If the ring has no room, all stays. */
static __always_inline void put_records(struct monitor_percpu *cpu, __u64 flags)
{
	__u64 octets = (__u64)cpu->gathered * sizeof(cpu->records[0]);

	/* So that it is this register whose bounds are checked. */
	asm volatile("" : "+r"(octets));
	if (octets <= sizeof(cpu->records) &&
	    !bpf_ringbuf_output(&events, cpu->records, octets, flags))
		cpu->gathered = 0;
}

/* Room for a record of @cpu, which is this one; NULL: it has to be put into the ring. */
static __always_inline struct monitor_event *gather_begin(struct monitor_percpu *cpu)
{
	if (!gathering || set_busy(cpu))
		return NULL;
	if (cpu->gathered >= MONITOR_GATHERED)
		put_records(cpu, wake_up());
	if (cpu->gathered < MONITOR_GATHERED)
		return &cpu->records[cpu->gathered % MONITOR_GATHERED];
	clear_busy(cpu);
	return NULL;
}

/* The record is filled in. */
static __always_inline void gather_end(struct monitor_percpu *cpu)
{
	count(cpu, MONITOR_COUNT_EMITTED);
	cpu->gathered++;
	clear_busy(cpu);
}

/* What CPU ctx[0] has gathered; runs there, or where that is offline, anywhere. */
SEC("raw_tp")
int put_gathered(__u64 *ctx)
{
	__u32 number = ctx[0];
	struct monitor_percpu *cpu = bpf_map_lookup_elem(&percpu, &number);

	if (!cpu || set_busy(cpu))
		return 0;
	if (cpu->gathered)
		put_records(cpu, BPF_RB_NO_WAKEUP);
	clear_busy(cpu);
	return 0;
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

#endif
