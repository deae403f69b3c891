/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A sample as a line of JSON. */
#ifndef TCP_STATS_JSON_H
#define TCP_STATS_JSON_H

#include <ecbpf/tool.h>

#include "tcp_stats.h"

/* -ECANCELED: told to end while nobody reads. */
int json_print(const struct stats_sample *sample);

#endif
