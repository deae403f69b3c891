/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_MATCH_H
#define XDP_FW_MATCH_H

/*
 * The matcher, compiled into the BPF program and into the loader's tests alike.
 */

#include <linux/types.h>

#include <ecbpf/abi.h>

#include "match_abi.h"
#include "runs.h"
#include "table4_search.h"
#include "table6_search.h"
#include "verifier.h"
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
 * struct fw_query - of a packet
 * @constants: of its family
 * @classes, @aggregates: what fw_query_values() finds
 */
struct fw_query {
	const volatile struct fw_tables *tables;
	const volatile struct fw_constants *constants;
	const struct fw_source *source;
	const __u16 *classes;
	const __u64 *aggregates;
	const struct ecbpf_packet *packet;
	unsigned int family;
	__u32 length;
};

/**
 * struct fw_found - what is known of a packet
 * @classes: in the dimensions that were asked, as an index of FW_MAP_AGGREGATES and FW_MAP_VECTORS
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

/* Any 6 bits in a row are others: what a bit, multiplied by it, has on top tells which bit it was. */
#define FW_SEQUENCE 0x03f79d71b4cb0a89ULL

/* clang-format off */
static const __u8 fw_bit_numbers[64] = {
	 0,  1, 48,  2, 57, 49, 28,  3, 61, 58, 50, 42, 38, 29, 17,  4,
	62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12,  5,
	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
	46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19,  9, 13,  8,  7,  6,
};
/* clang-format on */

/* Of the lowest bit; @word isn't 0. */
static __always_inline __u32 fw_lowest(__u64 word)
{
	return fw_bit_numbers[(word & -word) * FW_SEQUENCE >> 58];
}

/* @yes if @flags has @flag, else @no: without a branch that no processor could predict. */
static __always_inline __u32 fw_choose(__u32 flags, __u32 flag, __u32 yes, __u32 no)
{
	__u32 mask = -(__u32) !!(flags & flag);

	asm volatile("" : "+r"(mask));
	return no ^ ((yes ^ no) & mask);
}

static __always_inline __u32 fw_indexed_value(enum fw_dimension dimension,
					      const struct ecbpf_packet *packet, __u32 length)
{
	__u32 flags = packet->flags;

	switch (dimension) {
	case FW_DIM_TARGET:
		if (flags & (ECBPF_PORTS | ECBPF_ICMP))
			return fw_choose(flags, ECBPF_PORTS, fw_ntohs(packet->dport),
					 FW_TARGET_ICMP | packet->icmp_type << 8 |
						 packet->icmp_code);
		return FW_TARGET_NONE;
	case FW_DIM_SPORT:
		return fw_choose(flags, ECBPF_PORTS, fw_ntohs(packet->sport), FW_WORD_NONE);
	case FW_DIM_KIND:
		return fw_choose(flags, ECBPF_TCP, FW_KIND_TCP | packet->tcp_flags,
				 packet->protocol) |
		       fw_choose(flags, ECBPF_FRAGMENT, FW_KIND_FRAGMENT, 0);
	case FW_DIM_LENGTH:
		return length < FW_LENGTH_MORE ? length : FW_LENGTH_MORE;
	case FW_DIM_TTL:
		return packet->ttl;
	case FW_DIM_WINDOW:
		return fw_choose(flags, ECBPF_TCP, fw_ntohs(packet->tcp_window), FW_WORD_NONE);
	default:
		return packet->vlan_count ? fw_ntohs(packet->vlan_tci[0]) & 0xfff :
					    FW_VLAN_VALUES - 1;
	}
}

static __always_inline __u32 fw_address_id(const struct fw_query *query,
					   enum fw_dimension dimension)
{
	const volatile struct fw_tables *tables = query->tables;
	_Bool from = dimension == FW_DIM_SOURCE;
	const struct table_source *table = from ? &query->source->from : &query->source->to;
	const __be32 *address = from ? query->packet->saddr : query->packet->daddr;

