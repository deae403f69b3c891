/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_LOG_H
#define XDP_FW_LOG_H

#include <ecbpf/tool.h>

/* Write one in @every drops (of each CPU) to stderr until interrupted. */
int fw_log(const struct ecbpf_strings *interfaces, uint32_t every);

#endif
