// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Command lines, good and bad, against a made-up tool. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <ecbpf/tool.h>

#define WORDS_MAX 16
#define S	  UINT64_C(1000000000)

enum {
	MODE_RUN = 1,
	MODE_LIST,
	MODE_LOAD,
	MODE_WATCH
};

static struct env {
	int mode;
	bool flag;
	int negatable;
	int choice;
	uint64_t number;
	uint64_t any;
	uint64_t duration;
	uint64_t interval;
	const char *file;
	const char *text;
	struct ecbpf_strings items;
	struct ecbpf_strings interfaces;
} env;

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Modes"),
	{ .name = "run",
	  .letter = 'r',
	  .kind = ECBPF_OPTION_MODE,
	  .mode = MODE_RUN,
	  .help = "Run with an explanation that is too long to fit behind the option on its line" },
	{ .name = "list", .kind = ECBPF_OPTION_MODE, .mode = MODE_LIST, .help = "List" },
	{ .name = "listing", .kind = ECBPF_OPTION_MODE, .mode = MODE_LIST },
	{ .name = "load",
	  .kind = ECBPF_OPTION_STRING,
	  .mode = MODE_LOAD,
	  .target = &env.file,
	  .metavar = "FILE",
	  .help = "Load" },
	{ .name = "watch",
	  .letter = 'w',
	  .kind = ECBPF_OPTION_DURATION,
	  .mode = MODE_WATCH,
	  .optional = true,
	  .target = &env.interval,
	  .min = S / 10,
	  .max = 10 * S,
	  .metavar = "SECONDS",
	  .help = "Watch" },
	ECBPF_OPTION_GROUP_ROW("Options"),
	{ .name = "flag",
	  .letter = 'f',
	  .kind = ECBPF_OPTION_FLAG,
	  .target = &env.flag,
	  .help = "Flag" },
	{ .name = "thing",
	  .kind = ECBPF_OPTION_NEGATABLE,
	  .target = &env.negatable,
	  .with = ECBPF_WITH(MODE_RUN),
	  .help = "Thing" },
	{ .name = "left",
	  .kind = ECBPF_OPTION_CHOICE,
	  .target = &env.choice,
	  .value = 1,
	  .help = "Left" },
	{ .name = "right",
	  .kind = ECBPF_OPTION_CHOICE,
	  .target = &env.choice,
	  .value = 2,
	  .help = "Right" },
	{ .name = "number",
	  .letter = 'n',
	  .kind = ECBPF_OPTION_UNSIGNED,
	  .target = &env.number,
	  .min = 5,
	  .max = 100,
	  .metavar = "N",
	  .help = "Number" },
	{ .name = "any",
	  .kind = ECBPF_OPTION_UNSIGNED,
	  .target = &env.any,
	  .metavar = "N",
	  .help = "Any number" },
	{ .name = "expires",
	  .kind = ECBPF_OPTION_DURATION,
	  .target = &env.duration,
	  .metavar = "TIME",
	  .help = "Expiry" },
	{ .name = "text",
	  .kind = ECBPF_OPTION_STRING,
	  .target = &env.text,
	  .metavar = "TEXT",
	  .help = "Text" },
	{ .name = "items",
	  .kind = ECBPF_OPTION_STRINGS,
	  .target = &env.items,
	  .required_with = ECBPF_WITH(MODE_LIST),
	  .metavar = "ITEM[,ITEM...]",
	  .help = "Items" },
	ECBPF_OPTION_INTERFACE_ROW(&env.interfaces, 0, 0, 0),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "tool",
	.summary = "Does nothing.",
	.options = options,
	.mode = &env.mode,
	.examples = "tool --run\ntool --list --items a,b",
	.overhead = "none.",
};

static char printed[2][16384];

/* Send a standard stream to @file; gives back what restores it. */
static int divert(int stream, FILE *file)
{
	int saved = dup(stream);

	assert_true(saved >= 0);
	assert_true(dup2(fileno(file), stream) >= 0);
	return saved;
}

static void restore(int stream, int saved, FILE *file, char *text, size_t size)
{
	size_t length;

	dup2(saved, stream);
	close(saved);
	rewind(file);
	length = fread(text, 1, size - 1, file);
	text[length] = '\0';
	fclose(file);
}

static int split(const char *line, char *copy, char **words)
{
	int count = 0;

	words[count++] = (char *)"tool";
	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		words[count++] = word;
	assert_true(count < WORDS_MAX);
	words[count] = NULL;
	return count;
}

