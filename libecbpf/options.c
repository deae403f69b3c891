// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Command lines, by a tool's table of options. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <bpf/libbpf.h>

#include "clock.h"
#include "internal.h"
#include "options.h"

/* getopt's value of a long option: its row's index doubled, odd for --no-NAME. */
#define VALUE_BASE	256
#define NAME_MAX_OCTETS 48

struct row_state {
	const struct ecbpf_option *row;
	bool given;
	bool negated;
	/* Of getopt_long(), which doesn't copy it. */
	char negation[NAME_MAX_OCTETS];
};

/**
 * struct parser - one reading of a command line
 * @mode: row that selected the mode
 */
struct parser {
	const struct ecbpf_tool *tool;
	struct row_state *rows;
	size_t count;
	struct option *longs;
	char *letters;
	const struct ecbpf_option *mode;
};

static void tool_message(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	fprintf(stderr, "%s: %s\n", (const char *)context, message);
}

__attribute__((format(printf, 1, 2))) static int misuse(const char *format, ...)
{
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	ecbpf_log(ECBPF_LOG_ERROR, "%s", message);
	return EX_USAGE;
}

static int out_of_memory(void)
{
	return ecbpf_exit_code(ecbpf_fail(-ENOMEM, "out of memory"));
}

/* Setting up ----------------------------------------------------------------------------- */

static size_t count_rows(const struct ecbpf_option *rows)
{
	size_t count = 0;

	while (rows[count].kind != ECBPF_OPTION_END)
		count++;
	return count;
}

static int getopt_argument(const struct ecbpf_option *row)
{
	if (!ecbpf_option_takes_argument(row))
		return no_argument;
	return row->optional ? optional_argument : required_argument;
}

static void add_letter(char *letters, const struct ecbpf_option *row)
{
	char text[4] = { row->letter };

	if (!row->letter)
		return;
	if (ecbpf_option_takes_argument(row))
		strcpy(text + 1, row->optional ? "::" : ":");
	strcat(letters, text);
}

static void add_longs(struct parser *parser)
{
	struct option *next = parser->longs;

	for (size_t i = 0; i < parser->count; i++) {
		struct row_state *state = &parser->rows[i];
		int value = VALUE_BASE + 2 * i;

		if (!state->row->name)
			continue;
		*next++ = (struct option){ state->row->name, getopt_argument(state->row), NULL,
					   value };
		add_letter(parser->letters, state->row);
		if (state->row->kind != ECBPF_OPTION_NEGATABLE)
			continue;
		snprintf(state->negation, sizeof(state->negation), "no-%s", state->row->name);
		*next++ = (struct option){ state->negation, no_argument, NULL, value + 1 };
	}
}

static void parser_free(struct parser *parser)
{
	free(parser->rows);
	free(parser->longs);
	free(parser->letters);
}

static int parser_prepare(struct parser *parser, const struct ecbpf_tool *tool)
{
	size_t own = count_rows(tool->options);

	*parser = (struct parser){
		.tool = tool,
		.count = own + count_rows(ecbpf_options_common),
	};
	parser->rows = calloc(parser->count, sizeof(*parser->rows));
	parser->longs = calloc(2 * parser->count + 1, sizeof(*parser->longs));
	parser->letters = calloc(3 * parser->count + 3, 1);
	if (!parser->rows || !parser->longs || !parser->letters) {
		parser_free(parser);
		return out_of_memory();
	}
	for (size_t i = 0; i < parser->count; i++)
		parser->rows[i].row = i < own ? &tool->options[i] : &ecbpf_options_common[i - own];
	/* Stop at operands; tell a missing argument from an unknown option. */
	strcpy(parser->letters, "+:");
	add_longs(parser);
	return EX_OK;
}

/* Values --------------------------------------------------------------------------------- */

static int number_parse(const char *text, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (*end)
		return -EINVAL;
	return errno ? -ERANGE : 0;
}

static int store_unsigned(const struct ecbpf_option *row, const char *text)
{
	uint64_t max = row->max ? row->max : UINT64_MAX;
	uint64_t value = 0;
	int err = number_parse(text, &value);

	if (err == -EINVAL)
		return misuse("--%s: '%s' is not a number; give one from %" PRIu64 " to %" PRIu64,
			      row->name, text, row->min, max);
	if (err || value < row->min || value > max)
		return misuse("--%s: %s is out of range; give a number from %" PRIu64
			      " to %" PRIu64,
			      row->name, text, row->min, max);
	*(uint64_t *)row->target = value;
	return EX_OK;
}

