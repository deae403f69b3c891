/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A root array on an interface of its own, attached and filled by the tools' own code. */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include <stdint.h>

#include <ecbpf/ecbpf.h>

#include "list.h"
#include "xdp_filter.h"

#define SUBJECT_INTERFACE "bench0"
#define SUBJECT_PEER	  "bench1"

/* For a second one beside it. */
#define SUBJECT_INTERFACE_2 "beside0"
#define SUBJECT_PEER_2	    "beside1"

/**
 * struct subject - a root array under test
 * @interface: where it is
 * @root: open, and locked
 * @program: root's
 */
struct subject {
	const char *interface;
	struct ecbpf_root *root;
	int program;
};

/* Make the pair SUBJECT_INTERFACE, SUBJECT_PEER, and attach root to the first. One at a time. */
int subject_open(struct subject *subject);
/* The same of another pair. */
int subject_open_at(const char *interface, const char *peer, struct subject *subject);
void subject_close(struct subject *subject);

/* Take slots with subprograms without an opinion: four at most. */
int subject_fill_empty(struct subject *subject, unsigned int count);

/**
 * subject_fill_filter() - put the filter into its slot
 * @config: NULL: as `xdp_filter --attach` has it
 * @list: its entries go to the filter, which frees them
 */
int subject_fill_filter(struct subject *subject, const struct filter_config *config,
			struct filter_list *list);

/* Packets that the filter dropped so far. */
int subject_dropped(uint64_t *packets);

#endif
