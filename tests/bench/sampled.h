/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An interface with a root array and a sampler, attached by the tools, and its ring. */
#ifndef BENCH_SAMPLED_H
#define BENCH_SAMPLED_H

#include <stdint.h>
#include <sys/types.h>

#include "bench.h"

struct sampler_reader;

/**
 * struct sampled - an interface
 * @program: root's
 * @report: what readers of the ring counted; NULL: there is no sampler
 * @consumer, @producer: mapped places in the ring, as octets since its beginning
 */
struct sampled {
	const char *name;
	int program;
	const volatile struct sampler_reader *report;
	volatile unsigned long *consumer;
	const volatile unsigned long *producer;
};

/* No packet of a measurement is ever the 16 777 216th. */
#define SAMPLED_NEVER 16777216

/**
 * sampled_open() - make a pair of interfaces and attach to the first
 * @rate: packets per sample, 0: without a sampler
 * @ring: octets
 */
int sampled_open(const struct bench *bench, const char *name, const char *peer, unsigned long rate,
		 unsigned long ring, struct sampled *sampled);
void sampled_close(const struct bench *bench, struct sampled *sampled);

/* Forget what waits in the ring; nobody may read it meanwhile. */
void sampled_drain(struct sampled *sampled);

/**
 * struct sampled_reader - a process that writes samples to a file in memory
 * @nanoseconds, @octets: out, once it has ended: CPU time, and memory at its largest
 */
struct sampled_reader {
	pid_t pid;
	int file;
	double nanoseconds;
	double octets;
};

/* On this process's CPU. */
int sampled_reader_begin(const struct bench *bench, const struct sampled *sampled,
			 struct sampled_reader *reader);
int sampled_reader_end(struct sampled_reader *reader);

#endif
