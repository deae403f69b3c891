// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The list of source prefixes in user space. */
#include "list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/tool.h>

#define ROOM_MIN 64

void filter_list_free(struct filter_list *list)
{
	free(list->items);
	free(list->tags);
	free(list->tag_index);
	memset(list, 0, sizeof(*list));
}

static int make_room(void **array, size_t *room, size_t count, size_t size)
{
	size_t wanted = *room ? *room * 2 : ROOM_MIN;
	void *grown;

	if (count < *room)
		return 0;
	grown = realloc(*array, wanted * size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = wanted;
	return 0;
}

int filter_list_append(struct filter_list *list, const struct filter_item *item)
{
	int err;

	if (list->count >= FILTER_ENTRIES_MAX)
		return -E2BIG;
	err = make_room((void **)&list->items, &list->room, list->count, sizeof(*item));
	if (!err)
		list->items[list->count++] = *item;
	return err;
}

/* Appended order decides between equal prefixes: qsort() alone isn't stable. */
struct sort_key {
	const struct filter_item *item;
};

static int compare_items(const void *a, const void *b)
{
	const struct filter_item *left = ((const struct sort_key *)a)->item;
	const struct filter_item *right = ((const struct sort_key *)b)->item;
	int order = prefix_compare(&left->prefix, &right->prefix);

	if (order)
		return order;
	return left < right ? -1 : left > right;
}

static bool in_order(const struct filter_list *list)
{
	size_t i;

	for (i = 1; i < list->count; i++)
		if (prefix_compare(&list->items[i - 1].prefix, &list->items[i].prefix) >= 0)
			return false;
	return true;
}

int filter_list_sort(struct filter_list *list, size_t *duplicates)
{
	size_t i, kept = 0, count = list->count;
	struct filter_item *sorted;
	struct sort_key *keys;

	*duplicates = 0;
	if (in_order(list))
		return 0;
	keys = calloc(count, sizeof(*keys));
	sorted = calloc(count, sizeof(*sorted));
	if (!keys || !sorted) {
		free(keys);
		free(sorted);
		return -ENOMEM;
	}
	for (i = 0; i < count; i++)
		keys[i].item = &list->items[i];
	qsort(keys, count, sizeof(*keys), compare_items);
	for (i = 0; i < count; i++) {
		if (i + 1 < count &&
		    !prefix_compare(&keys[i].item->prefix, &keys[i + 1].item->prefix))
			continue;
		sorted[kept++] = *keys[i].item;
	}
	free(keys);
	free(list->items);
	list->items = sorted;
	list->count = kept;
	list->room = count;
	*duplicates = count - kept;
	return 0;
}

/* FNV-1a, 32 bits. */
static uint32_t hash(const char *text)
{
	uint32_t value = 2166136261U;

	while (*text)
		value = (value ^ (unsigned char)*text++) * 16777619U;
	return value;
}

static void index_tag(struct filter_list *list, uint32_t tag)
{
	size_t slot = hash(list->tags[tag].text) & (list->tag_slots - 1);

	while (list->tag_index[slot])
		slot = (slot + 1) & (list->tag_slots - 1);
	list->tag_index[slot] = tag;
}

static int grow_index(struct filter_list *list)
{
	size_t slots = list->tag_slots ? list->tag_slots * 2 : ROOM_MIN * 2;
	uint32_t *index, tag;

	if (list->tag_count * 2 < list->tag_slots)
		return 0;
	index = calloc(slots, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(list->tag_index);
	list->tag_index = index;
	list->tag_slots = slots;
	for (tag = 1; tag < list->tag_count; tag++)
		index_tag(list, tag);
	return 0;
}

int filter_list_tag(struct filter_list *list, const char *text, uint32_t *tag)
{
	struct filter_tag cut = {};
	size_t slot;
	int err;

	strncpy(cut.text, text, sizeof(cut.text) - 1);
	if (!cut.text[0]) {
		*tag = 0;
		return 0;
	}
	err = grow_index(list) ?:
				 make_room((void **)&list->tags, &list->tag_room, list->tag_count + 1,
					   sizeof(cut));
	if (err)
		return err;
	if (!list->tag_count)
		list->tags[list->tag_count++] = (struct filter_tag){};
	slot = hash(cut.text) & (list->tag_slots - 1);
	while (list->tag_index[slot]) {
		if (!strcmp(list->tags[list->tag_index[slot]].text, cut.text)) {
			*tag = list->tag_index[slot];
			return 0;
		}
		slot = (slot + 1) & (list->tag_slots - 1);
	}
	list->tags[list->tag_count] = cut;
	list->tag_index[slot] = list->tag_count;
	*tag = list->tag_count++;
	return 0;
}

const char *filter_list_tag_text(const struct filter_list *list, uint32_t tag)
{
	return tag && tag < list->tag_count ? list->tags[tag].text : "";
}

struct filter_item *filter_list_find(const struct filter_list *list, const struct prefix *prefix)
{
	size_t low = 0, high = list->count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = prefix_compare(prefix, &list->items[middle].prefix);
		if (!order)
			return &list->items[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static void shorten(struct prefix *prefix)
{
	prefix->length--;
	prefix->addr[prefix->length / 8] &= ~(0x80 >> prefix->length % 8);
}

struct filter_item *filter_list_cover(const struct filter_list *list, const struct prefix *prefix,
				      enum filter_action action)
{
	struct prefix shorter = *prefix;
	struct filter_item *item;

	while (shorter.length) {
		shorten(&shorter);
		item = filter_list_find(list, &shorter);
		if (item && item->action == action)
			return item;
	}
	return NULL;
}

void filter_list_remove(struct filter_list *list, struct filter_item *item)
{
	size_t after = list->count - (item - list->items) - 1;

	memmove(item, item + 1, after * sizeof(*item));
	list->count--;
}

size_t filter_list_expire(struct filter_list *list, uint32_t tick)
{
	size_t i, kept = 0, count = list->count;

	for (i = 0; i < count; i++) {
		if (list->items[i].expires && list->items[i].expires <= tick)
			continue;
		if (kept != i)
			list->items[kept] = list->items[i];
		kept++;
	}
	list->count = kept;
	return count - kept;
}

uint32_t filter_tick_now(void)
{
	return ecbpf_clock(CLOCK_BOOTTIME) >> FILTER_TICK_SHIFT;
}

uint32_t filter_tick_after(uint64_t nanoseconds)
{
	return ((ecbpf_clock(CLOCK_BOOTTIME) + nanoseconds) >> FILTER_TICK_SHIFT) + 1;
}
