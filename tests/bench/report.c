// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <ecbpf/tool.h>
#include <json-c/json.h>

#define TEXT_MAX 96

struct section {
	const char *title;
	const char *baseline;
	struct row *rows;
	size_t count;
};

struct skip {
	char what[ROW_NAME_MAX];
	char why[TEXT_MAX];
};

struct report {
	struct report_settings settings;
	struct section *sections;
	size_t count;
	/* Sections printed so far. */
	size_t shown;
	struct skip *skips;
	size_t skip_count;
};

enum column {
	COLUMN_NAME,
	COLUMN_UNIT,
	COLUMN_BEST,
	COLUMN_MEDIAN,
	COLUMN_BASELINE,
	COLUMN_DIFFERENCE,
	COLUMN_RATIO,
	COLUMN_GOAL,
	COLUMN_VERDICT,
	COLUMN_CYCLES,
	COLUMN_MISSES,
	COLUMNS,
};

static const struct ecbpf_column titles[COLUMNS] = {
	[COLUMN_NAME] = { "CASE", 4, false },
	[COLUMN_UNIT] = { "UNIT", 4, false },
	[COLUMN_BEST] = { "BEST", 7, true },
	[COLUMN_MEDIAN] = { "MEDIAN", 7, true },
	[COLUMN_BASELINE] = { "BASELINE", 8, true },
	[COLUMN_DIFFERENCE] = { "DIFFERENCE", 10, true },
	[COLUMN_RATIO] = { "RATIO", 6, true },
	[COLUMN_GOAL] = { "TARGET", 18, false },
	[COLUMN_VERDICT] = { "MET", 4, false },
	[COLUMN_CYCLES] = { "CYCLES", 7, true },
	[COLUMN_MISSES] = { "CACHE MISSES", 12, true },
};

struct report *report_new(const struct report_settings *settings)
{
	struct report *report = calloc(1, sizeof(*report));

	if (report)
		report->settings = *settings;
	return report;
}

void report_free(struct report *report)
{
	size_t i;

	if (!report)
		return;
	for (i = 0; i < report->count; i++)
		free(report->sections[i].rows);
	free(report->sections);
	free(report->skips);
	free(report);
}

/* Room for one more at the end of @array, zeroed, or NULL. */
static void *append(void *array, size_t *count, size_t size)
{
	char **items = array;
	char *grown = reallocarray(*items, *count + 1, size);

	if (!grown)
		return NULL;
	*items = grown;
	return memset(grown + (*count)++ * size, 0, size);
}

int report_section(struct report *report, const char *title, const char *baseline)
{
	struct section *section =
		append(&report->sections, &report->count, sizeof(*report->sections));

	if (!section)
		return -ENOMEM;
	section->title = title;
	section->baseline = baseline;
	return report->count - 1;
}

int report_row(struct report *report, int number, const struct row *row)
{
	struct section *section = &report->sections[number];
	struct row *copy = append(&section->rows, &section->count, sizeof(*section->rows));

	if (!copy)
		return -ENOMEM;
	*copy = *row;
	return 0;
}

int report_value(struct report *report, int section, const char *name, const char *unit,
		 double value, double most)
{
	struct row row = {
		.unit = unit,
		.best = value,
		.median = value,
		.goal = { GOAL_VALUE_AT_MOST, most },
	};

	snprintf(row.name, sizeof(row.name), "%s", name);
	return report_row(report, section, &row);
}

int report_skip(struct report *report, const char *what, const char *why)
{
	struct skip *skip = append(&report->skips, &report->skip_count, sizeof(*report->skips));

	if (!skip)
		return -ENOMEM;
	snprintf(skip->what, sizeof(skip->what), "%s", what);
	snprintf(skip->why, sizeof(skip->why), "%s", why);
	return 0;
}

static double row_difference(const struct row *row)
{
	return row->best - row->baseline;
}

static double row_ratio(const struct row *row)
{
	return row->best / row->baseline;
}

static bool goal_met(const struct row *row)
{
	switch (row->goal.kind) {
	case GOAL_VALUE_AT_MOST:
		return row->best <= row->goal.limit;
	case GOAL_DIFFERENCE_AT_MOST:
		return row_difference(row) <= row->goal.limit;
	case GOAL_RATIO_AT_MOST:
		return row_ratio(row) <= row->goal.limit;
	case GOAL_RATIO_AT_LEAST:
		return row_ratio(row) >= row->goal.limit;
	case GOAL_NONE:
		break;
	}
	return true;
}

