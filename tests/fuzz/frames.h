/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frames to try: built by the book first, mutated then. */
#ifndef FUZZ_FRAMES_H
#define FUZZ_FRAMES_H

#include "dissector.h"
#include "random.h"

#define FRAME_MAX 9216
/* What BPF_PROG_TEST_RUN takes at least. */
#define FRAME_MIN 14

enum part_kind {
	PART_ETHERNET,
	PART_TAG, /* TCI and the type behind it */
	PART_IPV4,
	PART_IPV6,
	PART_EXTENSION,
	PART_TRANSPORT,
	PART_PAYLOAD,
};

struct part {
	enum part_kind kind;
	size_t at;
};

#define PARTS_MAX 32

/* Parts are where they were built, or near: a mutation needs no more. */
struct frame {
	size_t length;
	size_t part_count;
	struct part parts[PARTS_MAX];
	uint8_t octets[FRAME_MAX];
};

/* What frames are to be about, so that they meet the list and its edges. */
struct theme {
	const struct policy *policy;
	size_t length_max;
};

/* frames.c: a frame as its RFCs want it, or nearly. */
void frame_build(struct frame *frame, const struct theme *theme, struct random *random);

/* mutators.c: change a frame once; `other` lends octets. */
void frame_mutate(struct frame *frame, const struct frame *other, const struct theme *theme,
		  struct random *random);

/* An address of the theme's list, beside it, or of some kind of its own. */
void frame_pick_address(uint8_t *address, unsigned int family, const struct theme *theme,
			struct random *random);

#endif
