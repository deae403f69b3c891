/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE_RUNS_H
#define ECBPF_TABLE_RUNS_H

/*
 * The step that both families share: rules, sorted and resolved into runs of addresses that get the
 * same answer. Addresses are 128 bits wide, IPv4 in the topmost 32.
 */

#include "table.h"

struct table_address {
	__u64 high;
	__u64 low;
};

/* A rule in sorted order. */
struct table_cover {
	struct table_address first;
	__u32 word; /* the answer where this is the longest that covers */
	__u32 around; /* the answer next to it, where the next shorter one is */
	__u32 rule; /* its index in the caller's array */
	__u8 family;
	__u8 length;
};

/* Addresses from `first` to the next run's. */
struct table_run {
	struct table_address first;
	__u32 word;
};

struct table_runs {
	const struct table_cover *covers;
	size_t cover_count;
	struct table_run *runs; /* the first starts at address 0; neighbours differ in word */
	size_t run_count;
};

/* Sorts; 0, -EINVAL, -EEXIST or -ENOMEM. `*out` has `count` covers of both families, IPv4 first. */
int table_sort(const struct table_rule *rules, size_t count, struct table_cover **out);

/*
 * Resolves `count` covers of one family: sets their words, the parents of their rules, and makes
 * the runs. 0 or -ENOMEM.
 */
int table_resolve(const struct table_rule *rules, struct table_cover *covers, size_t count,
		  __u32 *parents, struct table_runs *out);

void table_runs_free(struct table_runs *runs);

#endif
