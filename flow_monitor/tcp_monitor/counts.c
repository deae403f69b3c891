// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What became of how many flows, as text, JSON and OpenMetrics. */
#include "counts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <json-c/json.h>

#include <ecbpf/host.h>

static const char *const names[MONITOR_COUNT_MAX] = {
#define X(constant, key) [MONITOR_COUNT_##constant] = #key,
	MONITOR_COUNTS(X)
#undef X
};

static const char *const output_names[MONITOR_OUTPUT_MAX] = {
#define X(constant, key) [MONITOR_OUTPUT_##constant] = #key,
	MONITOR_OUTPUTS(X)
#undef X
};

int counts_read(int percpu, struct counts *counts)
{
	int cpus = ecbpf_cpu_numbers(), cpu, i;
	struct monitor_percpu value;

	if (cpus < 0)
		return cpus;
	*counts = (struct counts){};
	for (cpu = 0; cpu < cpus; cpu++) {
		if (bpf_map_lookup_elem(percpu, &cpu, &value))
			return ecbpf_fail(-errno, "reading counts: %m");
		for (i = 0; i < MONITOR_COUNT_MAX; i++)
			counts->values[i] += value.counts[i];
	}
	return 0;
}

/* Noted and not ended yet. */
static uint64_t active(const struct counts *counts)
{
	const uint64_t *values = counts->values;
	uint64_t begun = values[MONITOR_COUNT_OPENED] + values[MONITOR_COUNT_FOUND];

	return begun > values[MONITOR_COUNT_ENDED] ? begun - values[MONITOR_COUNT_ENDED] : 0;
}

/* On their way to the reader. */
static uint64_t waiting(const struct counts *counts, const struct monitor_report *report)
{
	uint64_t emitted = counts->values[MONITOR_COUNT_EMITTED];

	return emitted > report->received ? emitted - report->received : 0;
}

static bool is_on(const struct monitor_report *report, int output)
{
	return report->outputs >> output & 1;
}

void counts_print(pid_t pid, const struct counts *counts, const struct monitor_report *report)
{
	char time[ECBPF_TIME_MAX];
	int i;

	printf("tcp_monitor, process %d, since %s\n", pid, ecbpf_time_iso(report->began, time));
	printf("hook: %s\n", report->hook);
	printf("active: %" PRIu64 " of %llu\n", active(counts), report->max_flows);
	for (i = 0; i < MONITOR_COUNT_MAX; i++)
		printf("%s: %" PRIu64 "\n", names[i], counts->values[i]);
	printf("missed_first: %llu\nmissed_rescuer: %llu\n", report->missed_first,
	       report->missed_rescuer);
	printf("waiting: %" PRIu64 "\nreceived: %llu\n", waiting(counts, report), report->received);
	printf("interim: %llu\nopen: %llu\n", report->interim, report->open);
	printf("namespaces_left_out: %llu\n", report->left_out);
	for (i = 0; i < MONITOR_OUTPUT_MAX; i++)
		if (is_on(report, i))
			printf("%s: delivered %llu, lost %llu, held %llu\n", output_names[i],
			       report->delivered[i], report->lost[i], report->held[i]);
}

static void add_number(struct json_object *json, const char *key, uint64_t number)
{
	json_object_object_add(json, key, json_object_new_uint64(number));
}

static struct json_object *json_counts(const struct counts *counts,
				       const struct monitor_report *report)
{
	struct json_object *json = json_object_new_object();
	int i;

	for (i = 0; i < MONITOR_COUNT_MAX; i++)
		add_number(json, names[i], counts->values[i]);
	add_number(json, "missed_first", report->missed_first);
	add_number(json, "missed_rescuer", report->missed_rescuer);
	add_number(json, "waiting", waiting(counts, report));
	add_number(json, "received", report->received);
	add_number(json, "interim", report->interim);
	add_number(json, "open", report->open);
	add_number(json, "namespaces_left_out", report->left_out);
	return json;
}

static struct json_object *json_outputs(const struct monitor_report *report)
{
	struct json_object *json = json_object_new_object(), *output;
	int i;

	for (i = 0; i < MONITOR_OUTPUT_MAX; i++) {
		if (!is_on(report, i))
			continue;
		output = json_object_new_object();
		add_number(output, "delivered", report->delivered[i]);
		add_number(output, "lost", report->lost[i]);
		add_number(output, "held", report->held[i]);
		json_object_object_add(json, output_names[i], output);
	}
	return json;
}

struct json_object *counts_json(pid_t pid, const struct counts *counts,
				const struct monitor_report *report)
{
	struct json_object *json = json_object_new_object();

	add_number(json, "pid", pid);
	json_object_object_add(json, "since", ecbpf_json_time(report->began));
	json_object_object_add(json, "hook", json_object_new_string(report->hook));
	add_number(json, "max_flows", report->max_flows);
	add_number(json, "ring", report->ring);
	add_number(json, "active", active(counts));
	json_object_object_add(json, "counts", json_counts(counts, report));
	json_object_object_add(json, "outputs", json_outputs(report));
	return json;
}

