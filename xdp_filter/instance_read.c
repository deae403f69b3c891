// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Copying the running instance out of its maps. */
#include "instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "map_view.h"
#include "stats.h"

#define PTB_MAX_PPS_DEFAULT 100
/* How often to start again when a loader replaces the instance while it is read. */
#define READ_ATTEMPTS 20

enum view {
	VIEW_ENTRIES,
	VIEW_ADDRESSES6,
	VIEW_TAGS,
	VIEW_HITS,
	VIEW_HITS_CLEARED,
	VIEW_STATS_CLEARED,
	VIEW_CONFIG,
	VIEWS,
};

static const struct {
	const char *name;
	size_t value_size;
} view_maps[VIEWS] = {
	[VIEW_ENTRIES] = { "entries", sizeof(struct filter_entry) },
	[VIEW_ADDRESSES6] = { "addresses6", sizeof(struct filter_address) },
	[VIEW_TAGS] = { "tags", sizeof(struct filter_tag) },
	[VIEW_HITS] = { "hits", sizeof(struct filter_hits) },
	[VIEW_HITS_CLEARED] = { "hits_cleared", sizeof(__u64) },
	[VIEW_STATS_CLEARED] = { "stats_cleared", sizeof(struct filter_stats) },
	[VIEW_CONFIG] = { "config", sizeof(struct filter_config) },
};

void filter_instance_init(struct filter_instance *instance)
{
	memset(instance, 0, sizeof(*instance));
	instance->config.ptb_max_pps = PTB_MAX_PPS_DEFAULT;
	instance->stats_map = -1;
	instance->budget_map = -1;
	instance->hits_map = -1;
}

void filter_instance_free(struct filter_instance *instance)
{
	int *const maps[] = { &instance->stats_map, &instance->budget_map, &instance->hits_map };
	size_t i;

	filter_list_free(&instance->list);
	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		if (*maps[i] >= 0)
			close(*maps[i]);
		*maps[i] = -1;
	}
}

static void close_views(struct map_view views[VIEWS])
{
	int i;

	for (i = 0; i < VIEWS; i++)
		map_view_close(&views[i]);
}

static int open_view(struct ecbpf_root *root, enum view which, bool writable, struct map_view *view)
{
	int fd = ecbpf_slot_map_open(root, ECBPF_SLOT_FILTER, view_maps[which].name), err;

	if (fd < 0)
		return fd;
	err = map_view_open(fd, writable, view);
	close(fd);
	if (!err && view->value_size != view_maps[which].value_size)
		err = -EPROTO;
	return err;
}

static int open_views(struct ecbpf_root *root, bool writable, struct map_view views[VIEWS])
{
	int i, err = 0;

	memset(views, 0, VIEWS * sizeof(*views));
	for (i = 0; i < VIEWS && !err; i++)
		err = open_view(root, i, writable, &views[i]);
	if (err)
		close_views(views);
	return err;
}

uint64_t filter_hits_count(const struct filter_instance *instance, const struct map_view *view,
			   uint32_t id)
{
	const volatile struct filter_hits *hits = view->data;
	uint32_t shard, index;
	uint64_t sum = 0;

	for (shard = 0; shard <= instance->hit_shard_mask; shard++) {
		index = (shard * instance->hit_shard_size + id) / FILTER_HITS_PER_VALUE;
		if (index < view->entries)
			sum += hits[index].count[id % FILTER_HITS_PER_VALUE];
	}
	return sum;
}

static int read_entry(struct filter_instance *instance, const struct map_view views[VIEWS],
		      uint32_t id)
{
	const struct filter_entry *entry = (struct filter_entry *)views[VIEW_ENTRIES].data + id;
	const struct filter_address *addresses = views[VIEW_ADDRESSES6].data;
	const uint64_t *cleared = views[VIEW_HITS_CLEARED].data;
	struct filter_item item = {
		.prefix = { .family = entry->family, .length = entry->length },
		.action = entry->action,
		.id = id,
		.expires = entry->expires,
		.added = entry->added,
		.tag = entry->tag,
	};

	if (entry->length == FILTER_UNUSED || !entry->family)
		return 0;
	if (entry->family == 4)
		memcpy(item.prefix.addr, &entry->address, sizeof(entry->address));
	else if (entry->address < views[VIEW_ADDRESSES6].entries)
		memcpy(item.prefix.addr, &addresses[entry->address], sizeof(item.prefix.addr));
	if (id < views[VIEW_HITS_CLEARED].entries)
		item.cleared = cleared[id];
	item.hits = filter_hits_count(instance, &views[VIEW_HITS], id) - item.cleared;
	return filter_list_append(&instance->list, &item);
}

