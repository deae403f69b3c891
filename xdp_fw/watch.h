/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rates, live. */
#ifndef XDP_FW_WATCH_H
#define XDP_FW_WATCH_H

#include <ecbpf/tool.h>

/* The mode --watch: every @interval nanoseconds until interrupted; no @interfaces: all with a root array. */
int fw_watch(const struct ecbpf_strings *interfaces, uint64_t interval);

#endif
