// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --status, in each of its formats. */
#include <stdlib.h>

#include "status.h"

int status_show(const struct ecbpf_strings *names, enum status_format format)
{
	struct status_list list;
	int err = status_read(names, &list);
	int output = 0;

	if (format == STATUS_JSON)
		output = ecbpf_json_print(stdout, status_json(&list));
	else if (format == STATUS_OPENMETRICS)
		status_print_openmetrics(stdout, &list);
	else if (list.count || !err)
		status_print_each(&list, status_print);
	free(list.items);
	return err ? err : output;
}
