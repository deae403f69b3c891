/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE_BUILD_H
#define ECBPF_TABLE_BUILD_H

/*
 * Each family's builder runs twice over the same runs: with `memory` all NULL it only counts and
 * sets sizes and constants in the layout; with memory of those sizes it writes.
 */

#include "table_runs.h"

/* Bytes of a map's value that 5.10 takes at most: KMALLOC_MAX_SIZE with pages of 4 KB. */
#define TABLE_VALUE_MAX (4U << 20)

int table4_plan(const struct table_runs *runs, struct table_layout *layout);
void table4_fill(const struct table_runs *runs, const struct table_layout *layout,
		 void *const memory[TABLE_MAPS]);

int table6_plan(const struct table_runs *runs, struct table_layout *layout);
int table6_fill(const struct table_runs *runs, const struct table_layout *layout,
		void *const memory[TABLE_MAPS]);

#endif
