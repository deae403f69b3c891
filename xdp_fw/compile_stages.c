// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which dimensions the matcher asks first. Aggregates are asked of those of which they take words
 * away; where a field of most packets satisfies some rule of any word, they don't. Vectors are
 * asked first of those that leave the fewest rules of a word: mostly none is left then, and what
 * the others have, in slow memory where rulesets are large, isn't read.
 */
#include "compile_parts.h"

/* Where aggregates keep a larger share of all words, they aren't asked. */
#define KEPT_MAX 0.9
/* Rules of a word that may be left when the other dimensions are asked, on average. */
#define LEFT_MAX 0.03
/* Vectors of a dimension that the cache of a processor holds, in octets. */
#define CACHED (256UL << 10)
/* A word that it doesn't hold costs as much as so many of those. */
#define COST 3

/**
 * struct shares - of the vectors of a dimension, on average over its classes
 * @words: those that have rules
 * @rules: in those words
 */
struct shares {
	double words;
	double rules;
};

static void measure(const struct fw_vectors *vectors, struct shares *shares)
{
	size_t i, all = vectors->count * vectors->words, words = 0, rules = 0;

	for (i = 0; i < all; i++) {
		words += vectors->items[i] != 0;
		rules += __builtin_popcountll(vectors->items[i]);
	}
	shares->words = all ? (double)words / all : 1;
	shares->rules = words ? (double)rules / words / FW_CHUNK : 1;
}

/* The share of rules that is left for the price of a word that no cache holds. */
static double left_for_price(const struct fw_vectors *vectors, double share)
{
	bool cached = vectors->count * vectors->words * sizeof(*vectors->items) <= CACHED;
	double left = share;
	int i;

	for (i = 1; i < COST && cached; i++)
		left *= share;
	return left;
}

static int best(const struct fw_family *family, const struct shares *shares, uint32_t dimensions)
{
	double left, least = 0;
	int dimension, found = -1;

	for (dimension = 0; dimension < FW_DIMS; dimension++) {
		if (!(dimensions & 1U << dimension))
			continue;
		left = left_for_price(&family->vectors[dimension], shares[dimension].rules);
		if (found < 0 || left < least) {
			found = dimension;
			least = left;
		}
	}
	return found;
}

void fw_compile_stages(const struct fw_family *family, struct fw_constants *constants)
{
	struct shares shares[FW_DIMS];
	double left = FW_CHUNK;
	int dimension;

	constants->narrow = 0;
	constants->first = 0;
	for (dimension = 0; dimension < FW_DIMS; dimension++) {
		measure(&family->vectors[dimension], &shares[dimension]);
		/* Up to a word of rules, aggregates are vectors. */
		if (family->chunks == 1 || shares[dimension].words <= KEPT_MAX)
			constants->narrow |= family->used & 1U << dimension;
	}
	while (left > LEFT_MAX && constants->first != family->used) {
		dimension = best(family, shares, family->used & ~constants->first);
		constants->first |= 1U << dimension;
		left *= shares[dimension].rules;
	}
}
