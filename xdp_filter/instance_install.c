// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Building a new instance and swapping it in. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "instance.h"
#include "stats.h"
#include "table_maps.h"
#include "xdp_filter.skel.h"

/* Copies of the hit counters: more cost memory, fewer make CPUs meet on a cache line. */
#define HIT_SHARDS_MAX 16

/* An instance in the making: item i of its list becomes entry i + 1. */
struct build {
	struct ecbpf_root *root;
	struct filter_instance *instance;
	struct xdp_filter_bpf *skeleton;
	struct table *table;
	struct map_view hits_cleared;
};

static int failed(const struct build *build, int err, const char *what)
{
	const char *missing = "", *before = "";

	if (err == -EPERM || err == -EACCES) {
		missing = ecbpf_capabilities_missing();
		before = *missing ? "; missing: " : "";
	}
	return ecbpf_fail(err, "%s: %s: %s%s%s; nothing changed", ecbpf_root_interface(build->root),
			  what, strerror(-err), before, missing);
}

static uint32_t power_of_two(uint32_t value)
{
	uint32_t power = 1;

	while (power < value)
		power *= 2;
	return power;
}

/* Never a key for an address alone, as memos are zero at first. */
static int draw_memo_key(__u64 *key)
{
	if (getrandom(key, sizeof(*key), 0) != sizeof(*key))
		return -errno;
	*key |= 1ULL << 63;
	return 0;
}

static int complete_config(struct build *build)
{
	struct filter_config *config = &build->instance->config;
	int cpus = libbpf_num_possible_cpus(), mtu = ecbpf_mtu(ecbpf_root_interface(build->root));
	int err;

	if (mtu < 0)
		return failed(build, mtu, "reading the MTU");
	if (cpus < 1)
		return failed(build, cpus, "counting CPUs");
	config->mtu = mtu;
	config->have_check_mtu = ecbpf_have_check_mtu();
	config->hit_shard_mask = power_of_two(cpus < HIT_SHARDS_MAX ? cpus : HIT_SHARDS_MAX) - 1;
	config->hit_shards_shared = cpus > HIT_SHARDS_MAX;
	/* Whole values, so that copies share no cache line. */
	config->hit_shard_size =
		(build->instance->list.count / FILTER_HITS_PER_VALUE + 1) * FILTER_HITS_PER_VALUE;
	err = draw_memo_key(&config->memo_key);
	return err ? failed(build, err, "drawing a random number") : 0;
}

static void report_percent(void *context, unsigned int percent)
{
	ecbpf_progress_update(context, percent);
}

static int plan_table(struct build *build, struct ecbpf_progress *progress)
{
	const struct filter_list *list = &build->instance->list;
	struct table_rule *rules = calloc(list->count + 1, sizeof(*rules));
	const struct table_progress report = { report_percent, progress };
	size_t i;
	int err;

	if (!rules)
		return -ENOMEM;
	for (i = 0; i < list->count; i++) {
		rules[i].prefix = list->items[i].prefix;
		rules[i].id = i + 1;
		rules[i].allow = list->items[i].action == FILTER_ALLOW;
		rules[i].expires = list->items[i].expires;
	}
	err = table_plan(rules, list->count, progress ? &report : NULL, &build->table);
	free(rules);
	return err;
}

static size_t count_matching(const struct filter_list *list, bool family6, bool allow)
{
	size_t i, count = 0;

	for (i = 0; i < list->count; i++)
		count += family6 ? list->items[i].prefix.family == 6 :
				   allow && list->items[i].action == FILTER_ALLOW;
	return count;
}

static int size_maps(struct build *build, uint32_t addresses)
{
	const struct filter_list *list = &build->instance->list;
	const struct filter_config *config = &build->instance->config;
	const struct {
		struct bpf_map *map;
		size_t entries;
	} sizes[] = {
		{ build->skeleton->maps.entries, list->count + 1 },
		{ build->skeleton->maps.addresses6, count_matching(list, true, false) + 1 },
		{ build->skeleton->maps.tags, list->tag_count + 1 },
		{ build->skeleton->maps.hits, (size_t)config->hit_shard_size /
						      FILTER_HITS_PER_VALUE *
						      (config->hit_shard_mask + 1) },
		{ build->skeleton->maps.hits_cleared, list->count + 1 },
		{ build->skeleton->maps.allows, count_matching(list, false, true) + 1 },
		{ build->skeleton->maps.local_addresses, addresses + 1 },
	};
	size_t i;
	int err;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		err = bpf_map__set_max_entries(sizes[i].map, sizes[i].entries);
		if (err)
			return err;
	}
	return table_maps_size(build->skeleton->obj, table_map_names,
			       table_get_layout(build->table));
}

