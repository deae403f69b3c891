/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a filter does, for eyes and for programs. */
#ifndef XDP_FILTER_STATUS_H
#define XDP_FILTER_STATUS_H

#include <ecbpf/tool.h>

#include "instance.h"

enum filter_output {
	FILTER_OUTPUT_TEXT,
	FILTER_OUTPUT_JSON,
	FILTER_OUTPUT_OPENMETRICS,
	/* The lists alone, as --load reads them, or as JSON. */
	FILTER_OUTPUT_LIST,
	FILTER_OUTPUT_LIST_JSON,
};

/**
 * filter_status() - show configuration, list and statistics
 * @interfaces: empty: all that have a root array
 *
 * An interface without a filter is shown as such and is no error; one without a staged generation is,
 * if @which asks for that.
 */
int filter_status(const struct ecbpf_strings *interfaces, enum ecbpf_which which,
		  enum filter_output output);

const char *filter_stat_name(enum filter_stat stat);

#endif
