/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What all suites work with. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure.h"
#include "packets/frames.h"
#include "report.h"

struct bare_bpf;

#define BENCH_SIZES 4

/**
 * struct bench - settings, and what all suites use
 * @sizes: of lists, growing; the first is 0
 * @addresses: how many are drawn, a power of two
 * @burst: live frames sent at once
 * @connections: TCP connections made at once
 * @tools: folder that the tools were built in
 * @quick: run every case, judge none
 */
struct bench {
	struct measure_settings settings;
	struct report *report;
	struct bare_bpf *bare;
	size_t sizes[BENCH_SIZES];
	size_t addresses;
	unsigned long burst;
	unsigned long connections;
	const char *tools;
	bool quick;
};

/* Frames as BPF_PROG_TEST_RUN takes them without fragments. */
#define BENCH_FRAME_MAX 2048

/**
 * struct bench_frame - octets of a packet
 */
struct bench_frame {
	uint8_t octets[BENCH_FRAME_MAX];
	size_t size;
};

/* 64 octets of TCP, or 78 over IPv6, from @source (NULL: an address that no list has). */
void bench_tcp_frame(unsigned int family, const void *source, struct bench_frame *frame);

/* From layers, as in "packets/frames.h". */
void bench_frame_build(const struct layer *layers, struct bench_frame *frame);

struct probe bench_probe(int program, const struct bench_frame *frame, uint32_t action);

/* The program that does nothing but pass. */
struct probe bench_bare(const struct bench *bench, const struct bench_frame *frame);

/* "1 000 000" */
const char *bench_count_text(size_t count, char text[32]);

int suite_memory(struct bench *bench);
int suite_root(struct bench *bench);
int suite_ipv4(struct bench *bench);
int suite_ipv6(struct bench *bench);
int suite_ptb(struct bench *bench);
int suite_firewall(struct bench *bench);
int suite_live(struct bench *bench);
int suite_tool(struct bench *bench);
int suite_sampler(struct bench *bench);
int suite_monitor(struct bench *bench);

#endif
