/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The manners that all tools of the suite share: declared options, messages, tables, JSON,
 * OpenMetrics, statsd, progress, watching.
 *
 * Functions that can fail return 0 or a negative errno and say why through the log callback,
 * as in <ecbpf/ecbpf.h>. Not thread-safe. Since 0.1 throughout.
 */
#ifndef ECBPF_TOOL_H
#define ECBPF_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <ecbpf/ecbpf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_object;

/* Lists of names ------------------------------------------------------------------------- */

/* Zero-initialised: empty. @items is terminated by NULL unless the list is empty. */
struct ecbpf_strings {
	char **items;
	size_t count;
};

int ecbpf_strings_add(struct ecbpf_strings *strings, const char *item);

/* Add what @text lists between commas; -EINVAL, with nothing added, for an empty item. */
int ecbpf_strings_split(struct ecbpf_strings *strings, const char *text);

/* Keep the first of equal items. */
void ecbpf_strings_unique(struct ecbpf_strings *strings);
void ecbpf_strings_sort(struct ecbpf_strings *strings);
void ecbpf_strings_free(struct ecbpf_strings *strings);

/**
 * ecbpf_interfaces_check() - whether all of these interfaces exist
 * @gone: a name that only has pins left will do
 *
 * Return: -ENODEV, all missing ones having been named in one message.
 */
int ecbpf_interfaces_check(const struct ecbpf_strings *names, bool gone);

/*
 * Copy those that were @asked for, or if none was, all that have pins in this network namespace, to
 * @names; free it with ecbpf_strings_free(), after an error too.
 */
int ecbpf_interfaces_or_all(const struct ecbpf_strings *asked, struct ecbpf_strings *names);

/**
 * ecbpf_interfaces_each() - do @work with each interface, with all even if one fails
 * @done: participle ("detached"): where one fails, it is said which the others were
 *
 * Return: the first error.
 */
int ecbpf_interfaces_each(const struct ecbpf_strings *interfaces, const char *done,
			  int (*work)(const char *interface, const void *context),
			  const void *context);

/**
 * struct ecbpf_roots_work - what is done with root arrays
 * @done: as of ecbpf_interfaces_each()
 * @absent: says what isn't there, where @work returns -ENOENT and has said nothing
 */
struct ecbpf_roots_work {
	enum ecbpf_which which;
	const char *done;
	int (*work)(struct ecbpf_root *root);
	int (*absent)(const char *interface);
};

/* Do it with each interface's root array, as ecbpf_interfaces_each() does. */
int ecbpf_roots_each(const struct ecbpf_strings *interfaces, const struct ecbpf_roots_work *work);

/* Options -------------------------------------------------------------------------------- */

enum ecbpf_option_kind {
	/* Ends the table. */
	ECBPF_OPTION_END,
	/* A heading in --help: its text is in @help. */
	ECBPF_OPTION_GROUP,
	/* No argument, no target: only selects a mode. */
	ECBPF_OPTION_MODE,
	/* bool: set to true. */
	ECBPF_OPTION_FLAG,
	/* int: --NAME sets 1, --no-NAME sets 0. */
	ECBPF_OPTION_NEGATABLE,
	/* int: set to @value; options of other values for the same target exclude each other. */
	ECBPF_OPTION_CHOICE,
	/* uint64_t, between @min and @max (0: no upper bound). */
	ECBPF_OPTION_UNSIGNED,
	/* uint64_t nanoseconds, see ecbpf_duration_parse(); between @min and @max likewise. */
	ECBPF_OPTION_DURATION,
	/* const char *. */
	ECBPF_OPTION_STRING,
	/* struct ecbpf_strings, comma-separated; every occurrence adds. */
	ECBPF_OPTION_STRINGS,
	/* The same, without duplicates, checked by ecbpf_interfaces_check(). */
	ECBPF_OPTION_INTERFACES,
};

/* Set of modes, for @with, @required_with and @gone_with. Modes are numbered from 1 to 63. */
#define ECBPF_WITH(mode) (UINT64_C(1) << (mode))

/**
 * struct ecbpf_option - one row of a tool's options
 * @name: long name, without dashes
 * @letter: short name or 0
 * @kind: what it takes, and the type that @target points to
 * @optional: its argument may be left out; @target then stays
 * @mode: giving the option selects this mode (two rows may share one); 0: it selects none
 * @value: of ECBPF_OPTION_CHOICE
 * @target: stays untouched if the option isn't given
 * @min: smallest number accepted
 * @max: largest number accepted; 0: any
 * @with: modes that use the option, it is refused with others; 0: all
 * @required_with: modes that can't go without it
 * @gone_with: modes that take names of interfaces that are gone but have pins
 * @metavar: what --help calls the argument
 * @help: one or two lines; NULL: not listed
 */
