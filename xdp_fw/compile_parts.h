/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of the compiler share. */
#ifndef XDP_FW_COMPILE_PARTS_H
#define XDP_FW_COMPILE_PARTS_H

#include "compile.h"

/* Different vectors of one dimension, in the order of their classes; @file: of the rules. */
struct fw_vectors {
	const char *file;
	size_t words;
	uint64_t *items;
	size_t count;
	size_t room;
	uint32_t *slots;
	size_t slot_count;
};

/* @class: of @vector, which is added if it is new. -ENOMEM, or -E2BIG saying so. */
int fw_vectors_class(struct fw_vectors *vectors, const uint64_t *vector, uint32_t *class);
void fw_vectors_free(struct fw_vectors *vectors);

/**
 * struct fw_family - the rules of one family
 * @positions: of each rule of the ruleset, also of those of the other family, which mean nothing
 * @rules: by position: the rule, or UINT32_MAX
 */
struct fw_family {
	const struct fw_ruleset *ruleset;
	unsigned int family;
	size_t chunks;
	size_t limit_chunk;
	size_t count_chunk;
	uint32_t *positions;
	uint32_t *rules;
	uint32_t used;
	struct fw_vectors vectors[FW_DIMS];
};

/* A rule, @number in its ruleset; the lowest priority decides. */
struct fw_item {
	const struct fw_rule *rule;
	uint32_t number;
	uint32_t priority;
};

/* Make neighbours of rules that match the same packets. */
void fw_sort(const struct fw_ruleset *ruleset, struct fw_item *items, size_t count);

int fw_family_order(const struct fw_ruleset *ruleset, unsigned int family, struct fw_family *out);
void fw_family_free(struct fw_family *family);

/* Lower decides, see struct fw_entry. */
uint32_t fw_priority(const struct fw_ruleset *ruleset, size_t rule);

static inline void fw_bit_set(uint64_t *vector, uint32_t position)
{
	vector[position / 64] |= UINT64_C(1) << position % 64;
}

static inline void fw_bit_clear(uint64_t *vector, uint32_t position)
{
	vector[position / 64] &= ~(UINT64_C(1) << position % 64);
}

/* Values of a dimension whose class is in a table by the value itself. */
size_t fw_dimension_values(enum fw_dimension dimension);

/* Vectors of such a dimension; @classes: of each value. Unused dimensions are left alone. */
int fw_compile_indexed(struct fw_family *family, enum fw_dimension dimension, uint16_t *classes);

/**
 * fw_compile_addresses() - vectors of both families, and the table of prefixes
 * @classes: out: by id; free() it
 */
int fw_compile_addresses(struct fw_family families[2], enum fw_dimension dimension,
			 const struct table_progress *progress, struct table **table,
			 uint32_t **classes, size_t *count);

/* The least power of two that isn't below @count. */
static inline size_t fw_power_of_two(size_t count)
{
	size_t power = 1;

	while (power < count)
		power *= 2;
	return power;
}

/* Zeroed values side by side. */
int fw_array_allocate(struct fw_array *array, size_t value_size, size_t entries);

/* How a family's addresses in @table are searched, unless they are too many; @classes: by id. */
int fw_compile_runs(const struct table *table, unsigned int family, const uint32_t *classes,
		    struct fw_runs_constants *constants, struct fw_array *array);

/* Of @constants: which of the used dimensions are asked when, once all are compiled. */
void fw_compile_stages(const struct fw_family *family, struct fw_constants *constants);

#endif
