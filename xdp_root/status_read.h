/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which interfaces to show, and what is known of them. */
#ifndef XDP_ROOT_STATUS_READ_H
#define XDP_ROOT_STATUS_READ_H

#include <ecbpf/tool.h>

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

/* Whether root and slots of @status were read: a root array of this ABI is attached. */
bool status_has_counters(const struct ecbpf_status *status);

/* "detached", "attached", "nop", "foreign", "stale" */
const char *status_attachment_name(enum ecbpf_attachment attachment);

#endif
