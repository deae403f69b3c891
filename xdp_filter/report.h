/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Statistics to a statsd server, until told to stop. */
#ifndef XDP_FILTER_REPORT_H
#define XDP_FILTER_REPORT_H

#include <ecbpf/tool.h>

/**
 * filter_report() - send statistics of @interfaces every @interval ns until SIGINT or SIGTERM
 * @detach: then detach the filters
 */
int filter_report(const struct ecbpf_strings *interfaces, const char *host, uint16_t port,
		  uint64_t interval, bool detach);

#endif
