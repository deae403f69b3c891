// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Files of rules: reading them, and what they include. */
#include "rules_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ecbpf/ecbpf.h>

#include "rules_parse.h"
#include "rules_parser.h"

#define FIRST_CHUNK 65536
/* Octets of a line in a file of prefixes. */
#define PREFIX_LINE_MAX 4096

int fw_lex_lex_init_extra(struct fw_parser *parser, void **scanner);
int fw_lex_lex_destroy(void *scanner);
void *fw_lex__scan_bytes(const char *text, int size, void *scanner);

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
	if (parser->notes > FW_ERRORS_MAX)
		fprintf(parser->out, "%s: and host bits cleared %u times more\n", parser->file,
			parser->notes - FW_ERRORS_MAX);
	return err;
}

/* Which file it is; -ELOOP: it is being read already. */
static int identify(struct fw_parser *parser, FILE *file)
{
	const struct fw_parser *outer;
	struct stat info;

	if (fstat(fileno(file), &info))
		return -errno;
	parser->device = info.st_dev;
	parser->inode = info.st_ino;
	for (outer = parser->within; outer; outer = outer->within)
		if (outer->device == info.st_dev && outer->inode == info.st_ino)
			return -ELOOP;
	return 0;
}

/* @within: what includes it, or NULL. */
static int read_named(const char *path, FILE *out, struct fw_parser *within,
		      struct fw_ruleset *ruleset, unsigned int *errors)
{
	bool standard = !within && !strcmp(path, "-");
	struct fw_parser parser = {
		.ruleset = ruleset,
		.out = out,
		.within = within,
		.depth = within ? within->depth + 1 : 0,
		.errors = *errors,
	};
	FILE *file = standard ? stdin : fopen(path, "re");
	char *text = NULL;
	int err;

	if (!file)
		return -errno;
	err = identify(&parser, file) ?: read_all(file, &text, &parser.lex.size);
	if (!standard)
		fclose(file);
	if (err)
		return err;
	parser.lex.source = text;
	parser.file = keep_name(ruleset, standard ? "stdin" : path);
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

/* Its path leads to no file that could be read. */
static bool is_unreadable(int err)
{
	switch (-err) {
	case ENOENT:
	case EACCES:
	case EISDIR:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return true;
	default:
		return false;
	}
}

int fw_rules_read(const char *path, FILE *out, struct fw_ruleset *ruleset)
{
	struct fw_ruleset read = {};
	unsigned int errors = 0;
	int err = read_named(path, out, NULL, &read, &errors);
	const char *name = strcmp(path, "-") ? path : "stdin";

	if (err == -EFBIG)
		err = ecbpf_fail(-E2BIG,
				 "%s: more than %u octets; put prefixes into files of their own: "
				 "set NAME file \"path\"",
				 name, FW_TEXT_MAX);
	else if (err)
		ecbpf_fail(err, "%s: reading the rules failed: %s", name, strerror(-err));
	if (is_unreadable(err))
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
		fw_error(parser, place, "include: more than %d files deep", FW_INCLUDE_DEPTH);
		return;
	}
	if (parser->ruleset->file_count >= FW_FILES_MAX) {
		fw_error(parser, place, "include: more than %d files", FW_FILES_MAX);
		return;
	}
	path = beside(parser->file, word);
	err = path ? read_named(path, parser->out, parser, parser->ruleset, &parser->errors) :
		     -ENOMEM;
	if (err == -ELOOP)
		fw_error(parser, place, "include: %s includes itself", path);
	else if (err)
		fw_error(parser, place, "include: %s: %s", path ? path : "", strerror(-err));
	free(path);
}

/*
 * A line of a file of prefixes, of @length octets: blanks and a comment may stand around the prefix.
 */
static bool line_prefix(char *line, size_t length, struct prefix *prefix, bool *host_bits)
{
	char *end = line + strcspn(line, " \t\r#"), behind = end[strspn(end, " \t\r")];

	if ((behind && behind != '#') || strlen(line) != length)
		return false;
	*end = '\0';
	return !prefix_parse_as_written(line, prefix, host_bits);
}

/* Without its end. 1: a line; 0: end of file; -E2BIG: it is longer than PREFIX_LINE_MAX. */
static int read_line(FILE *file, char line[PREFIX_LINE_MAX + 1], size_t *length)
{
	int octet;

	*length = 0;
	errno = 0;
	while ((octet = getc_unlocked(file)) != EOF && octet != '\n') {
		if (*length == PREFIX_LINE_MAX)
			return -E2BIG;
		line[(*length)++] = octet;
	}
	line[*length] = '\0';
	if (ferror(file))
		return errno ? -errno : -EIO;
	return octet == '\n' || *length;
}

/* False: there is none, as was said. */
static bool add_prefix(struct fw_parser *parser, const struct fw_place *place, const char *path,
		       unsigned long number, const struct prefix *prefix)
{
	if (parser->set.count >= FW_SET_MAX) {
		fw_error(parser, place, "%s:%lu: more than %d prefixes in a set", path, number,
			 FW_SET_MAX);
		return false;
	}
	if (fw_grow(&parser->set.items, parser->set.count, sizeof(*prefix))) {
		fw_error(parser, place, "set: %s: %s", path, strerror(ENOMEM));
		return false;
	}
	parser->set.items[parser->set.count++] = *prefix;
	return true;
}

static void read_prefixes(struct fw_parser *parser, const struct fw_place *place, const char *path,
			  FILE *file)
{
	unsigned long number = 1, normalised = 0;
	char line[PREFIX_LINE_MAX + 1], *at;
	bool host_bits = false;
	struct prefix prefix;
	size_t length;
	int got;

	for (; (got = read_line(file, line, &length)) > 0; number++) {
		at = line + strspn(line, " \t\r");
		if (at == line + length || *at == '#')
			continue;
		if (!line_prefix(at, line + length - at, &prefix, &host_bits)) {
			fw_error(parser, place,
				 "%s:%lu:%zu: '%.*s' is no prefix; write one on "
				 "each line",
				 path, number, at - line + 1, fw_shown(strcspn(at, "\r")), at);
			break;
		}
		if (!add_prefix(parser, place, path, number, &prefix))
			break;
		normalised += host_bits;
	}
	if (got == -E2BIG)
		fw_error(parser, place,
			 "%s:%lu: a line of more than %d octets is no prefix; write one on each "
			 "line",
			 path, number, PREFIX_LINE_MAX);
	else if (got < 0)
		fw_error(parser, place, "set: %s: %s", path, strerror(-got));
	if (normalised)
		fw_note(parser, place, "%s: host bits cleared on %lu lines", path, normalised);
}

void fw_set_file(struct fw_parser *parser, const struct fw_place *place, struct fw_word word)
{
	char *path = beside(parser->file, word);
	FILE *file = path ? fopen(path, "re") : NULL;

	if (!file) {
		fw_error(parser, place, "set: %s: %s", path ? path : "", strerror(errno));
	} else {
		read_prefixes(parser, place, path, file);
		fclose(file);
	}
	free(path);
}