/* Parse the words of @line; what is printed goes to printed[], by stream. */
static int parse(const char *line)
{
	static char copy[512];
	char *words[WORDS_MAX];
	int count = split(line, copy, words);
	FILE *files[2] = { tmpfile(), tmpfile() };
	int saved[2], status;

	ecbpf_strings_free(&env.items);
	ecbpf_strings_free(&env.interfaces);
	env = (struct env){ .negatable = -1, .number = 50, .interval = S };
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		saved[i] = divert(i + 1, files[i]);
	status = ecbpf_options_parse(&tool, count, words);
	ecbpf_log(ECBPF_LOG_DEBUG, "a debug message");
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		restore(i + 1, saved[i], files[i], printed[i], sizeof(printed[i]));
	return status;
}

static void accepts(const char *line)
{
	assert_int_equal(parse(line), ECBPF_OPTIONS_OK);
	assert_string_equal(printed[0], "");
	assert_string_equal(printed[1], "");
}

static void refuses(const char *line, const char *message)
{
	char expected[512];

	assert_int_equal(parse(line), 64);
	snprintf(expected, sizeof(expected), "tool: %s\n", message);
	assert_string_equal(printed[0], "");
	assert_string_equal(printed[1], expected);
	assert_int_equal(env.mode, 0);
}

static void values_reach_their_targets(void **state)
{
	(void)state;
	accepts("--run");
	assert_int_equal(env.mode, MODE_RUN);
	assert_false(env.flag);
	assert_int_equal(env.negatable, -1);
	assert_int_equal(env.choice, 0);
	assert_int_equal(env.number, 50);
	assert_int_equal(env.interval, S);
	assert_null(env.text);
	accepts("--run --flag --thing --right --number 5 --any=18446744073709551615 "
		"--expires 10m --text=a=b --items x,y --items z");
	assert_true(env.flag);
	assert_int_equal(env.negatable, 1);
	assert_int_equal(env.choice, 2);
	assert_int_equal(env.number, 5);
	assert_true(env.any == UINT64_MAX);
	assert_int_equal(env.duration, 600 * S);
	assert_string_equal(env.text, "a=b");
	assert_int_equal(env.items.count, 3);
	assert_string_equal(env.items.items[2], "z");
	assert_null(env.items.items[3]);
	accepts("-rfn100 --no-thing --left --left");
	assert_int_equal(env.mode, MODE_RUN);
	assert_true(env.flag);
	assert_int_equal(env.number, 100);
	assert_int_equal(env.negatable, 0);
	assert_int_equal(env.choice, 1);
	accepts("--load - --text --flag");
	assert_int_equal(env.mode, MODE_LOAD);
	assert_string_equal(env.file, "-");
	assert_string_equal(env.text, "--flag");
	assert_false(env.flag);
}

static void an_argument_may_be_left_out(void **state)
{
	(void)state;
	accepts("--watch");
	assert_int_equal(env.interval, S);
	accepts("--watch --flag");
	assert_int_equal(env.interval, S);
	assert_true(env.flag);
	accepts("--watch 2 --flag");
	assert_int_equal(env.interval, 2 * S);
	assert_true(env.flag);
	accepts("--watch=0.5");
	assert_int_equal(env.interval, S / 2);
	accepts("-w 3s");
	assert_int_equal(env.interval, 3 * S);
	accepts("-w3s");
	assert_int_equal(env.interval, 3 * S);
	assert_int_equal(env.mode, MODE_WATCH);
	refuses("--watch 2 3", "unexpected argument '3'; see 'tool --help'");
	refuses("--watch 0.05", "--watch: 0.05 is too short; give at least 0.1s");
	refuses("--watch 11s", "--watch: 11s is too long; give at most 10s");
}

static void modes_exclude_each_other(void **state)
{
	(void)state;
	accepts("--list --listing --items a");
	assert_int_equal(env.mode, MODE_LIST);
	refuses("--run --list", "--run and --list exclude each other; give one");
	refuses("--watch --load x", "--watch and --load exclude each other; give one");
	refuses("--run --left --right", "--left and --right exclude each other; give one");
	refuses("--run --thing --no-thing", "--thing and --no-thing exclude each other; give one");
	refuses("--list", "--list needs --items ITEM[,ITEM...]");
	refuses("--list --items a --no-thing", "--list has no use for --thing; leave it out");
	assert_int_equal(parse(""), 64);
	assert_string_equal(printed[0], "");
	assert_non_null(strstr(printed[1], "Usage: tool MODE [OPTION...]\n"));
	assert_non_null(strstr(printed[1], "\n      --load FILE"));
	assert_null(strstr(printed[1], "--flag"));
	assert_non_null(strstr(printed[1], "\ntool: no mode given; see 'tool --help'\n"));
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	refuses("--run --fl", "unknown option '--fl'; did you mean '--flag'?");
	refuses("--run --no-thin", "unknown option '--no-thin'; did you mean '--no-thing'?");
	refuses("--run --l", "unknown option '--l'; see 'tool --help'");
	refuses("--run --bad=1", "unknown option '--bad'; see 'tool --help'");
	refuses("--run --no-flag", "unknown option '--no-flag'; see 'tool --help'");
	refuses("-rfz", "unknown option '-z'; see 'tool --help'");
	refuses("--run word", "unexpected argument 'word'; see 'tool --help'");
	refuses("word --run", "unexpected argument 'word'; see 'tool --help'");
	refuses("--run -- --flag", "unexpected argument '--flag'; see 'tool --help'");
	refuses("--run --flag=yes", "--flag: takes no argument; leave out '=yes'");
	refuses("--run --number", "--number: argument missing; see 'tool --help'");
	refuses("-rn", "-n: argument missing; see 'tool --help'");
}

