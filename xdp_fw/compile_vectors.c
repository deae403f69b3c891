// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "compile_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

static size_t hash(const uint64_t *vector, size_t words)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < words; i++) {
		sum = (sum ^ vector[i]) * 0x9e3779b97f4a7c15;
		sum ^= sum >> 29;
	}
	return sum;
}

/* The slot of @vector: that which holds it, or the free one where it belongs. */
static size_t find_slot(const struct fw_vectors *vectors, const uint64_t *vector)
{
	size_t i = hash(vector, vectors->words) & (vectors->slot_count - 1);

	while (vectors->slots[i] &&
	       memcmp(vectors->items + (vectors->slots[i] - 1) * vectors->words, vector,
		      vectors->words * sizeof(*vector)) != 0)
		i = (i + 1) & (vectors->slot_count - 1);
	return i;
}

static int more_slots(struct fw_vectors *vectors)
{
	size_t i, count = vectors->slot_count ? 2 * vectors->slot_count : 64;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	free(vectors->slots);
	vectors->slots = slots;
	vectors->slot_count = count;
	for (i = 0; i < vectors->count; i++)
		slots[find_slot(vectors, vectors->items + i * vectors->words)] = i + 1;
	return 0;
}

static int more_room(struct fw_vectors *vectors)
{
	size_t room = vectors->room ? 2 * vectors->room : 64;
	uint64_t *items;

	if (vectors->count * vectors->words * sizeof(*items) >= FW_VECTORS_MAX)
		return ecbpf_fail(-E2BIG,
				  "%s: the rules tell apart so many addresses or ports that their "
				  "tables are over %lu MB; use sets and fewer rules",
				  vectors->file, FW_VECTORS_MAX >> 20);
	items = realloc(vectors->items, room * vectors->words * sizeof(*items));
	if (!items)
		return -ENOMEM;
	vectors->items = items;
	vectors->room = room;
	return 0;
}

int fw_vectors_class(struct fw_vectors *vectors, const uint64_t *vector, uint32_t *class)
{
	size_t slot;
	int err;

	if (2 * vectors->count >= vectors->slot_count) {
		err = more_slots(vectors);
		if (err)
			return err;
	}
	slot = find_slot(vectors, vector);
	if (!vectors->slots[slot]) {
		err = vectors->count < vectors->room ? 0 : more_room(vectors);
		if (err)
			return err;
		memcpy(vectors->items + vectors->count * vectors->words, vector,
		       vectors->words * sizeof(*vector));
		vectors->slots[slot] = ++vectors->count;
	}
	*class = vectors->slots[slot] - 1;
	return 0;
}

void fw_vectors_free(struct fw_vectors *vectors)
{
	free(vectors->items);
	free(vectors->slots);
}
