// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a filter does, for eyes and for programs. */
#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

static const char *const stat_names[FILTER_STAT_COUNT] = {
#define X(constant, key) [FILTER_STAT_##constant] = #key,
	FILTER_STATS(X)
#undef X
};

/* @attached: @instance was read. */
struct shown {
	const char *name;
	enum ecbpf_which which;
	bool attached;
	struct filter_instance instance;
};

const char *filter_stat_name(enum filter_stat stat)
{
	return stat_names[stat];
}

static const char *action_name(const struct filter_item *item)
{
	return item->action == FILTER_ALLOW ? "allow" : "drop";
}

static uint64_t age(const struct filter_item *item)
{
	uint64_t now = time(NULL);

	return now > item->added ? now - item->added : 0;
}

/* Seconds until @item stops to match, rounded, at least 1. */
static uint64_t remaining(const struct filter_item *item)
{
	uint64_t ticks = item->expires - filter_tick_now();

	uint64_t seconds = ((ticks << FILTER_TICK_SHIFT) + 500000000) / 1000000000;

	return seconds ? seconds : 1;
}

static bool expired(const struct filter_item *item)
{
	return item->expires && item->expires <= filter_tick_now();
}

static void print_item(const struct filter_instance *instance, const struct filter_item *item)
{
	const char *tag = filter_list_tag_text(&instance->list, item->tag);
	char text[PREFIX_TEXT_SIZE], time[ECBPF_TIME_MAX];

	printf("Address: %s", prefix_format(&item->prefix, text));
	if (*tag)
		printf("\tTag: %s", tag);
	if (item->action == FILTER_ALLOW)
		printf("\tAllowed");
	printf("\tAge: %s", ecbpf_duration_format(age(item), time));
	if (item->expires)
		printf("\tExpires in: %s", ecbpf_duration_format(remaining(item), time));
	if (item->action == FILTER_DROP)
		printf("\tHits: %" PRIu64, item->hits);
	putchar('\n');
}

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

static void print_text(const struct shown *shown)
{
	const struct filter_instance *instance = &shown->instance;
	const struct filter_config *config = &instance->config;
	size_t i;

	if (!shown->attached) {
		printf("Filter not attached to %sinterface %s.\n",
		       shown->which == ECBPF_STAGED ? "the staged generation of " : "",
		       shown->name);
		return;
	}
	if (shown->which == ECBPF_STAGED)
		printf("Staged generation, which no packet goes through before --commit:\n");
	printf("=================== Status for interface '%s' ===================\n", shown->name);
	printf("Current Configuration:\n\n");
	printf("frags_drop? %s\n", truth(config->frags_drop));
	printf("ptb_send? %s\n", truth(config->frags_drop && config->ptb_max_pps));
	printf("ptb_max_pps: %u\n", config->ptb_max_pps);
	printf("frags_local_pass? %s\n", truth(config->frags_local_pass));
	printf("drop_options? %s\n", truth(config->drop_options));
	printf("truncated_drop? %s\n", truth(config->truncated_drop));
	printf("\nDrop Maps for interface '%s':\n\n", shown->name);
	for (i = 0; i < instance->list.count; i++)
		if (!expired(&instance->list.items[i]))
			print_item(instance, &instance->list.items[i]);
	printf("\nStats for interface '%s':\n\n", shown->name);
	for (i = 0; i < FILTER_STAT_COUNT; i++)
		printf("%s: %llu\n", stat_names[i], instance->stats.values[i]);
}

static struct json_object *json_config(const struct filter_config *config)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "frags_drop", json_object_new_boolean(config->frags_drop));
	json_object_object_add(json, "frags_local_pass",
			       json_object_new_boolean(config->frags_local_pass));
	json_object_object_add(json, "ptb_send",
			       json_object_new_boolean(config->frags_drop && config->ptb_max_pps));
	json_object_object_add(json, "ptb_max_pps", json_object_new_int64(config->ptb_max_pps));
	json_object_object_add(json, "mtu", json_object_new_int64(config->mtu));
	json_object_object_add(json, "drop_options", json_object_new_boolean(config->drop_options));
	json_object_object_add(json, "truncated_drop",
			       json_object_new_boolean(config->truncated_drop));
	return json;
}

static struct json_object *json_item(const struct filter_list *list, const struct filter_item *item)
{
	const char *tag = filter_list_tag_text(list, item->tag);
	struct json_object *json = json_object_new_object();
	char text[PREFIX_TEXT_SIZE];

	json_object_object_add(json, "prefix",
			       json_object_new_string(prefix_format(&item->prefix, text)));
	json_object_object_add(json, "action", json_object_new_string(action_name(item)));
	json_object_object_add(json, "tag", *tag ? json_object_new_string(tag) : NULL);
	json_object_object_add(json, "age_seconds", json_object_new_int64(age(item)));
	json_object_object_add(json, "expires_seconds",
			       item->expires ? json_object_new_int64(remaining(item)) : NULL);
	json_object_object_add(json, "hits", json_object_new_int64(item->hits));
	return json;
}

static struct json_object *json_prefixes(const struct filter_list *list)
{
	struct json_object *json = json_object_new_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		if (!expired(&list->items[i]))
			json_object_array_add(json, json_item(list, &list->items[i]));
	return json;
}

static struct json_object *json_stats(const struct filter_stats *stats)
{
	struct json_object *json = json_object_new_object();
	size_t i;

	for (i = 0; i < FILTER_STAT_COUNT; i++)
		json_object_object_add(json, stat_names[i],
				       json_object_new_int64(stats->values[i]));
	return json;
}

