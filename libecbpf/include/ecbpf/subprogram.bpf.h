/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a subprogram includes to take a slot of the root array:
 *
 *	#define ECBPF_SLOT 3
 *	#include <ecbpf/subprogram.bpf.h>
 *
 *	ECBPF_SUBPROGRAM(my_prog)
 *	{
 *		if (packet->flags & ECBPF_PORTS && packet->dport == bpf_htons(9))
 *			return ecbpf_verdict(ctx, packet, XDP_DROP, ECBPF_REASON_USER_0);
 *		return ecbpf_next(ctx, packet);
 *	}
 *
 * Every path ends in ecbpf_next() or ecbpf_verdict(). The maps below belong to the root array;
 * ecbpf_subprogram_prepare() points them there before the object is loaded.
 */
#ifndef ECBPF_SUBPROGRAM_BPF_H
#define ECBPF_SUBPROGRAM_BPF_H

#ifndef ECBPF_SLOT
#error "define ECBPF_SLOT (0 to 7) before including <ecbpf/subprogram.bpf.h>"
#endif

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <ecbpf/abi.h>
#include <ecbpf/parse.bpf.h>

#ifdef NDEBUG
#define bpf_debug(...) ((void)0)
#else
#define bpf_debug(...) bpf_printk(__VA_ARGS__)
#endif

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, ECBPF_SLOTS);
} ecbpf_slots SEC(".maps");

/* Entry 0: the program that records sampled packets with their verdict. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} ecbpf_emitter SEC(".maps");

/* Indexed by action; name and shape are those that xdpcap expects. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 5);
} xdpcap_hook SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct ecbpf_percpu);
	__uint(max_entries, 1);
} ecbpf_percpu SEC(".maps");

/* A map of its own (".data.ecbpf"), read without a look-up. */
volatile struct ecbpf_control ecbpf_control SEC(".data.ecbpf") = {};

/* A key that need not be written to the stack for each packet. */
static const volatile __u32 ecbpf_zero = 0;

/* This CPU's packet and counters; NULL never happens, but the verifier wants it checked. */
static __always_inline struct ecbpf_percpu *ecbpf_percpu_get(void)
{
	return bpf_map_lookup_elem(&ecbpf_percpu, (const void *)&ecbpf_zero);
}

static __always_inline struct ecbpf_percpu *ecbpf_percpu_of(struct ecbpf_packet *packet)
{
	return (struct ecbpf_percpu *)packet;
}

/* The memo of the program's own slot, on this CPU. */
static __always_inline struct ecbpf_memo *ecbpf_memo_get(struct ecbpf_packet *packet)
{
	return &ecbpf_percpu_of(packet)->memos[ECBPF_SLOT & (ECBPF_SLOTS - 1)];
}

static __always_inline void ecbpf_xdpcap(struct xdp_md *ctx, int action)
{
	if (__builtin_constant_p(action)) {
		if (action >= XDP_ABORTED && action <= XDP_REDIRECT)
			bpf_tail_call_static(ctx, &xdpcap_hook, action);
	} else {
		bpf_tail_call(ctx, &xdpcap_hook, action);
	}
}

/* The column of the counters for @action. */
static __always_inline __u32 ecbpf_column(int action)
{
	__u32 column = action;

	/* The verifier of 6.1 must see the very register that is compared being used. */
	if (!__builtin_constant_p(action))
		asm volatile("" : "+r"(column));
	if (column > XDP_REDIRECT)
		column = ECBPF_ACTION_INVALID;
	return column;
}

/* Count a verdict of @slot, run the hooks, give @action back. */
static __always_inline int ecbpf_finish(struct xdp_md *ctx, struct ecbpf_packet *packet, __u32 slot,
					int action, __u32 reason)
{
	struct ecbpf_percpu *percpu = ecbpf_percpu_of(packet);
	__u32 column = ecbpf_column(action);

	percpu->actions[slot][column]++;
	percpu->reasons[reason & (ECBPF_REASON_MAX - 1)]++;
	bpf_debug("ecbpf: slot %u action %d reason %u", slot, action, reason);
	if (ecbpf_unlikely(packet->flags & ECBPF_SAMPLED)) {
		packet->verdict_slot = slot;
		packet->verdict_action = column;
		packet->verdict_reason = reason;
		bpf_tail_call_static(ctx, &ecbpf_emitter, 0);
	}
	ecbpf_xdpcap(ctx, action);
	return action;
}

