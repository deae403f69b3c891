/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was measured, as a table for eyes and as JSON for programs. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "pmu.h"

enum goal_kind {
	GOAL_NONE,
	GOAL_VALUE_AT_MOST,
	/* Best less baseline. */
	GOAL_DIFFERENCE_AT_MOST,
	/* Best by baseline. */
	GOAL_RATIO_AT_MOST,
	GOAL_RATIO_AT_LEAST,
};

struct goal {
	enum goal_kind kind;
	double limit;
};

#define ROW_NAME_MAX 96

/**
 * struct row - a case and what came out
 * @unit: of @best, @median and @baseline
 * @best: of all rounds: the lowest time or size, the highest rate
 * @baseline: best, measured in the same rounds; 0: there is none
 * @events: per packet, by enum pmu_event, of the round with the best time
 */
struct row {
	char name[ROW_NAME_MAX];
	const char *unit;
	double best;
	double median;
	double baseline;
	double events[PMU_EVENTS];
	struct goal goal;
};

/**
 * struct report_settings - what all rows have in common
 * @judged: whether goals count: too few packets make no times
 */
struct report_settings {
	bool json;
	bool judged;
	bool events;
	unsigned long passes;
	unsigned long rounds;
	unsigned long repeat;
	int cpu;
};

struct report;

struct report *report_new(const struct report_settings *settings);
void report_free(struct report *report);

/*
 * A part of the table; @baseline says what that of its rows is. Texts must outlive the report.
 * Returns a number for report_row(), or -ENOMEM.
 */
int report_section(struct report *report, const char *title, const char *baseline);
int report_row(struct report *report, int section, const struct row *row);

/* A row of a single value, which is to be at most @most. */
int report_value(struct report *report, int section, const char *name, const char *unit,
		 double value, double most);

/* A case that could not be measured, and why. */
int report_skip(struct report *report, const char *what, const char *why);

/* Print to stdout the tables of sections that are complete: all so far. */
void report_show(struct report *report);

/* Print what is left of them, or JSON. */
int report_finish(struct report *report);

/* How many rows missed their goal. */
size_t report_missed(const struct report *report);

#endif
