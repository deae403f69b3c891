// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Files of rules: reading them, what they include, and errors with the line that they are about. */
#include "rules_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

#include "rules_parse.h"

#define FIRST_CHUNK 65536

int fw_lex_lex_init_extra(struct fw_parser *parser, void **scanner);
int fw_lex_lex_destroy(void *scanner);
void *fw_lex__scan_bytes(const char *text, int size, void *scanner);

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

/* An octet that has no place of its own on a line. */
static bool utf8_continues(char octet)
{
	return (octet & 0xc0) == 0x80;
}

static void show_line(const struct fw_parser *parser, const struct fw_place *place)
{
	size_t length, i, column = place->first_column > 0 ? place->first_column - 1 : 0;
	const char *line = line_of(parser, place->first_line, &length);

	fputs("    ", parser->out);
	for (i = 0; i < length; i++)
		fputc((unsigned char)line[i] < ' ' && line[i] != '\t' ? '?' : line[i], parser->out);
	fputs("\n    ", parser->out);
	for (i = 0; i < column && i < length; i++)
		if (!utf8_continues(line[i]))
			fputc(line[i] == '\t' ? '\t' : ' ', parser->out);
	fputs("^\n", parser->out);
}

void fw_error(struct fw_parser *parser, const struct fw_place *place, const char *format, ...)
{
	va_list arguments;

	if (parser->errors++ >= FW_ERRORS_MAX)
		return;
	fprintf(parser->out, "%s:%d:%d: ", parser->file, place->first_line, place->first_column);
	va_start(arguments, format);
	vfprintf(parser->out, format, arguments);
	va_end(arguments);
	fputc('\n', parser->out);
	show_line(parser, place);
	parser->failed = 1;
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

/* Everything that @file has; a NUL behind it. */
static int read_all(FILE *file, char **out, size_t *out_size)
{
	size_t room = FIRST_CHUNK, size = 0, got;
	char *text = malloc(room), *larger;

	while (text) {
		got = fread(text + size, 1, room - size - 1, file);
		size += got;
		if (!got || size > FW_TEXT_MAX)
			break;
		if (size + 1 < room)
			continue;
		room *= 2;
		larger = realloc(text, room);
		if (!larger)
			free(text);
		text = larger;
	}
	if (!text)
		return -ENOMEM;
	if (ferror(file) || size > FW_TEXT_MAX) {
		/* A folder can be opened, but not read. */
		int err = size > FW_TEXT_MAX ? -EFBIG : errno == EISDIR ? -EISDIR : -EIO;

		free(text);
		return err;
	}
	text[size] = '\0';
	*out = text;
	*out_size = size;
	return 0;
}

/* Keep the name for as long as the rules that refer to it. */
static const char *keep_name(struct fw_ruleset *ruleset, const char *name)
{
	char *copy = strdup(name);

	if (!copy || fw_grow(&ruleset->files, ruleset->file_count, sizeof(*ruleset->files))) {
		free(copy);
		return NULL;
	}
	ruleset->files[ruleset->file_count++] = copy;
	return copy;
}

static int parse(struct fw_parser *parser)
{
	void *scanner;
	int err;

	if (memchr(parser->lex.source, '\0', parser->lex.size)) {
		const char *nul = memchr(parser->lex.source, '\0', parser->lex.size), *at;
		struct fw_place place = { .first_line = 1, .first_column = 1 };

		for (at = parser->lex.source; at < nul; at++) {
			place.first_line += *at == '\n';
			place.first_column = *at == '\n' ? 1 : place.first_column + 1;
		}
		fw_error(parser, &place, "a NUL is no part of a text");
		return 0;
	}
	if (fw_lex_lex_init_extra(parser, &scanner))
		return -ENOMEM;
	parser->lex.line = parser->lex.column = 1;
	err = fw_lex__scan_bytes(parser->lex.source, parser->lex.size, scanner) ? 0 : -ENOMEM;
	fw_line_begin(parser);
	if (!err)
		err = fw_parse_parse(scanner, parser) == 2 ? -ENOMEM : 0;
	fw_line_drop(parser);
	free(parser->set.items);
	fw_lex_lex_destroy(scanner);
	return err;
}

static int read_named(const char *path, FILE *out, unsigned int depth, struct fw_ruleset *ruleset,
		      unsigned int *errors)
{
	bool standard = !strcmp(path, "-");
	struct fw_parser parser = { .ruleset = ruleset, .out = out, .depth = depth };
	FILE *file = standard ? stdin : fopen(path, "re");
	char *text = NULL;
	int err;

	if (!file)
		return -errno;
	err = read_all(file, &text, &parser.lex.size);
	if (!standard)
		fclose(file);
	if (err)
		return err;
	parser.lex.source = text;
	parser.file = keep_name(ruleset, standard ? "stdin" : path);
	parser.errors = *errors;
	err = parser.file ? parse(&parser) : -ENOMEM;
	*errors = parser.errors;
	free(text);
	return err;
}

static int told(unsigned int errors, FILE *out)
{
	if (errors > FW_ERRORS_MAX)
		fprintf(out, "and %u more errors\n", errors - FW_ERRORS_MAX);
	return errors ? -EBADMSG : 0;
}

int fw_rules_read(const char *path, FILE *out, struct fw_ruleset *ruleset)
{
	struct fw_ruleset read = {};
	unsigned int errors = 0;
	int err = read_named(path, out, 0, &read, &errors);

	if (err == -EFBIG)
		ecbpf_fail(err,
			   "%s: more than %u octets; put prefixes into files of their own: "
			   "set NAME file \"path\"",
			   path, FW_TEXT_MAX);
	else if (err)
		ecbpf_fail(err, "%s: reading the rules failed: %s", path, strerror(-err));
	if (err == -ENOENT || err == -EISDIR || err == -EACCES)
		err = -ENODEV;
	if (!err)
		err = told(errors, out);
	if (err) {
		fw_ruleset_free(&read);
		return err;
	}
	*ruleset = read;
	return 0;
}

int fw_rules_parse(const char *name, const char *text, size_t size, FILE *out,
		   struct fw_ruleset *ruleset)
{
	struct fw_ruleset read = {};
	struct fw_parser parser = {
		.ruleset = &read,
		.out = out,
		.file = keep_name(&read, name),
		.lex = { .source = text, .size = size },
	};
	int err = parser.file ? parse(&parser) : -ENOMEM;

	if (!err)
		err = told(parser.errors, out);
	if (err) {
		fw_ruleset_free(&read);
		return err;
	}
	*ruleset = read;
	return 0;
}

/* @name as the file that names it means it: beside that file. */
static char *beside(const char *file, struct fw_word name)
{
	const char *slash = strrchr(file, '/');
	size_t folder = name.length && name.text[0] != '/' && slash ? slash + 1 - file : 0;
	char *path = malloc(folder + name.length + 1);

	if (!path)
		return NULL;
	memcpy(path, file, folder);
	memcpy(path + folder, name.text, name.length);
	path[folder + name.length] = '\0';
	return path;
}

void fw_include(struct fw_parser *parser, const struct fw_place *place, struct fw_word word)
{
	char *path;
	int err;

	if (parser->depth >= FW_INCLUDE_DEPTH) {
		fw_error(parser, place,
			 "include: more than %d files deep; does one include itself?",
			 FW_INCLUDE_DEPTH);
		return;
	}
	path = beside(parser->file, word);
	err = path ? read_named(path, parser->out, parser->depth + 1, parser->ruleset,
				&parser->errors) :
		     -ENOMEM;
	if (err)
		fw_error(parser, place, "include: %s: %s", path ? path : "", strerror(-err));
	free(path);
}

/* A line of a file of prefixes: blanks and a comment may stand around the prefix. */
static bool line_prefix(char *line, struct prefix *prefix)
{
	bool host_bits;
	char *end;

	end = line + strcspn(line, " \t\r\n#");
	if (end[strspn(end, " \t\r\n")] && end[strspn(end, " \t\r\n")] != '#')
		return false;
	*end = '\0';
	return !prefix_parse(line, prefix, &host_bits);
}

static int read_prefixes(struct fw_parser *parser, const struct fw_place *place, const char *path,
			 FILE *file)
{
	unsigned long number = 0;
	struct prefix prefix;
	size_t room = 0;
	char *line = NULL, *at;
	int err = 0;

	while (!err && getline(&line, &room, file) >= 0) {
		number++;
		at = line + strspn(line, " \t\r\n");
		if (!*at || *at == '#')
			continue;
		if (!line_prefix(at, &prefix)) {
			fw_error(parser, place,
				 "%s:%lu:%zu: '%.50s' is no prefix; write one on "
				 "each line",
				 path, number, at - line + 1, at);
			err = -EBADMSG;
		} else if (parser->set.count >= FW_SET_MAX) {
			fw_error(parser, place, "%s:%lu: more than %d prefixes in a set", path,
				 number, FW_SET_MAX);
			err = -E2BIG;
		} else {
			err = fw_grow(&parser->set.items, parser->set.count, sizeof(prefix));
			if (!err)
				parser->set.items[parser->set.count++] = prefix;
		}
	}
	free(line);
	return err;
}

void fw_set_file(struct fw_parser *parser, const struct fw_place *place, struct fw_word word)
{
	char *path = beside(parser->file, word);
	FILE *file = path ? fopen(path, "re") : NULL;

	if (!file) {
		fw_error(parser, place, "set: %s: %s", path ? path : "", strerror(errno));
	} else {
		if (read_prefixes(parser, place, path, file) == -ENOMEM || ferror(file))
			fw_error(parser, place, "set: %s: %s", path, strerror(errno));
		fclose(file);
	}
	free(path);
}