static struct json_object *json_interface(const struct shown *shown, bool whole)
{
	const struct filter_instance *instance = &shown->instance;
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "name", ecbpf_json_text(shown->name, SIZE_MAX));
	json_object_object_add(json, "attached", json_object_new_boolean(shown->attached));
	if (whole)
		json_object_object_add(json, "config",
				       shown->attached ? json_config(&instance->config) : NULL);
	json_object_object_add(json, "prefixes", json_prefixes(&instance->list));
	if (whole)
		json_object_object_add(json, "stats",
				       shown->attached ? json_stats(&instance->stats) : NULL);
	return json;
}

static int print_json(const struct shown *shown, size_t count, bool whole)
{
	struct json_object *json = json_object_new_object(), *array = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_object_array_add(array, json_interface(&shown[i], whole));
	json_object_object_add(json, "interfaces", array);
	return ecbpf_json_print(stdout, json);
}

static void count_entries(const struct filter_list *list, uint64_t counts[2])
{
	size_t i;

	counts[FILTER_DROP] = 0;
	counts[FILTER_ALLOW] = 0;
	for (i = 0; i < list->count; i++)
		if (!expired(&list->items[i]))
			counts[list->items[i].action]++;
}

static void print_openmetrics(const struct shown *shown, size_t count)
{
	const struct ecbpf_metric_family events = {
		.name = "ecbpf_filter_events",
		.type = ECBPF_METRIC_COUNTER,
		.help = "Packets by what the filter found",
	};
	const struct ecbpf_metric_family entries = {
		.name = "ecbpf_filter_prefixes",
		.type = ECBPF_METRIC_GAUGE,
		.help = "Entries of the source list",
	};
	uint64_t counts[2];
	size_t i, j;

	ecbpf_openmetrics_header(stdout, &events);
	for (i = 0; i < count; i++)
		if (shown[i].attached)
			ecbpf_openmetrics_events(stdout, &events, shown[i].name, stat_names,
						 shown[i].instance.stats.values, FILTER_STAT_COUNT);
	ecbpf_openmetrics_header(stdout, &entries);
	for (i = 0; i < count; i++) {
		count_entries(&shown[i].instance.list, counts);
		for (j = FILTER_DROP; shown[i].attached && j <= FILTER_ALLOW; j++)
			ecbpf_openmetrics_sample(
				stdout, &entries,
				(struct ecbpf_label[]){
					{ "interface", shown[i].name },
					{ "action", j == FILTER_DROP ? "drop" : "allow" },
					{},
				},
				counts[j]);
	}
	ecbpf_openmetrics_end(stdout);
}

/* An interface without a live root array, or without a filter, is no error here. */
static int show(struct shown *shown, const char *name, enum ecbpf_which which)
{
	bool there;
	int err;

	shown->name = name;
	shown->which = which;
	filter_instance_init(&shown->instance);
	err = ecbpf_root_present(name, which, &there);
	if (err || !there)
		return err;
	err = filter_instance_look(name, which, &shown->instance);
	shown->attached = !err;
	return err == -ENOENT ? 0 : err;
}

static void unshow(struct shown *shown, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (shown[i].attached)
			filter_instance_free(&shown[i].instance);
	free(shown);
}

static int show_all(char *const *names, size_t count, enum ecbpf_which which, struct shown **out)
{
	struct shown *shown = calloc(count + 1, sizeof(*shown));
	size_t i;
	int err = 0;

	if (!shown)
		return -ENOMEM;
	for (i = 0; i < count && !err; i++)
		err = show(&shown[i], names[i], which);
	if (err) {
		unshow(shown, i);
		return err;
	}
	*out = shown;
	return 0;
}

static void print_lists(const struct shown *shown, size_t count)
{
	char text[PREFIX_TEXT_SIZE];
	const char *tag;
	size_t i, j;

	for (i = 0; i < count; i++) {
		const struct filter_list *list = &shown[i].instance.list;

		if (count > 1)
			printf("# %s\n", shown[i].name);
		for (j = 0; j < list->count; j++) {
			const struct filter_item *item = &list->items[j];

			if (expired(item))
				continue;
			tag = filter_list_tag_text(list, item->tag);
			printf("%s%s%s%s\n", item->action == FILTER_ALLOW ? "allow " : "",
			       prefix_format(&item->prefix, text), *tag ? " " : "", tag);
		}
	}
}

static int print_status(struct shown *shown, size_t count, enum filter_output output)
{
	size_t i;

	switch (output) {
	case FILTER_OUTPUT_JSON:
		return print_json(shown, count, true);
	case FILTER_OUTPUT_OPENMETRICS:
		print_openmetrics(shown, count);
		return 0;
	case FILTER_OUTPUT_LIST:
		print_lists(shown, count);
		return 0;
	case FILTER_OUTPUT_LIST_JSON:
		return print_json(shown, count, false);
	default:
		for (i = 0; i < count; i++)
			print_text(&shown[i]);
		if (!count)
			printf("No interface has a root array.\n");
		return 0;
	}
}

int filter_status(const struct ecbpf_strings *interfaces, enum ecbpf_which which,
		  enum filter_output output)
{
	struct ecbpf_strings names;
	struct shown *shown;
	int err;

	err = ecbpf_interfaces_or_all(interfaces, &names);
	if (!err)
		err = show_all(names.items, names.count, which, &shown);
	if (!err) {
		err = print_status(shown, names.count, output);
		unshow(shown, names.count);
	}
	ecbpf_strings_free(&names);
	return err;
}
