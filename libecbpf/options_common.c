// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Options that every tool has. */
#include "options.h"

struct ecbpf_options_common_values ecbpf_common;

const struct ecbpf_option ecbpf_options_common[] = {
	ECBPF_OPTION_GROUP_ROW("Common to all tools"),
	{
		.name = "debug",
		.letter = 'd',
		.kind = ECBPF_OPTION_FLAG,
		.target = &ecbpf_common.debug,
		.help = "Tell every step, with the words of libbpf and the verifier",
	},
	{
		.name = "help",
		.letter = 'h',
		.kind = ECBPF_OPTION_FLAG,
		.target = &ecbpf_common.help,
		.help = "Print this text",
	},
	{
		.name = "version",
		.letter = 'V',
		.kind = ECBPF_OPTION_FLAG,
		.target = &ecbpf_common.version,
		.help = "Print the version",
	},
	{ 0 },
};

bool ecbpf_option_takes_argument(const struct ecbpf_option *row)
{
	return row->kind >= ECBPF_OPTION_UNSIGNED;
}
