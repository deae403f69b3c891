// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is wrong with a file of rules: where, why, and the line with a caret. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rules_parser.h"
#include "utf8.h"

/* Octets of a line up to which it is shown whole; of longer ones, before the caret and behind. */
#define SHOWN_WHOLE  160
#define SHOWN_BEFORE 80
#define SHOWN_BEHIND 60
#define CUT	     "..."

/* The line of the source that @line numbers, and its length. */
static const char *line_of(const struct fw_parser *parser, int line, size_t *length)
{
	const char *at = parser->lex.source, *end = at + parser->lex.size, *newline;

	while (--line > 0) {
		newline = memchr(at, '\n', end - at);
		if (!newline)
			break;
		at = newline + 1;
	}
	newline = memchr(at, '\n', end - at);
	*length = (newline ? newline : end) - at;
	if (*length && at[*length - 1] == '\r')
		--*length;
	return at;
}

bool fw_is_control(const char *at, size_t octets)
{
	return (octets == 1 && ((unsigned char)*at < ' ' || *at == 0x7f)) ||
	       (octets == 2 && (unsigned char)*at == 0xc2 && (unsigned char)at[1] < 0xa0);
}

/* Text that may hold anything, on one line: what no terminal should meet is a '?'. */
static void print_text(FILE *out, const char *at, size_t length)
{
	const char *end = at + length;
	size_t octets;

	for (; at < end; at += octets) {
		octets = utf8_octets(at, end - at);
		if (*at == '\t')
			fputc('\t', out);
		else if (!octets || fw_is_control(at, octets))
			fputc('?', out);
		else
			fwrite(at, 1, octets, out);
		octets += !octets;
	}
}

/* Blanks as wide as the text. */
static void print_blanks(FILE *out, const char *at, size_t length)
{
	const char *end = at + length;
	size_t octets;

	for (; at < end; at += octets ? octets : 1) {
		octets = utf8_octets(at, end - at);
		fputc(*at == '\t' ? '\t' : ' ', out);
	}
}

static bool continues(const char *line, size_t at, size_t length)
{
	return at < length && (line[at] & 0xc0) == 0x80;
}

static void show_line(const struct fw_parser *parser, const struct fw_place *place)
{
	size_t length, column = place->first_column > 0 ? place->first_column - 1 : 0;
	const char *line = line_of(parser, place->first_line, &length);
	size_t first = 0, end = length;

	if (column > length)
		column = length;
	if (length > SHOWN_WHOLE && column > SHOWN_BEFORE)
		first = column - SHOWN_BEFORE;
	if (length > SHOWN_WHOLE && length - column > SHOWN_BEHIND)
		end = column + SHOWN_BEHIND;
	while (first < column && continues(line, first, length))
		first++;
	while (continues(line, end, length))
		end++;
	fprintf(parser->out, "    %s", first ? CUT : "");
	print_text(parser->out, line + first, end - first);
	fprintf(parser->out, "%s\n    %*s", end < length ? CUT : "", (int)(first ? strlen(CUT) : 0),
		"");
	print_blanks(parser->out, line + first, column - first);
	fputs("^\n", parser->out);
}

/* file:line:column: message */
static void tell(const struct fw_parser *parser, const struct fw_place *place, const char *format,
		 va_list arguments)
{
	char *message = NULL;
	int length = vasprintf(&message, format, arguments);

	print_text(parser->out, parser->file, strlen(parser->file));
	fprintf(parser->out, ":%d:%d: ", place->first_line, place->first_column);
	if (length > 0)
		print_text(parser->out, message, length);
	fputc('\n', parser->out);
	if (length >= 0)
		free(message);
}

void fw_error(struct fw_parser *parser, const struct fw_place *place, const char *format, ...)
{
	va_list arguments;

	parser->failed = 1;
	if (parser->errors++ >= FW_ERRORS_MAX)
		return;
	va_start(arguments, format);
	tell(parser, place, format, arguments);
	va_end(arguments);
	show_line(parser, place);
}

void fw_note(struct fw_parser *parser, const struct fw_place *place, const char *format, ...)
{
	va_list arguments;

	if (parser->notes++ >= FW_ERRORS_MAX)
		return;
	va_start(arguments, format);
	tell(parser, place, format, arguments);
	va_end(arguments);
}

void fw_error_syntax(struct fw_parser *parser, const struct fw_place *place, const char *found,
		     const char *const *expected, size_t count)
{
	char text[256] = "";
	size_t i, used = 0;

	for (i = 0; i < count && used < sizeof(text); i++)
		used += snprintf(text + used, sizeof(text) - used, "%s%s",
				 !i		? " where this could stand: " :
				 i + 1 == count ? " or " :
						  ", ",
				 expected[i]);
	fw_error(parser, place, "unexpected %s%s", found, text);
}
