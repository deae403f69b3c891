// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Slot 2: drops listed sources, fragments, and IP headers that lie.
 *
 * In this order: listed source, evil bit, bad length, truncated frame, IPv4 options, fragment. An
 * allow entry that covers the source spares a packet from all of them.
 */
#define ECBPF_SLOT ECBPF_SLOT_FILTER
#include <ecbpf/subprogram.bpf.h>

#include "entries.bpf.h"
#include "local.bpf.h"
#include "ptb.bpf.h"
#include "table4.bpf.h"
#include "table6.bpf.h"
#include "xdp_filter.h"

const volatile struct filter_config filter_config = {};

/* What no verdict's reason tells. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct filter_stats);
} stats SEC(".maps");

/* A packet without any of these meets the source list alone. */
#define FILTER_NOTABLE                                                                           \
	(ECBPF_FRAGMENT | ECBPF_TRUNCATED | ECBPF_MALFORMED | ECBPF_BAD_LENGTH | ECBPF_OPTIONS | \
	 ECBPF_EVIL_BIT)

static __always_inline void filter_count(enum filter_stat stat)
{
	struct filter_stats *value;
	__u32 zero = 0;

	value = bpf_map_lookup_elem(&stats, &zero);
	if (value)
		value->values[stat]++;
}

static __always_inline void filter_count_header_error(const struct ecbpf_packet *packet)
{
	if (packet->family == 4)
		filter_count(FILTER_STAT_IP_HEADER_ERR);
	else if (packet->family == 6)
		filter_count(FILTER_STAT_IP6_HEADER_ERR);
	else
		filter_count(FILTER_STAT_ETH_FRAME_ERR);
}

/* A chain that goes on where root stopped may still come to a fragment header. */
static __always_inline _Bool filter_may_be_fragment(const struct ecbpf_packet *packet)
{
	if (packet->flags & ECBPF_FRAGMENT)
		return 1;
	return packet->flags & ECBPF_L4_UNKNOWN && packet->family == 6 &&
	       ecbpf_is_extension(packet->protocol);
}

/* Why the packet is to go for what it is; ECBPF_REASON_NO_OPINION: it is not. */
static __always_inline __u32 filter_fault(const struct ecbpf_packet *packet)
{
	__u32 flags = packet->flags;

	if (flags & ECBPF_EVIL_BIT)
		return ECBPF_REASON_FILTER_EVIL_BIT;
	if (flags & ECBPF_BAD_LENGTH)
		return ECBPF_REASON_FILTER_BAD_LENGTH;
	if (filter_config.truncated_drop && flags & ECBPF_TRUNCATED)
		return ECBPF_REASON_FILTER_TRUNCATED;
	if (filter_config.drop_options && flags & ECBPF_OPTIONS && packet->family == 4)
		return ECBPF_REASON_FILTER_IP_OPTIONS;
	if (filter_config.frags_drop && filter_may_be_fragment(packet)) {
		if (!filter_config.frags_local_pass ||
		    local_find(packet, packet->daddr) != FILTER_OWN)
			return ECBPF_REASON_FILTER_FRAGMENT;
		filter_count(FILTER_STAT_FRAG_LOCAL);
	}
	return ECBPF_REASON_NO_OPINION;
}

static __always_inline __u32 filter_reason_of_source(const struct ecbpf_packet *packet)
{
	return packet->family == 4 ? ECBPF_REASON_FILTER_SOURCE : ECBPF_REASON_FILTER_SOURCE6;
}

/*
 * Reason to drop a packet whose source is listed (@answer, see table_abi.h) or that is
 * FILTER_NOTABLE.
 */
static __always_inline __u32 filter_judge(const struct ecbpf_packet *packet, __u32 answer)
{
	__u32 fault = ECBPF_REASON_NO_OPINION, id = answer & TABLE_ID_MASK;
	__u32 now;

	if (packet->flags & (ECBPF_TRUNCATED | ECBPF_MALFORMED))
		filter_count_header_error(packet);
	if (!answer) {
		fault = filter_fault(packet);
		if (!fault)
			return ECBPF_REASON_NO_OPINION;
		id = entries_find_allow(packet);
		if (!id)
			return fault;
	}
	if (!answer || answer & TABLE_WALK) {
		now = entries_now();
		fault = verifier_forget(fault, now);
		id = entries_decide(verifier_forget(id, now), now);
		if (id == ENTRIES_ALLOWED)
			return ECBPF_REASON_NO_OPINION;
		if (!id)
			return fault ? fault : filter_fault(packet);
	}
	entries_hit(id);
	return filter_reason_of_source(packet);
}

