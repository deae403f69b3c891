// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What TCP knows about its connections, while they live. */
#include <ecbpf/tool.h>

#include "stats.h"

#define NS_PER_S UINT64_C(1000000000)

enum mode {
	MODE_SAMPLE = 1,
	MODE_NETLINK,
};

#define SAMPLE	ECBPF_WITH(MODE_SAMPLE)
#define NETLINK ECBPF_WITH(MODE_NETLINK)

static struct {
	int mode;
	struct stats_options options;
} env = { .options = { .interval = NS_PER_S } };

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Modes; the first two may be given together"),
	{
		.name = "poll",
		.letter = 'p',
		.kind = ECBPF_OPTION_UNSIGNED,
		.mode = MODE_SAMPLE,
		.target = &env.options.poll_ms,
		.min = 1,
		.max = 3600000,
		.metavar = "MS",
		.help = "Sample a connection when it measured a round trip, at most every so often",
	},
	{
		.name = "on-state-change",
		.letter = 's',
		.kind = ECBPF_OPTION_FLAG,
		.mode = MODE_SAMPLE,
		.target = &env.options.states,
		.help = "Sample a connection when it changes its state",
	},
	ECBPF_OPTION_MODE_ROW("netlink", 'n', MODE_NETLINK,
			      "Read the connections of this network namespace by sock_diag"),
	ECBPF_OPTION_GROUP_ROW("Options"),
	{
		.name = "cgroup",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.options.cgroup,
		.with = SAMPLE,
		.metavar = "FOLDER",
		.help = "Only in this control group of version 2, and those below (default: all)",
	},
	ECBPF_OPTION_STRINGS_ROW("flow", &env.options.terms, 0, 0, "[ADDR]:PORT-[ADDR]:PORT[,...]",
				 "Only these connections, the local end first; addresses may be "
				 "empty, ports '*'"),
	ECBPF_OPTION_UNSIGNED_ROW("count", &env.options.count, 1, 0, 0, "N",
				  "End after N samples, or N rounds of --netlink"),
	ECBPF_OPTION_DURATION_ROW("interval", &env.options.interval, NS_PER_S / 1000, 0, NETLINK,
				  "TIME", "Between two rounds (default 1s)"),
	{
		.name = "btf",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.options.btf,
		.with = SAMPLE,
		.metavar = "FILE",
		.help = "The kernel's types, where it has none of its own",
	},
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "tcp_stats",
	.summary = "Prints what TCP knows about its connections, while they live: JSON, an object "
		   "a line.",
	.options = options,
	.mode = &env.mode,
	.examples = "tcp_stats --poll 100 --flow '[]:*-[192.0.2.1]:443'\n"
		    "tcp_stats --on-state-change --cgroup /sys/fs/cgroup/system.slice\n"
		    "tcp_stats --netlink --count 1",
	.overhead = "Some 100 ns for each round trip measured, some microseconds for a sample.",
};

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv), err;

	if (status == ECBPF_OPTIONS_OK) {
		err = env.mode == MODE_NETLINK ? netlink_run(&env.options) :
						 sockops_run(&env.options);
		status = ecbpf_output_finish(ecbpf_exit_code(err));
	}
	ecbpf_strings_free(&env.options.terms);
	return status;
}
