// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "status_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int read_hits(struct fw_shown *shown)
{
	uint32_t i, rules = shown->instance.settings.rules;
	int err = 0;

	shown->hits = calloc(rules + 1, sizeof(*shown->hits));
	if (!shown->hits)
		return -ENOMEM;
	for (i = 0; i < rules && !err; i++)
		err = fw_instance_hits(&shown->instance, i, &shown->hits[i]);
	return err;
}

int fw_shown_read(const char *name, enum ecbpf_which which, struct fw_shown *shown)
{
	bool there;
	int err;

	*shown = (struct fw_shown){ .name = name, .which = which };
	err = ecbpf_root_present(name, which, &there);
	if (err || !there)
		return err;
	err = fw_instance_look(name, which, &shown->instance);
	if (err)
		return err == -ENOENT ? 0 : err;
	shown->attached = true;
	return read_hits(shown);
}

void fw_shown_free(struct fw_shown *shown)
{
	if (shown->attached)
		fw_instance_close(&shown->instance);
	free(shown->hits);
	*shown = (struct fw_shown){};
}

void fw_shown_print_absence(const struct fw_shown *shown)
{
	printf("Firewall not attached to %sinterface %s.\n",
	       shown->which == ECBPF_STAGED ? "the staged generation of " : "", shown->name);
}
