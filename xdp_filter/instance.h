/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An instance of the filter: its program with configuration and list. A change reads the running
 * instance, edits the copy, and installs a new one in its place.
 */
#ifndef XDP_FILTER_INSTANCE_H
#define XDP_FILTER_INSTANCE_H

#include <ecbpf/tool.h>

#include "list.h"

/**
 * struct filter_instance - a copy of what runs on an interface
 * @stats: without what --clear-status subtracted
 * @stats_map: of the instance read, for the next one to go on with; -1: none
 * @budget_map: likewise, of path MTU messages
 * @hits_map: where hits are counted until the new instance takes over; -1: none
 * @stats_cleared: what is subtracted from the raw statistics
 */
struct filter_instance {
	struct filter_config config;
	struct filter_list list;
	struct filter_stats stats;
	struct filter_stats stats_cleared;
	int stats_map;
	int budget_map;
	int hits_map;
	uint32_t hit_shard_mask;
	uint32_t hit_shard_size;
};

/* Before anything was attached: frags pass, answers are limited, the list is empty. */
void filter_instance_init(struct filter_instance *instance);
void filter_instance_free(struct filter_instance *instance);

/**
 * filter_instance_read() - copy what runs in @root's slot
 *
 * Return, saying nothing: -ENOENT: no filter there; -ESTALE: @root was opened without the lock, and
 * is gone.
 */
int filter_instance_read(struct ecbpf_root *root, struct filter_instance *instance);

/* -ENOENT, having said that there is no filter, and what to do. */
int filter_instance_missing(const char *interface);

/* As filter_instance_read(), without a lock, for what runs on @interface. */
int filter_instance_look(const char *interface, enum ecbpf_which which,
			 struct filter_instance *instance);

/**
 * filter_instance_install() - build @instance and swap it in, atomically
 * @progress: draws a bar if the list is long, may be NULL
 *
 * Hits of entries with an id go on from where they are.
 */
int filter_instance_install(struct ecbpf_root *root, struct filter_instance *instance,
			    struct ecbpf_progress *progress);

struct map_view;

/* Raw count of the hits of entry @id in the instance that was read; @hits shows its "hits". */
uint64_t filter_hits_count(const struct filter_instance *instance, const struct map_view *hits,
			   uint32_t id);

/* Set statistics and hits of what runs in @root's slot to zero. */
int filter_instance_clear(struct ecbpf_root *root);

#endif
