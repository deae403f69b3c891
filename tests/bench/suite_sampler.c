// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the sampler takes: of packets that it doesn't pick, of those it does, and of its reader. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "bench.h"
#include "sampled.h"
#include "xdp_sampler/xdp_sampler.h"

#define RATE	     2500
#define UNSAMPLED_NS 4
#define EMITTED_NS   500
#define WRITTEN_NS   1000
#define MEMORY_MB    200
#define SECOND_NS    1000000000L
#define RING	     (8UL << 20)
#define LARGE_RING   (64UL << 20)
/* What the large ring holds, with headers of 8 octets and records of 184. */
#define LARGE_RING_SAMPLES 340000
#define BATCH		   30000

/* 200 000 a second. */
#define PACED_SAMPLES 1000
#define PACED_NS      5000000L

enum {
	IPV4,
	IPV6,
	FAMILIES,
};

static const char *const family_names[FAMILIES] = { "IPv4", "IPv6" };

/* One to compare with, without a sampler or with one that picks nothing, and one that is measured. */
enum {
	BASE,
	SAMPLED,
	SUBJECTS,
};

static const char *const names[SUBJECTS][2] = {
	[BASE] = { "base0", "base1" },
	[SAMPLED] = { "sampled0", "sampled1" },
};

static void close_all(const struct bench *bench, struct sampled *subjects)
{
	size_t i;

	for (i = 0; i < SUBJECTS; i++)
		sampled_close(bench, &subjects[i]);
}

/* In another order each time: where the kernel puts programs and values makes a nanosecond. */
static int open_all(const struct bench *bench, size_t pass, struct sampled *subjects)
{
	static const unsigned long rates[SUBJECTS] = { [BASE] = 0, [SAMPLED] = RATE };
	size_t i, which;
	int err = 0;

	for (i = 0; i < SUBJECTS && !err; i++) {
		which = (pass + i) % SUBJECTS;
		err = sampled_open(bench, names[which][0], names[which][1], rates[which], RING,
				   &subjects[which]);
	}
	return err;
}

static int measure_unsampled(const struct bench *bench, int section, size_t pass,
			     struct measure *measure)
{
	struct measurement cases[FAMILIES] = {};
	struct bench_frame frames[FAMILIES];
	struct sampled subjects[SUBJECTS] = {};
	int err = open_all(bench, pass, subjects);
	size_t i;

	for (i = 0; i < FAMILIES && !err; i++) {
		bench_tcp_frame(i == IPV4 ? 4 : 6, NULL, &frames[i]);
		cases[i].section = section;
		snprintf(cases[i].name, sizeof(cases[i].name), "%s TCP, 1 in 2 500 sampled",
			 family_names[i]);
		cases[i].goal = (struct goal){ GOAL_DIFFERENCE_AT_MOST, UNSAMPLED_NS };
		cases[i].probes[PROBE_BARE] =
			bench_probe(subjects[BASE].program, &frames[i], XDP_PASS);
		cases[i].probes[PROBE_SUBJECT] =
			bench_probe(subjects[SAMPLED].program, &frames[i], XDP_PASS);
	}
	if (!err)
		err = measure_pass(measure, cases, FAMILIES);
	close_all(bench, subjects);
	return err;
}

static int suite_unsampled(struct bench *bench)
{
	int section = report_section(bench->report, "Sampler attached, most packets not sampled",
				     "root without a sampler"),
	    err = 0;
	struct measure *measure;
	size_t pass;

	if (section < 0)
		return section;
	measure = measure_new(&bench->settings);
	if (!measure)
		return -ENOMEM;
	for (pass = 0; pass < bench->settings.passes && !err; pass++)
		err = measure_unsampled(bench, section, pass, measure);
	if (!err)
		err = measure_report(measure, bench->report);
	measure_free(measure);
	return err;
}

/* A packet's time: with each of them sampled, and with none. */
struct emissions {
	double all[MEASURE_ROUNDS_MAX];
	double none[MEASURE_ROUNDS_MAX];
	size_t count;
};

static int time_emissions(const struct bench *bench, struct sampled *all,
			  const struct sampled *none, const struct bench_frame *frame,
			  struct emissions *times)
{
	struct probe probe = bench_probe(all->program, frame, XDP_PASS);
	struct probe base = bench_probe(none->program, frame, XDP_PASS);
	unsigned long repeat = bench->settings.repeat < LARGE_RING_SAMPLES ?
				       bench->settings.repeat :
				       LARGE_RING_SAMPLES;
	size_t round;
	int err = 0;

	/* The first one only warms up. */
	for (round = 0; round <= bench->settings.rounds && !err; round++) {
		sampled_drain(all);
		err = measure_run(&probe, repeat, &times->all[times->count]);
		if (!err)
			err = measure_run(&base, repeat, &times->none[times->count]);
		times->all[times->count] /= repeat;
		times->none[times->count] /= repeat;
		times->count += round > 0;
	}
	return err;
}

static int measure_emissions(const struct bench *bench, const struct bench_frame *frame,
			     struct emissions *times)
{
	struct sampled all = {}, none = {};
	int err;

