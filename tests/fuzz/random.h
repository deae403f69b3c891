/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers that are the same in every run and on every machine. */
#ifndef FUZZ_RANDOM_H
#define FUZZ_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t mixed = random->state += 0x9e3779b97f4a7c15;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
	return mixed ^ mixed >> 31;
}

/* The state of packet `number`, unrelated to that of the next. */
static inline struct random random_for(uint64_t seed, uint64_t number)
{
	struct random random = { seed };

	random.state = random_next(&random) ^ number;
	random.state = random_next(&random);
	return random;
}

/* From 0 to below - 1. */
static inline size_t random_below(struct random *random, size_t below)
{
	return (random_next(random) >> 32) * below >> 32;
}

static inline bool random_chance(struct random *random, unsigned int percent)
{
	return random_below(random, 100) < percent;
}

static inline void random_fill(struct random *random, uint8_t *octets, size_t count)
{
	while (count--)
		*octets++ = random_next(random);
}

#endif