struct ecbpf_option {
	const char *name;
	char letter;
	enum ecbpf_option_kind kind;
	bool optional;
	int mode;
	int value;
	void *target;
	uint64_t min;
	uint64_t max;
	uint64_t with;
	uint64_t required_with;
	uint64_t gone_with;
	const char *metavar;
	const char *help;
};

/* Rows that read the same in all tools. */
#define ECBPF_OPTION_GROUP_ROW(heading)                     \
	{                                                   \
		.kind = ECBPF_OPTION_GROUP, .help = heading \
	}

#define ECBPF_OPTION_MODE_ROW(option, short_name, selected, text)                                  \
	{                                                                                          \
		.name = option, .letter = short_name, .kind = ECBPF_OPTION_MODE, .mode = selected, \
		.help = text                                                                       \
	}

#define ECBPF_OPTION_FLAG_ROW(option, short_name, flag, modes, text)                             \
	{                                                                                        \
		.name = option, .letter = short_name, .kind = ECBPF_OPTION_FLAG, .target = flag, \
		.with = modes, .help = text                                                      \
	}

#define ECBPF_OPTION_NEGATABLE_ROW(option, choice, modes, text)                                  \
	{                                                                                        \
		.name = option, .kind = ECBPF_OPTION_NEGATABLE, .target = choice, .with = modes, \
		.help = text                                                                     \
	}

#define ECBPF_OPTION_CHOICE_ROW(option, short_name, choice, chosen, modes, text)   \
	{                                                                          \
		.name = option, .letter = short_name, .kind = ECBPF_OPTION_CHOICE, \
		.target = choice, .value = chosen, .with = modes, .help = text     \
	}

#define ECBPF_OPTION_STRINGS_ROW(option, list, modes, required, argument, text)              \
	{                                                                                    \
		.name = option, .kind = ECBPF_OPTION_STRINGS, .target = list, .with = modes, \
		.required_with = required, .metavar = argument, .help = text                 \
	}

/* Durations between @least and @most ns. */
/* A mode that takes an interval: 1 second unless @target_, ns, is another at first. */
#define ECBPF_OPTION_WATCH_ROW(mode_, target_, help_)                                            \
	{                                                                                        \
		.name = "watch", .letter = 'w', .kind = ECBPF_OPTION_DURATION, .optional = true, \
		.mode = (mode_), .target = (target_), .min = 100000000ULL,                       \
		.max = 86400 * 1000000000ULL, .metavar = "SECONDS", .help = (help_)              \
	}

#define ECBPF_OPTION_DURATION_ROW(option, ns, least, most, modes, argument, text)          \
	{                                                                                  \
		.name = option, .kind = ECBPF_OPTION_DURATION, .target = ns, .min = least, \
		.max = most, .with = modes, .metavar = argument, .help = text              \
	}

#define ECBPF_OPTION_UNSIGNED_ROW(option, number, least, most, modes, argument, text)          \
	{                                                                                      \
		.name = option, .kind = ECBPF_OPTION_UNSIGNED, .target = number, .min = least, \
		.max = most, .with = modes, .metavar = argument, .help = text                  \
	}

#define ECBPF_OPTION_INTERFACE_ROW(names, modes, required, gone)                              \
	{                                                                                     \
		.name = "interface", .letter = 'i', .kind = ECBPF_OPTION_INTERFACES,          \
		.target = names, .with = modes, .required_with = required, .gone_with = gone, \
		.metavar = "NAME[,NAME...]", .help = "Network interfaces to work on"          \
	}

/**
 * struct ecbpf_tool - what a tool says about itself
 * @name: of the command
 * @summary: one sentence, with its full stop
 * @options: ends with a row of zeroes; --help, --version and --debug come by themselves, unless
 *	a row has that name
 * @mode: out: the mode that was selected
 * @examples: commands, one per line
 * @overhead: what the tool costs
 */
struct ecbpf_tool {
	const char *name;
	const char *summary;
	const struct ecbpf_option *options;
	int *mode;
	const char *examples;
	const char *overhead;
};

#define ECBPF_OPTIONS_OK (-1)

/**
 * ecbpf_options_parse() - read the command line into the targets of @tool's options
 *
 * From here on messages go to stderr as "NAME: message". Long names can't be abbreviated,
 * and operands aren't accepted.
 *
 * Return: ECBPF_OPTIONS_OK, or what main() shall return: 0 after --help and --version, 64 (with
 * a message) for a command line that makes no sense, that of -ENODEV for an unknown interface.
 */