static int store_duration(const struct ecbpf_option *row, const char *text)
{
	uint64_t max = row->max ? row->max : UINT64_MAX;
	char limit[ECBPF_TIME_MAX];
	uint64_t value = 0;
	int err = ecbpf_duration_parse(text, &value);

	if (err == -EINVAL)
		return misuse(
			"--%s: '%s' is not a duration; give one such as 90s, 10m, 1h30m or 2d",
			row->name, text);
	if (err || value > max)
		return misuse("--%s: %s is too long; give at most %s", row->name, text,
			      ecbpf_duration_format(max / NS_PER_S, limit));
	if (value < row->min)
		return misuse("--%s: %s is too short; give at least %gs", row->name, text,
			      (double)row->min / NS_PER_S);
	*(uint64_t *)row->target = value;
	return EX_OK;
}

static int store_list(const struct ecbpf_option *row, const char *text)
{
	int err = ecbpf_strings_split(row->target, text);

	if (err == -EINVAL)
		return misuse("--%s: empty item in '%s'; put one comma between items", row->name,
			      text);
	return ecbpf_exit_code(err);
}

static int store(const struct ecbpf_option *row, bool negated, const char *argument)
{
	if (ecbpf_option_takes_argument(row) && !argument)
		return EX_OK;
	switch (row->kind) {
	case ECBPF_OPTION_FLAG:
		*(bool *)row->target = true;
		return EX_OK;
	case ECBPF_OPTION_NEGATABLE:
		*(int *)row->target = !negated;
		return EX_OK;
	case ECBPF_OPTION_CHOICE:
		*(int *)row->target = row->value;
		return EX_OK;
	case ECBPF_OPTION_UNSIGNED:
		return store_unsigned(row, argument);
	case ECBPF_OPTION_DURATION:
		return store_duration(row, argument);
	case ECBPF_OPTION_STRING:
		*(const char **)row->target = argument;
		return EX_OK;
	case ECBPF_OPTION_STRINGS:
	case ECBPF_OPTION_INTERFACES:
		return store_list(row, argument);
	default:
		return EX_OK;
	}
}

/* Reading -------------------------------------------------------------------------------- */

static bool choices_differ(const struct ecbpf_option *a, const struct ecbpf_option *b)
{
	return a->kind == ECBPF_OPTION_CHOICE && b->kind == ECBPF_OPTION_CHOICE &&
	       a->target == b->target && a->value != b->value;
}

static int check_exclusion(const struct parser *parser, const struct row_state *now, bool negated)
{
	const struct ecbpf_option *row = now->row;

	if (now->given && now->negated != negated)
		return misuse("--%s and --no-%s exclude each other; give one", row->name,
			      row->name);
	if (row->mode && parser->mode && parser->mode->mode != row->mode)
		return misuse("--%s and --%s exclude each other; give one", parser->mode->name,
			      row->name);
	for (size_t i = 0; i < parser->count; i++)
		if (parser->rows[i].given && choices_differ(parser->rows[i].row, row))
			return misuse("--%s and --%s exclude each other; give one",
				      parser->rows[i].row->name, row->name);
	return EX_OK;
}

/* getopt_long() always takes abbreviations, which would break when an option is added. */
static bool is_abbreviated(const char *word, const struct option *option)
{
	size_t length = strlen(option->name);

	if (strncmp(word, "--", 2) != 0)
		return false;
	return strncmp(word + 2, option->name, length) != 0 ||
	       (word[2 + length] != '\0' && word[2 + length] != '=');
}

static int refuse(const struct parser *parser, const char *word, int code)
{
	const char *tool = parser->tool->name;
	size_t length = strcspn(word, "=");

	if (code == ':' && optopt >= VALUE_BASE)
		return misuse("%s: argument missing; see '%s --help'", word, tool);
	if (code == ':')
		return misuse("-%c: argument missing; see '%s --help'", optopt, tool);
	if (optopt >= VALUE_BASE)
		return misuse("%.*s: takes no argument; leave out '%s'", (int)length, word,
			      word + length);
	if (optopt && strncmp(word, "--", 2) != 0)
		return misuse("unknown option '-%c'; see '%s --help'", optopt, tool);
	return misuse("unknown option '%.*s'; see '%s --help'", (int)length, word, tool);
}

static struct row_state *find_row(const struct parser *parser, int code)
{
	if (code >= VALUE_BASE)
		return &parser->rows[(code - VALUE_BASE) / 2];
	for (size_t i = 0; i < parser->count; i++)
		if (parser->rows[i].row->letter == code)
			return &parser->rows[i];
	return NULL;
}

