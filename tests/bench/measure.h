/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Timing programs by BPF_PROG_TEST_RUN. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pmu.h"
#include "report.h"

#define MEASURE_PASSES_MAX	10
#define MEASURE_PASS_ROUNDS_MAX 20
#define MEASURE_ROUNDS_MAX	(MEASURE_PASSES_MAX * MEASURE_PASS_ROUNDS_MAX)

/**
 * struct probe - a program to run
 * @frame: NULL: there is no such probe
 * @action: what it must return
 */
struct probe {
	int program;
	const uint8_t *frame;
	size_t size;
	uint32_t action;
};

enum probe_role {
	/* What does nothing, to compare with. */
	PROBE_BARE,
	/*
	 * The wrapper around subject and peer, around nothing: what it takes beyond PROBE_BARE is
	 * taken off theirs.
	 */
	PROBE_WRAPPER,
	PROBE_SUBJECT,
	/* Somebody else's program for the same, to compare with instead of PROBE_BARE. */
	PROBE_PEER,
	PROBE_ROLES,
};

/**
 * struct measurement - a case
 * @section: of the report, that its row goes to
 */
struct measurement {
	int section;
	char name[ROW_NAME_MAX];
	struct goal goal;
	struct probe probes[PROBE_ROLES];
};

/**
 * struct measure_settings - how much is measured
 * @passes: in each of which programs are loaded anew: the kernel puts them where it likes, and a
 *	nanosecond depends on that
 * @rounds: in each pass
 * @repeat: packets in each round
 */
struct measure_settings {
	unsigned long passes;
	unsigned long rounds;
	unsigned long repeat;
	const struct pmu *pmu;
};

/* Of all passes. */
static inline size_t measure_rounds(const struct measure_settings *settings)
{
	return settings->passes * settings->rounds;
}

/**
 * measure_run() - run a frame @repeat times
 * @ns: out: CPU time, preparing included
 *
 * Return: -EBADMSG: the last one met another action than expected.
 */
int measure_run(const struct probe *probe, unsigned long repeat, double *ns);
int measure_verify(const struct probe *probe, unsigned long repeat);

struct measure;

struct measure *measure_new(const struct measure_settings *settings);
void measure_free(struct measure *measure);

/*
 * In each round of a pass every probe of every measurement is run, one after the other. The next
 * pass brings the same measurements, of programs loaded anew.
 */
int measure_pass(struct measure *measure, const struct measurement *measurements, size_t count);

/* A row for each measurement. */
int measure_report(struct measure *measure, struct report *report);

/* The middle one of @count values, which it sorts. */
double measure_median(double *values, size_t count);

#endif
