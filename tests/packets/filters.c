// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "filters.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "stats.h"
#include "table_maps.h"
#include "xdp_filter.skel.h"

/* Two copies of the hits, so that the CPU's share in the index matters. */
#define HIT_SHARDS 2

static uint32_t list_length(const struct listed *list)
{
	uint32_t length = 0;

	while (list && list[length].prefix)
		length++;
	return length;
}

/* Compile the list; the rules, as it was read, go to @rules. */
static struct table *compile(const struct listed *list, uint32_t length, struct table_rule *rules)
{
	struct table *table = NULL;
	bool host_bits;
	uint32_t i;

	for (i = 0; i < length; i++) {
		rules[i] = (struct table_rule){ .id = i + 1,
						.allow = list[i].action == FILTER_ALLOW,
						.expires = list[i].expires };
		assert_int_equal(prefix_parse(list[i].prefix, &rules[i].prefix, &host_bits), 0);
	}
	assert_int_equal(table_plan(rules, length, NULL, &table), 0);
	return table;
}

static void size_maps(struct filter *filter, const struct table_layout *layout)
{
	struct xdp_filter_bpf *skeleton = filter->skeleton;

	bpf_map__set_max_entries(skeleton->maps.entries, filter->entries + 1);
	bpf_map__set_max_entries(skeleton->maps.hits, filter->hit_shards * filter->hit_shard_size /
							      FILTER_HITS_PER_VALUE);
	bpf_map__set_max_entries(skeleton->maps.allows, filter->entries + 1);
	bpf_map__set_max_entries(skeleton->maps.local_addresses, 16);
	assert_int_equal(table_maps_size(skeleton->obj, table_map_names, layout), 0);
}

static void set_constants(struct filter *filter, const struct filter_setup *setup,
			  const struct table_layout *layout)
{
	struct filter_config config = setup->config;
	static uint64_t instances;

	config.hit_shard_mask = filter->hit_shards - 1;
	config.hit_shard_size = filter->hit_shard_size;
	config.memo_key = ++instances << 32;
	memcpy((void *)&filter->skeleton->rodata->filter_config, &config, sizeof(config));
	memcpy((void *)&filter->skeleton->rodata->table4, &layout->v4, sizeof(layout->v4));
	memcpy((void *)&filter->skeleton->rodata->table6, &layout->v6, sizeof(layout->v6));
	filter->skeleton->rodata->ecbpf_frags = filter->harness->frags;
}

static void fill_entry(struct filter *filter, const struct table_rule *rule,
		       const struct listed *listed, uint32_t parent)
{
	struct filter_entry entry = { .parent = parent,
				      .expires = listed->expires,
				      .length = rule->prefix.length,
				      .action = listed->action,
				      .family = rule->prefix.family };
	struct filter_allow_key key = { .length = FILTER_ALLOW_FAMILY_BITS + rule->prefix.length,
					.family = rule->prefix.family };

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(filter->skeleton->maps.entries), &rule->id,
					     &entry, BPF_ANY),
			 0);
	if (listed->action != FILTER_ALLOW)
		return;
	memcpy(&key.address, rule->prefix.addr, sizeof(key.address));
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(filter->skeleton->maps.allows), &key,
					     &rule->id, BPF_ANY),
			 0);
}

static void fill_local(struct filter *filter, const char *const *local, enum filter_local what)
{
	int map = bpf_map__fd(filter->skeleton->maps.local_addresses);
	uint8_t key[16], value = what;

	for (; local && *local; local++) {
		if (frame_address(*local, key) == 4) {
			memcpy(key + 12, key, 4);
			memset(key, 0, 10);
			memset(key + 10, 0xff, 2);
		}
		assert_int_equal(bpf_map_update_elem(map, key, &value, BPF_ANY), 0);
	}
}

void filter_open(struct filter *filter, struct harness *harness, const struct filter_setup *setup)
{
	const uint32_t length = list_length(setup->list);
	struct table_rule *rules = calloc(length + 1, sizeof(*rules));
	struct table *table;
	uint32_t i;

	assert_non_null(rules);
	*filter = (struct filter){
		.harness = harness,
		.skeleton = xdp_filter_bpf__open(),
		.entries = length,
		.hit_shard_size = (length / FILTER_HITS_PER_VALUE + 1) * FILTER_HITS_PER_VALUE,
		.hit_shards = HIT_SHARDS,
	};
	assert_non_null(filter->skeleton);
	harness_prepare(harness, filter->skeleton->obj);
	table = compile(setup->list, length, rules);
	size_maps(filter, table_get_layout(table));
	set_constants(filter, setup, table_get_layout(table));
	assert_int_equal(xdp_filter_bpf__load(filter->skeleton), 0);
	assert_int_equal(table_maps_fill(filter->skeleton->obj, table_map_names, table), 0);
	for (i = 0; i < length; i++)
		fill_entry(filter, &rules[i], &setup->list[i], table_get_parents(table)[i]);
	fill_local(filter, setup->broadcast, FILTER_BROADCAST);
	fill_local(filter, setup->local, FILTER_OWN);
	table_free(table);
	free(rules);
	harness_fill(harness, ECBPF_SLOT_FILTER, filter_program(filter));
}

void filter_close(struct filter *filter)
{
	xdp_filter_bpf__destroy(filter->skeleton);
	filter->skeleton = NULL;
}

int filter_program(const struct filter *filter)
{
	return bpf_program__fd(filter->skeleton->progs.xdp_filter_prog);
}

void filter_stats_sum(const struct filter *filter, struct filter_stats *stats)
{
	uint64_t reasons[ECBPF_REASON_MAX];

	harness_sum(bpf_map__fd(filter->skeleton->maps.stats), (uint64_t *)stats, sizeof(*stats));
	harness_reasons(filter->harness, reasons);
	filter_stats_add_reasons(reasons, stats);
}

uint64_t filter_shard_read(const struct filter *filter, uint32_t shard, uint32_t id)
{
	uint32_t index = (shard * filter->hit_shard_size + id) / FILTER_HITS_PER_VALUE;
	struct filter_hits value;

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(filter->skeleton->maps.hits), &index, &value), 0);
	return value.count[id % FILTER_HITS_PER_VALUE];
}

uint64_t filter_hits_read(const struct filter *filter, uint32_t id)
{
	uint64_t sum = 0;
	uint32_t shard;

	for (shard = 0; shard < filter->hit_shards; shard++)
		sum += filter_shard_read(filter, shard, id);
	return sum;
}

struct filter_ptb_budget filter_budget_read(const struct filter *filter)
{
	struct filter_ptb_budget budget;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(filter->skeleton->maps.ptb_budget), &zero,
					     &budget),
			 0);
	return budget;
}

void filter_budget_write(const struct filter *filter, uint64_t second, uint32_t sent)
{
	const struct filter_ptb_budget budget = { .second = second, .sent = sent };
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(filter->skeleton->maps.ptb_budget), &zero,
					     &budget, BPF_ANY),
			 0);
}
