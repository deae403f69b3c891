/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE_H
#define ECBPF_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "prefix.h"
#include "table_abi.h"

/*
 * Compiles a list of source prefixes into the arrays that the data path reads. A list change always
 * builds new arrays for a new program: nothing is edited under traffic.
 *
 *	table_plan()	sorts, resolves, and says how large each array must be
 *	(the loader sets sizes by map name, the constants in .rodata, loads, maps the memory)
 *	table_fill()	writes the arrays
 *	table_free()
 */

struct table_rule {
	struct prefix prefix;
	__u32 id; /* 1 to TABLE_ID_MAX, the caller's, unique */
	bool allow; /* wins over every drop that covers the same address */
	bool expires;
};

struct table_array_size {
	__u32 value_size; /* bytes, a multiple of 8: values lie side by side in mapped memory */
	__u32 max_entries; /* never 0 */
};

struct table_layout {
	struct table_array_size map[TABLE_MAPS];
	struct table4_constants v4;
	struct table6_constants v6;
};

struct table_progress {
	void (*report)(void *context, unsigned int percent);
	void *context;
};

struct table;
struct table_runs;

/*
 * Sorts and resolves `rules`, both families mixed in any order; they may go once this returns.
 * `progress` may be NULL; planning is the first half of its percents, filling the second.
 * Returns 0, -EINVAL (a prefix, an id out of range), -EEXIST (a prefix twice), -E2BIG (more than
 * the arrays can address) or -ENOMEM, with `*out` untouched.
 */
int table_plan(const struct table_rule *rules, size_t count, const struct table_progress *progress,
	       struct table **out);

const struct table_layout *table_get_layout(const struct table *table);

/* For the i-th rule given, the id of the next shorter prefix that covers it, 0 where none does. */
const __u32 *table_get_parents(const struct table *table);

/* The runs of one family, of which an answer is an id; they live as long as the table. */
const struct table_runs *table_get_runs(const struct table *table, unsigned int family);

/* Bytes of all arrays together. */
size_t table_layout_bytes(const struct table_layout *layout);

/*
 * Writes the arrays. `memory[map]` holds value_size * max_entries zero bytes, as a fresh map does.
 * Returns 0, or -ENOMEM with the arrays half written.
 */
int table_fill(struct table *table, void *const memory[TABLE_MAPS]);

/* The data path's look-up on filled arrays. `address` is a whole one: /32 or /128. */
__u32 table_find(const struct table_layout *layout, void *const memory[TABLE_MAPS],
		 const struct prefix *address);

void table_free(struct table *table);

#endif
