/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The list's entries as the data path sees them: which one decides, and its hits. */
#ifndef XDP_FILTER_ENTRIES_BPF_H
#define XDP_FILTER_ENTRIES_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <ecbpf/abi.h>

#include "table_abi.h"
#include "table_map.bpf.h"
#include "table_touch.h"
#include "verifier.h"
#include "xdp_filter.h"

extern const volatile struct filter_config filter_config;

TABLE_ARRAY(entries, struct filter_entry);
TABLE_ARRAY(hits, struct filter_hits);

/* Read and written by the loader alone; pinned with the program that they belong to. */
TABLE_ARRAY(addresses6, struct filter_address);
TABLE_ARRAY(tags, struct filter_tag);
TABLE_ARRAY(hits_cleared, __u64);
TABLE_ARRAY(stats_cleared, struct filter_stats);
TABLE_ARRAY(config, struct filter_config);

/* Ids of the allow entries: asked only for packets about to be dropped for what they are. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct filter_allow_key);
	__type(value, __u32);
} allows SEC(".maps");

/* A chain has an entry for each prefix length at most. */
#define ENTRIES_CHAIN_MAX 129
#define ENTRIES_ALLOWED	  (1U << 31)

static __always_inline __u32 entries_now(void)
{
	return bpf_ktime_get_boot_ns() >> FILTER_TICK_SHIFT;
}

/**
 * entries_decide() - who decides about an address
 * @id: longest entry that covers it
 * @now: entries_now()
 *
 * Return: ENTRIES_ALLOWED if any live entry of the chain allows it, else the id of the longest live
 * drop, 0 if there is none.
 */
static __always_inline __u32 entries_decide(__u32 id, __u32 now)
{
	const struct filter_entry *entry;
	__u32 drop = 0;
	int i;

	for (i = 0; i < ENTRIES_CHAIN_MAX; i++) {
		if (!id)
			break;
		entry = bpf_map_lookup_elem(&entries, &id);
		if (!entry)
			break;
		if (!entry->expires || now < entry->expires) {
			if (entry->action == FILTER_ALLOW)
				return ENTRIES_ALLOWED;
			if (!drop)
				drop = id;
			drop = verifier_forget(drop, now);
		}
		id = entry->parent;
	}
	return drop;
}

/* Id of the longest allow entry, live or not, that covers the packet's source; 0: none. */
static __always_inline __u32 entries_find_allow(const struct ecbpf_packet *packet)
{
	struct filter_allow_key key = { .family = packet->family };
	__u32 *id;

	if (packet->family == 4) {
		key.length = FILTER_ALLOW_FAMILY_BITS + 32;
		key.address.words[0] = packet->saddr[0];
	} else {
		key.length = FILTER_ALLOW_FAMILY_BITS + 128;
		__builtin_memcpy(&key.address, packet->saddr, sizeof(key.address));
	}
	id = bpf_map_lookup_elem(&allows, &key);
	return id ? *id : 0;
}

/* This CPU's counter of an entry, by its place among all. */
static __always_inline __u32 entries_counter(__u32 id)
{
	return (bpf_get_smp_processor_id() & filter_config.hit_shard_mask) *
		       filter_config.hit_shard_size +
	       id;
}

static __always_inline struct filter_hits *entries_hits_of(__u32 counter)
{
	__u32 index = counter / FILTER_HITS_PER_VALUE;

	return bpf_map_lookup_elem(&hits, &index);
}

/* Fetches the counters of this id and of the TABLE_EXPECTED that follow, two cache lines of them. */
static __always_inline void entries_expect(const void *memory, __u32 id)
{
	__u32 counter = entries_counter(id);
	const struct filter_hits *value = entries_hits_of(counter);

	(void)memory;
	if (!value)
		return;
	table_touch(&value->count[counter % FILTER_HITS_PER_VALUE]);
	table_touch(&value->count[(counter + TABLE_EXPECTED / 2 + 1) % FILTER_HITS_PER_VALUE]);
}

static __always_inline void entries_count(__u32 counter)
{
	struct filter_hits *value = entries_hits_of(counter);

	if (!value)
		return;
	/* An atomic add to memory that isn't in the cache holds up all that follows. */
	if (filter_config.hit_shards_shared)
		__sync_fetch_and_add(&value->count[counter % FILTER_HITS_PER_VALUE], 1);
	else
		value->count[counter % FILTER_HITS_PER_VALUE]++;
}

static __always_inline void entries_hit(__u32 id)
{
	entries_count(entries_counter(id));
}

#endif
