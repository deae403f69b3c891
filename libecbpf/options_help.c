// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* --help, and the short usage for who gave no mode. */
#include <string.h>

#include "options.h"

#define LINE 80
/* Where the explanations begin. */
#define COLUMN 30

/* Words of @text up to LINE; goes on at column @indent, where the first line already is. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
	int column = indent;
	int length;

	while (*text) {
		length = strcspn(text, " ");
		if (column > indent && column + 1 + length > LINE) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		column += fprintf(out, "%s%.*s", column > indent ? " " : "", length, text);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void print_row(FILE *out, const struct ecbpf_option *row)
{
	int used = row->letter ? fprintf(out, "  -%c, --%s", row->letter, row->name) :
				 fprintf(out, "      --%s", row->name);

	if (row->kind == ECBPF_OPTION_NEGATABLE)
		used += fprintf(out, ", --no-%s", row->name);
	if (ecbpf_option_takes_argument(row))
		used += fprintf(out, row->optional ? " [%s]" : " %s", row->metavar);
	if (used + 2 > COLUMN) {
		fputc('\n', out);
		used = 0;
	}
	fprintf(out, "%*s", COLUMN - used, "");
	print_wrapped(out, row->help, COLUMN);
}

/* A tool's own row stands for the common one of the same name. */
static bool replaced(const struct ecbpf_option *row, const struct ecbpf_option *own)
{
	for (; own && own->kind != ECBPF_OPTION_END; own++)
		if (row->name && own->name && !strcmp(row->name, own->name))
			return true;
	return false;
}

static void print_rows(FILE *out, const struct ecbpf_option *rows, const struct ecbpf_option *own,
		       bool only_modes)
{
	for (; rows->kind != ECBPF_OPTION_END; rows++) {
		if (rows->kind == ECBPF_OPTION_GROUP && !only_modes)
			fprintf(out, "\n%s:\n", rows->help);
		else if (rows->name && rows->help && (rows->mode || !only_modes) &&
			 !replaced(rows, own))
			print_row(out, rows);
	}
}

static void print_synopsis(FILE *out, const struct ecbpf_tool *tool)
{
	fprintf(out, "Usage: %s %s[OPTION...]\n", tool->name, tool->mode ? "MODE " : "");
}

static void print_examples(FILE *out, const char *lines)
{
	int length;

	fputs("\nExamples:\n", out);
	while (*lines) {
		length = strcspn(lines, "\n");
		fprintf(out, "  %.*s\n", length, lines);
		lines += length;
		lines += *lines == '\n';
	}
}

void ecbpf_options_help(const struct ecbpf_tool *tool)
{
	print_synopsis(stdout, tool);
	fputc('\n', stdout);
	print_wrapped(stdout, tool->summary, 0);
	print_rows(stdout, tool->options, NULL, false);
	print_rows(stdout, ecbpf_options_common, tool->options, false);
	if (tool->examples)
		print_examples(stdout, tool->examples);
	if (tool->overhead) {
		fputs("\nOverhead:\n  ", stdout);
		print_wrapped(stdout, tool->overhead, 2);
	}
}

void ecbpf_options_usage(const struct ecbpf_tool *tool)
{
	print_synopsis(stderr, tool);
	fputs("\nModes:\n", stderr);
	print_rows(stderr, tool->options, NULL, true);
	fputc('\n', stderr);
}
