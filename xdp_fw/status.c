// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a firewall does, for eyes and for programs. */
#include "status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "rules.h"
#include "status_read.h"

static void print_head(const struct fw_shown *shown)
{
	const struct fw_settings *settings = &shown->instance.settings;
	char time[ECBPF_TIME_MAX];
	uint64_t remaining;

	printf("Firewall of %sinterface %s: %u rules%s%s",
	       shown->which == ECBPF_STAGED ? "the staged generation of " : "", shown->name,
	       settings->rules, settings->first_match ? ", first match" : "",
	       settings->dry_run ? ", dry run: nothing is dropped" : "");
	if (settings->expires) {
		remaining = fw_instance_remaining(&shown->instance);
		if (remaining)
			printf(", expires in %s", ecbpf_duration_format(remaining, time));
		else
			printf(", expired");
	}
	putchar('\n');
}

static void print_text(const struct fw_shown *shown)
{
	struct ecbpf_column columns[] = {
		{ "RULE", 4, true },	 { "NAME", 4, false },	  { "ACTION", 6, false },
		{ "PACKETS", 16, true }, { "DROPPED", 16, true },
	};
	const size_t count = sizeof(columns) / sizeof(columns[0]);
	char number[16], matched[24], dropped[24];
	uint32_t i;

	if (!shown->attached) {
		fw_shown_print_absence(shown);
		return;
	}
	print_head(shown);
	for (i = 0; i < shown->instance.settings.rules; i++)
		ecbpf_column_fit(&columns[1], fw_instance_name(&shown->instance, i));
	ecbpf_table_header(stdout, columns, count);
	for (i = 0; i < shown->instance.settings.rules; i++) {
		const char *name = fw_instance_name(&shown->instance, i);

		snprintf(number, sizeof(number), "%u", i + 1);
		snprintf(matched, sizeof(matched), "%llu", shown->hits[i].matched);
		snprintf(dropped, sizeof(dropped), "%llu", shown->hits[i].dropped);
		ecbpf_table_row(stdout, columns, count,
				(const char *const[]){
					number,
					*name ? name : "-",
					fw_action_name(fw_instance_action(&shown->instance, i)),
					matched,
					dropped,
				});
	}
}

static void print_list(const struct fw_shown *shown)
{
	const char *text;
	size_t length;
	uint32_t i;

	if (!shown->attached) {
		fw_shown_print_absence(shown);
		return;
	}
	print_head(shown);
	for (i = 0; i < shown->instance.settings.rules; i++) {
		text = fw_instance_text(&shown->instance, i, &length);
		printf("%5u  %.*s\n", i + 1, (int)length, text);
	}
}

static struct json_object *json_rule(const struct fw_shown *shown, uint32_t rule)
{
	struct json_object *json = json_object_new_object();
	const char *name = fw_instance_name(&shown->instance, rule), *text;
	size_t length;

	text = fw_instance_text(&shown->instance, rule, &length);
	json_object_object_add(json, "number", json_object_new_int64(rule + 1));
	json_object_object_add(json, "name", *name ? json_object_new_string(name) : NULL);
	json_object_object_add(
		json, "action",
		json_object_new_string(fw_action_name(fw_instance_action(&shown->instance, rule))));
	json_object_object_add(json, "text", json_object_new_string_len(text, length));
	json_object_object_add(json, "packets", json_object_new_int64(shown->hits[rule].matched));
	json_object_object_add(json, "dropped", json_object_new_int64(shown->hits[rule].dropped));
	return json;
}

static struct json_object *json_interface(const struct fw_shown *shown)
{
	const struct fw_settings *settings = &shown->instance.settings;
	struct json_object *json = json_object_new_object(), *rules = json_object_new_array();
	uint32_t i;

	json_object_object_add(json, "name", ecbpf_json_text(shown->name, SIZE_MAX));
	json_object_object_add(json, "attached", json_object_new_boolean(shown->attached));
	if (shown->attached) {
		json_object_object_add(json, "first_match",
				       json_object_new_boolean(settings->first_match));
		json_object_object_add(json, "dry_run", json_object_new_boolean(settings->dry_run));
		json_object_object_add(
			json, "expires_seconds",
			settings->expires ?
				json_object_new_int64(fw_instance_remaining(&shown->instance)) :
				NULL);
		for (i = 0; i < settings->rules; i++)
			json_object_array_add(rules, json_rule(shown, i));
	}
	json_object_object_add(json, "rules", rules);
	return json;
}

static int print_json(const struct fw_shown *shown, size_t count)
{
	struct json_object *json = json_object_new_object(), *array = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_object_array_add(array, json_interface(&shown[i]));
	json_object_object_add(json, "interfaces", array);
	return ecbpf_json_print(stdout, json);
}

static void print_family(const struct fw_shown *shown, size_t count, bool dropped)
{
	const struct ecbpf_metric_family family = {
		.name = dropped ? "ecbpf_fw_rule_dropped" : "ecbpf_fw_rule_packets",
		.type = ECBPF_METRIC_COUNTER,
		.help = dropped ? "Packets that a rule dropped" : "Packets that a rule counted",
	};
	char number[16];
	size_t i, j;

	ecbpf_openmetrics_header(stdout, &family);
	for (i = 0; i < count; i++)
		for (j = 0; shown[i].attached && j < shown[i].instance.settings.rules; j++) {
			const struct fw_instance *instance = &shown[i].instance;
			const struct fw_hits *hits = &shown[i].hits[j];

			snprintf(number, sizeof(number), "%zu", j + 1);
			ecbpf_openmetrics_sample(
				stdout, &family,
				(struct ecbpf_label[]){
					{ "interface", shown[i].name },
					{ "rule", number },
					{ "name", fw_instance_name(instance, j) },
					{ "action",
					  fw_action_name(fw_instance_action(instance, j)) },
					{},
				},
				dropped ? hits->dropped : hits->matched);
		}
}

static void print_openmetrics(const struct fw_shown *shown, size_t count)
{
	print_family(shown, count, false);
	print_family(shown, count, true);
	ecbpf_openmetrics_end(stdout);
}

static int print(const struct fw_shown *shown, size_t count, enum fw_output output)
{
	size_t i;

	if (output == FW_OUTPUT_JSON)
		return print_json(shown, count);
	if (output == FW_OUTPUT_OPENMETRICS) {
		print_openmetrics(shown, count);
		return 0;
	}
	for (i = 0; i < count; i++)
		if (output == FW_OUTPUT_LIST)
			print_list(&shown[i]);
		else
			print_text(&shown[i]);
	if (!count)
		printf("No interface has a root array.\n");
	return 0;
}

static int show_all(char *const *names, size_t count, enum ecbpf_which which, enum fw_output output)
{
	struct fw_shown *shown = calloc(count + 1, sizeof(*shown));
	size_t i;
	int err = shown ? 0 : -ENOMEM;

	for (i = 0; i < count && !err; i++)
		err = fw_shown_read(names[i], which, &shown[i]);
	if (!err)
		err = print(shown, count, output);
	for (i = 0; shown && i < count; i++)
		fw_shown_free(&shown[i]);
	free(shown);
	return err;
}

int fw_status(const struct ecbpf_strings *interfaces, enum ecbpf_which which, enum fw_output output)
{
	char **all = NULL;
	size_t count = 0;
	int err;

	if (interfaces->count)
		return show_all(interfaces->items, interfaces->count, which, output);
	err = ecbpf_interfaces(&all);
	while (!err && all[count])
		count++;
	if (!err)
		err = show_all(all, count, which, output);
	ecbpf_names_free(all);
	return err;
}