static int read_list(struct filter_instance *instance, const struct map_view views[VIEWS])
{
	const struct filter_tag *tags = views[VIEW_TAGS].data;
	uint32_t id, tag, copy;
	size_t duplicates;
	int err = 0;

	/* In the order of their offsets, so that each gets the offset that it had. */
	for (tag = 1; tag < views[VIEW_TAGS].entries && tags[tag].text[0] && !err; tag++)
		err = filter_list_tag(&instance->list, tags[tag].text, &copy);
	for (id = 1; id < views[VIEW_ENTRIES].entries && !err; id++)
		err = read_entry(instance, views, id);
	return err ?: filter_list_sort(&instance->list, &duplicates);
}

static int read_maps(struct ecbpf_root *root, struct filter_instance *instance)
{
	struct map_view views[VIEWS];
	int err, i;

	instance->stats_map = ecbpf_slot_map_open(root, ECBPF_SLOT_FILTER, "stats");
	instance->budget_map = ecbpf_slot_map_open(root, ECBPF_SLOT_FILTER, "ptb_budget");
	instance->hits_map = ecbpf_slot_map_open(root, ECBPF_SLOT_FILTER, "hits");
	if (instance->stats_map < 0 || instance->budget_map < 0 || instance->hits_map < 0)
		return -ENOENT;
	err = open_views(root, false, views);
	if (err)
		return err;
	instance->config = *(struct filter_config *)views[VIEW_CONFIG].data;
	instance->hit_shard_mask = instance->config.hit_shard_mask;
	instance->hit_shard_size = instance->config.hit_shard_size;
	instance->stats_cleared = *(struct filter_stats *)views[VIEW_STATS_CLEARED].data;
	err = filter_stats_read(root, instance->stats_map, &instance->stats);
	for (i = 0; i < FILTER_STAT_COUNT; i++)
		instance->stats.values[i] -= instance->stats_cleared.values[i];
	if (!err)
		err = read_list(instance, views);
	close_views(views);
	return err;
}

int filter_instance_read(struct ecbpf_root *root, struct filter_instance *instance)
{
	uint32_t id = ecbpf_slot_program_id(root, ECBPF_SLOT_FILTER), now;
	int attempt, err = -ENOENT;

	for (attempt = 0; id && attempt < READ_ATTEMPTS; attempt++) {
		filter_instance_init(instance);
		err = read_maps(root, instance);
		now = ecbpf_slot_program_id(root, ECBPF_SLOT_FILTER);
		if (now == id)
			break;
		/* Replaced meanwhile: what was read may be of two instances. */
		filter_instance_free(instance);
		id = now;
		err = -ENOENT;
	}
	if (!err)
		return 0;
	if (id)
		filter_instance_free(instance);
	if (err == -ENOENT && !id)
		return err;
	if (ecbpf_root_gone(root))
		return -ESTALE;
	return ecbpf_fail(err, "%s: reading the filter's maps failed: %s%s",
			  ecbpf_root_interface(root), strerror(-err),
			  err == -EPROTO ? "; another version made them" : "");
}

int filter_instance_missing(const char *interface)
{
	return ecbpf_fail(-ENOENT,
			  "%s: no filter in slot %d; run 'xdp_filter --attach --interface %s'",
			  interface, ECBPF_SLOT_FILTER, interface);
}

static int look(struct ecbpf_root *root, void *instance)
{
	return filter_instance_read(root, instance);
}

int filter_instance_look(const char *interface, enum ecbpf_which which,
			 struct filter_instance *instance)
{
	return ecbpf_root_look(interface, which, look, instance);
}

int filter_instance_clear(struct ecbpf_root *root)
{
	struct filter_instance instance;
	struct map_view views[VIEWS];
	struct filter_stats *stats;
	uint64_t *hits;
	size_t i;
	int err;

	err = filter_instance_read(root, &instance);
	if (err)
		return err;
	err = open_views(root, true, views);
	if (!err) {
		stats = views[VIEW_STATS_CLEARED].data;
		hits = views[VIEW_HITS_CLEARED].data;
		for (i = 0; i < FILTER_STAT_COUNT; i++)
			stats->values[i] += instance.stats.values[i];
		for (i = 0; i < instance.list.count; i++)
			hits[instance.list.items[i].id] += instance.list.items[i].hits;
		close_views(views);
	}
	filter_instance_free(&instance);
	return err ? ecbpf_fail(err, "%s: clearing the filter's counters failed: %s",
				ecbpf_root_interface(root), strerror(-err)) :
		     0;
}