int ecbpf_options_parse(const struct ecbpf_tool *tool, int argc, char **argv);

/* Flush stdout: @status, or the exit code of an output error, which is told. */
int ecbpf_output_finish(int status);

/* Times ---------------------------------------------------------------------------------- */

/**
 * ecbpf_duration_parse() - "10m", "1h30m", "2d", "500ms", "0.5s", or plain seconds, to nanoseconds
 *
 * Units: ms, s, m, h, d, w. Silent. Return: -EINVAL: not a duration, -ERANGE: too long.
 */
int ecbpf_duration_parse(const char *text, uint64_t *nanoseconds);

/* Room for any text of the functions below. */
#define ECBPF_TIME_MAX 40

/* "3d 4h", "10m", "42s": the two largest units; gives @text back. */
const char *ecbpf_duration_format(uint64_t seconds, char text[ECBPF_TIME_MAX]);

/* What a clock says, ns. */
uint64_t ecbpf_clock(clockid_t clock);

/* ns since the Unix epoch as "2026-03-01T12:00:00Z"; gives @text back. */
const char *ecbpf_time_iso(uint64_t nanoseconds, char text[ECBPF_TIME_MAX]);

/* ns since the Unix epoch as "Sun, 01 Mar 2026 12:00:00 +0000", whatever the locale. */
const char *ecbpf_time_mail(uint64_t nanoseconds, char text[ECBPF_TIME_MAX]);

/* Tables --------------------------------------------------------------------------------- */

struct ecbpf_column {
	const char *title;
	unsigned int width;
	/* Of the cells; titles are always aligned to the left. */
	bool right;
};

/* Make @column wide enough for @cell. */
void ecbpf_column_fit(struct ecbpf_column *column, const char *cell);

void ecbpf_table_header(FILE *out, const struct ecbpf_column *columns, size_t count);
void ecbpf_table_row(FILE *out, const struct ecbpf_column *columns, size_t count,
		     const char *const *cells);

/* Copy what fits @size: "?" for whatever isn't printable ASCII, as others may have chosen @text to
 * play tricks on a terminal. Gives @printable back.
 */
const char *ecbpf_text_printable(const char *text, char *printable, size_t size);

/* JSON ----------------------------------------------------------------------------------- */

/* A string as by ecbpf_time_iso(), or null for 0. */
struct json_object *ecbpf_json_time(uint64_t nanoseconds);

/* @text up to a NUL, at most @length octets, with U+FFFD for each that isn't part of UTF-8. */
struct json_object *ecbpf_json_text(const char *text, size_t length);

/* Write @object, for reading by eyes too, and a newline; then free it. Whether @out took it is
 * for ecbpf_output_finish() to tell.
 */
int ecbpf_json_print(FILE *out, struct json_object *object);

/* The same on a single line, for programs that read object by object. */
int ecbpf_json_line(FILE *out, struct json_object *object);

/* OpenMetrics ---------------------------------------------------------------------------- */

enum ecbpf_metric {
	ECBPF_METRIC_COUNTER,
	ECBPF_METRIC_GAUGE,
	ECBPF_METRIC_INFO,
};

struct ecbpf_label {
	const char *name;
	const char *value;
};

/**
 * struct ecbpf_metric_family - samples of one name
 * @name: without the suffix that the type adds ("_total", "_info")
 * @help: one sentence
 */
struct ecbpf_metric_family {
	const char *name;
	enum ecbpf_metric type;
	const char *help;
};

/* All samples of a family follow its header; then the next family begins. */
void ecbpf_openmetrics_header(FILE *out, const struct ecbpf_metric_family *family);

/* @labels ends with a row of zeroes and may be NULL; @value is 1 for ECBPF_METRIC_INFO. */
void ecbpf_openmetrics_sample(FILE *out, const struct ecbpf_metric_family *family,
			      const struct ecbpf_label *labels, uint64_t value);
/* A sample for each of @count events of an interface, labelled with both. */
void ecbpf_openmetrics_events(FILE *out, const struct ecbpf_metric_family *family,
			      const char *interface, const char *const *names, const __u64 *values,
			      size_t count);
void ecbpf_openmetrics_end(FILE *out);

/* statsd --------------------------------------------------------------------------------- */

struct ecbpf_statsd;

