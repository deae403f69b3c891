// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Status for Prometheus. A family's samples stay together, so each has a pass of its own. */
#include <stdio.h>

#include "reason_label.h"
#include "status.h"

#define NS_PER_S   1000000000
#define NUMBER_MAX 16

static const struct ecbpf_metric_family build = {
	"ecbpf_build",
	ECBPF_METRIC_INFO,
	"Version of the suite that wrote this, and the ABI of its root arrays.",
};

static const struct ecbpf_metric_family interface_info = {
	"ecbpf_interface",
	ECBPF_METRIC_INFO,
	"What is attached to an interface, and how.",
};

static const struct ecbpf_metric_family attached = {
	"ecbpf_attached",
	ECBPF_METRIC_GAUGE,
	"Whether packets go through a root array.",
};

static const struct ecbpf_metric_family generation = {
	"ecbpf_generation",
	ECBPF_METRIC_GAUGE,
	"Number of the generation that packets go through.",
};

static const struct ecbpf_metric_family staged = {
	"ecbpf_staged_generation",
	ECBPF_METRIC_GAUGE,
	"Number of the generation being staged, 0 for none.",
};

static const struct ecbpf_metric_family loaded = {
	"ecbpf_program_load_time_seconds",
	ECBPF_METRIC_GAUGE,
	"When the program in a slot was loaded, in seconds since the Unix epoch.",
};

static const struct ecbpf_metric_family verdicts = {
	"ecbpf_verdicts",
	ECBPF_METRIC_COUNTER,
	"Packets by the slot that decided their fate, and the action.",
};

static const struct ecbpf_metric_family reasons = {
	"ecbpf_reasons",
	ECBPF_METRIC_COUNTER,
	"Packets by the reason of their verdict.",
};

typedef void (*print_samples)(FILE *out, const struct ecbpf_status *status);

static void print_interface(FILE *out, const struct ecbpf_status *status)
{
	const struct ecbpf_label labels[] = {
		{ "interface", status->name },
		{ "attachment", status_attachment_name(status->attachment) },
		{ "mode", ecbpf_mode_name(status->mode) },
		{ "frags", status->frags ? "true" : "false" },
		{ NULL, NULL },
	};

	ecbpf_openmetrics_sample(out, &interface_info, labels, 1);
}

static void print_gauge(FILE *out, const struct ecbpf_metric_family *family,
			const struct ecbpf_status *status, uint64_t value)
{
	const struct ecbpf_label labels[] = { { "interface", status->name }, { NULL, NULL } };

	ecbpf_openmetrics_sample(out, family, labels, value);
}

static void print_attached(FILE *out, const struct ecbpf_status *status)
{
	print_gauge(out, &attached, status, status->attachment == ECBPF_ATTACHED);
}

static void print_generation(FILE *out, const struct ecbpf_status *status)
{
	print_gauge(out, &generation, status, status->generation);
}

static void print_staged(FILE *out, const struct ecbpf_status *status)
{
	print_gauge(out, &staged, status, status->staged);
}

static bool has_counts(const struct ecbpf_program_status *program)
{
	for (int i = 0; i < ECBPF_ACTIONS; i++)
		if (program->actions[i])
			return true;
	return false;
}

/* Empty slots are shown as long as there are counts of who was there. */
static void print_verdicts_of(FILE *out, const struct ecbpf_status *status, const char *slot,
			      const struct ecbpf_program_status *program)
{
	struct ecbpf_label labels[] = {
		{ "interface", status->name },
		{ "slot", slot },
		{ "program", program->id ? program->name : "" },
		{ "action", NULL },
		{ NULL, NULL },
	};

	if (!program->id && !has_counts(program))
		return;
	for (int i = 0; i < ECBPF_ACTIONS; i++) {
		labels[3].value = ecbpf_action_name(i);
		ecbpf_openmetrics_sample(out, &verdicts, labels, program->actions[i]);
	}
}

static void print_load_time_of(FILE *out, const struct ecbpf_status *status, const char *slot,
			       const struct ecbpf_program_status *program)
{
	const struct ecbpf_label labels[] = {
		{ "interface", status->name },
		{ "slot", slot },
		{ "program", program->name },
		{ NULL, NULL },
	};

	if (program->id && program->loaded)
		ecbpf_openmetrics_sample(out, &loaded, labels, program->loaded / NS_PER_S);
}

static void for_each_program(FILE *out, const struct ecbpf_status *status,
			     void (*print)(FILE *out, const struct ecbpf_status *status,
					   const char *slot,
					   const struct ecbpf_program_status *program))
{
	char slot[NUMBER_MAX];

	if (!status_has_counters(status))
		return;
	for (int i = 0; i < ECBPF_SLOTS; i++) {
		snprintf(slot, sizeof(slot), "%d", i);
		print(out, status, slot, &status->slots[i]);
	}
	print(out, status, "root", &status->root);
}

static void print_verdicts(FILE *out, const struct ecbpf_status *status)
{
	for_each_program(out, status, print_verdicts_of);
}

static void print_load_times(FILE *out, const struct ecbpf_status *status)
{
	for_each_program(out, status, print_load_time_of);
}

static void print_reasons(FILE *out, const struct ecbpf_status *status)
{
	char text[REASON_LABEL_MAX];
	struct ecbpf_label labels[] = {
		{ "interface", status->name },
		{ "reason", NULL },
		{ NULL, NULL },
	};

	for (unsigned int i = 0; status_has_counters(status) && i < ECBPF_REASON_MAX; i++) {
		if (!reason_is_listed(status, i))
			continue;
		labels[1].value = reason_label(i, text);
		ecbpf_openmetrics_sample(out, &reasons, labels, status->reasons[i]);
	}
}

static void print_build(FILE *out)
{
	char abi[NUMBER_MAX];
	const struct ecbpf_label labels[] = {
		{ "version", ECBPF_VERSION },
		{ "abi", abi },
		{ NULL, NULL },
	};

	snprintf(abi, sizeof(abi), "%d", ECBPF_ABI);
	ecbpf_openmetrics_header(out, &build);
	ecbpf_openmetrics_sample(out, &build, labels, 1);
}

void status_print_openmetrics(FILE *out, const struct status_list *list)
{
	static const struct {
		const struct ecbpf_metric_family *family;
		print_samples print;
	} families[] = {
		{ &interface_info, print_interface }, { &attached, print_attached },
		{ &generation, print_generation },    { &staged, print_staged },
		{ &loaded, print_load_times },	      { &verdicts, print_verdicts },
		{ &reasons, print_reasons },
	};

	print_build(out);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		ecbpf_openmetrics_header(out, families[i].family);
		for (size_t j = 0; j < list->count; j++)
			families[i].print(out, &list->items[j]);
	}
	ecbpf_openmetrics_end(out);
}
