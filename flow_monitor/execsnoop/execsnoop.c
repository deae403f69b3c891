// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs as they are started. */
#include <ecbpf/tool.h>

#include "snoop.h"

static struct snoop_options env;

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Options"),
	ECBPF_OPTION_FLAG_ROW("exits", 'x', &env.exits, 0, "Tell of processes that end, too"),
	ECBPF_OPTION_UNSIGNED_ROW("count", &env.count, 1, 0, 0, "N", "End after N events"),
	{
		.name = "btf",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.btf,
		.metavar = "FILE",
		.help = "The kernel's types, where it has none of its own",
	},
	ECBPF_OPTION_FLAG_ROW("json", 'j', &env.json, 0, "Print JSON, one object a line"),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "execsnoop",
	.summary = "Tells of programs as they are started: who, by whom, with which arguments.",
	.options = options,
	.examples = "execsnoop\n"
		    "execsnoop --exits --json",
	.overhead = "Some microseconds for each program started.",
};

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv);

	if (status == ECBPF_OPTIONS_OK)
		status = ecbpf_output_finish(ecbpf_exit_code(snoop_run(&env)));
	return status;
}
