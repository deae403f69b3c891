/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is attached and what it counted: for eyes, for programs, for Prometheus. */
#ifndef XDP_ROOT_STATUS_H
#define XDP_ROOT_STATUS_H

#include <ecbpf/tool.h>

struct json_object;

enum status_format {
	STATUS_TABLE,
	STATUS_JSON,
	STATUS_OPENMETRICS,
};

struct status_list {
	struct ecbpf_status *items;
	size_t count;
};

/* Read the status of @names; without names, of all interfaces that have pins. What could be
 * read is in @list even on failure; free(list->items).
 */
int status_read(const struct ecbpf_strings *names, struct status_list *list);

/* Print to stdout one after the other, or say that there is none. */
void status_print_each(const struct status_list *list,
		       void (*print)(FILE *out, const struct ecbpf_status *status));

/* The mode --status. */
int status_show(const struct ecbpf_strings *names, enum status_format format);

/* Whether root and slots of @status were read: a root array of this ABI is attached. */
bool status_has_counters(const struct ecbpf_status *status);

/* status_table.c; the sentence stands in for tables of interfaces without counters. */
void status_print(FILE *out, const struct ecbpf_status *status);
void status_print_sentence(FILE *out, const struct ecbpf_status *status);

/* status_json.c */
struct json_object *status_json(const struct status_list *list);
/* "detached", "attached", "nop", "foreign", "stale" */
const char *status_attachment_name(enum ecbpf_attachment attachment);

/* status_openmetrics.c */
void status_print_openmetrics(FILE *out, const struct status_list *list);

#endif
