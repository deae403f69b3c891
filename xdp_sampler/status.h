/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a sampler does, and where samples got lost. */
#ifndef XDP_SAMPLER_STATUS_H
#define XDP_SAMPLER_STATUS_H

#include <ecbpf/tool.h>

enum sampler_status_format {
	SAMPLER_STATUS_TEXT,
	SAMPLER_STATUS_JSON,
	SAMPLER_STATUS_OPENMETRICS,
};

/* @interfaces: empty: all that have a root array. One without a sampler is no error. */
int status_show(const struct ecbpf_strings *interfaces, enum sampler_status_format format);

#endif
