/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is read from the ring in one turn. */
#ifndef TCP_MONITOR_BATCH_H
#define TCP_MONITOR_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "tcp_monitor.h"

/* Events that it has room for. */
#define BATCH_MAX 16384

struct batch;

int batch_new(struct batch **batch);

/* Also accepts NULL. */
void batch_free(struct batch *batch);

void batch_clear(struct batch *batch);

/* False: there may be no room for what comes next, which can be MONITOR_GATHERED events. */
bool batch_add(struct batch *batch, const struct monitor_event *events, size_t count);

size_t batch_count(const struct batch *batch);

/* In the order of their times; those of one time as they were added. */
void batch_sort(struct batch *batch);

const struct monitor_event *batch_at(const struct batch *batch, size_t index);

#endif
