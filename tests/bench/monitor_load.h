/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the flow monitor stands, beside what it costs a connection. */
#ifndef BENCH_MONITOR_LOAD_H
#define BENCH_MONITOR_LOAD_H

#include "bench.h"

/* Connections on all CPUs, soft interrupts steered over them: records that are missing. */
int monitor_load_losses(const struct bench *bench, int section);

/* Resident memory of tcp_monitor while many flows are open. */
int monitor_load_memory(const struct bench *bench, int section);

/* iperf3's throughput beside tcp_stats. */
int monitor_load_throughput(const struct bench *bench);

#endif
