// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a sampler does, and where samples got lost. */
#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "instance.h"

static const char *const count_names[SAMPLER_COUNT_MAX] = {
#define X(constant, key) [SAMPLER_COUNT_##constant] = #key,
	SAMPLER_COUNTS(X)
#undef X
};

static const char *const output_names[SAMPLER_OUTPUT_MAX] = {
#define X(constant, key) [SAMPLER_OUTPUT_##constant] = #key,
	SAMPLER_OUTPUTS(X)
#undef X
};

/* @attached: @instance was read. */
struct shown {
	const char *name;
	bool attached;
	struct sampler_instance instance;
};

/* Emitted and not yet read. */
static uint64_t waiting(const struct sampler_instance *instance)
{
	uint64_t emitted = instance->counts.values[SAMPLER_COUNT_EMITTED];

	return emitted > instance->taken.received ? emitted - instance->taken.received : 0;
}

static void print_output(const struct sampler_instance *instance, enum sampler_output output)
{
	const struct sampler_reader *reader = &instance->reader;

	if (reader->delivered[output] || reader->lost[output] || instance->held[output])
		printf("%s: delivered %llu, lost %llu, held %" PRIu64 "\n", output_names[output],
		       reader->delivered[output], reader->lost[output], instance->held[output]);
}

static void print_text(const struct shown *shown)
{
	const struct sampler_instance *instance = &shown->instance;
	const struct sampler_config *config = &instance->config;
	int i;

	if (!shown->attached) {
		printf("Sampler not attached to interface %s.\n", shown->name);
		return;
	}
	printf("Sampler of interface %s: one packet in %u%s, %u octets as %s", shown->name,
	       config->rate, config->random ? ", at random" : "", config->snaplen,
	       config->as_sent ? "sent" : "received");
	if (instance->filter[0])
		printf(", filter '%s' (%s)", instance->filter,
		       config->filtered ? "in the kernel" : "by the reader");
	putchar('\n');
	for (i = 0; i < SAMPLER_COUNT_MAX; i++)
		printf("%s: %llu\n", count_names[i], instance->counts.values[i]);
	printf("waiting: %" PRIu64 "\n", waiting(instance));
	printf("received: %llu\n", instance->taken.received);
	printf("unwanted: %llu\n", instance->taken.unwanted);
	printf("malformed: %llu\n", instance->taken.malformed);
	for (i = 0; i < SAMPLER_OUTPUT_MAX; i++)
		print_output(instance, i);
}

static void add_number(struct json_object *json, const char *key, uint64_t number)
{
	json_object_object_add(json, key, json_object_new_uint64(number));
}

static struct json_object *json_config(const struct sampler_instance *instance)
{
	struct json_object *json = json_object_new_object();

	add_number(json, "rate", instance->config.rate);
	json_object_object_add(json, "random", json_object_new_boolean(instance->config.random));
	add_number(json, "snaplen", instance->config.snaplen);
	json_object_object_add(json, "as_sent", json_object_new_boolean(instance->config.as_sent));
	add_number(json, "ring", instance->ring_octets);
	json_object_object_add(json, "filter",
			       instance->filter[0] ? json_object_new_string(instance->filter) :
						     NULL);
	json_object_object_add(json, "filter_in_kernel",
			       json_object_new_boolean(instance->config.filtered));
	return json;
}

static struct json_object *json_counts(const struct sampler_instance *instance)
{
	struct json_object *json = json_object_new_object();
	int i;

	for (i = 0; i < SAMPLER_COUNT_MAX; i++)
		add_number(json, count_names[i], instance->counts.values[i]);
	add_number(json, "waiting", waiting(instance));
	add_number(json, "received", instance->taken.received);
	add_number(json, "unwanted", instance->taken.unwanted);
	add_number(json, "malformed", instance->taken.malformed);
	return json;
}

static struct json_object *json_outputs(const struct sampler_instance *instance)
{
	const struct sampler_reader *reader = &instance->reader;
	struct json_object *json = json_object_new_object(), *output;
	int i;

