// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Slot 1 picks packets; the verdict hook's emitter records those picked with their verdict.
 *
 * Bytes are kept aside when a packet is picked, before slots rewrite it. Packets between two
 * samples don't come here: root counts them down.
 */
#define ECBPF_SLOT ECBPF_SLOT_SAMPLER
#include <ecbpf/subprogram.bpf.h>

#include "distance.bpf.h"
#include "xdp_sampler.h"

const volatile struct sampler_config sampler_config = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sampler_pace);
} pace SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sampler_counts);
} counts SEC(".maps");

/* A value for each CPU, of struct sampler_aside and snaplen octets: the loader sets both sizes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sampler_aside) + SAMPLER_SNAPLEN_DEFAULT);
} aside SEC(".maps");

/* Read and written by user space alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sampler_reader);
} reader SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sampler_settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SAMPLER_STAGES);
	__type(key, __u32);
	__type(value, __u32);
} stages SEC(".maps");

static __always_inline struct sampler_counts *sampler_counts(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counts, &zero);
}

static __always_inline void sampler_count(enum sampler_count which, __u64 amount)
{
	struct sampler_counts *value = sampler_counts();

	if (value)
		value->values[which] += amount;
}

static __always_inline struct sampler_aside *sampler_aside(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&aside, &cpu);
}

/* Before bpf_xdp_load_bytes: word by word, then octet by octet. */
static __always_inline __u32 sampler_copy_direct(struct xdp_md *ctx, __u8 *to)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 at = 0;

	for (; at + 8 <= SAMPLER_SNAPLEN_MAX_DIRECT; at += 8) {
		if (at + 8 > sampler_config.snaplen || data + at + 8 > end)
			break;
		*(__u64 *)(to + at) = *(__u64 *)(data + at);
	}
	for (; at < SAMPLER_SNAPLEN_MAX_DIRECT; at++) {
		if (at >= sampler_config.snaplen || data + at + 1 > end)
			break;
		to[at] = *(__u8 *)(data + at);
	}
	return at;
}

/* Keep the frame's first octets in @record. */
static __always_inline void sampler_capture(struct xdp_md *ctx, struct sampler_record *record)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 length = ecbpf_frame_length(ctx, data, end), captured = length;

	record->length = length;
	record->flags = 0;
	if (!sampler_config.have_load_bytes) {
		record->captured = sampler_copy_direct(ctx, record->data);
		return;
	}
	if (captured > sampler_config.snaplen)
		captured = sampler_config.snaplen;
	/* So the verifier of 6.1 understands that it is at least 1. */
	captured--;
	asm volatile("" : "+r"(captured));
	if (captured < sampler_config.snaplen &&
	    !bpf_xdp_load_bytes(ctx, 0, record->data, captured + 1)) {
		record->captured = captured + 1;
		return;
	}
	record->captured = 0;
	record->flags = SAMPLER_UNREADABLE;
}

static __always_inline int sampler_go_on(struct xdp_md *ctx)
{
	struct ecbpf_percpu *percpu = ecbpf_percpu_get();

	return percpu ? ecbpf_next(ctx, &percpu->packet) : XDP_PASS;
}

static __always_inline __u64 sampler_distance(void)
{
	if (!sampler_config.random)
		return sampler_config.rate;
	return distance_draw(sampler_config.scale);
}

/* Begin: a random place in the first round, so that CPUs and hosts don't pick in step. */
static __always_inline __u64 sampler_begin(void)
{
	if (sampler_config.random)
		return sampler_distance();
	return 1 + bpf_get_prandom_u32() % sampler_config.rate;
}

/*
 * Whether this packet is a sample: the last of those counted down, which root does unless a slot
 * was changed meanwhile.
 */
static __always_inline _Bool sampler_pick(struct ecbpf_countdown *countdown)
{
	_Bool counted = countdown->changes == ecbpf_control.changes;
	struct sampler_pace *value;
	__u32 zero = 0;

	value = bpf_map_lookup_elem(&pace, &zero);
	if (!value)
		return 0;
	countdown->changes = ecbpf_control.changes;
	if (!value->distance) {
		value->distance = sampler_begin();
		countdown->left = value->distance;
		counted = 0;
	}
	if (!counted && --countdown->left > 0)
		return 0;
	sampler_count(SAMPLER_COUNT_POOL, value->distance);
	sampler_count(SAMPLER_COUNT_PICKED, 1);
	value->distance = sampler_distance();
	countdown->left = value->distance;
	return 1;
}

