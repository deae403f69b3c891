// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which interfaces to show, and what is known of them. */
#include <errno.h>
#include <stdlib.h>

#include "status_read.h"

bool status_has_counters(const struct ecbpf_status *status)
{
	return status->attachment == ECBPF_ATTACHED && status->abi == ECBPF_ABI;
}

const char *status_attachment_name(enum ecbpf_attachment attachment)
{
	static const char *const names[] = {
		[ECBPF_DETACHED] = "detached", [ECBPF_ATTACHED] = "attached",
		[ECBPF_ATTACHED_NOP] = "nop",  [ECBPF_FOREIGN] = "foreign",
		[ECBPF_STALE] = "stale",
	};

	return names[attachment];
}

/* One interface that can't be read doesn't hide the others. */
static int read_names(char *const *names, size_t count, bool asked_for, struct status_list *list)
{
	int err, first = 0;

	list->items = calloc(count + 1, sizeof(*list->items));
	list->count = 0;
	if (!list->items)
		return ecbpf_fail(-ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		err = ecbpf_status_read(names[i], &list->items[list->count]);
		if (!err)
			list->count++;
		else if (!first && (asked_for || err != -ENODEV))
			first = err;
	}
	return first;
}

int status_read(const struct ecbpf_strings *names, struct status_list *list)
{
	struct ecbpf_strings all;
	int err;

	*list = (struct status_list){ 0 };
	err = ecbpf_interfaces_or_all(names, &all);
	if (!err)
		err = read_names(all.items, all.count, names->count, list);
	ecbpf_strings_free(&all);
	return err;
}

void status_print_each(const struct status_list *list,
		       void (*print)(FILE *out, const struct ecbpf_status *status))
{
	if (!list->count)
		puts("No root array in this network namespace; "
		     "'xdp_root_loader --attach --interface NAME' attaches one.");
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			putchar('\n');
		print(stdout, &list->items[i]);
	}
}
