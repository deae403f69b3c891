/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What reading options and explaining them share. */
#ifndef ECBPF_OPTIONS_H
#define ECBPF_OPTIONS_H

#include <ecbpf/tool.h>

struct ecbpf_options_common_values {
	bool help;
	bool version;
	bool debug;
};

/* options_common.c */
extern struct ecbpf_options_common_values ecbpf_common;
extern const struct ecbpf_option ecbpf_options_common[];

bool ecbpf_option_takes_argument(const struct ecbpf_option *row);

/* options_help.c */
void ecbpf_options_help(const struct ecbpf_tool *tool);
void ecbpf_options_usage(const struct ecbpf_tool *tool);

/* output.c: keep what the tool opens out of the places of standard streams that came closed. */
void ecbpf_streams_reserve(void);

#endif