/**
 * ecbpf_statsd_open() - send to a statsd server over UDP
 * @host: name or address, resolved here and never again
 * @prefix: before every name, with a dot between; "" or NULL: none
 *
 * Return: -EHOSTUNREACH: the name has no address.
 */
int ecbpf_statsd_open(const char *host, uint16_t port, const char *prefix,
		      struct ecbpf_statsd **statsd);

/**
 * ecbpf_statsd_counter() - send how much a counter grew since it was last sent
 *
 * The first value of a name is where counting starts: it is sent as growth by 0. A value smaller
 * than the last one is taken as a counter that began anew at 0. Growth that couldn't be sent is
 * sent the next time.
 */
int ecbpf_statsd_counter(struct ecbpf_statsd *statsd, const char *name, uint64_t value);
int ecbpf_statsd_gauge(struct ecbpf_statsd *statsd, const char *name, uint64_t value);

/* Send what is gathered. Never blocks, and a receiver that isn't there is no error here. */
void ecbpf_statsd_flush(struct ecbpf_statsd *statsd);

/* Datagrams that could not be sent. */
uint64_t ecbpf_statsd_errors(const struct ecbpf_statsd *statsd);

/* Flushes. Also accepts NULL. */
void ecbpf_statsd_close(struct ecbpf_statsd *statsd);

/* Waiting -------------------------------------------------------------------------------- */

/* A bar on stderr; nothing unless that is a terminal. */
struct ecbpf_progress {
	const char *what;
	uint64_t total;
	int64_t drawn;
	bool shown;
};

void ecbpf_progress_begin(struct ecbpf_progress *progress, const char *what, uint64_t total);
/* Cheap to call often: redraws ten times a second. */
void ecbpf_progress_update(struct ecbpf_progress *progress, uint64_t done);
void ecbpf_progress_end(struct ecbpf_progress *progress);

/**
 * ecbpf_watch_callback - draw one picture
 * @seconds: since the call before; 0 for the first
 *
 * Return: 0, or a negative errno that ends the watch.
 */
typedef int (*ecbpf_watch_callback)(double seconds, void *context);

/**
 * ecbpf_watch() - call back now and after every @interval nanoseconds until SIGINT or SIGTERM
 *
 * Intervals are counted from the start, so a slow callback doesn't shift them; those that it
 * misses are left out. A terminal on stdout is cleared before each call.
 */
int ecbpf_watch(uint64_t interval, ecbpf_watch_callback callback, void *context);

/**
 * struct ecbpf_watch_work - pictures of one interface after the other
 * @size: octets of @state, what is kept of an interface until the next picture; zeroes at first
 * @draw: prints the interface, and replaces what is in @state; a negative errno ends the watch
 * @forget: frees what is in @state
 */
struct ecbpf_watch_work {
	size_t size;
	int (*draw)(const char *interface, void *state, double seconds);
	void (*forget)(void *state);
};

/* ecbpf_watch() with a headline of the time; of all that have a root array, if none is asked for. */
int ecbpf_watch_interfaces(const struct ecbpf_strings *interfaces, uint64_t interval,
			   const struct ecbpf_watch_work *work);

/* ecbpf_watch() for what adds lines: a terminal isn't cleared. */
int ecbpf_watch_lines(uint64_t interval, ecbpf_watch_callback callback, void *context);

/* Growth of a counter in @seconds, per second; 0 after it was cleared. */
double ecbpf_rate(uint64_t before, uint64_t now, double seconds);

#define ECBPF_RATE_MAX 32

/* The same as text, "-" where there is nothing to compare with: @before is NULL. */
const char *ecbpf_rate_format(const uint64_t *before, uint64_t now, double seconds,
			      char text[ECBPF_RATE_MAX]);

/* SIGINT, SIGTERM, and SIGHUP unless ignored, interrupt system calls: ecbpf_interrupted(). */
void ecbpf_interrupt_catch(void);
bool ecbpf_interrupted(void);

/**
 * ecbpf_interrupt_hold() - the same, but hold the signals back until ecbpf_interrupt_wait()
 *
 * So that no write is cut short by one.
 */
void ecbpf_interrupt_hold(void);

/* Until @fd (-1: none) can be read, a signal came, or that time is over. */
void ecbpf_interrupt_wait(int fd, uint64_t nanoseconds);

/**
 * ecbpf_output_wait() - until stdout has room for a line of at most PIPE_BUF octets, or a signal came
 *
 * So that whoever is told to end does, though nobody reads what it prints: each line is to be flushed
 * before the next. Return: whether there is room.
 */
bool ecbpf_output_wait(void);

#ifdef __cplusplus
}
#endif

#endif
