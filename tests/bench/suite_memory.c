// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What this machine takes for a random read that waits for the one before: the least that a look-up
 * in a table of that size costs for each step, whatever the program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"
#include "fuzz/random.h"
#include "testbed.h"

#define LINE 64
#define MIB  (1UL << 20)

/* A cache line; together they are one ring in random order. */
struct line {
	struct line *next;
	char rest[LINE - sizeof(struct line *)];
};

static const size_t sizes[] = { 1 * MIB, 4 * MIB, 32 * MIB };

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* Sattolo's shuffle: one cycle through all. */
static void link_lines(struct line *lines, size_t count)
{
	struct random random = random_for(count, 0);
	struct line *other;
	size_t i, at;

	for (i = 0; i < count; i++)
		lines[i].next = &lines[i];
	for (i = count - 1; i > 0; i--) {
		at = random_below(&random, i);
		other = lines[at].next;
		lines[at].next = lines[i].next;
		lines[i].next = other;
	}
}

static double time_reads(struct line *lines, unsigned long reads)
{
	struct timespec began, ended;
	struct line *volatile last;
	struct line *at = lines;
	unsigned long i;

	testbed_undisturbed_begin();
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
	for (i = 0; i < reads; i++)
		at = at->next;
	last = at;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
	testbed_undisturbed_end();
	(void)last;
	return ((ended.tv_sec - began.tv_sec) * 1e9 + (ended.tv_nsec - began.tv_nsec)) / reads;
}

static int measure_size(const struct bench *bench, int section, size_t bytes)
{
	size_t rounds = measure_rounds(&bench->settings), i;
	struct row row = { .unit = "ns" };
	double ns[MEASURE_ROUNDS_MAX];
	struct line *lines;

	lines = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (lines == MAP_FAILED)
		return -errno;
	/* As the kernel maps arrays of BPF programs. */
	madvise(lines, bytes, MADV_NOHUGEPAGE);
	link_lines(lines, bytes / sizeof(*lines));
	for (i = 0; i < rounds; i++)
		ns[i] = time_reads(lines, bench->settings.repeat);
	munmap(lines, bytes);
	row.median = measure_median(ns, rounds);
	row.best = ns[0];
	snprintf(row.name, sizeof(row.name), "within %zu MiB", bytes / MIB);
	return report_row(bench->report, section, &row);
}

int suite_memory(struct bench *bench)
{
	int section = report_section(bench->report, "This machine's memory: dependent random reads",
				     NULL);
	size_t i;
	int err = 0;

	if (section < 0)
		return section;
	for (i = 0; i < SIZES && !err; i++)
		err = measure_size(bench, section, sizes[i]);
	return err;
}