static void bad_values_are_refused(void **state)
{
	(void)state;
	refuses("--run --number 4", "--number: 4 is out of range; give a number from 5 to 100");
	refuses("--run --number 101", "--number: 101 is out of range; give a number from 5 to 100");
	refuses("--run --number=", "--number: '' is not a number; give one from 5 to 100");
	refuses("--run --number -7", "--number: '-7' is not a number; give one from 5 to 100");
	refuses("--run --number +7", "--number: '+7' is not a number; give one from 5 to 100");
	refuses("--run --number 7x", "--number: '7x' is not a number; give one from 5 to 100");
	refuses("--run --any 18446744073709551616",
		"--any: 18446744073709551616 is out of range; give a number from 0 to "
		"18446744073709551615");
	refuses("--run --expires soon", "--expires: 'soon' is not a duration; give one such as "
					"90s, 10m, 1h30m or 2d");
	refuses("--run --items a,,b", "--items: empty item in 'a,,b'; put one comma between items");
	refuses("--run --items ,a", "--items: empty item in ',a'; put one comma between items");
	refuses("--run --items=", "--items: empty item in ''; put one comma between items");
}

static void interfaces_are_checked(void **state)
{
	(void)state;
	accepts("--run --interface lo,lo -i lo");
	assert_int_equal(env.interfaces.count, 1);
	assert_string_equal(env.interfaces.items[0], "lo");
	assert_null(env.interfaces.items[1]);
	assert_int_equal(parse("--run -i nosuchif0"), ecbpf_exit_code(-ENODEV));
	assert_string_equal(printed[1], "tool: nosuchif0: no such network interface; "
					"'ip link' lists those there are\n");
	assert_int_equal(parse("--run -i nosuchif0,lo,nosuchif1,nosuchif2,nosuchif1"),
			 ecbpf_exit_code(-ENODEV));
	assert_string_equal(printed[1], "tool: nosuchif0, nosuchif1 and nosuchif2: no such network "
					"interfaces; 'ip link' lists those there are\n");
	assert_int_equal(env.mode, 0);
}

static void lines_fit_a_terminal(const char *text)
{
	size_t length;

	for (; *text; text += length + 1) {
		length = strcspn(text, "\n");
		assert_true(length <= 80);
	}
}

static void help_and_version_go_to_stdout(void **state)
{
	(void)state;
	assert_int_equal(parse("--run --list"), 64);
	assert_int_equal(parse("--help"), 0);
	assert_string_equal(printed[1], "");
	lines_fit_a_terminal(printed[0]);
	for (const struct ecbpf_option *row = options; row->kind; row++)
		if (row->name && row->help)
			assert_non_null(strstr(printed[0], row->name));
	assert_null(strstr(printed[0], "--listing"));
	assert_non_null(strstr(printed[0], "\n      --thing, --no-thing "));
	assert_non_null(strstr(printed[0], "\n  -w, --watch [SECONDS]       Watch\n"));
	assert_non_null(strstr(printed[0], "\n  -d, --debug "));
	assert_non_null(
		strstr(printed[0], "\nExamples:\n  tool --run\n  tool --list --items a,b\n"));
	assert_non_null(strstr(printed[0], "\nOverhead:\n  none.\n"));
	assert_int_equal(parse("-rh --nonsense"), 0);
	assert_int_equal(parse("--version"), 0);
	assert_string_equal(printed[1], "");
	assert_memory_equal(printed[0], "tool " ECBPF_VERSION " (libbpf ",
			    strlen("tool " ECBPF_VERSION " (libbpf "));
}

static void debug_messages_come_when_asked_for(void **state)
{
	(void)state;
	assert_int_equal(parse("--run --debug"), ECBPF_OPTIONS_OK);
	assert_string_equal(printed[1], "tool: a debug message\n");
	accepts("--run");
}

static int cleanup(void **state)
{
	(void)state;
	ecbpf_strings_free(&env.items);
	ecbpf_strings_free(&env.interfaces);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_reach_their_targets),
		cmocka_unit_test(an_argument_may_be_left_out),
		cmocka_unit_test(modes_exclude_each_other),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(interfaces_are_checked),
		cmocka_unit_test(help_and_version_go_to_stdout),
		cmocka_unit_test(debug_messages_come_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, cleanup);
}
