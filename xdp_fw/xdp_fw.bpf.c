// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Slot 5: rules. */
#define ECBPF_SLOT ECBPF_SLOT_FIREWALL
#include <ecbpf/subprogram.bpf.h>

#include "limits.bpf.h"
#include "log.bpf.h"
#include "maps.bpf.h"
#include "match.h"
#include "xdp_fw.h"

const volatile struct fw_settings fw_settings = {};

/* The loader sets the size of these; it alone reads and writes those that are mapped. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_hits);
} hits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_others);
} others SEC(".maps");

TABLE_ARRAY(hits_base, struct fw_hits);
TABLE_ARRAY(listing, struct fw_listing);
TABLE_ARRAY(texts, __u64);
TABLE_ARRAY(config, struct fw_settings);

/* What becomes of a packet: a reason to drop it, or ECBPF_REASON_NO_OPINION. */
struct fw_fate {
	__u32 reason;
	__u32 rule;
};

static __always_inline void fw_hit(__u32 rule, _Bool dropped)
{
	struct fw_hits *value = bpf_map_lookup_elem(&hits, &rule);

	if (!value)
		return;
	value->matched++;
	value->dropped += dropped;
}

/*
 * The next two are functions of their own, so that the verifier follows them once and not once for
 * each word of a vector. They find the packet where root left it.
 */

/* Count the rules of a word at @position that stand before @priority, where that ends the list. */
__noinline int fw_count_word(__u32 position, __u64 word, __u32 priority)
{
	const struct fw_entry *entry;
	__u32 i, index;

	for (i = 0; i < FW_CHUNK; i++) {
		if (!word)
			break;
		index = position + fw_lowest(word);
		word &= word - 1;
		entry = bpf_map_lookup_elem(&entries, &index);
		if (entry && (!fw_settings.first_match || entry->priority < priority))
			fw_hit(entry->rule, 0);
	}
	return 0;
}

/* Ask the limits of a word at @position: the first without room, by its rule plus one; 0: none. */
__noinline int fw_limit_word(__u32 position, __u64 word)
{
	struct ecbpf_percpu *percpu = ecbpf_percpu_get();
	const struct fw_entry *entry;
	__u32 i, index;
	_Bool room;

	if (!percpu)
		return 0;
	for (i = 0; i < FW_CHUNK; i++) {
		if (!word)
			break;
		index = position + fw_lowest(word);
		word &= word - 1;
		entry = bpf_map_lookup_elem(&entries, &index);
		if (!entry)
			break;
		if (fw_settings.limits_per_source && entry->per_source)
			room = fw_limit_takes_source(entry, &percpu->packet);
		else
			room = fw_limit_takes(entry);
		fw_hit(entry->rule, !room);
		if (!room)
			return entry->rule + 1;
	}
	return 0;
}

static __always_inline void fw_limit_at(__u32 position, __u64 word, struct fw_fate *fate)
{
	int over = fw_limit_word(position, word);

	if (over <= 0)
		return;
	fate->rule = over - 1;
	fate->reason = ECBPF_REASON_FIREWALL_LIMIT;
}

/* Every limit that matches is asked, until one has no room. */
static __always_inline void fw_limit_all(const volatile struct fw_constants *constants,
					 const struct fw_others *found, struct fw_fate *fate)
{
	__u32 chunk;
	__u64 word;

	for (chunk = constants->limit_chunk; chunk < constants->count_chunk; chunk++) {
		word = fw_others_word(found, chunk);
		if (word && fate->reason == ECBPF_REASON_NO_OPINION)
			fw_limit_at(constants->entries + chunk * FW_CHUNK, word, fate);
	}
}

static __always_inline void fw_count_all(const volatile struct fw_constants *constants,
					 const struct fw_others *found, __u32 priority)
{
	__u32 chunk;
	__u64 word;

	for (chunk = constants->count_chunk; chunk < constants->chunks; chunk++) {
		word = fw_others_word(found, chunk);
		if (word)
			fw_count_word(constants->entries + chunk * FW_CHUNK, word, priority);
	}
}

static __always_inline struct fw_others *fw_others_get(void)
{
	struct fw_others *value;
	__u32 zero = 0;

	if (!fw_settings.counts && (!fw_settings.limits || fw_settings.first_match))
		return NULL;
	value = bpf_map_lookup_elem(&others, &zero);
	if (value) {
		value->present[0] = 0;
		value->present[1] = 0;
	}
	return value;
}

static __always_inline void fw_judge(unsigned int family, const struct ecbpf_packet *packet,
				     __u32 length, struct fw_fate *fate)
{
	const volatile struct fw_constants *constants = family == 4 ? &fw_tables.v4 : &fw_tables.v6;
	const struct fw_source source = FW_KERNEL_SOURCE;
	struct fw_query query = {
		.tables = &fw_tables,
		.constants = constants,
		.source = &source,
		.packet = packet,
		.family = family,
		.length = length,
	};
	const struct fw_entry *entry;
	struct fw_others *rest;
	struct fw_found found;

	if (!constants->chunks)
		return;
	if (!fw_query_values(&query) || ecbpf_likely(!fw_find(&query, &found)))
		return;
	if (fw_settings.expires && bpf_ktime_get_boot_ns() >= fw_settings.expires)
		return;
	rest = fw_others_get();
	entry = fw_decide(&query, &found, rest);
	if (fw_settings.counts && rest)
		fw_count_all(constants, rest, entry ? entry->priority : ~0U);
	if (!entry) {
		if (fw_settings.limits && !fw_settings.first_match && rest)
			fw_limit_all(constants, rest, fate);
		return;
	}
	if (fw_settings.limits && entry->action == FW_LIMIT) {
		fw_limit_at(found.position, 1, fate);
		return;
	}
	fate->rule = entry->rule;
	if (entry->action == FW_DROP)
		fate->reason = ECBPF_REASON_FIREWALL_DROP;
	fw_hit(fate->rule, entry->action == FW_DROP);
}

ECBPF_SUBPROGRAM(xdp_fw_prog)
{
	struct fw_fate fate = { .reason = ECBPF_REASON_NO_OPINION };
	__u32 length;

	if (ecbpf_unlikely(!(packet->flags & ECBPF_ADDRESSES)))
		return ecbpf_next(ctx, packet);
	length = ecbpf_frame_length(ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end);
	if (packet->family == 4)
		fw_judge(4, packet, length, &fate);
	else
		fw_judge(6, packet, length, &fate);
	if (ecbpf_likely(fate.reason == ECBPF_REASON_NO_OPINION))
		return ecbpf_next(ctx, packet);
	fw_log(packet, fate.rule, length, fw_settings.dry_run);
	if (fw_settings.dry_run)
		return ecbpf_next(ctx, packet);
	return ecbpf_verdict(ctx, packet, XDP_DROP, fate.reason);
}

char _license[] SEC("license") = "Dual BSD/GPL";
