/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What monitors that run on this host do. */
#ifndef TCP_MONITOR_STATUS_H
#define TCP_MONITOR_STATUS_H

enum status_format {
	STATUS_TEXT,
	STATUS_JSON,
	STATUS_OPENMETRICS,
};

/* -ENOENT, told, if none runs and it is for eyes. */
int status_show(enum status_format format);

#endif
