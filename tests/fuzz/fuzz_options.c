// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Command lines: words end with NUL. */
#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include <ecbpf/tool.h>

#include "target.h"

#define WORDS_MAX 24

struct targets {
	int mode, negatable, choice;
	bool flag;
	uint64_t number, duration, optional;
	const char *string;
	struct ecbpf_strings strings;
};

static struct targets targets;

static const struct ecbpf_option options[] = {
	{ .name = "attach", .letter = 'a', .kind = ECBPF_OPTION_MODE, .mode = 1 },
	{ .name = "status", .letter = 's', .kind = ECBPF_OPTION_MODE, .mode = 2 },
	{ .name = "stats", .kind = ECBPF_OPTION_MODE, .mode = 2 },
	{ .name = "watch",
	  .letter = 'w',
	  .kind = ECBPF_OPTION_DURATION,
	  .optional = true,
	  .target = &targets.optional,
	  .with = ECBPF_WITH(2),
	  .metavar = "SECONDS" },
	{ .name = "flag", .letter = 'f', .kind = ECBPF_OPTION_FLAG, .target = &targets.flag },
	{ .name = "drop", .kind = ECBPF_OPTION_NEGATABLE, .target = &targets.negatable },
	{ .name = "native", .kind = ECBPF_OPTION_CHOICE, .value = 1, .target = &targets.choice },
	{ .name = "generic", .kind = ECBPF_OPTION_CHOICE, .value = 2, .target = &targets.choice },
	{ .name = "pps",
	  .letter = 'p',
	  .kind = ECBPF_OPTION_UNSIGNED,
	  .min = 1,
	  .max = 1000,
	  .target = &targets.number,
	  .metavar = "N" },
	{ .name = "expires",
	  .kind = ECBPF_OPTION_DURATION,
	  .min = 5,
	  .target = &targets.duration,
	  .with = ECBPF_WITH(1),
	  .metavar = "TIME" },
	{ .name = "name",
	  .letter = 'n',
	  .kind = ECBPF_OPTION_STRING,
	  .target = &targets.string,
	  .required_with = ECBPF_WITH(1),
	  .metavar = "NAME" },
	{ .name = "ips",
	  .kind = ECBPF_OPTION_STRINGS,
	  .target = &targets.strings,
	  .metavar = "A,..." },
	{},
};

static const struct ecbpf_tool tool = {
	.name = "tool",
	.summary = "A tool.",
	.options = options,
	.mode = &targets.mode,
	.examples = "tool --attach",
	.overhead = "none",
};

/* --help and messages: thousands a second are for nobody. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	REQUIRE(freopen("/dev/null", "w", stdout));
	return 0;
}

static int read_quietly(int argc, char **argv)
{
	static int quiet = -1;
	int before, status;

	if (quiet < 0)
		quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
	fflush(stderr);
	before = dup(STDERR_FILENO);
	dup2(quiet, STDERR_FILENO);
	status = ecbpf_options_parse(&tool, argc, argv);
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	close(before);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = string_of(data, size), *argv[WORDS_MAX + 2] = { (char *)"tool" };
	int argc = 1, status;
	size_t at;

	for (at = 0; at < size && argc <= WORDS_MAX; at += strlen(text + at) + 1)
		argv[argc++] = text + at;
	targets = (struct targets){ .number = 1, .duration = 5 };
	status = read_quietly(argc, argv);
	REQUIRE(status == ECBPF_OPTIONS_OK || status == EX_OK || status == EX_USAGE);
	if (status == ECBPF_OPTIONS_OK) {
		REQUIRE(targets.mode == 1 || targets.mode == 2);
		REQUIRE(targets.mode == 2 || targets.string);
		REQUIRE(targets.duration >= 5 && (targets.mode == 1 || targets.duration == 5));
	}
	REQUIRE(targets.number >= 1 && targets.number <= 1000);
	ecbpf_strings_free(&targets.strings);
	free(text);
	return 0;
}
