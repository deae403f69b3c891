/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the flow monitor stands, beside what it costs a connection. */
#ifndef BENCH_MONITOR_LOAD_H
#define BENCH_MONITOR_LOAD_H

#include <netinet/in.h>

#include "bench.h"

/* Seconds of a clock that is never set. */
double monitor_load_now(void);

/* A socket that listens, and where. */
int monitor_load_listen(struct sockaddr_in *address);

/* Both ends of a connection to one of many addresses of the host, by @number. */
int monitor_load_connect(int listener, struct sockaddr_in *address, unsigned long number,
			 int ends[2]);

/* Until tcp_monitor, process @pid, sees what ends. */
int monitor_load_await(pid_t pid);

/* Connections on all CPUs, soft interrupts steered over them: records that are missing. */
int monitor_load_losses(const struct bench *bench, int section);

/* Resident memory of tcp_monitor while many flows are open. */
int monitor_load_memory(const struct bench *bench, int section);

/* iperf3's throughput beside tcp_stats. */
int monitor_load_throughput(const struct bench *bench);

#endif
