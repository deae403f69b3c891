/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which connections --flow names. */
#ifndef TCP_STATS_FLOWS_H
#define TCP_STATS_FLOWS_H

#include <stdbool.h>

#include <ecbpf/tool.h>

#include "tcp_stats.h"

/**
 * flows_parse() - read "[ADDRESS]:PORT-[ADDRESS]:PORT" terms, the local end first
 * @flows: room for STATS_FLOWS_MAX
 *
 * An end without an address, or with port 0 or "*", is any. Return: how many, or -EINVAL.
 */
int flows_parse(const struct ecbpf_strings *terms, struct stats_flow *flows);

/* Whether one of them is that; true if there are none. */
bool flows_match(const struct stats_flow *flows, size_t count, const struct stats_sample *sample);

#endif
