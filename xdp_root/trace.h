/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Messages of BPF programs. */
#ifndef XDP_ROOT_TRACE_H
#define XDP_ROOT_TRACE_H

/* The mode --trace: print what BPF programs write to the trace pipe, until interrupted. */
int trace_show(void);

#endif
