/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of a reader's two counts of what it took from its ring holds. */
#ifndef XDP_SAMPLER_TAKEN_H
#define XDP_SAMPLER_TAKEN_H

#include <stdint.h>

#include "xdp_sampler.h"

/*
 * Index of the count up to @position, to which the ring is consumed; else of the last before it, as
 * another consumer went on, or of the earlier one, as a reader went on meanwhile.
 */
static inline unsigned int taken_at(const struct sampler_reader *reader, uint64_t position)
{
	const struct sampler_taken *taken = reader->taken;
	unsigned int later = taken[1].position > taken[0].position, i;

	for (i = 0; i < 2; i++)
		if (taken[i].position == position)
			return i;
	return taken[later].position < position ? later : !later;
}

/* What each output of the reader was given. */
static inline uint64_t taken_wanted(const struct sampler_taken *taken)
{
	return taken->received - taken->unwanted - taken->malformed;
}

#endif