size_t report_missed(const struct report *report)
{
	size_t i, j, missed = 0;

	for (i = 0; i < report->count && report->settings.judged; i++)
		for (j = 0; j < report->sections[i].count; j++)
			missed += !goal_met(&report->sections[i].rows[j]);
	return missed;
}

static void goal_text(const struct goal *goal, char *text)
{
	switch (goal->kind) {
	case GOAL_NONE:
		strcpy(text, "-");
		break;
	case GOAL_VALUE_AT_MOST:
		snprintf(text, TEXT_MAX, "<= %g", goal->limit);
		break;
	case GOAL_DIFFERENCE_AT_MOST:
		snprintf(text, TEXT_MAX, "<= baseline + %g", goal->limit);
		break;
	case GOAL_RATIO_AT_MOST:
		snprintf(text, TEXT_MAX, "ratio <= %.2f", goal->limit);
		break;
	case GOAL_RATIO_AT_LEAST:
		snprintf(text, TEXT_MAX, "ratio >= %.2f", goal->limit);
		break;
	}
}

static const char *verdict_text(const struct report *report, const struct row *row)
{
	if (row->goal.kind == GOAL_NONE || !report->settings.judged)
		return "-";
	return goal_met(row) ? "ok" : "MISS";
}

static void number_text(double value, bool known, int decimals, char *text)
{
	if (known)
		snprintf(text, TEXT_MAX, "%.*f", decimals, value);
	else
		strcpy(text, "-");
}

static void print_row(const struct report *report, const struct row *row,
		      const struct ecbpf_column *columns, size_t count)
{
	char texts[COLUMNS][TEXT_MAX];
	const char *cells[COLUMNS];
	bool beside = row->baseline > 0;
	int i;

	snprintf(texts[COLUMN_NAME], TEXT_MAX, "%s", row->name);
	snprintf(texts[COLUMN_UNIT], TEXT_MAX, "%s", row->unit);
	number_text(row->best, true, 2, texts[COLUMN_BEST]);
	number_text(row->median, true, 2, texts[COLUMN_MEDIAN]);
	number_text(row->baseline, beside, 2, texts[COLUMN_BASELINE]);
	number_text(row_difference(row), beside, 2, texts[COLUMN_DIFFERENCE]);
	number_text(row_ratio(row), beside, 2, texts[COLUMN_RATIO]);
	goal_text(&row->goal, texts[COLUMN_GOAL]);
	snprintf(texts[COLUMN_VERDICT], TEXT_MAX, "%s", verdict_text(report, row));
	number_text(row->events[PMU_CYCLES], row->events[PMU_CYCLES] > 0, 1, texts[COLUMN_CYCLES]);
	number_text(row->events[PMU_CACHE_MISSES], row->events[PMU_CYCLES] > 0, 3,
		    texts[COLUMN_MISSES]);
	for (i = 0; i < COLUMNS; i++)
		cells[i] = texts[i];
	ecbpf_table_row(stdout, columns, count, cells);
}

static void print_section(const struct report *report, const struct section *section)
{
	size_t i, count = report->settings.events ? COLUMNS : COLUMN_CYCLES;
	struct ecbpf_column columns[COLUMNS];

	if (!section->count)
		return;
	memcpy(columns, titles, sizeof(columns));
	for (i = 0; i < section->count; i++)
		ecbpf_column_fit(&columns[COLUMN_NAME], section->rows[i].name);
	printf("\n%s%s%s\n", section->title, section->baseline ? "; baseline: " : "",
	       section->baseline ? section->baseline : "");
	ecbpf_table_header(stdout, columns, count);
	for (i = 0; i < section->count; i++)
		print_row(report, &section->rows[i], columns, count);
}

static void machine_model(char *text)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	strcpy(text, "unknown processor");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "model name : %95[^\n]", text) == 1)
			break;
	if (file)
		fclose(file);
}

static void print_head(const struct report *report)
{
	const struct report_settings *settings = &report->settings;
	char model[TEXT_MAX];
	struct utsname kernel;

	machine_model(model);
	uname(&kernel);
	printf("%s, kernel %s %s, on CPU %d\n"
	       "%lu times loaded, each time %lu rounds of %lu packets by BPF_PROG_TEST_RUN\n",
	       model, kernel.release, kernel.machine, settings->cpu, settings->passes,
	       settings->rounds, settings->repeat);
	if (!settings->events)
		printf("No cycles and cache misses: this machine lets no PMU be read\n");
}

void report_show(struct report *report)
{
	if (report->settings.json)
		return;
	if (!report->shown)
		print_head(report);
	while (report->shown < report->count)
		print_section(report, &report->sections[report->shown++]);
	fflush(stdout);
}

