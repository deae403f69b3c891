/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_MATCH_ABI_H
#define XDP_FW_MATCH_ABI_H

/*
 * What the compiler of rules and the matcher share.
 *
 * A rule of a family has a position: a bit in vectors. Positions are grouped in chunks of 64, one
 * word each, of rules that resemble each other, and within a chunk a rule with a lower priority
 * comes first. For each dimension a packet belongs to a class, which has a vector of the rules that
 * its value satisfies, and an aggregate: a bit for each word of the vector that isn't 0. The rules
 * that match are in the vectors of all dimensions; aggregates tell which words to look at, and for
 * most packets that there are none. Where a vector is one word, the aggregate is that word.
 */

#include <linux/types.h>

#include "table_abi.h"

enum fw_dimension {
	FW_DIM_SOURCE,
	FW_DIM_DESTINATION,
	/* Destination port, or ICMP type and code. */
	FW_DIM_TARGET,
	FW_DIM_SPORT,
	/* Protocol, TCP flags, whether it is a fragment. */
	FW_DIM_KIND,
	FW_DIM_LENGTH,
	FW_DIM_TTL,
	FW_DIM_WINDOW,
	FW_DIM_VLAN,
	FW_DIMS,
};

/* The dimensions whose class is in a table by the value itself. */
#define FW_DIM_INDEXED FW_DIM_TARGET

/* Values of FW_DIM_TARGET: ports, then type << 8 | code; what has neither. */
#define FW_TARGET_ICMP	 0x10000U
#define FW_TARGET_NONE	 0x20000U
#define FW_TARGET_VALUES (FW_TARGET_NONE + 1)
/* Of FW_DIM_SPORT and FW_DIM_WINDOW; the last is that of packets without. */
#define FW_WORD_NONE   0x10000U
#define FW_WORD_VALUES (FW_WORD_NONE + 1)
/* Of FW_DIM_KIND. */
#define FW_KIND_TCP	 0x100U
#define FW_KIND_FRAGMENT 0x200U
#define FW_KIND_VALUES	 0x400U
/* Of FW_DIM_LENGTH; the last is that of longer frames. */
#define FW_LENGTH_MORE	 0x10000U
#define FW_LENGTH_VALUES (FW_LENGTH_MORE + 1)
#define FW_TTL_VALUES	 0x100U
#define FW_VLAN_VALUES	 4097U

/* Words of a vector at most: two words of aggregate have a bit for each. */
#define FW_CHUNKS_MAX 128U
#define FW_CHUNK      64U
/* Words that are looked at together: vectors are padded to a multiple of them. */
#define FW_GROUP 4U
/* Chunks that aggregates leave are looked at one by one, and from so many on by groups. */
#define FW_SPARSE 4U

/* Classes of prefixes, by the id that the table of the dimension answers. */
#define FW_PREFIX_CLASSES_PER_VALUE 16U

struct fw_prefix_classes {
	__u32 classes[FW_PREFIX_CLASSES_PER_VALUE];
};

/*
 * Addresses, unless rules tell too many apart: runs of addresses of the same class, in one array,
 * searched without a branch that depends on the address. A key is an IPv4 address, or the upper
 * half of an IPv6 address, without the leading @skip bits that all prefixes share. The array's one
 * value holds
 *	an index: by the key's upper bits, where to begin, of 16 bits; 0: no prefix is near,
 *	@ends: the last key of each run, of 32 or 64 bits,
 *	@values: of each run, of 16 bits: its class; or where its lower halves begin in
 *	@low_ends: the last lower half of each run of those, of 64 bits, and
 *	@low_classes: their classes, of 16 bits.
 *
 * A level of the search looks at three ends, and goes on in one of four parts; of lower halves, at
 * one and in one of two. It ends less than 4^@levels runs behind where it began; so many pad the
 * array, in front too, and where the key's top bit changes. That bit isn't compared: so the sign of
 * a difference tells which of two keys is larger.
 */
#define FW_RUNS_LEVELS_MAX 8U
#define FW_RUNS_LOW_MAX	   16U
#define FW_RUNS_MAX	   65536U

/* Of FW_MAP_…_RUNS_…; without @levels there are none. */
struct fw_runs_constants {
	__u32 levels;
	/* Of lower halves; 0: no run has any. */
	__u32 low_levels;
	__u32 skip;
	/* Key as the upper one of 64 bits >> this: its place in the index. */
	__u32 shift;
	/* Runs, a power of two, less 1. */
	__u32 mask;
	__u32 low_mask;
	/* Octets from the value's beginning. */
	__u32 ends;
	__u32 values;
	__u32 low_ends;
	__u32 low_classes;
	/* The skipped bits, in an address's upper half. */
	__u64 common;
};

enum fw_map {
	/* One value: classes of 16 bits, by the dimension's first and the value. */
	FW_MAP_CLASSES,
	FW_MAP_SOURCES,
	FW_MAP_DESTINATIONS,
	FW_MAP_SOURCE_RUNS4,
	FW_MAP_DESTINATION_RUNS4,
	FW_MAP_SOURCE_RUNS6,
	FW_MAP_DESTINATION_RUNS6,
	/* One value, if it isn't too large: of each class as many words as @aggregate_words says. */
	FW_MAP_AGGREGATES,
	FW_MAP_VECTORS,
	FW_MAP_ENTRIES,
	FW_MAPS,
};

/*
 * Of one family, in .rodata: dimensions that no rule uses cost nothing.
 *
 * Chunks come in this order: rules that decide; limits, if each of them is asked; counts.
 */
struct fw_constants {
	/* Bit per dimension. */
	__u32 used;
	/* Of them: whose aggregates are ANDed; whose vectors are, before those of the others. */
	__u32 narrow;
	__u32 first;
	/* Words of a vector; 0: the family has no rules. */
	__u32 chunks;
	__u32 limit_chunk;
	__u32 count_chunk;
	/* First of its values' in FW_MAP_CLASSES. */
	__u32 classes[FW_DIMS];
	/* First of its classes in FW_MAP_AGGREGATES and FW_MAP_VECTORS. */
	__u32 vectors[FW_DIMS];
	/* First of the family's in FW_MAP_ENTRIES. */
	__u32 entries;
};

struct fw_tables {
	/* Items in the one value of each, a power of two, less 1; 0: a value each. */
	__u32 classes_mask;
	__u32 aggregates_mask;
	/* 2 if either family has more than FW_CHUNK chunks, else 1. */
	__u32 aggregate_words;
	struct fw_runs_constants source_runs4;
	struct fw_runs_constants destination_runs4;
	struct fw_runs_constants source_runs6;
	struct fw_runs_constants destination_runs6;
	struct fw_constants v4;
	struct fw_constants v6;
	struct table4_constants source4;
	struct table4_constants destination4;
	struct table6_constants source6;
	struct table6_constants destination6;
};

#endif
