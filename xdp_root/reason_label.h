/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verdict reasons by name, known to this release or not. */
#ifndef XDP_ROOT_REASON_LABEL_H
#define XDP_ROOT_REASON_LABEL_H

#include <ecbpf/tool.h>

#define REASON_LABEL_MAX 16

/* Name of reason @code; "code_N", written to @text, for one that this release doesn't know. */
const char *reason_label(unsigned int code, char text[REASON_LABEL_MAX]);

/* Reasons that this release knows, and others that were counted. */
bool reason_is_listed(const struct ecbpf_status *status, unsigned int code);

#endif
