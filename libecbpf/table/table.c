/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table_build.h"

struct table {
	struct table_layout layout;
	struct table_progress progress;
	struct table_cover *covers;
	struct table_runs v4;
	struct table_runs v6;
	__u32 *parents;
};

static void report(const struct table *table, unsigned int percent)
{
	if (table->progress.report)
		table->progress.report(table->progress.context, percent);
}

static int resolve(struct table *table, const struct table_rule *rules, size_t count)
{
	size_t v4 = 0;
	int err;

	while (v4 < count && table->covers[v4].family == 4)
		v4++;
	err = table_resolve(rules, table->covers, v4, table->parents, &table->v4);
	if (!err)
		err = table_resolve(rules, table->covers + v4, count - v4, table->parents,
				    &table->v6);
	return err;
}

static int plan(struct table *table, const struct table_rule *rules, size_t count)
{
	int err, map;

	for (map = 0; map < TABLE_MAPS; map++) {
		table->layout.map[map].value_size = 8;
		table->layout.map[map].max_entries = 1;
	}
	report(table, 0);
	table->parents = calloc(count ? count : 1, sizeof(*table->parents));
	if (!table->parents)
		return -ENOMEM;
	err = table_sort(rules, count, &table->covers);
	if (err)
		return err;
	report(table, 25);
	err = resolve(table, rules, count);
	if (err)
		return err;
	report(table, 35);
	err = table4_plan(&table->v4, &table->layout);
	if (!err)
		err = table6_plan(&table->v6, &table->layout);
	return err;
}

int table_plan(const struct table_rule *rules, size_t count, const struct table_progress *progress,
	       struct table **out)
{
	struct table *table = calloc(1, sizeof(*table));
	int err;

	if (!table)
		return -ENOMEM;
	if (progress)
		table->progress = *progress;
	err = plan(table, rules, count);
	if (err) {
		table_free(table);
		return err;
	}
	report(table, 50);
	*out = table;
	return 0;
}

const struct table_layout *table_get_layout(const struct table *table)
{
	return &table->layout;
}

const __u32 *table_get_parents(const struct table *table)
{
	return table->parents;
}

const struct table_runs *table_get_runs(const struct table *table, unsigned int family)
{
	return family == 4 ? &table->v4 : &table->v6;
}

size_t table_layout_bytes(const struct table_layout *layout)
{
	size_t bytes = 0;
	int map;

	for (map = 0; map < TABLE_MAPS; map++)
		bytes += (size_t)layout->map[map].value_size * layout->map[map].max_entries;
	return bytes;
}

int table_fill(struct table *table, void *const memory[TABLE_MAPS])
{
	int err;

	table4_fill(&table->v4, &table->layout, memory);
	report(table, 75);
	err = table6_fill(&table->v6, &table->layout, memory);
	if (!err)
		report(table, 100);
	return err;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	table_runs_free(&table->v4);
	table_runs_free(&table->v6);
	free(table->covers);
	free(table->parents);
	free(table);
}
