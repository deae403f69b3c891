/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Filters to send frames through: configurations and lists. */
#ifndef FUZZ_SCENES_H
#define FUZZ_SCENES_H

#include "dissector.h"
#include "random.h"

enum list_kind {
	LIST_EMPTY,
	/* Both families, all lengths, one in another, allow entries, some that expired. */
	LIST_MIXED,
	/* No entry but drops that never expire. */
	LIST_DROPS,
	/* Everything is dropped but for allow entries. */
	LIST_ALL,
};

#define LIST_MAX  800
#define OWN_MAX	  6
#define LOCAL_MAX 8

struct scene {
	const char *name;
	struct policy policy;
	enum list_kind kind;
	uint32_t ptb_max_pps;
	/* By the kernel's word, not by the configuration's. */
	bool check_mtu;
	/* Programs that take frames in several pieces. */
	bool frags;
	struct listed list[LIST_MAX];
	bool expires[LIST_MAX];
	struct listed local[LOCAL_MAX];
};

#define SCENES 8

/* Fill in scene `index`, the same for the same seed. */
void scene_set(struct scene *scene, unsigned int index, uint64_t seed);

#endif