int counts_print_line(const struct counts *counts, const struct monitor_report *report)
{
	const uint64_t *values = counts->values;
	int i;

	fprintf(stderr,
		"tcp_monitor: closes %" PRIu64 " = filtered %" PRIu64 " + records %" PRIu64
		" + ring full %" PRIu64 " + table full %" PRIu64 " + unseen %" PRIu64,
		values[MONITOR_COUNT_CLOSES], values[MONITOR_COUNT_FILTERED],
		values[MONITOR_COUNT_EMITTED], values[MONITOR_COUNT_RING_FULL],
		values[MONITOR_COUNT_TABLE_FULL], values[MONITOR_COUNT_UNSEEN]);
	if (report->interim || report->open)
		fprintf(stderr, "; interim %llu, open %llu", report->interim, report->open);
	for (i = 0; i < MONITOR_OUTPUT_MAX; i++)
		if (is_on(report, i))
			fprintf(stderr, "; %s delivered %llu, lost %llu", output_names[i],
				report->delivered[i], report->lost[i]);
	fputc('\n', stderr);
	return 0;
}

int counts_print_json_line(const struct counts *counts, const struct monitor_report *report)
{
	return ecbpf_json_line(stderr, counts_json(getpid(), counts, report));
}

/* Samples of each instance, one for each of @labels. */
struct family {
	struct ecbpf_metric_family metric;
	const char *label;
	const char *const *labels;
	size_t label_count;
	uint64_t (*value)(const struct counts_instance *instance, size_t which);
};

static void print_family(const struct family *family, const struct counts_instance *instances,
			 size_t count)
{
	char pid[16];
	size_t i, j;

	ecbpf_openmetrics_header(stdout, &family->metric);
	for (i = 0; i < count; i++) {
		snprintf(pid, sizeof(pid), "%d", instances[i].pid);
		for (j = 0; j < family->label_count; j++)
			ecbpf_openmetrics_sample(stdout, &family->metric,
						 (struct ecbpf_label[]){
							 { "instance_pid", pid },
							 { family->label, family->labels[j] },
							 {},
						 },
						 family->value(&instances[i], j));
	}
}

static uint64_t count_value(const struct counts_instance *instance, size_t which)
{
	return instance->counts.values[which];
}

static uint64_t missed_value(const struct counts_instance *instance, size_t which)
{
	return which ? instance->report.missed_rescuer : instance->report.missed_first;
}

static uint64_t delivered_value(const struct counts_instance *instance, size_t which)
{
	return instance->report.delivered[which];
}

static uint64_t lost_value(const struct counts_instance *instance, size_t which)
{
	return instance->report.lost[which];
}

static uint64_t held_value(const struct counts_instance *instance, size_t which)
{
	return instance->report.held[which];
}

static uint64_t record_value(const struct counts_instance *instance, size_t which)
{
	const struct monitor_report *report = &instance->report;

	return which == 0 ? report->received : which == 1 ? report->interim : report->open;
}

static uint64_t flow_value(const struct counts_instance *instance, size_t which)
{
	return which ? waiting(&instance->counts, &instance->report) : active(&instance->counts);
}

void counts_print_openmetrics(const struct counts_instance *instances, size_t count)
{
	static const char *const programs[] = { "first", "rescuer" };
	static const char *const kinds[] = { "received", "interim", "open" };
	static const char *const states[] = { "active", "waiting" };
	static const struct family families[] = {
		{ { "ecbpf_tcp_monitor_events", ECBPF_METRIC_COUNTER,
		    "Flows and state changes by what became of them in the kernel." },
		  "count",
		  names,
		  MONITOR_COUNT_MAX,
		  count_value },
		{ { "ecbpf_tcp_monitor_missed", ECBPF_METRIC_COUNTER,
		    "Events that the kernel refused to a program." },
		  "program",
		  programs,
		  2,
		  missed_value },
		{ { "ecbpf_tcp_monitor_records", ECBPF_METRIC_COUNTER,
		    "Records for the outputs: read from the ring, of flows that go on, of flows "
		    "open at the end." },
		  "kind",
		  kinds,
		  3,
		  record_value },
		{ { "ecbpf_tcp_monitor_flows", ECBPF_METRIC_GAUGE,
		    "Flows that are active, and ended ones that wait to be read." },
		  "state",
		  states,
		  2,
		  flow_value },
		{ { "ecbpf_tcp_monitor_delivered", ECBPF_METRIC_COUNTER,
		    "Records that an output took." },
		  "output",
		  output_names,
		  MONITOR_OUTPUT_MAX,
		  delivered_value },
		{ { "ecbpf_tcp_monitor_lost", ECBPF_METRIC_COUNTER,
		    "Records that an output did not take." },
		  "output",
		  output_names,
		  MONITOR_OUTPUT_MAX,
		  lost_value },
		{ { "ecbpf_tcp_monitor_held", ECBPF_METRIC_GAUGE,
		    "Records that an output has yet to deliver." },
		  "output",
		  output_names,
		  MONITOR_OUTPUT_MAX,
		  held_value },
	};
	size_t i;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		print_family(&families[i], instances, count);
	ecbpf_openmetrics_end(stdout);
}
