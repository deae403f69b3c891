/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The list of source prefixes in user space: entries, their tags, and changes to them. */
#ifndef XDP_FILTER_LIST_H
#define XDP_FILTER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prefix.h"
#include "xdp_filter.h"

/**
 * struct filter_item - an entry
 * @action: enum filter_action
 * @id: in the instance that it was read from; 0: new
 * @expires: FILTER_TICK_SHIFT ticks of CLOCK_BOOTTIME, 0: never
 * @added: seconds since the Unix epoch
 * @tag: offset in the list's tags, 0: none
 * @hits: packets, when it was read
 * @cleared: what is subtracted from its raw counters to get @hits
 */
struct filter_item {
	struct prefix prefix;
	uint8_t action;
	uint32_t id;
	uint32_t expires;
	uint32_t added;
	uint32_t tag;
	uint64_t hits;
	uint64_t cleared;
};

/*
 * Zero-initialised: empty. Items are in the order of prefix_compare() without duplicates but for
 * what filter_list_append() added since filter_list_sort().
 */
struct filter_list {
	struct filter_item *items;
	size_t count;
	size_t room;
	struct filter_tag *tags;
	size_t tag_count;
	size_t tag_room;
	/* Open addressing over the tags' offsets; a power of two. */
	uint32_t *tag_index;
	size_t tag_slots;
};

void filter_list_free(struct filter_list *list);

/* -ENOMEM, or -E2BIG beyond FILTER_ENTRIES_MAX. */
int filter_list_append(struct filter_list *list, const struct filter_item *item);

/* Order the items; of equal prefixes the last one stays. -ENOMEM.
 * @duplicates: out: how many others there were
 */
int filter_list_sort(struct filter_list *list, size_t *duplicates);

/* Offset of @text among the tags, added if need be: through @tag. -ENOMEM. */
int filter_list_tag(struct filter_list *list, const char *text, uint32_t *tag);
const char *filter_list_tag_text(const struct filter_list *list, uint32_t tag);

/* The entry of exactly that prefix, or NULL. */
struct filter_item *filter_list_find(const struct filter_list *list, const struct prefix *prefix);

/* The longest entry with @action that covers @prefix and is shorter, or NULL. */
struct filter_item *filter_list_cover(const struct filter_list *list, const struct prefix *prefix,
				      enum filter_action action);

void filter_list_remove(struct filter_list *list, struct filter_item *item);

/* Drop what expired before @tick; returns how many. */
size_t filter_list_expire(struct filter_list *list, uint32_t tick);

/* Ticks of CLOCK_BOOTTIME now, and the first tick that is at least @nanoseconds away. */
uint32_t filter_tick_now(void);
uint32_t filter_tick_after(uint64_t nanoseconds);

#endif