/* An optional argument may be a word of its own too: nothing else can stand there. */
static const char *take_argument(const struct ecbpf_option *row, char **argv)
{
	if (!optarg && row->optional && argv[optind] && argv[optind][0] != '-')
		return argv[optind++];
	return optarg;
}

static int take_option(struct parser *parser, int code, char **argv)
{
	struct row_state *state = find_row(parser, code);
	bool negated = code >= VALUE_BASE && (code - VALUE_BASE) % 2;
	int status;

	if (!state)
		return EX_SOFTWARE;
	status = check_exclusion(parser, state, negated);
	if (status)
		return status;
	state->given = true;
	state->negated = negated;
	if (state->row->mode)
		parser->mode = state->row;
	return store(state->row, negated, take_argument(state->row, argv));
}

static int read_words(struct parser *parser, int argc, char **argv)
{
	int code, at, status, index;

	/* glibc and musl start anew at 0. */
	optind = 0;
	opterr = 0;
	for (;;) {
		at = optind ? optind : 1;
		index = -1;
		code = getopt_long(argc, argv, parser->letters, parser->longs, &index);
		if (code == -1)
			break;
		if (index >= 0 && is_abbreviated(argv[at], &parser->longs[index]))
			return misuse("unknown option '%s'; did you mean '--%s'?", argv[at],
				      parser->longs[index].name);
		if (code == '?' || code == ':')
			return refuse(parser, argv[at], code);
		status = take_option(parser, code, argv);
		if (status || ecbpf_common.help || ecbpf_common.version)
			return status;
	}
	if (optind < argc)
		return misuse("unexpected argument '%s'; see '%s --help'", argv[optind],
			      parser->tool->name);
	return EX_OK;
}

/* The whole ------------------------------------------------------------------------------ */

static bool goes_with(uint64_t modes, const struct parser *parser)
{
	return parser->mode && modes & ECBPF_WITH(parser->mode->mode);
}

static int check_row(const struct parser *parser, const struct row_state *state)
{
	const struct ecbpf_option *row = state->row;

	if (!state->given && goes_with(row->required_with, parser))
		return misuse("--%s needs --%s %s", parser->mode->name, row->name, row->metavar);
	if (state->given && row->with && !goes_with(row->with, parser))
		return misuse("--%s has no use for --%s; leave it out", parser->mode->name,
			      row->name);
	return EX_OK;
}

static int check_interfaces(const struct parser *parser, const struct ecbpf_option *row)
{
	ecbpf_strings_unique(row->target);
	return ecbpf_exit_code(
		ecbpf_interfaces_check(row->target, goes_with(row->gone_with, parser)));
}

static int check_whole(const struct parser *parser)
{
	int status = EX_OK;

	if (parser->tool->mode && !parser->mode) {
		ecbpf_options_usage(parser->tool);
		return misuse("no mode given; see '%s --help'", parser->tool->name);
	}
	for (size_t i = 0; i < parser->count && !status; i++)
		status = check_row(parser, &parser->rows[i]);
	for (size_t i = 0; i < parser->count && !status; i++)
		if (parser->rows[i].given && parser->rows[i].row->kind == ECBPF_OPTION_INTERFACES)
			status = check_interfaces(parser, parser->rows[i].row);
	if (!status && parser->mode)
		*parser->tool->mode = parser->mode->mode;
	return status;
}

int ecbpf_options_parse(const struct ecbpf_tool *tool, int argc, char **argv)
{
	struct parser parser;
	int status;

	ecbpf_streams_reserve();
	memset(&ecbpf_common, 0, sizeof(ecbpf_common));
	ecbpf_log_set(tool_message, (void *)tool->name, ECBPF_LOG_INFO);
	status = parser_prepare(&parser, tool);
	if (status)
		return status;
	status = read_words(&parser, argc, argv);
	if (ecbpf_common.debug)
		ecbpf_log_set(tool_message, (void *)tool->name, ECBPF_LOG_DEBUG);
	if (status == EX_OK && ecbpf_common.help) {
		ecbpf_options_help(tool);
		status = ecbpf_output_finish(EX_OK);
	} else if (status == EX_OK && ecbpf_common.version) {
		printf("%s %s (libbpf %s)\n", tool->name, ECBPF_VERSION,
		       libbpf_version_string() + 1);
		status = ecbpf_output_finish(EX_OK);
	} else if (status == EX_OK) {
		status = check_whole(&parser);
		if (status == EX_OK)
			status = ECBPF_OPTIONS_OK;
	}
	parser_free(&parser);
	return status;
}
