/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is attached and what it counted: for eyes, for programs, for Prometheus. */
#ifndef XDP_ROOT_STATUS_H
#define XDP_ROOT_STATUS_H

#include "status_read.h"

struct json_object;

enum status_format {
	STATUS_TABLE,
	STATUS_JSON,
	STATUS_OPENMETRICS,
};

/* The mode --status. */
int status_show(const struct ecbpf_strings *names, enum status_format format);

/* status_table.c; the sentence stands in for tables of interfaces without counters. */
void status_print(FILE *out, const struct ecbpf_status *status);
void status_print_sentence(FILE *out, const struct ecbpf_status *status);

/* status_json.c */
struct json_object *status_json(const struct status_list *list);

/* status_openmetrics.c */
void status_print_openmetrics(FILE *out, const struct status_list *list);

#endif
