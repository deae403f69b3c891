// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What root takes by itself, and with subprograms that have no opinion. */
#include <errno.h>
#include <stdio.h>

#include <linux/bpf.h>

#include "bench.h"
#include "subject.h"

enum {
	SHAPES = 4,
	FILLS = 3
};

struct shape {
	const char *name;
	struct layer layers[LAYERS_MAX];
};

static const struct shape shapes[SHAPES] = {
	{ "IPv4 TCP", { ETHER(), IPV4(), TCP(), OCTETS(10) } },
	{ "IPv6 TCP", { ETHER(), IPV6(), TCP(), OCTETS(4) } },
	{ "IPv4 TCP in two VLAN tags", { ETHER(), QINQ(1), VLAN(2), IPV4(), TCP(), OCTETS(10) } },
	{ "IPv6 TCP behind 4 extension headers",
	  { ETHER(), IPV6(), EXTENSION(0, 8), EXTENSION(60, 8), EXTENSION(43, 8), EXTENSION(60, 8),
	    TCP(), OCTETS(4) } },
};

static const struct {
	unsigned int slots;
	const char *name;
	struct goal goals[SHAPES];
} fills[FILLS] = {
	{ 0, "no slots", { { GOAL_DIFFERENCE_AT_MOST, 7 }, { GOAL_DIFFERENCE_AT_MOST, 10.5 } } },
	{ 1, "1 empty slot", {} },
	{ 4, "4 empty slots", {} },
};

static int measure_fill(const struct bench *bench, int section, const struct bench_frame *frames,
			size_t which, struct measure *measure)
{
	struct measurement cases[SHAPES] = {};
	struct subject subject;
	size_t i;
	int err;

	err = subject_open(&subject);
	if (err)
		return err;
	err = subject_fill_empty(&subject, fills[which].slots);
	for (i = 0; i < SHAPES; i++) {
		snprintf(cases[i].name, sizeof(cases[i].name), "%s, %s", fills[which].name,
			 shapes[i].name);
		cases[i].section = section;
		cases[i].goal = fills[which].goals[i];
		cases[i].probes[PROBE_BARE] = bench_bare(bench, &frames[i]);
		cases[i].probes[PROBE_SUBJECT] = bench_probe(subject.program, &frames[i], XDP_PASS);
	}
	if (!err)
		err = measure_pass(measure, cases, SHAPES);
	subject_close(&subject);
	return err;
}

static int measure_fills(const struct bench *bench, int section, const struct bench_frame *frames,
			 size_t which)
{
	struct measure *measure = measure_new(&bench->settings);
	size_t pass;
	int err = measure ? 0 : -ENOMEM;

	for (pass = 0; pass < bench->settings.passes && !err; pass++)
		err = measure_fill(bench, section, frames, which, measure);
	if (!err)
		err = measure_report(measure, bench->report);
	measure_free(measure);
	return err;
}

int suite_root(struct bench *bench)
{
	struct bench_frame frames[SHAPES];
	int section, err = 0;
	size_t i;

	section = report_section(bench->report, "Root array", "bare XDP_PASS");
	if (section < 0)
		return section;
	for (i = 0; i < SHAPES; i++)
		bench_frame_build(shapes[i].layers, &frames[i]);
	for (i = 0; i < FILLS && !err; i++)
		err = measure_fills(bench, section, frames, i);
	return err;
}
