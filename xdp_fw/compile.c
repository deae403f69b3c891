// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

#include "compile_parts.h"
#include "evaluate.h"

#define FAMILIES 2
/* Classes whose aggregates fit into one value, which 5.10 limits to 4 MB. */
#define AGGREGATES_TOGETHER 65536U

/* @prefix_classes: of sources, then of destinations. */
struct build {
	const struct fw_ruleset *ruleset;
	struct fw_compiled *out;
	struct fw_family families[FAMILIES];
	uint16_t *classes;
	size_t class_count;
	uint32_t *prefix_classes[2];
	size_t prefix_counts[2];
};

/* Items in one value, their number rounded up to a power of two: @mask is that less 1. */
static int allocate_together(struct fw_array *array, size_t item_size, size_t count, uint32_t *mask)
{
	size_t room = fw_power_of_two(count < 2 ? 2 : count);

	*mask = room - 1;
	return fw_array_allocate(array, room * item_size, 1);
}

static struct fw_constants *constants_of(struct build *build, int family)
{
	return family ? &build->out->tables.v6 : &build->out->tables.v4;
}

static size_t round_up(size_t count, size_t unit)
{
	return (count + unit - 1) / unit * unit;
}

/* Classes of all values of a dimension, behind those that are there. */
static int build_indexed(struct build *build, int family, enum fw_dimension dimension)
{
	size_t values = fw_dimension_values(dimension);
	struct fw_family *one = &build->families[family];
	uint16_t *classes;
	int err;

	classes = realloc(build->classes, (build->class_count + values) * sizeof(*classes));
	if (!classes)
		return -ENOMEM;
	build->classes = classes;
	memset(classes + build->class_count, 0, values * sizeof(*classes));
	err = fw_compile_indexed(one, dimension, classes + build->class_count);
	if (err || !(one->used & 1U << dimension))
		return err;
	constants_of(build, family)->classes[dimension] = build->class_count;
	build->class_count += values;
	return 0;
}

static int build_dimensions(struct build *build, const struct table_progress *progress)
{
	struct table **tables[] = { &build->out->from, &build->out->to };
	int family, dimension, err = 0;

	for (dimension = 0; dimension < FW_DIM_INDEXED && !err; dimension++)
		err = fw_compile_addresses(build->families, dimension, progress, tables[dimension],
					   &build->prefix_classes[dimension],
					   &build->prefix_counts[dimension]);
	for (family = 0; family < FAMILIES; family++)
		for (dimension = FW_DIM_INDEXED; dimension < FW_DIMS && !err; dimension++)
			if (build->families[family].chunks)
				err = build_indexed(build, family, dimension);
	return err;
}

/* @stride: words from one vector to the next, those that pad it included; @aggregate_words: likewise */
static void write_vectors(const struct fw_vectors *vectors, uint64_t *aggregates,
			  size_t aggregate_words, uint64_t *words, size_t stride)
{
	size_t class, word;

	for (class = 0; class < vectors->count; class ++) {
		for (word = 0; word < vectors->words; word++) {
			words[word] = vectors->items[class * vectors->words + word];
			if (vectors->words == 1)
				aggregates[0] = words[word];
			else if (words[word])
				aggregates[word / 64] |= 1ULL << word % 64;
		}
		words += stride;
		aggregates += aggregate_words;
	}
}

/* Classes of both families, and the words that a vector of either takes. */
static size_t count_vectors(const struct build *build, size_t *stride)
{
	size_t count = 0, chunks = 1;
	int family, dimension;

	for (family = 0; family < FAMILIES; family++) {
		const struct fw_family *one = &build->families[family];

		chunks = one->chunks > chunks ? one->chunks : chunks;
		for (dimension = 0; dimension < FW_DIMS; dimension++)
			count += one->vectors[dimension].count;
	}
	*stride = round_up(chunks, FW_GROUP);
	return count;
}

static int build_vectors(struct build *build)
{
	struct fw_array *aggregates = &build->out->arrays[FW_MAP_AGGREGATES];
	struct fw_array *vectors = &build->out->arrays[FW_MAP_VECTORS];
	size_t stride, first = 0, count = count_vectors(build, &stride);
	size_t aggregate_words = stride > FW_CHUNK ? 2 : 1;
	size_t aggregate_size = aggregate_words * sizeof(uint64_t);
	int family, dimension, err;

	if (count * stride * sizeof(uint64_t) > FW_VECTORS_MAX)
		return ecbpf_fail(-E2BIG, "%s: the rules make tables of %zu MB; at most %lu MB",
				  build->ruleset->files[0], count * stride * sizeof(uint64_t) >> 20,
				  FW_VECTORS_MAX >> 20);
	build->out->tables.aggregate_words = aggregate_words;
	err = count > AGGREGATES_TOGETHER ? fw_array_allocate(aggregates, aggregate_size, count) :
					    allocate_together(aggregates, aggregate_size, count,
							      &build->out->tables.aggregates_mask);
	if (!err)
		err = fw_array_allocate(vectors, stride * sizeof(uint64_t), count);
	for (family = 0; family < FAMILIES && !err; family++) {
		struct fw_constants *constants = constants_of(build, family);

		for (dimension = 0; dimension < FW_DIMS; dimension++) {
			const struct fw_vectors *one = &build->families[family].vectors[dimension];

			constants->vectors[dimension] = first;
			write_vectors(one, (uint64_t *)aggregates->data + first * aggregate_words,
				      aggregate_words, (uint64_t *)vectors->data + first * stride,
				      stride);
			first += one->count;
		}
	}
	return err;
}