/* The same for a packet whose addresses aren't known. */
static __always_inline __u32 filter_judge_incomplete(const struct ecbpf_packet *packet)
{
	filter_count_header_error(packet);
	if (filter_config.truncated_drop && packet->flags & ECBPF_TRUNCATED)
		return ECBPF_REASON_FILTER_TRUNCATED;
	return ECBPF_REASON_NO_OPINION;
}

/* What becomes of a first fragment that is to be dropped: the reason why. */
static __always_inline __u32 filter_answer(struct xdp_md *ctx, const struct ecbpf_packet *packet)
{
	enum ptb_result result;

	if (!ptb_may_answer(ctx, packet))
		return ECBPF_REASON_FILTER_FRAGMENT;
	if (!ptb_take())
		return ECBPF_REASON_FILTER_TOO_BIG_LIMIT;
	result = ptb_build(ctx, packet);
	if (result == PTB_BUILT)
		return ECBPF_REASON_FILTER_TOO_BIG;
	filter_count(result == PTB_NO_ROOM ? FILTER_STAT_PTB_MEM_ERR : FILTER_STAT_PTB_ERR);
	return ECBPF_REASON_FILTER_TOO_BIG_ERROR;
}

/*
 * In a flood the same source comes again and again: so each CPU keeps which one it dropped last, and
 * that one's counter. No other instance finds the key, not even for this source.
 */
static __always_inline __u64 source_memo_key(const struct ecbpf_packet *packet)
{
	return filter_config.memo_key ^ packet->saddr[0];
}

static __always_inline void drop_source4(struct ecbpf_packet *packet, __u32 id)
{
	struct ecbpf_memo *memo = ecbpf_memo_get(packet);
	__u32 counter = entries_counter(id);

	memo->key = source_memo_key(packet);
	memo->value = counter;
	entries_count(counter);
}

ECBPF_SUBPROGRAM(xdp_filter_prog)
{
	/* Of what has no addresses, the answer means nothing; to ask spares all others a branch. */
	__u32 odd = (packet->flags ^ ECBPF_ADDRESSES) & (ECBPF_ADDRESSES | FILTER_NOTABLE);
	__u32 reason, answer;

	if (ecbpf_likely(packet->family == 4)) {
		const struct ecbpf_memo *memo = ecbpf_memo_get(packet);

		if (ecbpf_likely(!odd && memo->key == source_memo_key(packet))) {
			entries_count(memo->value);
			return ecbpf_verdict(ctx, packet, XDP_DROP, ECBPF_REASON_FILTER_SOURCE);
		}
		answer = table4_lookup(packet->saddr[0]);
	} else {
		answer = table6_lookup(packet->saddr, entries_expect);
	}
	if (ecbpf_likely(!(answer | odd)))
		return ecbpf_next(ctx, packet);

	if (ecbpf_likely(!(odd | (answer & TABLE_WALK)))) {
		if (packet->family == 4) {
			drop_source4(packet, answer & TABLE_ID_MASK);
			return ecbpf_verdict(ctx, packet, XDP_DROP, ECBPF_REASON_FILTER_SOURCE);
		}
		entries_hit(answer & TABLE_ID_MASK);
		return ecbpf_verdict(ctx, packet, XDP_DROP, ECBPF_REASON_FILTER_SOURCE6);
	}
	if (odd & ECBPF_ADDRESSES)
		reason = filter_judge_incomplete(packet);
	else
		reason = filter_judge(packet, answer);
	if (reason == ECBPF_REASON_NO_OPINION)
		return ecbpf_next(ctx, packet);

	if (filter_config.ptb_max_pps && reason == ECBPF_REASON_FILTER_FRAGMENT &&
	    packet->flags & ECBPF_FIRST_FRAGMENT) {
		reason = filter_answer(ctx, packet);
		if (reason == ECBPF_REASON_FILTER_TOO_BIG)
			return ecbpf_verdict(ctx, packet, XDP_TX, ECBPF_REASON_FILTER_TOO_BIG);
	}
	return ecbpf_verdict(ctx, packet, XDP_DROP, reason);
}

char _license[] SEC("license") = "Dual BSD/GPL";
