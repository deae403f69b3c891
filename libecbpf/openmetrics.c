// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * OpenMetrics 1.0 text that the older Prometheus format's parser (node_exporter's textfile
 * collector) takes as well. For its sake info metrics are written as gauges: it refuses the type.
 * Labels are UTF-8; names of interfaces may be anything.
 */
#include <inttypes.h>
#include <string.h>

#include <ecbpf/tool.h>

#include "table/utf8.h"

static const struct {
	const char *type;
	const char *suffix;
} metrics[] = {
	[ECBPF_METRIC_COUNTER] = { "counter", "_total" },
	[ECBPF_METRIC_GAUGE] = { "gauge", "" },
	[ECBPF_METRIC_INFO] = { "gauge", "_info" },
};

/* A counter's family goes without the suffix; a gauge has the name of its samples. */
static void print_family_name(FILE *out, const struct ecbpf_metric_family *family)
{
	fputs(family->name, out);
	if (family->type == ECBPF_METRIC_INFO)
		fputs(metrics[family->type].suffix, out);
}

static void print_escaped(FILE *out, const char *text)
{
	size_t length;

	for (; *text; text += length ? length : 1) {
		length = utf8_octets(text, strnlen(text, UTF8_MAX));
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else if (length)
			fwrite(text, 1, length, out);
		else
			fputs(UTF8_REPLACEMENT, out);
	}
}

void ecbpf_openmetrics_header(FILE *out, const struct ecbpf_metric_family *family)
{
	fputs("# TYPE ", out);
	print_family_name(out, family);
	fprintf(out, " %s\n# HELP ", metrics[family->type].type);
	print_family_name(out, family);
	fputc(' ', out);
	print_escaped(out, family->help);
	fputc('\n', out);
}

static void print_labels(FILE *out, const struct ecbpf_label *labels)
{
	char before = '{';

	if (!labels || !labels->name)
		return;
	for (; labels->name; labels++) {
		fprintf(out, "%c%s=\"", before, labels->name);
		print_escaped(out, labels->value);
		fputc('"', out);
		before = ',';
	}
	fputc('}', out);
}

void ecbpf_openmetrics_sample(FILE *out, const struct ecbpf_metric_family *family,
			      const struct ecbpf_label *labels, uint64_t value)
{
	fprintf(out, "%s%s", family->name, metrics[family->type].suffix);
	print_labels(out, labels);
	fprintf(out, " %" PRIu64 "\n", value);
}

void ecbpf_openmetrics_events(FILE *out, const struct ecbpf_metric_family *family,
			      const char *interface, const char *const *names, const __u64 *values,
			      size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		ecbpf_openmetrics_sample(out, family,
					 (struct ecbpf_label[]){
						 { "interface", interface },
						 { "event", names[i] },
						 {},
					 },
					 values[i]);
}

void ecbpf_openmetrics_end(FILE *out)
{
	fputs("# EOF\n", out);
}
