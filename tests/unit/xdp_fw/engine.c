// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "engine.h"

#include <stdlib.h>
#include <string.h>

static void *array_value(const struct table *table, void *const memory[TABLE_MAPS],
			 enum table_map map, uint32_t index)
{
	const struct table_array_size *size = &table_get_layout(table)->map[map];

	return index < size->max_entries ? (char *)memory[map] + (size_t)index * size->value_size :
					   NULL;
}

static const void *from_value(const void *memory, enum table_map map, __u32 index)
{
	const struct engine *engine = memory;

	return array_value(engine->compiled.from, engine->from, map, index);
}

static const void *to_value(const void *memory, enum table_map map, __u32 index)
{
	const struct engine *engine = memory;

	return array_value(engine->compiled.to, engine->to, map, index);
}

static const void *value(const void *memory, enum fw_map map, __u32 index)
{
	const struct fw_array *array = &((const struct engine *)memory)->compiled.arrays[map];

	return index < array->entries ? (char *)array->data + (size_t)index * array->value_size :
					NULL;
}

static int fill(struct table *table, void *memory[TABLE_MAPS])
{
	int i;

	for (i = 0; i < TABLE_MAPS; i++) {
		const struct table_array_size *size = &table_get_layout(table)->map[i];

		memory[i] = calloc(size->max_entries, size->value_size);
	}
	return table_fill(table, memory);
}

int engine_open(struct engine *engine, const struct fw_ruleset *ruleset)
{
	int err;

	memset(engine, 0, sizeof(*engine));
	err = fw_compile(ruleset, NULL, &engine->compiled);
	return err						 ?:
		       fill(engine->compiled.from, engine->from) ?:
		       fill(engine->compiled.to, engine->to);
}

void engine_close(struct engine *engine)
{
	int i;

	for (i = 0; i < TABLE_MAPS; i++) {
		free(engine->from[i]);
		free(engine->to[i]);
	}
	fw_compiled_free(&engine->compiled);
}

struct engine engine_without_runs(const struct engine *engine)
{
	struct engine other = *engine;
	struct fw_tables *tables = &other.compiled.tables;

	tables->source_runs4.levels = tables->destination_runs4.levels = 0;
	tables->source_runs6.levels = tables->destination_runs6.levels = 0;
	return other;
}

static size_t walk(const struct fw_constants *constants, const struct fw_source *source,
		   const struct fw_others *others, uint32_t first, uint32_t last,
		   const struct fw_entry **entries)
{
	size_t count = 0;
	uint64_t word;

	for (; first < last; first++)
		for (word = fw_others_word(others, first); word; word &= word - 1)
			entries[count++] = source->value(source->memory, FW_MAP_ENTRIES,
							 constants->entries + first * FW_CHUNK +
								 fw_lowest(word));
	return count;
}

void engine_match(const struct engine *engine, const struct ecbpf_packet *packet, uint32_t length,
		  struct engine_found *found)
{
	const struct fw_tables *tables = &engine->compiled.tables;
	const struct fw_constants *constants = packet->family == 4 ? &tables->v4 : &tables->v6;
	const struct fw_source source = {
		.value = value,
		.memory = engine,
		.from = { .value = from_value, .memory = engine },
		.to = { .value = to_value, .memory = engine },
	};
	struct fw_query query = {
		.tables = tables,
		.constants = constants,
		.source = &source,
		.packet = packet,
		.family = packet->family,
		.length = length,
	};
	struct fw_others others = {};
	struct fw_found left = {};

	found->decides = NULL;
	found->limit_count = found->count_count = 0;
	if (!constants->chunks || !fw_query_values(&query) || !fw_find(&query, &left))
		return;
	found->decides = fw_decide(&query, &left, &others);
	found->limit_count = walk(constants, &source, &others, constants->limit_chunk,
				  constants->count_chunk, found->limits);
	found->count_count = walk(constants, &source, &others, constants->count_chunk,
				  constants->chunks, found->counts);
}