	if (query->family == 4)
		return table4_search(from ? &tables->source4 : &tables->destination4, table,
				     fw_ntohl(address[0]));
	return table6_search(from ? &tables->source6 : &tables->destination6, table,
			     (__u64)fw_ntohl(address[0]) << 32 | fw_ntohl(address[1]),
			     (__u64)fw_ntohl(address[2]) << 32 | fw_ntohl(address[3]));
}

static __always_inline const volatile struct fw_runs_constants *
fw_runs_constants(const struct fw_query *query, enum fw_dimension dimension)
{
	const volatile struct fw_tables *tables = query->tables;

	if (query->family == 4)
		return dimension == FW_DIM_SOURCE ? &tables->source_runs4 :
						    &tables->destination_runs4;
	return dimension == FW_DIM_SOURCE ? &tables->source_runs6 : &tables->destination_runs6;
}

static __always_inline const void *fw_runs_value(const struct fw_query *query,
						 enum fw_dimension dimension)
{
	_Bool from = dimension == FW_DIM_SOURCE;
	enum fw_map map = query->family == 4 ?
				  (from ? FW_MAP_SOURCE_RUNS4 : FW_MAP_DESTINATION_RUNS4) :
				  (from ? FW_MAP_SOURCE_RUNS6 : FW_MAP_DESTINATION_RUNS6);

	return query->source->value(query->source->memory, map, 0);
}

/* The upper half of an address, or all of an IPv4 address in its place. */
static __always_inline __u64 fw_address_upper(const struct fw_query *query,
					      enum fw_dimension dimension)
{
	const __be32 *address = dimension == FW_DIM_SOURCE ? query->packet->saddr :
							     query->packet->daddr;
	__u64 upper = (__u64)fw_ntohl(address[0]) << 32;

	return query->family == 4 ? upper : upper | fw_ntohl(address[1]);
}

/**
 * struct fw_place - of an address
 * @value: that of its dimension's runs
 * @begin: where to search; 0: no prefix is near, and its class is 0
 */
struct fw_place {
	const void *value;
	__u32 begin;
};

static __always_inline struct fw_place fw_address_place(const struct fw_query *query,
							enum fw_dimension dimension)
{
	const volatile struct fw_runs_constants *constants = fw_runs_constants(query, dimension);
	struct fw_place place = { .begin = 1 };

	if (!constants->levels)
		return place;
	place.value = fw_runs_value(query, dimension);
	place.begin = place.value ? fw_runs_begin(constants, place.value,
						  fw_address_upper(query, dimension)) :
				    0;
	return place;
}

static __always_inline __u32 fw_address_run(const struct fw_query *query,
					    enum fw_dimension dimension,
					    const struct fw_place *place)
{
	const volatile struct fw_runs_constants *constants = fw_runs_constants(query, dimension);
	const __be32 *address = dimension == FW_DIM_SOURCE ? query->packet->saddr :
							     query->packet->daddr;

	if (!place->value)
		return 0;
	if (query->family == 4)
		return fw_runs4(constants, place->value, place->begin, fw_ntohl(address[0]));
	return fw_runs6(constants, place->value, place->begin, fw_address_upper(query, dimension),
			(__u64)fw_ntohl(address[2]) << 32 | fw_ntohl(address[3]));
}

static __always_inline __u32 fw_address_class(const struct fw_query *query,
					      enum fw_dimension dimension,
					      const struct fw_place *place)
{
	const struct fw_prefix_classes *classes;
	__u32 id;

	if (fw_runs_constants(query, dimension)->levels)
		return fw_address_run(query, dimension, place);
	id = fw_address_id(query, dimension);
	if (!id)
		return 0;
	classes = query->source->value(query->source->memory,
				       dimension == FW_DIM_SOURCE ? FW_MAP_SOURCES :
								    FW_MAP_DESTINATIONS,
				       id / FW_PREFIX_CLASSES_PER_VALUE);
	return classes ? classes->classes[id % FW_PREFIX_CLASSES_PER_VALUE] : 0;
}

static __always_inline __u32 fw_indexed_class(const struct fw_query *query,
					      enum fw_dimension dimension)
{
	__u32 index = query->constants->classes[dimension] +
		      fw_indexed_value(dimension, query->packet, query->length);