/**
 * ecbpf_verdict() - decide the packet's fate
 * @action: enum xdp_action; a constant is fastest
 * @reason: enum ecbpf_reason
 */
static __always_inline int ecbpf_verdict(struct xdp_md *ctx, struct ecbpf_packet *packet,
					 int action, __u32 reason)
{
	return ecbpf_finish(ctx, packet, ECBPF_SLOT, action, reason);
}

#define ECBPF_TRY_SLOT(ctx, occupied, slot)                                     \
	do {                                                                    \
		if ((slot) > ECBPF_SLOT_CURRENT && (occupied) & (1U << (slot))) \
			bpf_tail_call_static(ctx, &ecbpf_slots, slot);          \
	} while (0)

#define ECBPF_SLOT_CURRENT ((int)(ECBPF_SLOT) == ECBPF_SLOT_ROOT ? -1 : (int)(ECBPF_SLOT))

/*
 * Whether the sampler waits for a later packet: then this one is counted. Else it may be asked again.
 * Its own countdown would cost each packet a tail call.
 */
static __always_inline _Bool ecbpf_sampler_waits(struct ecbpf_packet *packet)
{
	struct ecbpf_countdown *countdown = &ecbpf_percpu_of(packet)->countdown;

	if (countdown->changes != ecbpf_control.changes || countdown->left <= 1)
		return 0;
	countdown->left--;
	return 1;
}

/* Constant indexes, so that each is a direct jump (a variable one costs a retpoline), and
 * one word to tell which are taken.
 */
static __always_inline void ecbpf_call_next(struct xdp_md *ctx, struct ecbpf_packet *packet)
{
	__u32 occupied = ecbpf_control.occupied;

	/* Root doesn't come here for nothing. */
	if (ECBPF_SLOT_CURRENT >= 0 && ecbpf_likely(!(occupied >> (ECBPF_SLOT_CURRENT + 1))))
		return;
	if (ECBPF_SLOT_CURRENT < ECBPF_SLOT_SAMPLER && ecbpf_unlikely(occupied & 3)) {
		ECBPF_TRY_SLOT(ctx, occupied, 0);
		if (occupied & (1U << ECBPF_SLOT_SAMPLER) && !ecbpf_sampler_waits(packet))
			bpf_tail_call_static(ctx, &ecbpf_slots, ECBPF_SLOT_SAMPLER);
	}
	ECBPF_TRY_SLOT(ctx, occupied, 2);
	ECBPF_TRY_SLOT(ctx, occupied, 3);
	ECBPF_TRY_SLOT(ctx, occupied, 4);
	ECBPF_TRY_SLOT(ctx, occupied, 5);
	ECBPF_TRY_SLOT(ctx, occupied, 6);
	ECBPF_TRY_SLOT(ctx, occupied, 7);
}

/**
 * ecbpf_next() - no opinion: the next occupied slot decides, or XDP_PASS after the last
 */
static __always_inline int ecbpf_next(struct xdp_md *ctx, struct ecbpf_packet *packet)
{
	ecbpf_call_next(ctx, packet);
	return ecbpf_finish(ctx, packet, ECBPF_SLOT_ROOT, XDP_PASS, ECBPF_REASON_NO_OPINION);
}

/**
 * ecbpf_reparse() - make @packet true again after editing the frame
 *
 * Needed before ecbpf_next() by a subprogram that changed headers or moved the start of the
 * frame. A mark set by the sampler stays.
 */
static __always_inline void ecbpf_reparse(struct xdp_md *ctx, struct ecbpf_packet *packet)
{
	__u32 sampled = packet->flags & ECBPF_SAMPLED;

	ecbpf_parse(ctx, packet);
	packet->flags |= sampled;
}

/**
 * ECBPF_SUBPROGRAM() - define the XDP program @name
 *
 * The body sees struct xdp_md *ctx and struct ecbpf_packet *packet and returns an action.
 */
#define ECBPF_SUBPROGRAM(name)                                                                   \
	static __always_inline int name##_body(struct xdp_md *ctx, struct ecbpf_packet *packet); \
	SEC("xdp")                                                                               \
	int name(struct xdp_md *ctx)                                                             \
	{                                                                                        \
		struct ecbpf_percpu *percpu = ecbpf_percpu_get();                                \
                                                                                                 \
		if (!percpu)                                                                     \
			return XDP_PASS;                                                         \
		return name##_body(ctx, &percpu->packet);                                        \
	}                                                                                        \
	static __always_inline int name##_body(struct xdp_md *ctx, struct ecbpf_packet *packet)

#endif