static __always_inline void sampler_mark(struct xdp_md *ctx)
{
	struct ecbpf_percpu *percpu = ecbpf_percpu_get();
	struct sampler_counts *sums = sampler_counts();
	struct sampler_aside *kept = sampler_aside();

	if (!sums)
		return;
	/* That one never came to a verdict. */
	sums->values[SAMPLER_COUNT_ABANDONED] += sums->pending;
	sums->pending = 1;
	if (!percpu || !kept)
		return;
	kept->pending = 1;
	if (!sampler_config.as_sent)
		sampler_capture(ctx, &kept->record);
	percpu->packet.flags |= ECBPF_SAMPLED;
}

SEC("xdp")
int xdp_sampler_prog(struct xdp_md *ctx)
{
	struct ecbpf_percpu *percpu = ecbpf_percpu_get();

	if (percpu && sampler_pick(&percpu->countdown)) {
		if (sampler_config.filtered)
			bpf_tail_call_static(ctx, &stages, SAMPLER_STAGE_FILTER);
		sampler_mark(ctx);
	}
	return sampler_go_on(ctx);
}

SEC("xdp")
int xdp_sampler_mark(struct xdp_md *ctx)
{
	sampler_mark(ctx);
	return sampler_go_on(ctx);
}

SEC("xdp")
int xdp_sampler_skip(struct xdp_md *ctx)
{
	sampler_count(SAMPLER_COUNT_FILTERED, 1);
	return sampler_go_on(ctx);
}

static __always_inline __u64 sampler_next_sequence(void)
{
	struct sampler_pace *value;
	__u32 zero = 0;

	value = bpf_map_lookup_elem(&pace, &zero);
	return value ? ++value->sequence : 0;
}

static __always_inline void sampler_emit(struct xdp_md *ctx, const struct ecbpf_packet *packet,
					 struct sampler_aside *kept, __u64 pool)
{
	struct sampler_record *record = &kept->record;
	__u64 flags = BPF_RB_NO_WAKEUP, waiting;
	__u32 captured, size;

	kept->pending = 0;
	if (sampler_config.as_sent) {
		sampler_capture(ctx, record);
		record->flags |= SAMPLER_AS_SENT;
	}
	record->timestamp = bpf_ktime_get_ns();
	record->sequence = sampler_next_sequence();
	record->pool = pool;
	record->ifindex = sampler_config.ifindex;
	record->queue = ctx->rx_queue_index;
	record->rate = sampler_config.rate;
	record->change = sampler_config.change;
	record->cpu = bpf_get_smp_processor_id();
	record->slot = packet->verdict_slot;
	record->action = packet->verdict_action;
	record->reason = packet->verdict_reason;
	captured = record->captured;
	if (captured > sampler_config.snaplen)
		captured = sampler_config.snaplen;
	size = sizeof(*record) + captured;
	/* A wake-up costs microseconds: one when the threshold is crossed, the rest by timer. */
	waiting = bpf_ringbuf_query(&samples, BPF_RB_AVAIL_DATA);
	if (waiting < sampler_config.wakeup && waiting + size >= sampler_config.wakeup)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&samples, record, size, flags))
		sampler_count(SAMPLER_COUNT_RING_FULL, 1);
	else
		sampler_count(SAMPLER_COUNT_EMITTED, 1);
}

/* What the verdict hook calls for marked packets; gives the action that was decided. */
SEC("xdp")
int xdp_sampler_emitter(struct xdp_md *ctx)
{
	struct ecbpf_percpu *percpu = ecbpf_percpu_get();
	struct sampler_counts *sums = sampler_counts();
	struct sampler_aside *kept = sampler_aside();
	int action;

	if (!percpu)
		return XDP_ABORTED;
	action = percpu->packet.verdict_action;
	if (sums && sums->pending) {
		sums->pending = 0;
		if (kept && kept->pending)
			sampler_emit(ctx, &percpu->packet, kept, sums->values[SAMPLER_COUNT_POOL]);
		else
			sums->values[SAMPLER_COUNT_ABANDONED]++;
	}
	ecbpf_xdpcap(ctx, action);
	return action;
}

char _license[] SEC("license") = "Dual BSD/GPL";