	return query->classes[index & query->tables->classes_mask];
}

/* Look up what is one value each, once for all dimensions; false: it isn't there. */
static __always_inline _Bool fw_query_values(struct fw_query *query)
{
	const struct fw_source *source = query->source;

	query->classes = source->value(source->memory, FW_MAP_CLASSES, 0);
	query->aggregates = source->value(source->memory, FW_MAP_AGGREGATES, 0);
	return query->classes && query->aggregates;
}

static __always_inline __u32 fw_class(const struct fw_query *query, enum fw_dimension dimension)
{
	struct fw_place place;

	if (dimension >= FW_DIM_INDEXED)
		return fw_indexed_class(query, dimension);
	place = fw_address_place(query, dimension);
	return fw_address_class(query, dimension, &place);
}

/* @class: as an index of all */
static __always_inline const __u64 *fw_aggregate(const struct fw_query *query, __u32 class)
{
	const __u32 mask = query->tables->aggregates_mask;

	if (!mask)
		return query->source->value(query->source->memory, FW_MAP_AGGREGATES, class);
	return &query->aggregates[query->tables->aggregate_words == 1 ? class & mask :
									2 * (class & mask)];
}

/* Whether a word of aggregate has all chunks: known when the program is loaded. */
static __always_inline _Bool fw_one_word(const volatile struct fw_constants *constants)
{
	return constants->chunks <= FW_CHUNK;
}

/* Take away what @class, one of the dimension's, can't match. */
static __always_inline void fw_narrow(const struct fw_query *query, enum fw_dimension dimension,
				      __u32 class, struct fw_found *found, __u64 *left, __u64 *more)
{
	const __u64 *aggregate;

	class += query->constants->vectors[dimension];
	found->classes[dimension] = class;
	aggregate = fw_aggregate(query, class);
	if (!aggregate)
		return;
	*left &= aggregate[0];
	if (!fw_one_word(query->constants))
		*more &= aggregate[1];
}

/* Bit per chunk from @first on, of those of one word; where rules are one word, that of all. */
static __always_inline __u64 fw_all_chunks(const volatile struct fw_constants *constants,
					   __u32 first)
{
	__u32 chunks = constants->chunks;

	if (chunks <= first)
		return 0;
	return chunks == 1 || chunks - first >= FW_CHUNK ? ~0ULL : (1ULL << (chunks - first)) - 1;
}

/*
 * Fills in @found; false: no rule can match. Most packets are near no prefix; of the others no
 * processor could predict at which dimension nothing is left, so all are asked.
 */
static __always_inline _Bool fw_find(const struct fw_query *query, struct fw_found *found)
{
	__u64 left = fw_all_chunks(query->constants, 0);
	__u64 more = fw_all_chunks(query->constants, FW_CHUNK);
	__u32 narrow = query->constants->narrow, near = 0, class;
	struct fw_place places[FW_DIM_INDEXED] = {};
	int dimension;

#pragma GCC unroll 2
	for (dimension = 0; dimension < FW_DIM_INDEXED; dimension++)
		if (narrow & 1U << dimension) {
			places[dimension] = fw_address_place(query, dimension);
			near |= places[dimension].begin;
		}
#pragma GCC unroll 2
	for (dimension = 0; dimension < FW_DIM_INDEXED; dimension++)
		if (narrow & 1U << dimension) {
			class = near ? fw_address_class(query, dimension, &places[dimension]) : 0;
			fw_narrow(query, dimension, class, found, &left, &more);
		}
	if (!near && !(left | more))
		return 0;
#pragma GCC unroll 16
	for (dimension = FW_DIM_INDEXED; dimension < FW_DIMS; dimension++)
		if (narrow & 1U << dimension)
			fw_narrow(query, dimension, fw_indexed_class(query, dimension), found,
				  &left, &more);
	found->position = 0;
	found->left[0] = left;
	found->left[1] = more;
	return (left | more) != 0;
}

