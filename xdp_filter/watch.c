// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --watch: statistics as packets per second, and the prefixes that drop most just now. */
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "instance.h"
#include "status.h"

#define TOTAL_MAX 24
#define BUSY_MOST 10

enum {
	COLUMN_NAME,
	COLUMN_RATE,
	COLUMN_TOTAL,
	COLUMN_TAG,
	COLUMNS,
};

/**
 * struct seen - one interface in the picture before
 * @there: a filter was
 */
struct seen {
	bool there;
	struct filter_instance instance;
};

/* An entry with hits since the picture before. */
struct busy {
	const struct filter_item *item;
	uint64_t hits;
};

static void print_row(const struct ecbpf_column *columns, const char *name, const char *tag,
		      const uint64_t *before, uint64_t now, double seconds)
{
	char rate[ECBPF_RATE_MAX], total[TOTAL_MAX];
	const char *cells[COLUMNS] = { name, ecbpf_rate_format(before, now, seconds, rate), total,
				       tag };

	snprintf(total, sizeof(total), "%" PRIu64, now);
	ecbpf_table_row(stdout, columns, tag ? COLUMNS : COLUMN_TAG, cells);
}

static void print_stats(const struct seen *before, const struct filter_instance *now,
			double seconds)
{
	static const struct ecbpf_column columns[] = { { "STATISTIC", 24, false },
						       { "PACKETS/S", 12, true },
						       { "PACKETS", 16, true } };
	uint64_t old;
	int i;

	ecbpf_table_header(stdout, columns, COLUMN_TAG);
	for (i = 0; i < FILTER_STAT_COUNT; i++) {
		old = before->instance.stats.values[i];
		print_row(columns, filter_stat_name(i), NULL, before->there ? &old : NULL,
			  now->stats.values[i], seconds);
	}
}

/* Kept in @busiest, most first, as far as there is room; how many are. */
static size_t keep(struct busy busiest[BUSY_MOST], size_t count, struct busy one)
{
	size_t at = count;

	while (at && busiest[at - 1].hits < one.hits)
		at--;
	if (at == BUSY_MOST)
		return count;
	if (count < BUSY_MOST)
		count++;
	memmove(&busiest[at + 1], &busiest[at], (count - at - 1) * sizeof(*busiest));
	busiest[at] = one;
	return count;
}

static size_t find_busiest(const struct filter_list *before, const struct filter_list *now,
			   struct busy busiest[BUSY_MOST])
{
	size_t count = 0, i;

	for (i = 0; i < now->count; i++) {
		const struct filter_item *item = &now->items[i], *old;
		struct busy one = { .item = item, .hits = item->hits };

		if (!item->hits)
			continue;
		old = filter_list_find(before, &item->prefix);
		if (old && old->hits <= item->hits)
			one.hits -= old->hits;
		if (one.hits)
			count = keep(busiest, count, one);
	}
	return count;
}

static void print_prefixes(const struct filter_list *before, const struct filter_list *now,
			   double seconds)
{
	struct ecbpf_column columns[COLUMNS] = { { "PREFIX", 24, false },
						 { "HITS/S", 12, true },
						 { "HITS", 16, true },
						 { "TAG", 3, false } };
	char texts[BUSY_MOST][PREFIX_TEXT_SIZE];
	struct busy busiest[BUSY_MOST];
	size_t count = find_busiest(before, now, busiest), i;
	uint64_t old;

	if (!count)
		return;
	for (i = 0; i < count; i++)
		ecbpf_column_fit(&columns[COLUMN_NAME],
				 prefix_format(&busiest[i].item->prefix, texts[i]));
	putchar('\n');
	ecbpf_table_header(stdout, columns, COLUMNS);
	for (i = 0; i < count; i++) {
		const struct filter_item *item = busiest[i].item;

		old = item->hits - busiest[i].hits;
		print_row(columns, texts[i], filter_list_tag_text(now, item->tag), &old, item->hits,
			  seconds);
	}
}

static void print_interface(const char *name, const struct seen *before, const struct seen *now,
			    double seconds)
{
	if (!now->there) {
		printf("\nFilter not attached to interface %s.\n", name);
		return;
	}
	printf("\nInterface %s, %zu prefixes:\n", name, now->instance.list.count);
	print_stats(before, &now->instance, seconds);
	if (before->there)
		print_prefixes(&before->instance.list, &now->instance.list, seconds);
}

static int look(const char *name, struct seen *seen)
{
	bool there;
	int err = ecbpf_root_present(name, ECBPF_LIVE, &there);

	filter_instance_init(&seen->instance);
	if (err || !there)
		return err;
	err = filter_instance_look(name, ECBPF_LIVE, &seen->instance);
	seen->there = !err;
	return err == -ENOENT ? 0 : err;
}

static void forget(void *state)
{
	struct seen *seen = state;

	if (seen->there)
		filter_instance_free(&seen->instance);
}

static int draw(const char *name, void *state, double seconds)
{
	struct seen now = {}, *before = state;
	int err = look(name, &now);

	if (err)
		return err;
	print_interface(name, before, &now, seconds);
	forget(before);
	*before = now;
	return 0;
}

int filter_watch(const struct ecbpf_strings *interfaces, uint64_t interval)
{
	const struct ecbpf_watch_work work = { sizeof(struct seen), draw, forget };

	return ecbpf_watch_interfaces(interfaces, interval, &work);
}
