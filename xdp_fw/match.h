/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_MATCH_H
#define XDP_FW_MATCH_H

/*
 * The matcher, compiled into the BPF program and into the loader's tests alike.
 */

#include <linux/types.h>

#include <ecbpf/abi.h>

#include "match_abi.h"
#include "table4_search.h"
#include "table6_search.h"
#include "xdp_fw.h"

#ifdef __bpf__
#include <bpf/bpf_endian.h>
#define fw_ntohs bpf_ntohs
#define fw_ntohl bpf_ntohl
#else
#include <arpa/inet.h>
#define fw_ntohs ntohs
#define fw_ntohl ntohl
#endif

/**
 * struct fw_source - where the matcher reads; known when compiling, so that no call is left of it
 * @value: a value of an array, NULL outside it
 * @from, @to: the tables of addresses
 */
struct fw_source {
	const void *(*value)(const void *memory, enum fw_map map, __u32 index);
	const void *memory;
	struct table_source from;
	struct table_source to;
};

/**
 * struct fw_found - what is known of a packet
 * @classes: in each dimension used, as an index of FW_MAP_AGGREGATES
 * @left: chunks that may have rules that match
 * @position: that of the rule that decides, as an index of FW_MAP_ENTRIES
 */
struct fw_found {
	__u32 classes[FW_DIMS];
	__u32 position;
	__u64 left[2];
};

/* The rules that match and don't decide, by chunk; only chunks in @present are valid. */
struct fw_others {
	__u64 present[2];
	__u64 words[FW_CHUNKS_MAX];
};

/* Of the lowest bit; @word isn't 0. */
static __always_inline __u32 fw_lowest(__u64 word)
{
	return table4_popcount(~word & (word - 1));
}

static __always_inline __u32 fw_indexed_value(enum fw_dimension dimension,
					      const struct ecbpf_packet *packet, __u32 length)
{
	__u32 flags = packet->flags;

	switch (dimension) {
	case FW_DIM_TARGET:
		if (flags & ECBPF_PORTS)
			return fw_ntohs(packet->dport);
		if (flags & ECBPF_ICMP)
			return FW_TARGET_ICMP | packet->icmp_type << 8 | packet->icmp_code;
		return FW_TARGET_NONE;
	case FW_DIM_SPORT:
		return flags & ECBPF_PORTS ? fw_ntohs(packet->sport) : FW_WORD_NONE;
	case FW_DIM_KIND:
		return (flags & ECBPF_TCP ? FW_KIND_TCP | packet->tcp_flags : packet->protocol) |
		       (flags & ECBPF_FRAGMENT ? FW_KIND_FRAGMENT : 0);
	case FW_DIM_LENGTH:
		return length < FW_LENGTH_MORE ? length : FW_LENGTH_MORE;
	case FW_DIM_TTL:
		return packet->ttl;
	case FW_DIM_WINDOW:
		return flags & ECBPF_TCP ? fw_ntohs(packet->tcp_window) : FW_WORD_NONE;
	default:
		return packet->vlan_count ? fw_ntohs(packet->vlan_tci[0]) & 0xfff :
					    FW_VLAN_VALUES - 1;
	}
}

static __always_inline __u32 fw_address_id(const volatile struct fw_tables *tables,
					   const struct fw_source *source, unsigned int family,
					   enum fw_dimension dimension,
					   const struct ecbpf_packet *packet)
{
	const struct table_source *table = dimension == FW_DIM_SOURCE ? &source->from : &source->to;
	const __be32 *address = dimension == FW_DIM_SOURCE ? packet->saddr : packet->daddr;

	if (family == 4)
		return table4_search(dimension == FW_DIM_SOURCE ? &tables->source4 :
								  &tables->destination4,
				     table, fw_ntohl(address[0]));
	return table6_search(dimension == FW_DIM_SOURCE ? &tables->source6 : &tables->destination6,
			     table, (__u64)fw_ntohl(address[0]) << 32 | fw_ntohl(address[1]),
			     (__u64)fw_ntohl(address[2]) << 32 | fw_ntohl(address[3]));
}

static __always_inline __u32 fw_address_class(const volatile struct fw_tables *tables,
					      const struct fw_source *source, unsigned int family,
					      enum fw_dimension dimension,
					      const struct ecbpf_packet *packet)
{
	__u32 id = fw_address_id(tables, source, family, dimension, packet);
	const struct fw_prefix_classes *classes;

	if (!id)
		return 0;
	classes = source->value(source->memory,
				dimension == FW_DIM_SOURCE ? FW_MAP_SOURCES : FW_MAP_DESTINATIONS,
				id / FW_PREFIX_CLASSES_PER_VALUE);
	return classes ? classes->classes[id % FW_PREFIX_CLASSES_PER_VALUE] : 0;
}