/* The packet's vectors in @dimensions; false: the map has none. */
static __always_inline _Bool fw_vectors(const struct fw_query *query, __u32 dimensions,
					struct fw_found *found, const __u64 *vectors[FW_DIMS])
{
	int dimension;

#pragma GCC unroll 16
	for (dimension = 0; dimension < FW_DIMS; dimension++) {
		if (!(dimensions & 1U << dimension))
			continue;
		if (!(query->constants->narrow & 1U << dimension))
			found->classes[dimension] =
				query->constants->vectors[dimension] + fw_class(query, dimension);
		vectors[dimension] = query->source->value(query->source->memory, FW_MAP_VECTORS,
							  found->classes[dimension]);
		if (!vectors[dimension])
			return 0;
	}
	return 1;
}

/* The rules of a chunk that match in @dimensions. */
static __always_inline __u64 fw_word(__u32 dimensions, const __u64 *const vectors[FW_DIMS],
				     __u32 chunk)
{
	__u64 word = ~0ULL;
	int dimension;

#pragma GCC unroll 16
	for (dimension = 0; dimension < FW_DIMS; dimension++)
		if (dimensions & 1U << dimension)
			word &= vectors[dimension][chunk];
	return word;
}

/* Bit per chunk of a group: whether some rule of it matches in @dimensions. */
static __always_inline __u64 fw_group(__u32 dimensions, const __u64 *const vectors[FW_DIMS],
				      __u32 first)
{
	__u64 words[FW_GROUP], some = 0;
	__u32 i;

#pragma GCC unroll 4
	for (i = 0; i < FW_GROUP; i++) {
		words[i] = fw_word(dimensions, vectors, first + i);
		some |= words[i];
	}
	if (!some)
		return 0;
	some = 0;
#pragma GCC unroll 4
	for (i = 0; i < FW_GROUP; i++)
		some |= (words[i] | -words[i]) >> 63 << i;
	return some;
}

/*
 * Take away the chunks of which aggregates promise too much. All words of a group are read: that
 * costs less than to tell which of them could hold any.
 */
static __always_inline void fw_refine_groups(const struct fw_query *query, __u32 dimensions,
					     const __u64 *const vectors[FW_DIMS], __u64 unknown,
					     struct fw_found *found)
{
	__u64 all = (1U << FW_GROUP) - 1, group, *left;
	__u32 first = 0, shift;

	do {
		left = &found->left[first / FW_CHUNK];
		shift = first % FW_CHUNK;
		if (*left >> shift & all) {
			group = fw_group(dimensions, vectors, first);
			*left = verifier_forget64((*left & ~(all << shift)) | group << shift,
						  unknown);
		}
		first += FW_GROUP;
	} while (first < FW_CHUNKS_MAX && first < query->constants->chunks);
}

/* The next chunk of @left, which isn't 0, and which then hasn't it any more. */
static __always_inline __u32 fw_next(const volatile struct fw_constants *constants, __u64 left[2],
				     __u64 unknown)
{
	__u32 chunk;

	if (fw_one_word(constants) || left[0]) {
		chunk = fw_lowest(left[0]);
		left[0] = verifier_forget64(left[0] & (left[0] - 1), unknown);
	} else {
		chunk = FW_CHUNK + fw_lowest(left[1]);
		left[1] = verifier_forget64(left[1] & (left[1] - 1), unknown);
	}
	/* One range for the verifier, wherever it comes from. */
	return chunk & (FW_CHUNKS_MAX - 1);
}

/* Not 0 if more than FW_SPARSE bits are set. */
static __always_inline __u64 fw_many(__u64 bits)
{
	__u32 i;

#pragma GCC unroll 8
	for (i = 0; i < FW_SPARSE; i++)
		bits &= bits - 1;
	return bits;
}

/* Keep in @found the rule that decides of those in @word that do; the others go to @others. */
static __always_inline void fw_take(const volatile struct fw_constants *constants,
				    const struct fw_source *source, __u32 chunk, __u64 word,
				    __u32 unknown, struct fw_found *found, __u32 *lowest,
				    struct fw_others *others)
{
	const struct fw_entry *entry;
	__u32 position;