static void print_tail(const struct report *report)
{
	size_t i;

	printf("\n");
	for (i = 0; i < report->skip_count; i++)
		printf("Not measured: %s: %s\n", report->skips[i].what, report->skips[i].why);
	if (report->settings.judged)
		printf("Targets missed: %zu\n", report_missed(report));
	else
		printf("Too few packets: times mean nothing, targets aren't judged\n");
}

static struct json_object *json_goal(const struct goal *goal)
{
	struct json_object *object;
	const char *of = "ratio";

	if (goal->kind == GOAL_NONE)
		return NULL;
	if (goal->kind == GOAL_VALUE_AT_MOST)
		of = "best";
	else if (goal->kind == GOAL_DIFFERENCE_AT_MOST)
		of = "difference";
	object = json_object_new_object();
	json_object_object_add(object, "of", json_object_new_string(of));
	json_object_object_add(object, goal->kind == GOAL_RATIO_AT_LEAST ? "at_least" : "at_most",
			       json_object_new_double(goal->limit));
	return object;
}

static struct json_object *json_number(double value, bool known)
{
	return known ? json_object_new_double(value) : NULL;
}

static struct json_object *json_row(const struct report *report, const struct section *section,
				    const struct row *row)
{
	bool beside = row->baseline > 0, counted = row->events[PMU_CYCLES] > 0;
	struct json_object *object = json_object_new_object();
	struct json_object *met = NULL;

	if (row->goal.kind != GOAL_NONE && report->settings.judged)
		met = json_object_new_boolean(goal_met(row));
	json_object_object_add(object, "section", json_object_new_string(section->title));
	json_object_object_add(object, "name", json_object_new_string(row->name));
	json_object_object_add(object, "unit", json_object_new_string(row->unit));
	json_object_object_add(object, "best", json_object_new_double(row->best));
	json_object_object_add(object, "median", json_object_new_double(row->median));
	json_object_object_add(object, "baseline_name",
			       section->baseline ? json_object_new_string(section->baseline) :
						   NULL);
	json_object_object_add(object, "baseline", json_number(row->baseline, beside));
	json_object_object_add(object, "difference", json_number(row_difference(row), beside));
	json_object_object_add(object, "ratio", json_number(row_ratio(row), beside));
	json_object_object_add(object, "cycles", json_number(row->events[PMU_CYCLES], counted));
	json_object_object_add(object, "cache_misses",
			       json_number(row->events[PMU_CACHE_MISSES], counted));
	json_object_object_add(object, "target", json_goal(&row->goal));
	json_object_object_add(object, "met", met);
	return object;
}

static struct json_object *json_machine(void)
{
	struct json_object *object = json_object_new_object();
	char model[TEXT_MAX];
	struct utsname kernel;

	machine_model(model);
	uname(&kernel);
	json_object_object_add(object, "processor", json_object_new_string(model));
	json_object_object_add(object, "kernel", json_object_new_string(kernel.release));
	json_object_object_add(object, "architecture", json_object_new_string(kernel.machine));
	return object;
}

static int print_json(const struct report *report)
{
	const struct report_settings *settings = &report->settings;
	struct json_object *whole = json_object_new_object(), *cases = json_object_new_array();
	struct json_object *skips = json_object_new_array(), *skip;
	size_t i, j;

	for (i = 0; i < report->count; i++)
		for (j = 0; j < report->sections[i].count; j++)
			json_object_array_add(cases, json_row(report, &report->sections[i],
							      &report->sections[i].rows[j]));
	for (i = 0; i < report->skip_count; i++) {
		skip = json_object_new_object();
		json_object_object_add(skip, "name", json_object_new_string(report->skips[i].what));
		json_object_object_add(skip, "reason",
				       json_object_new_string(report->skips[i].why));
		json_object_array_add(skips, skip);
	}
	json_object_object_add(whole, "machine", json_machine());
	json_object_object_add(whole, "cpu", json_object_new_int(settings->cpu));
	json_object_object_add(whole, "passes", json_object_new_int64(settings->passes));
	json_object_object_add(whole, "rounds", json_object_new_int64(settings->rounds));
	json_object_object_add(whole, "repeat", json_object_new_int64(settings->repeat));
	json_object_object_add(whole, "judged", json_object_new_boolean(settings->judged));
	json_object_object_add(whole, "cases", cases);
	json_object_object_add(whole, "not_measured", skips);
	return ecbpf_json_print(stdout, whole);
}

int report_finish(struct report *report)
{
	if (report->settings.json)
		return print_json(report);
	report_show(report);
	print_tail(report);
	return 0;
}