static __always_inline __u32 fw_indexed_class(const volatile struct fw_constants *constants,
					      const struct fw_source *source,
					      enum fw_dimension dimension,
					      const struct ecbpf_packet *packet, __u32 length)
{
	__u32 index = constants->classes[dimension] + fw_indexed_value(dimension, packet, length);
	const struct fw_classes *classes;

	classes = source->value(source->memory, FW_MAP_CLASSES, index / FW_CLASSES_PER_VALUE);
	return classes ? classes->classes[index % FW_CLASSES_PER_VALUE] : 0;
}

/* Take away what class @class of a dimension can't match. */
static __always_inline void fw_narrow(const volatile struct fw_constants *constants,
				      const struct fw_source *source, enum fw_dimension dimension,
				      __u32 class, struct fw_found *found)
{
	const struct fw_aggregate *aggregate;

	found->classes[dimension] = constants->vectors[dimension] + class;
	aggregate = source->value(source->memory, FW_MAP_AGGREGATES, found->classes[dimension]);
	if (!aggregate)
		return;
	found->left[0] &= aggregate->words[0];
	if (constants->chunks > FW_CHUNK)
		found->left[1] &= aggregate->words[1];
}

/* Fills in @found; false: no rule can match. */
static __always_inline _Bool fw_find(const volatile struct fw_tables *tables,
				     const struct fw_source *source, unsigned int family,
				     const struct ecbpf_packet *packet, __u32 length,
				     struct fw_found *found)
{
	const volatile struct fw_constants *constants = family == 4 ? &tables->v4 : &tables->v6;
	int dimension;

	found->position = 0;
	found->left[0] = ~0ULL;
	found->left[1] = constants->chunks > FW_CHUNK ? ~0ULL : 0;
#pragma GCC unroll 16
	for (dimension = 0; dimension < FW_DIM_INDEXED; dimension++)
		if (constants->used & 1U << dimension)
			fw_narrow(constants, source, dimension,
				  fw_address_class(tables, source, family, dimension, packet),
				  found);
	if (!(found->left[0] | found->left[1]))
		return 0;
#pragma GCC unroll 16
	for (dimension = FW_DIM_INDEXED; dimension < FW_DIMS; dimension++)
		if (constants->used & 1U << dimension)
			fw_narrow(constants, source, dimension,
				  fw_indexed_class(constants, source, dimension, packet, length),
				  found);
	return (found->left[0] | found->left[1]) != 0;
}

/* The rules of a chunk that match. */
static __always_inline __u64 fw_word(const volatile struct fw_constants *constants,
				     const struct fw_source *source, const struct fw_found *found,
				     __u32 chunk)
{
	__u64 word = ~0ULL;
	int dimension;

#pragma GCC unroll 16
	for (dimension = 0; dimension < FW_DIMS; dimension++) {
		const __u64 *part;

		if (!(constants->used & 1U << dimension))
			continue;
		part = source->value(source->memory, FW_MAP_WORDS,
				     constants->words +
					     found->classes[dimension] * constants->chunks + chunk);
		if (part)
			word &= *part;
	}
	return word;
}

/*
 * The rule that decides: that of the lowest priority; NULL: none of those that do matches. Others
 * that match go to @others, which may be NULL if the ruleset has none.
 */
static __always_inline const struct fw_entry *
fw_decide(const volatile struct fw_constants *constants, const struct fw_source *source,
	  struct fw_found *found, struct fw_others *others)
{
	__u32 i, chunk, position, lowest = ~0U;
	const struct fw_entry *entry;
	__u64 word;

	for (i = 0; i < constants->chunks; i++) {
		if (constants->chunks == 1) {
			chunk = 0;
		} else if (found->left[0]) {
			chunk = fw_lowest(found->left[0]);
			found->left[0] &= found->left[0] - 1;
		} else if (found->left[1]) {
			chunk = FW_CHUNK + fw_lowest(found->left[1]);
			found->left[1] &= found->left[1] - 1;
		} else {
			break;
		}
		/* One range for the verifier, wherever it comes from. */
		chunk &= FW_CHUNKS_MAX - 1;
		word = constants->chunks == 1 ? found->left[0] :
						fw_word(constants, source, found, chunk);
		if (!word)
			continue;
		if (chunk >= constants->limit_chunk) {
			if (!others)
				continue;
			others->words[chunk] = word;
			others->present[chunk / FW_CHUNK] |= 1ULL << (chunk % FW_CHUNK);
			continue;
		}
		position = constants->entries + chunk * FW_CHUNK + fw_lowest(word);
		entry = source->value(source->memory, FW_MAP_ENTRIES, position);
		if (entry && entry->priority < lowest) {
			lowest = entry->priority;
			found->position = position;
		}
	}
	return lowest == ~0U ? 0 : source->value(source->memory, FW_MAP_ENTRIES, found->position);
}

/* The rules of chunk @chunk in @others. */
static __always_inline __u64 fw_others_word(const struct fw_others *others, __u32 chunk)
{
	chunk &= FW_CHUNKS_MAX - 1;
	return others->present[chunk / FW_CHUNK] >> (chunk % FW_CHUNK) & 1 ? others->words[chunk] :
									     0;
}

#endif
