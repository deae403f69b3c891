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

struct fw_aggregate {
	__u64 words[2];
};

/* Classes side by side: an array rounds its values up to 8 octets. */
#define FW_CLASSES_PER_VALUE 32U

struct fw_classes {
	__u16 classes[FW_CLASSES_PER_VALUE];
};

/* Classes of prefixes, by the id that the table of the dimension answers. */
#define FW_PREFIX_CLASSES_PER_VALUE 16U

struct fw_prefix_classes {
	__u32 classes[FW_PREFIX_CLASSES_PER_VALUE];
};

enum fw_map {
	FW_MAP_CLASSES,
	FW_MAP_SOURCES,
	FW_MAP_DESTINATIONS,
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
	/* First value of FW_MAP_CLASSES times FW_CLASSES_PER_VALUE. */
	__u32 classes[FW_DIMS];
	/* First of its classes in FW_MAP_AGGREGATES and FW_MAP_VECTORS. */
	__u32 vectors[FW_DIMS];
	/* First of the family's in FW_MAP_ENTRIES. */
	__u32 entries;
};

struct fw_tables {
	struct fw_constants v4;
	struct fw_constants v6;
	struct table4_constants source4;
	struct table4_constants destination4;
	struct table6_constants source6;
	struct table6_constants destination6;
};

#endif
