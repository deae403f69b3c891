/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rates, live. */
#ifndef XDP_ROOT_WATCH_H
#define XDP_ROOT_WATCH_H

#include <ecbpf/tool.h>

/* Print rates of @now since @before, an earlier status of the same interface, or NULL. */
void watch_print(FILE *out, const struct ecbpf_status *before, const struct ecbpf_status *now,
		 double seconds);

/* The mode --watch: every @interval nanoseconds until interrupted. */
int watch_show(const struct ecbpf_strings *names, uint64_t interval);

#endif
