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

#define FW_LOADER_MAP(map_name, value_type)        \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, 1);            \
		__type(key, __u32);                \
		__type(value, value_type);         \
	} map_name SEC(".maps")

FW_LOADER_MAP(hits_base, struct fw_hits);
FW_LOADER_MAP(listing, struct fw_listing);
FW_LOADER_MAP(texts, __u64);
FW_LOADER_MAP(config, struct fw_settings);

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

static __always_inline _Bool fw_limit(const struct fw_entry *entry,
				      const struct ecbpf_packet *packet, struct fw_fate *fate)
{
	_Bool room;

	fate->rule = entry->rule;
	if (fw_settings.limits_per_source && entry->per_source)
		room = fw_limit_takes_source(entry, packet);
	else
		room = fw_limit_takes(entry);
	fw_hit(fate->rule, !room);
	if (!room)
		fate->reason = ECBPF_REASON_FIREWALL_LIMIT;
	return room;
}

/* Every limit that matches is asked, until one has no room. */
static __always_inline void fw_limit_all(const volatile struct fw_constants *constants,
					 const struct fw_source *source,
					 const struct fw_others *found,
					 const struct ecbpf_packet *packet, struct fw_fate *fate)
{
	const struct fw_entry *entry;
	struct fw_walk walk;
	__u32 i, steps;
	_Bool ended;

	fw_walk_begin(found, constants->limit_chunk, constants->count_chunk, &walk);
	/* A step for each rule and each chunk, and the last. */
	steps = fw_settings.limits + constants->count_chunk - constants->limit_chunk + 1;
	for (i = 0; i < steps; i++) {
		entry = fw_walk_next(constants, source, found, &walk, &ended);
		if (ended)
			return;
		if (entry && !fw_limit(entry, packet, fate))
			return;
	}
}

/* Counts below @priority: those that stand before the rule that decides, if that ends the list. */
static __always_inline void fw_count_all(const volatile struct fw_constants *constants,
					 const struct fw_source *source,
					 const struct fw_others *found, __u32 priority)
{
	const struct fw_entry *entry;
	struct fw_walk walk;
	__u32 i, steps;
	_Bool ended;

	fw_walk_begin(found, constants->count_chunk, constants->chunks, &walk);
	steps = fw_settings.counts + constants->chunks - constants->count_chunk + 1;
	for (i = 0; i < steps; i++) {
		entry = fw_walk_next(constants, source, found, &walk, &ended);
		if (ended)
			return;
		if (entry && (!fw_settings.first_match || entry->priority < priority))
			fw_hit(entry->rule, 0);
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
	const volatile struct fw_constants *constants =
		family == 4 ? &fw_tables.v4 : &fw_tables.v6;
	const struct fw_source source = FW_KERNEL_SOURCE;
	const struct fw_entry *entry;
	struct fw_others *rest;
	struct fw_found found;

	if (!constants->chunks ||
	    ecbpf_likely(!fw_find(&fw_tables, &source, family, packet, length, &found)))
		return;
	if (fw_settings.expires && bpf_ktime_get_boot_ns() >= fw_settings.expires)
		return;
	rest = fw_others_get();
	entry = fw_decide(constants, &source, &found, rest);
	if (fw_settings.counts && rest)
		fw_count_all(constants, &source, rest, entry ? entry->priority : ~0U);
	if (!entry) {
		if (fw_settings.limits && !fw_settings.first_match && rest)
			fw_limit_all(constants, &source, rest, packet, fate);
		return;
	}
	fate->rule = entry->rule;
	if (fw_settings.limits && entry->action == FW_LIMIT) {
		fw_limit(entry, packet, fate);
		return;
	}
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