	for (i = 0; i < SAMPLER_OUTPUT_MAX; i++) {
		output = json_object_new_object();
		add_number(output, "delivered", reader->delivered[i]);
		add_number(output, "lost", reader->lost[i]);
		add_number(output, "held", instance->held[i]);
		add_number(output, "unused", reader->unused[i]);
		json_object_object_add(json, output_names[i], output);
	}
	return json;
}

static struct json_object *json_interface(const struct shown *shown)
{
	const struct sampler_instance *instance = &shown->instance;
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "name", ecbpf_json_text(shown->name, SIZE_MAX));
	json_object_object_add(json, "attached", json_object_new_boolean(shown->attached));
	json_object_object_add(json, "config", shown->attached ? json_config(instance) : NULL);
	json_object_object_add(json, "counts", shown->attached ? json_counts(instance) : NULL);
	json_object_object_add(json, "outputs", shown->attached ? json_outputs(instance) : NULL);
	return json;
}

static int print_json(const struct shown *shown, size_t count)
{
	struct json_object *json = json_object_new_object(), *array = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_object_array_add(array, json_interface(&shown[i]));
	json_object_object_add(json, "interfaces", array);
	return ecbpf_json_print(stdout, json);
}

static void print_openmetrics(const struct shown *shown, size_t count)
{
	const struct ecbpf_metric_family packets = {
		.name = "ecbpf_sampler_packets",
		.type = ECBPF_METRIC_COUNTER,
		.help = "Packets by what the sampler did with them",
	};
	const struct ecbpf_metric_family outputs = {
		.name = "ecbpf_sampler_output_samples",
		.type = ECBPF_METRIC_COUNTER,
		.help = "Samples by output and fate",
	};
	size_t i;
	int j, fate;

	ecbpf_openmetrics_header(stdout, &packets);
	for (i = 0; i < count; i++)
		if (shown[i].attached)
			ecbpf_openmetrics_events(stdout, &packets, shown[i].name, count_names,
						 shown[i].instance.counts.values,
						 SAMPLER_COUNT_MAX);
	ecbpf_openmetrics_header(stdout, &outputs);
	for (i = 0; i < count; i++)
		for (j = 0; shown[i].attached && j < SAMPLER_OUTPUT_MAX; j++)
			for (fate = 0; fate < 2; fate++)
				ecbpf_openmetrics_sample(
					stdout, &outputs,
					(struct ecbpf_label[]){
						{ "interface", shown[i].name },
						{ "output", output_names[j] },
						{ "fate", fate ? "lost" : "delivered" },
						{},
					},
					fate ? shown[i].instance.reader.lost[j] :
					       shown[i].instance.reader.delivered[j]);
	ecbpf_openmetrics_end(stdout);
}

static int look(struct ecbpf_root *root, void *instance)
{
	return sampler_instance_read(root, instance);
}

static int show(struct shown *shown, const char *name)
{
	bool there;
	int err;

	shown->name = name;
	err = ecbpf_root_present(name, ECBPF_LIVE, &there);
	if (err || !there)
		return err;
	err = ecbpf_root_look(name, ECBPF_LIVE, look, &shown->instance);
	shown->attached = !err;
	return err == -ENOENT ? 0 : err;
}

static int show_all(char *const *names, size_t count, enum sampler_status_format format)
{
	struct shown *shown = calloc(count + 1, sizeof(*shown));
	size_t i;
	int err = 0;

	if (!shown)
		return -ENOMEM;
	for (i = 0; i < count && !err; i++)
		err = show(&shown[i], names[i]);
	if (!err && format == SAMPLER_STATUS_JSON)
		err = print_json(shown, count);
	else if (!err && format == SAMPLER_STATUS_OPENMETRICS)
		print_openmetrics(shown, count);
	for (i = 0; !err && format == SAMPLER_STATUS_TEXT && i < count; i++)
		print_text(&shown[i]);
	if (!err && format == SAMPLER_STATUS_TEXT && !count)
		puts("No interface has a root array.");
	free(shown);
	return err;
}

int status_show(const struct ecbpf_strings *interfaces, enum sampler_status_format format)
{
	struct ecbpf_strings names;
	int err;

	err = ecbpf_interfaces_or_all(interfaces, &names);
	if (!err)
		err = show_all(names.items, names.count, format);
	ecbpf_strings_free(&names);
	return err;
}