static void write_entry(const struct build *build, uint32_t number, struct fw_entry *entry)
{
	const struct fw_rule *rule = &build->ruleset->rules[number];

	entry->priority = fw_priority(build->ruleset, number);
	entry->rule = number;
	entry->action = rule->action;
	if (rule->action == FW_LIMIT) {
		entry->per_source = rule->rate.per_source;
		entry->interval = fw_rate_interval(&rule->rate);
		entry->tolerance = fw_rate_tolerance(&rule->rate);
	}
}

static int build_entries(struct build *build)
{
	struct fw_array *entries = &build->out->arrays[FW_MAP_ENTRIES];
	size_t chunks = build->families[0].chunks + build->families[1].chunks, base = 0, i;
	int family, err;

	err = fw_array_allocate(entries, sizeof(struct fw_entry), chunks * FW_CHUNK);
	for (family = 0; family < FAMILIES && !err; family++) {
		const struct fw_family *one = &build->families[family];
		struct fw_constants *constants = constants_of(build, family);

		constants->used = one->used;
		fw_compile_stages(one, constants);
		constants->chunks = one->chunks;
		constants->limit_chunk = one->limit_chunk;
		constants->count_chunk = one->count_chunk;
		constants->entries = base;
		for (i = 0; i < one->chunks * FW_CHUNK; i++, base++)
			if (one->rules[i] != UINT32_MAX)
				write_entry(build, one->rules[i],
					    (struct fw_entry *)entries->data + base);
	}
	return err;
}

static int build_classes(struct build *build)
{
	struct fw_array *arrays = build->out->arrays;
	int i, err;

	err = allocate_together(&arrays[FW_MAP_CLASSES], sizeof(*build->classes),
				build->class_count, &build->out->tables.classes_mask);
	if (!err && build->class_count)
		memcpy(arrays[FW_MAP_CLASSES].data, build->classes,
		       build->class_count * sizeof(*build->classes));
	for (i = 0; i < 2 && !err; i++) {
		err = fw_array_allocate(&arrays[FW_MAP_SOURCES + i],
					sizeof(struct fw_prefix_classes),
					build->prefix_counts[i] / FW_PREFIX_CLASSES_PER_VALUE + 1);
		if (!err)
			memcpy(arrays[FW_MAP_SOURCES + i].data, build->prefix_classes[i],
			       build->prefix_counts[i] * sizeof(uint32_t));
	}
	return err;
}

static int build_runs(struct build *build)
{
	struct fw_compiled *out = build->out;
	struct fw_tables *tables = &out->tables;
	const struct {
		unsigned int family;
		int side;
		struct fw_runs_constants *constants;
		enum fw_map map;
	} all[] = {
		{ 4, 0, &tables->source_runs4, FW_MAP_SOURCE_RUNS4 },
		{ 4, 1, &tables->destination_runs4, FW_MAP_DESTINATION_RUNS4 },
		{ 6, 0, &tables->source_runs6, FW_MAP_SOURCE_RUNS6 },
		{ 6, 1, &tables->destination_runs6, FW_MAP_DESTINATION_RUNS6 },
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(all) / sizeof(all[0]) && !err; i++)
		err = fw_compile_runs(all[i].side ? out->to : out->from, all[i].family,
				      build->prefix_classes[all[i].side], all[i].constants,
				      &out->arrays[all[i].map]);
	return err;
}

static void set_constants(struct build *build)
{
	const struct table_layout *from = table_get_layout(build->out->from);
	const struct table_layout *to = table_get_layout(build->out->to);

	build->out->tables.source4 = from->v4;
	build->out->tables.source6 = from->v6;
	build->out->tables.destination4 = to->v4;
	build->out->tables.destination6 = to->v6;
}

static void count_rules(const struct fw_ruleset *ruleset, struct fw_settings *settings)
{
	size_t i;

	settings->rules = ruleset->count;
	settings->first_match = ruleset->first_match;
	for (i = 0; i < ruleset->count; i++) {
		const struct fw_rule *rule = &ruleset->rules[i];

		settings->counts += rule->action == FW_COUNT;
		settings->limits += rule->action == FW_LIMIT;
		settings->limits_per_source += rule->action == FW_LIMIT && rule->rate.per_source;
	}
}

int fw_compile(const struct fw_ruleset *ruleset, const struct table_progress *progress,
	       struct fw_compiled *compiled)
{
	struct build build = { .ruleset = ruleset, .out = compiled };
	int err;

	memset(compiled, 0, sizeof(*compiled));
	count_rules(ruleset, &compiled->settings);
	err = fw_family_order(ruleset, 4, &build.families[0]) ?:
		      fw_family_order(ruleset, 6, &build.families[1]);
	if (!err)
		err = build_dimensions(&build, progress);
	if (!err)
		err = build_vectors(&build)	    ?:
			      build_entries(&build) ?:
			      build_classes(&build) ?:
						      build_runs(&build);
	if (!err)
		set_constants(&build);
	fw_family_free(&build.families[0]);
	fw_family_free(&build.families[1]);
	free(build.classes);
	free(build.prefix_classes[0]);
	free(build.prefix_classes[1]);
	if (err)
		fw_compiled_free(compiled);
	return err;
}

void fw_compiled_free(struct fw_compiled *compiled)
{
	int i;

	for (i = 0; i < FW_MAPS; i++)
		free(compiled->arrays[i].data);
	table_free(compiled->from);
	table_free(compiled->to);
	memset(compiled, 0, sizeof(*compiled));
}
