/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A firewall with what its rules counted. */
#ifndef XDP_FW_STATUS_READ_H
#define XDP_FW_STATUS_READ_H

#include "instance.h"

/* @attached: @instance was opened, and @hits are of its rules. */
struct fw_shown {
	const char *name;
	enum ecbpf_which which;
	bool attached;
	struct fw_instance instance;
	struct fw_hits *hits;
};

/*
 * Without a lock; @name is kept. An interface without a live root array, or without a firewall, is no error
 * here.
 */
int fw_shown_read(const char *name, enum ecbpf_which which, struct fw_shown *shown);
void fw_shown_free(struct fw_shown *shown);

/* That there is none, in a line. */
void fw_shown_print_absence(const struct fw_shown *shown);

#endif
