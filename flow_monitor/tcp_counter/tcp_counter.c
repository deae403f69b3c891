// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts TCP connections as they are established. */
#include <ecbpf/tool.h>

#include "counts.h"

#define NS_PER_S UINT64_C(1000000000)

static struct counts_options env = { .interval = NS_PER_S };

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Options"),
	ECBPF_OPTION_DURATION_ROW("interval", &env.interval, NS_PER_S / 10, 0, 0, "TIME",
				  "Between two lines (default 1s)"),
	ECBPF_OPTION_UNSIGNED_ROW("count", &env.count, 1, 0, 0, "N", "End after N lines"),
	{
		.name = "cgroup",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.cgroup,
		.metavar = "FOLDER",
		.help = "Only in this control group of version 2, and those below (default: all)",
	},
	{
		.name = "netns",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.netns,
		.metavar = "NETNS",
		.help = "Only in this network namespace: name, process id, path, or net:[INODE]",
	},
	{
		.name = "btf",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.btf,
		.metavar = "FILE",
		.help = "With --netns: the kernel's types, where it has none of its own",
	},
	ECBPF_OPTION_FLAG_ROW("json", 'j', &env.json, 0, "Print JSON, one object a line"),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "tcp_counter",
	.summary = "Counts TCP connections as they are established, by direction and family.",
	.options = options,
	.examples = "tcp_counter\n"
		    "tcp_counter --interval 10s --count 6 --json\n"
		    "tcp_counter --cgroup /sys/fs/cgroup/system.slice\n"
		    "tcp_counter --netns blue",
	.overhead = "Less than a microsecond of CPU time per connection.",
};

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv);

	if (status == ECBPF_OPTIONS_OK)
		status = ecbpf_output_finish(ecbpf_exit_code(counts_run(&env)));
	return status;
}
