/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verdict reasons and how many packets met them. */
#ifndef XDP_ROOT_REASONS_H
#define XDP_ROOT_REASONS_H

#include <ecbpf/tool.h>

struct json_object;

void reasons_print(FILE *out, const struct ecbpf_status *status);
struct json_object *reasons_json(const struct ecbpf_status *status);

/* The mode --reasons. */
int reasons_show(const struct ecbpf_strings *names, bool json);

#endif
