/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_STATUS_H
#define XDP_FW_STATUS_H

#include <ecbpf/tool.h>

enum fw_output {
	FW_OUTPUT_TEXT,
	FW_OUTPUT_JSON,
	FW_OUTPUT_OPENMETRICS,
	/* Rules with their numbers, no counts. */
	FW_OUTPUT_LIST,
};

/* Show what is on @interfaces, or on all that have a root array. */
int fw_status(const struct ecbpf_strings *interfaces, enum ecbpf_which which,
	      enum fw_output output);

#endif
