/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE6_TREE_H
#define ECBPF_TABLE6_TREE_H

#include <stddef.h>

#include "table_abi.h"

/* Keys from `key` to the next entry's get `word`. */
struct table6_entry {
	__u64 key;
	__u32 word;
	__u64 low; /* for a word with TABLE6_LOW */
};

struct table6_entries {
	struct table6_entry *entries;
	size_t count;
};

struct table6_trees {
	struct table6_node *nodes; /* NULL, as leaves: count only */
	void *leaves;
	__u32 *hints; /* NULL: none */
	__u32 leaf_size;
	__u32 index_shift;
	__u32 node_count;
	__u32 leaf_count;
	__u32 most_nodes; /* in one tree */
};

/* Appends; an entry at 2^63 is put in where a run of non-zero words crosses it. */
void table6_entries_add(struct table6_entries *list, __u64 key, __u32 word, __u64 low);

/*
 * Writes a tree for each half of the keys; `list` is changed. The root words go to roots[0] and
 * roots[1].
 */
void table6_trees_write(struct table6_trees *trees, struct table6_entries *list, __u32 *roots);

#endif
