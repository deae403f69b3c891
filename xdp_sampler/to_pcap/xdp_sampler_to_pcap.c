// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Converts what xdp_sampler wrote to classic pcap, for tools that know nothing newer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <ecbpf/tool.h>

#include "convert.h"

enum mode {
	MODE_CONVERT = 1,
};

static struct {
	int mode;
	const char *input;
	const char *output;
	const char *verdicts;
} env;

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Files"),
	{
		.name = "read",
		.letter = 'r',
		.kind = ECBPF_OPTION_STRING,
		.mode = MODE_CONVERT,
		.target = &env.input,
		.metavar = "FILE",
		.help = "pcapng to read; - is stdin",
	},
	{
		.name = "write",
		.letter = 'w',
		.kind = ECBPF_OPTION_STRING,
		.target = &env.output,
		.required_with = ECBPF_WITH(MODE_CONVERT),
		.metavar = "FILE",
		.help = "pcap to write, with nanoseconds; - is stdout",
	},
	{
		.name = "verdicts",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.verdicts,
		.metavar = "FILE",
		.help = "CSV to write beside it: a line for each packet with interface, queue, "
			"action and comment",
	},
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "xdp_sampler_to_pcap",
	.summary = "Converts pcapng files of xdp_sampler to classic pcap.",
	.options = options,
	.mode = &env.mode,
	.examples = "xdp_sampler_to_pcap --read attack.pcapng --write attack.pcap --verdicts "
		    "attack.csv",
};

static int run(void)
{
	if (!*env.output || (env.verdicts && !*env.verdicts))
		return ecbpf_fail(-EINVAL, "--%s '': give the name of a file",
				  *env.output ? "verdicts" : "write");
	return convert(env.input, env.output, env.verdicts);
}

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv);

	if (status != ECBPF_OPTIONS_OK)
		return status;
	return ecbpf_output_finish(ecbpf_exit_code(run()));
}
