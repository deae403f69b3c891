// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <ecbpf/abi.h>

#include "table_maps.h"
#include "xdp_fw.skel.h"

#define TABLE_NAMES(side)                                                                   \
	{                                                                                   \
		[TABLE_V4_BITS] = side "_v4_bits", [TABLE_V4_CELLS] = side "_v4_cells",     \
		[TABLE_V4_POOL] = side "_v4_pool", [TABLE_V6_FILTER] = side "_v6_filter",   \
		[TABLE_V6_INDEX] = side "_v6_index", [TABLE_V6_LEAVES] = side "_v6_leaves", \
		[TABLE_V6_HINTS] = side "_v6_hints", [TABLE_V6_LOW] = side "_v6_low",       \
	}

static const char *const from_names[TABLE_MAPS] = TABLE_NAMES("from");
static const char *const to_names[TABLE_MAPS] = TABLE_NAMES("to");

static const char *const array_names[FW_MAPS] = {
	[FW_MAP_CLASSES] = "classes",
	[FW_MAP_SOURCES] = "from_classes",
	[FW_MAP_DESTINATIONS] = "to_classes",
	[FW_MAP_SOURCE_RUNS4] = "from_runs4",
	[FW_MAP_DESTINATION_RUNS4] = "to_runs4",
	[FW_MAP_SOURCE_RUNS6] = "from_runs6",
	[FW_MAP_DESTINATION_RUNS6] = "to_runs6",
	[FW_MAP_AGGREGATES] = "aggregates",
	[FW_MAP_VECTORS] = "vectors",
	[FW_MAP_ENTRIES] = "entries",
};

/* Octets of the text of all rules. */
static size_t text_size(const struct fw_ruleset *ruleset)
{
	size_t i, size = 0;

	for (i = 0; i < ruleset->count; i++)
		size += strlen(ruleset->rules[i].text);
	return size;
}

static int size_arrays(struct xdp_fw_bpf *skeleton, const struct fw_compiled *compiled)
{
	int i, err = 0;

	for (i = 0; i < FW_MAPS && !err; i++) {
		const struct fw_array *array = &compiled->arrays[i];
		struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, array_names[i]);

		err = bpf_map__set_value_size(map, array->value_size) ?:
			      bpf_map__set_max_entries(map, array->entries);
	}
	return err ?:
		       table_maps_size(skeleton->obj, from_names, table_get_layout(compiled->from)) ?:
		       table_maps_size(skeleton->obj, to_names, table_get_layout(compiled->to));
}

int fw_program_prepare(struct xdp_fw_bpf *skeleton, const struct fw_ruleset *ruleset,
		       const struct fw_compiled *compiled)
{
	const struct fw_settings *settings = &compiled->settings;
	const uint32_t rules = ruleset->count ? ruleset->count : 1;
	const struct {
		struct bpf_map *map;
		size_t entries;
	} sizes[] = {
		{ skeleton->maps.hits, rules },
		{ skeleton->maps.hits_base, rules },
		{ skeleton->maps.listing, rules },
		{ skeleton->maps.names, rules },
		{ skeleton->maps.texts, text_size(ruleset) / sizeof(__u64) + 1 },
		{ skeleton->maps.buckets, settings->limits ? rules : 1 },
		{ skeleton->maps.sources, settings->limits_per_source ? FW_SOURCES : 1 },
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !err; i++)
		err = bpf_map__set_max_entries(sizes[i].map, sizes[i].entries);
	if (err)
		return err;
	memcpy((void *)&skeleton->rodata->fw_tables, &compiled->tables, sizeof(compiled->tables));
	memcpy((void *)&skeleton->rodata->fw_settings, settings, sizeof(*settings));
	return size_arrays(skeleton, compiled);
}

static int fill_arrays(struct xdp_fw_bpf *skeleton, const struct fw_compiled *compiled)
{
	struct map_view view;
	int i, err = 0;

	for (i = 0; i < FW_MAPS && !err; i++) {
		const struct fw_array *array = &compiled->arrays[i];

		err = map_view_open(bpf_object__find_map_fd_by_name(skeleton->obj, array_names[i]),
				    true, &view);
		if (err)
			break;
		memcpy(view.data, array->data, (size_t)array->value_size * array->entries);
		map_view_close(&view);
	}
	return err								  ?:
		       table_maps_fill(skeleton->obj, from_names, compiled->from) ?:
		       table_maps_fill(skeleton->obj, to_names, compiled->to);
}

static void list_rules(const struct fw_ruleset *ruleset, struct fw_listing *listing,
		       struct fw_name *names, char *texts)
{
	size_t i, used = 0;

	for (i = 0; i < ruleset->count; i++) {
		const struct fw_rule *rule = &ruleset->rules[i];

		listing[i] = (struct fw_listing){
			.text = used,
			.length = strlen(rule->text),
			.action = rule->action,
		};
		memcpy(texts + used, rule->text, listing[i].length);
		used += listing[i].length;
		if (rule->name)
			strncpy(names[i].text, rule->name, FW_NAME_MAX - 1);
	}
}

int fw_program_fill(struct xdp_fw_bpf *skeleton, const struct fw_ruleset *ruleset,
		    const struct fw_compiled *compiled)
{
	struct map_view listing = {}, names = {}, texts = {};
	uint32_t zero = 0;
	int err;

	err = fill_arrays(skeleton, compiled);
	if (!err)
		err = map_view_open(bpf_map__fd(skeleton->maps.listing), true, &listing)     ?:
			      map_view_open(bpf_map__fd(skeleton->maps.names), true, &names) ?:
			      map_view_open(bpf_map__fd(skeleton->maps.texts), true, &texts);
	if (!err) {
		list_rules(ruleset, listing.data, names.data, texts.data);
		if (bpf_map_update_elem(bpf_map__fd(skeleton->maps.config), &zero,
					&compiled->settings, BPF_ANY))
			err = -errno;
	}
	map_view_close(&listing);
	map_view_close(&names);
	map_view_close(&texts);
	return err;
}
