// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "measure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include <ecbpf/ecbpf.h>

#include "testbed.h"

#define NS_PER_S 1e9

/* Packets of a run that is nothing but preparation; a single one is run in another way. */
#define WARM_UP 2

/* Of a probe: time of each round, least time of preparing, and events of the fastest round. */
struct samples {
	double ns[MEASURE_ROUNDS_MAX];
	double preparing;
	double events[PMU_EVENTS];
};

/**
 * struct measure - measurements under way
 * @done: rounds so far
 */
struct measure {
	struct measure_settings settings;
	struct measurement *measurements;
	struct samples (*samples)[PROBE_ROLES];
	size_t count;
	size_t done;
};

static double thread_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

int measure_run(const struct probe *probe, unsigned long repeat, double *ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = probe->frame,
		    .data_size_in = probe->size, .repeat = repeat);
	double began;
	int err;

	testbed_undisturbed_begin();
	began = thread_ns();
	err = bpf_prog_test_run_opts(probe->program, &options);
	*ns = thread_ns() - began;
	testbed_undisturbed_end();
	if (err)
		return ecbpf_fail(err, "running a program: %s", strerror(-err));
	if (options.retval != probe->action)
		return ecbpf_fail(-EBADMSG, "a program returned %u and not %u", options.retval,
				  probe->action);
	return 0;
}

int measure_verify(const struct probe *probe, unsigned long repeat)
{
	double ignored;

	return measure_run(probe, repeat, &ignored);
}

struct measure *measure_new(const struct measure_settings *settings)
{
	struct measure *measure = calloc(1, sizeof(*measure));

	if (measure)
		measure->settings = *settings;
	return measure;
}

void measure_free(struct measure *measure)
{
	if (!measure)
		return;
	free(measure->measurements);
	free(measure->samples);
	free(measure);
}

static int sample(const struct measurement *one, enum probe_role role,
		  const struct measure_settings *settings, size_t round, struct samples *samples)
{
	const struct probe *probe = &one->probes[role];
	struct pmu_counts before, after;
	double preparing;
	size_t i;
	int err;

	if (!probe->frame)
		return 0;
	err = measure_run(probe, WARM_UP, &preparing);
	pmu_read(settings->pmu, &before);
	if (!err)
		err = measure_run(probe, WARM_UP + settings->repeat, &samples->ns[round]);
	pmu_read(settings->pmu, &after);
	if (err)
		return ecbpf_fail(err, "%s: could not be measured", one->name);
	if (!samples->preparing || preparing < samples->preparing)
		samples->preparing = preparing;
	for (i = 0; i < round; i++)
		if (samples->ns[i] <= samples->ns[round])
			return 0;
	for (i = 0; i < PMU_EVENTS; i++)
		samples->events[i] =
			(double)(after.events[i] - before.events[i]) / settings->repeat;
	return 0;
}

static int sample_all(struct measure *measure, size_t round)
{
	enum probe_role role;
	size_t i;
	int err = 0;

	for (i = 0; i < measure->count && !err; i++)
		for (role = 0; role < PROBE_ROLES && !err; role++)
			err = sample(&measure->measurements[i], role, &measure->settings, round,
				     &measure->samples[i][role]);
	return err;
}

int measure_pass(struct measure *measure, const struct measurement *measurements, size_t count)
{
	size_t last = measure->done + measure->settings.rounds;
	int err;

	if (last > MEASURE_ROUNDS_MAX || (measure->count && count != measure->count))
		return -EINVAL;
	if (!measure->count) {
		measure->measurements = calloc(count, sizeof(*measurements));
		measure->samples = calloc(count, sizeof(*measure->samples));
		if (!measure->measurements || !measure->samples)
			return -ENOMEM;
		measure->count = count;
	}
	memcpy(measure->measurements, measurements, count * sizeof(*measurements));
	/* Only warms up: the first round overwrites what it took. */
	err = sample_all(measure, measure->done);
	while (measure->done < last && !err)
		err = sample_all(measure, measure->done++);
	return err;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

double measure_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/*
 * Preparing a run takes 0.1 to 0.3 ms where the kernel has to make room for a direct call. Taken
 * off at its least: an outlier of it would make a round too fast.
 */
static void take_times(const struct measure *measure, struct samples *samples, double *best,
		       double *median)
{
	double preparing = samples->preparing, repeat = measure->settings.repeat;

	*median = (measure_median(samples->ns, measure->done) - preparing) / repeat;
	*best = (samples->ns[0] - preparing) / repeat;
}

static int add_row(const struct measure *measure, size_t which, struct report *report)
{
	const struct measurement *one = &measure->measurements[which];
	struct samples *samples = measure->samples[which];
	struct row row = { .unit = "ns", .goal = one->goal };
	double best[PROBE_ROLES] = {}, median[PROBE_ROLES] = {};
	enum probe_role role;
	int i;

	for (role = 0; role < PROBE_ROLES; role++)
		if (one->probes[role].frame)
			take_times(measure, &samples[role], &best[role], &median[role]);
	memcpy(row.name, one->name, sizeof(row.name));
	row.best = best[PROBE_SUBJECT];
	row.median = median[PROBE_SUBJECT];
	row.baseline = one->probes[PROBE_PEER].frame ? best[PROBE_PEER] : best[PROBE_BARE];
	for (i = 0; i < PMU_EVENTS; i++)
		row.events[i] = samples[PROBE_SUBJECT].events[i];
	if (one->probes[PROBE_WRAPPER].frame) {
		double wrapper = best[PROBE_WRAPPER] - best[PROBE_BARE];

		row.best -= wrapper;
		row.median -= median[PROBE_WRAPPER] - median[PROBE_BARE];
		if (one->probes[PROBE_PEER].frame)
			row.baseline -= wrapper;
		for (i = 0; i < PMU_EVENTS; i++)
			row.events[i] -=
				samples[PROBE_WRAPPER].events[i] - samples[PROBE_BARE].events[i];
	}
	return report_row(report, one->section, &row);
}

int measure_report(struct measure *measure, struct report *report)
{
	size_t i;
	int err = 0;

	for (i = 0; i < measure->count && !err; i++)
		err = add_row(measure, i, report);
	return err;
}
