/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets drawn at random that come as close to rules as they can. */
#ifndef BENCH_DRAWS_H
#define BENCH_DRAWS_H

#include <stddef.h>

#include "bench.h"
#include "draw.h"
#include "xdp_fw/rules.h"

enum draws_kind {
	/* Anything that no rule matches. */
	DRAWS_RANDOM,
	/* Each field is what another rule asks for, and no rule matches. */
	DRAWS_NEAR,
	/* A rule drawn for each packet drops it. */
	DRAWS_HIT,
	/* The last rule and no other drops it. */
	DRAWS_LAST,
};

/* The same ones in every run. -EBADMSG: the rules allow none. */
int draws_make(const struct fw_ruleset *ruleset, unsigned int family, enum draws_kind kind,
	       struct draw *draws, size_t count);

/* The frame that the wrapper makes of it. */
void draw_frame(unsigned int family, const struct draw *draw, struct bench_frame *frame);

#endif
