/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The filter in slot 2 of a harness, with configuration and list given as data. */
#ifndef PACKETS_FILTERS_H
#define PACKETS_FILTERS_H

#include "harness.h"
#include "xdp_filter.h"

/* Ticks of filter_entry.expires that have long passed, and that are years away. */
#define EXPIRED	     1
#define EXPIRES_LATE UINT32_MAX

struct listed {
	const char *prefix;
	enum filter_action action;
	uint32_t expires;
};

/**
 * struct filter_setup - what a filter is loaded with
 * @list: ids are places in it, from 1; ends with a NULL prefix, may be NULL
 * @local, @broadcast: addresses of the host and of its subnets, each ends with NULL, may be NULL
 */
struct filter_setup {
	struct filter_config config;
	const struct listed *list;
	const char *const *local;
	const char *const *broadcast;
};

struct xdp_filter_bpf;

struct filter {
	struct harness *harness;
	struct xdp_filter_bpf *skeleton;
	uint32_t entries;
	uint32_t hit_shard_size;
	uint32_t hit_shards;
};

void filter_open(struct filter *filter, struct harness *harness, const struct filter_setup *setup);
void filter_close(struct filter *filter);

int filter_program(const struct filter *filter);
void filter_stats_sum(const struct filter *filter, struct filter_stats *stats);
uint64_t filter_hits_read(const struct filter *filter, uint32_t id);
/* Of one copy of the counters, 0 to hit_shards - 1. */
uint64_t filter_shard_read(const struct filter *filter, uint32_t shard, uint32_t id);

/* The budget of path MTU messages: as it stands, and as it is to be. */
struct filter_ptb_budget filter_budget_read(const struct filter *filter);
void filter_budget_write(const struct filter *filter, uint64_t second, uint32_t sent);

#endif