	err = sampled_open(bench, names[SAMPLED][0], names[SAMPLED][1], 1, LARGE_RING, &all);
	if (!err)
		err = sampled_open(bench, names[BASE][0], names[BASE][1], SAMPLED_NEVER, RING,
				   &none);
	if (!err)
		err = time_emissions(bench, &all, &none, frame, times);
	sampled_close(bench, &none);
	sampled_close(bench, &all);
	return err;
}

static int suite_emitted(struct bench *bench)
{
	const struct layer layers[] = { ETHER(), IPV4(), TCP(), OCTETS(200), {} };
	int section = report_section(bench->report, "Emitting a sample of 128 octets",
				     "sampler attached, packet not sampled"),
	    err = 0;
	struct row row = { .name = "IPv4 TCP, each sampled",
			   .unit = "ns",
			   .goal = { GOAL_DIFFERENCE_AT_MOST, EMITTED_NS } };
	static struct emissions times;
	struct bench_frame frame;
	size_t pass;

	if (section < 0)
		return section;
	bench_frame_build(layers, &frame);
	times.count = 0;
	for (pass = 0; pass < bench->settings.passes && !err; pass++)
		err = measure_emissions(bench, &frame, &times);
	if (err)
		return err;
	row.median = measure_median(times.all, times.count);
	row.best = times.all[0];
	measure_median(times.none, times.count);
	row.baseline = times.none[0];
	return report_row(bench->report, section, &row);
}

static uint64_t received(const struct sampled *sampled)
{
	const volatile struct sampler_taken *taken = sampled->report->taken;
	const uint64_t one = taken[0].received, other = taken[1].received;

	return one > other ? one : other;
}

/* The reader shares our CPU: it gets it while we sleep. */
static void wait_for(const struct sampled *sampled, uint64_t samples)
{
	const struct timespec moment = { .tv_nsec = 200000 };
	int rounds;

	for (rounds = 0; rounds < 50000 && received(sampled) < samples; rounds++)
		nanosleep(&moment, NULL);
}

/* Batches that the ring has room for, one after the other. */
static int emit_batches(const struct sampled *sampled, const struct probe *probe,
			unsigned long samples)
{
	unsigned long done;
	double ignored;
	int err = 0;

	for (done = 0; done < samples && !err; done += BATCH) {
		err = measure_run(probe, BATCH, &ignored);
		wait_for(sampled, done + BATCH);
	}
	return err;
}

static int emit_paced(const struct sampled *sampled, const struct probe *probe,
		      unsigned long samples)
{
	struct timespec next;
	unsigned long done;
	double ignored;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (done = 0; done < samples && !err; done += PACED_SAMPLES) {
		err = measure_run(probe, PACED_SAMPLES, &ignored);
		next.tv_nsec += PACED_NS;
		next.tv_sec += next.tv_nsec / SECOND_NS;
		next.tv_nsec %= SECOND_NS;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	wait_for(sampled, samples);
	return err;
}

/**
 * struct written - what became of samples
 * @lost: were not written
 */
struct written {
	struct sampled_reader reader;
	double lost;
};

static int write_samples(const struct bench *bench,
			 int (*emit)(const struct sampled *, const struct probe *, unsigned long),
			 unsigned long samples, struct written *written)
{
	const struct layer layers[] = { ETHER(), IPV4(), TCP(), OCTETS(200), {} };
	struct sampled sampled = {};
	struct bench_frame frame;
	struct probe probe;
	int err, ended;

	bench_frame_build(layers, &frame);
	err = sampled_open(bench, names[SAMPLED][0], names[SAMPLED][1], 1, RING, &sampled);
	if (!err)
		err = sampled_reader_begin(bench, &sampled, &written->reader);
	if (!err) {
		probe = bench_probe(sampled.program, &frame, XDP_PASS);
		err = emit(&sampled, &probe, samples);
		ended = sampled_reader_end(&written->reader);
		written->lost = (double)samples - sampled.report->delivered[SAMPLER_OUTPUT_FILE];
		err = err ? err : ended;
	}
	sampled_close(bench, &sampled);
	return err;
}

/* As many as a second, or ten, must bring at least. */
static int suite_written(struct bench *bench)
{
	const bool judged = bench->settings.repeat >= 1000000;
	const unsigned long many = judged ? 50 * BATCH : BATCH;
	const unsigned long paced = judged ? 2000000 : 10 * PACED_SAMPLES;
	int section = report_section(bench->report,
				     "Writing samples of 128 octets to a file in "
				     "memory, one CPU for all",
				     NULL),
	    err;
	struct written written;

	if (section < 0)
		return section;
	err = write_samples(bench, emit_batches, many, &written);
	if (!err)
		err = report_value(bench->report, section, "reader's CPU time per sample", "ns",
				   written.reader.nanoseconds / many, WRITTEN_NS);
	if (!err)
		err = report_value(bench->report, section, "reader's memory at its largest", "MB",
				   written.reader.octets / 1e6, MEMORY_MB);
	if (!err)
		err = write_samples(bench, emit_paced, paced, &written);
	if (!err)
		err = report_value(bench->report, section, "lost at 200 000 a second for 10 s", "",
				   written.lost, 0);
	return err;
}

int suite_sampler(struct bench *bench)
{
	int err = suite_unsampled(bench);

	if (!err)
		err = suite_emitted(bench);
	return err ? err : suite_written(bench);
}
