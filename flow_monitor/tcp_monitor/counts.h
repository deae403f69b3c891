/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What became of how many flows, as text, JSON and OpenMetrics. */
#ifndef TCP_MONITOR_COUNTS_H
#define TCP_MONITOR_COUNTS_H

#include <sys/types.h>

#include <ecbpf/tool.h>

#include "tcp_monitor.h"

struct json_object;

/* Sums over all CPUs. */
struct counts {
	uint64_t values[MONITOR_COUNT_MAX];
};

int counts_read(int percpu, struct counts *counts);

/* One instance, for eyes. */
void counts_print(pid_t pid, const struct counts *counts, const struct monitor_report *report);
struct json_object *counts_json(pid_t pid, const struct counts *counts,
				const struct monitor_report *report);

/* One line to standard error, at the end of a run. */
int counts_print_line(const struct counts *counts, const struct monitor_report *report);
int counts_print_json_line(const struct counts *counts, const struct monitor_report *report);

struct counts_instance {
	pid_t pid;
	struct counts counts;
	struct monitor_report report;
};

void counts_print_openmetrics(const struct counts_instance *instances, size_t count);

#endif