static void set_constants(struct build *build)
{
	const struct table_layout *layout = table_get_layout(build->table);

	memcpy((void *)&build->skeleton->rodata->filter_config, &build->instance->config,
	       sizeof(build->instance->config));
	memcpy((void *)&build->skeleton->rodata->table4, &layout->v4, sizeof(layout->v4));
	memcpy((void *)&build->skeleton->rodata->table6, &layout->v6, sizeof(layout->v6));
}

/*
 * The second of the limit goes on over a change, and so do the statistics, but for those of a filter
 * that was detached.
 */
static int keep_maps(struct build *build)
{
	int err = 0;

	if (build->instance->stats_map < 0)
		err = filter_stats_read(build->root, -1, &build->instance->stats_cleared);

	if (!err && build->instance->budget_map >= 0)
		err = bpf_map__reuse_fd(build->skeleton->maps.ptb_budget,
					build->instance->budget_map);
	if (!err && build->instance->stats_map >= 0)
		err = bpf_map__reuse_fd(build->skeleton->maps.stats, build->instance->stats_map);
	return err;
}

static void write_entry(const struct build *build, size_t index, struct filter_entry *entries,
			struct filter_address *addresses, uint32_t *next_address)
{
	const struct filter_item *item = &build->instance->list.items[index];
	struct filter_entry *entry = &entries[index + 1];

	*entry = (struct filter_entry){
		.parent = table_get_parents(build->table)[index],
		.expires = item->expires,
		.added = item->added,
		.tag = item->tag,
		.length = item->prefix.length,
		.action = item->action,
		.family = item->prefix.family,
	};
	if (item->prefix.family == 4) {
		memcpy(&entry->address, item->prefix.addr, sizeof(entry->address));
		return;
	}
	entry->address = *next_address;
	memcpy(&addresses[(*next_address)++], item->prefix.addr, sizeof(*addresses));
}

static int fill_entries(struct build *build)
{
	const struct filter_list *list = &build->instance->list;
	struct map_view entries = {}, addresses = {}, tags = {};
	uint32_t next_address = 0;
	uint64_t *cleared;
	size_t i;
	int err;

	err = map_view_open(bpf_map__fd(build->skeleton->maps.entries), true, &entries) ?:
		      map_view_open(bpf_map__fd(build->skeleton->maps.addresses6), true, &addresses) ?:
		      map_view_open(bpf_map__fd(build->skeleton->maps.tags), true, &tags) ?:
		      map_view_open(bpf_map__fd(build->skeleton->maps.hits_cleared), true,
				    &build->hits_cleared);
	if (!err) {
		cleared = build->hits_cleared.data;
		for (i = 0; i < list->count; i++) {
			write_entry(build, i, entries.data, addresses.data, &next_address);
			cleared[i + 1] = -list->items[i].hits;
		}
		if (list->tag_count)
			memcpy(tags.data, list->tags, list->tag_count * sizeof(*list->tags));
	}
	map_view_close(&entries);
	map_view_close(&addresses);
	map_view_close(&tags);
	return err;
}

static int fill_allows(struct build *build)
{
	const struct filter_list *list = &build->instance->list;
	int fd = bpf_map__fd(build->skeleton->maps.allows);
	uint32_t id;

	for (id = 1; id <= list->count; id++) {
		const struct filter_item *item = &list->items[id - 1];
		struct filter_allow_key key = {
			.length = FILTER_ALLOW_FAMILY_BITS + item->prefix.length,
			.family = item->prefix.family,
		};

		if (item->action != FILTER_ALLOW)
			continue;
		memcpy(&key.address, item->prefix.addr, sizeof(key.address));
		if (bpf_map_update_elem(fd, &key, &id, BPF_ANY))
			return -errno;
	}
	return 0;
}

static bool address_key(const struct sockaddr *address, struct filter_address *key)
{
	memset(key, 0, sizeof(*key));
	if (address && address->sa_family == AF_INET) {
		key->words[2] = htonl(0xffff);
		key->words[3] = ((const struct sockaddr_in *)address)->sin_addr.s_addr;
		return true;
	}
	if (address && address->sa_family == AF_INET6) {
		memcpy(key, &((const struct sockaddr_in6 *)address)->sin6_addr, sizeof(*key));
		return true;
	}
	return false;
}

/* Its own, that of broadcasts as configured, and the first and last one of its subnet. */
#define ADDRESSES_EACH 4

static uint32_t count_addresses(const struct ifaddrs *first)
{
	const struct ifaddrs *one;
	uint32_t count = 0;

	for (one = first; one; one = one->ifa_next)
		count += ADDRESSES_EACH;
	return count;
}