	if (chunk >= constants->limit_chunk) {
		if (!others)
			return;
		others->words[chunk] = word;
		others->present[chunk / FW_CHUNK] |= 1ULL << (chunk % FW_CHUNK);
		return;
	}
	position = constants->entries + chunk * FW_CHUNK + fw_lowest(word);
	entry = source->value(source->memory, FW_MAP_ENTRIES, position);
	if (entry && entry->priority < *lowest) {
		*lowest = verifier_forget(entry->priority, unknown);
		found->position = position;
	}
}

/* Those of @left, at most FW_SPARSE of the chunks from @first on, in which some rule matches. */
static __always_inline __u64 fw_keep_few(const struct fw_query *query, __u32 dimensions,
					 const __u64 *const vectors[FW_DIMS], __u64 unknown,
					 __u64 left, __u32 first)
{
	__u64 kept = 0, bit;
	__u32 i, chunk;

	for (i = 0; i < FW_SPARSE && left; i++) {
		bit = left & -left;
		chunk = first + fw_lowest(left);
		if (chunk >= query->constants->chunks)
			break;
		if (fw_word(dimensions, vectors, chunk))
			kept |= bit;
		left = verifier_forget64(left ^ bit, unknown);
	}
	return verifier_forget64(kept, unknown);
}

/* Take away chunks, of each word of aggregate at most FW_SPARSE, one by one. */
static __always_inline void fw_refine_few(const struct fw_query *query, __u32 dimensions,
					  const __u64 *const vectors[FW_DIMS], __u64 unknown,
					  struct fw_found *found)
{
	found->left[0] = fw_keep_few(query, dimensions, vectors, unknown, found->left[0], 0);
	if (!fw_one_word(query->constants))
		found->left[1] =
			fw_keep_few(query, dimensions, vectors, unknown, found->left[1], FW_CHUNK);
}

/* Take away chunks in which no rule matches in @dimensions; false: none is left. */
static __always_inline _Bool fw_refine(const struct fw_query *query, __u32 dimensions,
				       const __u64 *const vectors[FW_DIMS], __u64 unknown,
				       struct fw_found *found)
{
	__u64 many = fw_many(found->left[0]);

	if (!fw_one_word(query->constants))
		many |= fw_many(found->left[1]);
	if (many)
		fw_refine_groups(query, dimensions, vectors, unknown, found);
	else if (dimensions != query->constants->used)
		fw_refine_few(query, dimensions, vectors, unknown, found);
	return (found->left[0] | found->left[1]) != 0;
}

/*
 * The rule that decides: that of the lowest priority; NULL: none of those that do matches. Others
 * that match go to @others, which may be NULL if the ruleset has none.
 */
static __always_inline const struct fw_entry *
fw_decide(const struct fw_query *query, struct fw_found *found, struct fw_others *others)
{
	const volatile struct fw_constants *constants = query->constants;
	__u32 used = constants->used, first = constants->first, i, chunk, lowest;
	const struct fw_source *source = query->source;
	const __u64 *vectors[FW_DIMS] = {};
	__u64 unknown, word;

	unknown = (__u64)query->packet->saddr[0] << 32 | query->packet->saddr[1];
	/* In memory: a compiler would keep copies for each stage, for which the stack has no room. */
	asm volatile("" : : "r"(vectors) : "memory");
	lowest = verifier_forget(~0U, unknown);
	if (constants->chunks == 1) {
		fw_take(constants, source, 0, found->left[0], unknown, found, &lowest, others);
		goto out;
	}
	if (!fw_vectors(query, first, found, vectors) ||
	    !fw_refine(query, first, vectors, unknown, found))
		return 0;
	if (used & ~first && (!fw_vectors(query, used & ~first, found, vectors) ||
			      !fw_refine(query, used, vectors, unknown, found)))
		return 0;
	for (i = 0; i < constants->chunks && (found->left[0] | found->left[1]); i++) {
		chunk = fw_next(constants, found->left, unknown);
		if (chunk >= constants->chunks)
			break;
		word = fw_word(used, vectors, chunk);
		if (word)
			fw_take(constants, source, chunk, word, unknown, found, &lowest, others);
	}
out:
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
