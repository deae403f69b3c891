/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What changes a filter: attaching, configuring, listing and unlisting prefixes. */
#ifndef XDP_FILTER_EDIT_H
#define XDP_FILTER_EDIT_H

#include <ecbpf/tool.h>

#include "instance.h"

enum filter_change {
	/* Put the filter into its slot, or reconfigure it. */
	FILTER_CHANGE_ATTACH,
	FILTER_CHANGE_DROP,
	/* Delete an entry, or make a hole in a shorter one. */
	FILTER_CHANGE_NO_DROP,
	FILTER_CHANGE_ALLOW,
	FILTER_CHANGE_CLEAR,
	/* The list of a file instead of the one that is there. */
	FILTER_CHANGE_LOAD,
};

/**
 * struct filter_edit - a change, the same for several interfaces
 * @frags_drop: 0, 1, or -1: as it is; the other configuration likewise
 * @ptb_max_pps: UINT64_MAX: as it is
 * @prefixes: as typed, for DROP, NO_DROP and ALLOW
 * @tags: one for all prefixes, or one for each, or none
 * @expires: ns from now, 0: never
 * @file: for LOAD
 */
struct filter_edit {
	enum filter_change change;
	bool stage;
	int frags_drop;
	int frags_local_pass;
	int drop_options;
	int truncated_drop;
	uint64_t ptb_max_pps;
	struct ecbpf_strings prefixes;
	struct ecbpf_strings tags;
	uint64_t expires;
	const char *file;
};

/*
 * Carry @edit out on all interfaces: each is worked out before the first is changed, so that
 * what is wrong with the command changes nothing. Sorts @interfaces. 0 or a negative errno, having said why.
 */
int filter_edit(struct ecbpf_strings *interfaces, const struct filter_edit *edit);

/* Empty the slot. */
int filter_detach(const struct ecbpf_strings *interfaces, bool stage);

/* Zero statistics and hits. */
int filter_clear_status(const struct ecbpf_strings *interfaces);

#endif