static int add_address(const struct build *build, const struct sockaddr *address,
		       enum filter_local what)
{
	int fd = bpf_map__fd(build->skeleton->maps.local_addresses);
	struct filter_address key;
	uint8_t value = what;

	if (!address_key(address, &key))
		return 0;
	return bpf_map_update_elem(fd, &key, &value, BPF_ANY) ? -errno : 0;
}

/* Broadcasts go to the last address of a subnet, in older times to the first (RFC 1122 3.3.6). */
static int add_broadcasts(const struct build *build, const struct ifaddrs *one)
{
	struct sockaddr_in first, last;
	in_addr_t mask;
	int err = 0;

	if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || !one->ifa_netmask)
		return 0;
	mask = ((const struct sockaddr_in *)one->ifa_netmask)->sin_addr.s_addr;
	/* In a /31 both are hosts (RFC 3021); of a /32, the C library may tell the peer instead. */
	if (ntohl(~mask) < 3)
		return 0;
	if (one->ifa_flags & IFF_BROADCAST)
		err = add_address(build, one->ifa_broadaddr, FILTER_BROADCAST);
	if (err)
		return err;
	first = last = *(const struct sockaddr_in *)one->ifa_addr;
	first.sin_addr.s_addr &= mask;
	last.sin_addr.s_addr |= ~mask;
	return add_address(build, (struct sockaddr *)&first, FILTER_BROADCAST) ?:
		       add_address(build, (struct sockaddr *)&last, FILTER_BROADCAST);
}

/* What is the host's own address, too, is that: so those come last. */
static int fill_addresses(const struct build *build, const struct ifaddrs *first)
{
	const struct ifaddrs *one;
	int err = 0;

	for (one = first; one && !err; one = one->ifa_next)
		err = add_broadcasts(build, one);
	for (one = first; one && !err; one = one->ifa_next)
		err = add_address(build, one->ifa_addr, FILTER_OWN);
	return err;
}

static int fill_settings(struct build *build)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(build->skeleton->maps.config), &zero,
				&build->instance->config, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(build->skeleton->maps.stats_cleared), &zero,
				&build->instance->stats_cleared, BPF_ANY))
		return -errno;
	return 0;
}

static int load(struct build *build, const struct ifaddrs *addresses)
{
	int err;

	build->skeleton = xdp_filter_bpf__open();
	if (!build->skeleton)
		return failed(build, -errno, "opening xdp_filter_prog");
	err = ecbpf_subprogram_prepare(build->root, build->skeleton->obj);
	if (err)
		return err;
	err = size_maps(build, count_addresses(addresses)) ?: keep_maps(build);
	if (err)
		return failed(build, err, "sizing the filter's maps");
	set_constants(build);
	err = xdp_filter_bpf__load(build->skeleton);
	if (err)
		return failed(build, err, "loading xdp_filter_prog");
	err = table_maps_fill(build->skeleton->obj, table_map_names, build->table) ?:
		      fill_entries(build)					   ?:
		      fill_allows(build)					   ?:
		      fill_addresses(build, addresses)				   ?:
		      fill_settings(build);
	return err ? failed(build, err, "filling the filter's maps") : 0;
}

/* Hits that the old instance counted while the new one was built. */
static void carry_hits(struct build *build)
{
	const struct filter_instance *instance = build->instance;
	uint64_t *cleared = build->hits_cleared.data;
	struct map_view view;
	size_t i;

	if (instance->hits_map < 0 || map_view_open(instance->hits_map, false, &view))
		return;
	for (i = 0; i < instance->list.count; i++) {
		const struct filter_item *item = &instance->list.items[i];

		if (item->id)
			cleared[i + 1] =
				item->cleared - filter_hits_count(instance, &view, item->id);
	}
	map_view_close(&view);
}

int filter_instance_install(struct ecbpf_root *root, struct filter_instance *instance,
			    struct ecbpf_progress *progress)
{
	struct build build = { .root = root, .instance = instance };
	struct ifaddrs *addresses = NULL;
	int err;

	err = complete_config(&build);
	if (err)
		return err;
	if (getifaddrs(&addresses))
		return failed(&build, -errno, "reading the host's addresses");
	err = plan_table(&build, progress);
	if (err)
		failed(&build, err, "compiling the list");
	else
		err = load(&build, addresses);
	if (!err)
		err = ecbpf_slot_replace(root, ECBPF_SLOT_FILTER, build.skeleton->obj,
					 build.skeleton->progs.xdp_filter_prog);
	if (!err)
		carry_hits(&build);
	map_view_close(&build.hits_cleared);
	xdp_filter_bpf__destroy(build.skeleton);
	table_free(build.table);
	freeifaddrs(addresses);
	return err;
}
