// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Frames that are really sent: from one end of a veth pair, by live frames of BPF_PROG_TEST_RUN, to
 * the XDP program on the other end, all on one CPU.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "bare.skel.h"
#include "bench.h"
#include "live.h"
#include "sources.h"
#include "subject.h"
#include "testbed.h"
#include "wrapper.h"

#define DROP_INTERFACE "drop0"
#define DROP_PEER      "drop1"
#define DROP_RATIO     0.8

/* Bursts in one, so that the wait before it (see live_attach_sender()) is a small part of the time. */
#define LONG_BURST 4

/* In a round; short, since nobody else gets the CPU meanwhile. */
#define BURSTS 5

struct rates {
	double ours[MEASURE_ROUNDS_MAX * BURSTS];
	double bare[MEASURE_ROUNDS_MAX * BURSTS];
};

struct sending {
	const char *name;
	struct goal goal;
	unsigned long burst;
	int program;
};

static int measure_rates(const struct bench *bench, const struct sending *sending, int section,
			 const struct bench_frame *frame)
{
	const struct sender senders[] = { { sending->program, SUBJECT_PEER, SUBJECT_INTERFACE },
					  { sending->program, DROP_PEER, DROP_INTERFACE } };
	size_t bursts = measure_rounds(&bench->settings) * BURSTS, i;
	struct row row = { .unit = "Mpps", .goal = sending->goal };
	static struct rates rates;
	int err = 0;

	for (i = 0; i < bursts && !err; i++) {
		err = live_rate(&senders[0], frame, sending->burst, &rates.ours[i]);
		if (!err)
			err = live_rate(&senders[1], frame, sending->burst, &rates.bare[i]);
	}
	if (err)
		return err;
	snprintf(row.name, sizeof(row.name), "%s", sending->name);
	row.median = measure_median(rates.ours, bursts);
	row.best = rates.ours[bursts - 1];
	measure_median(rates.bare, bursts);
	row.baseline = rates.bare[bursts - 1];
	return report_row(bench->report, section, &row);
}

/* What the filter took it must have dropped. */
static int verify(void)
{
	uint64_t dropped = 0;
	int err = subject_dropped(&dropped);

	return err || dropped ? err : ecbpf_fail(-EBADMSG, "of live frames none was dropped");
}

static int measure_attached(const struct bench *bench, const struct sending *sending, int section,
			    const struct bench_frame *frame)
{
	int err = live_attach_sender(sending->program);

	if (err)
		return err;
	err = measure_rates(bench, sending, section, frame);
	live_detach_sender();
	return err;
}

/* One source for all frames, then one drawn for each. */
static int measure_list(const struct bench *bench, int section, const struct prefix *addresses,
			size_t size)
{
	int tx = bpf_program__fd(bench->bare->progs.bare_tx), err;
	const char *noun = size == 1 ? "prefix" : "prefixes";
	char name[ROW_NAME_MAX], count[32];
	struct sending sending = { .name = name, .burst = bench->burst, .program = tx };
	struct wrapper wrapper = {};
	struct bench_frame frame;

	bench_tcp_frame(4, addresses[0].addr, &frame);
	snprintf(name, sizeof(name), "%s %s, hot", bench_count_text(size, count), noun);
	err = measure_attached(bench, &sending, section, &frame);
	if (!err) {
		const struct sending alone = { name,
					       { GOAL_RATIO_AT_LEAST, DROP_RATIO },
					       bench->burst * LONG_BURST,
					       tx };

		snprintf(name, sizeof(name), "%s %s, hot, sender attached nowhere", count, noun);
		err = measure_rates(bench, &alone, section, &frame);
	}
	if (!err)
		err = wrapper_open_sources(addresses, bench->addresses, tx, &wrapper);
	if (!err)
		err = verify();
	if (err)
		return err;
	snprintf(name, sizeof(name), "%s %s, random", bench_count_text(size, count), noun);
	sending.program = wrapper.program;
	err = measure_attached(bench, &sending, section, &frame);
	wrapper_close(&wrapper);
	return err;
}

static int set_up(struct subject *subject, struct filter_list *list)
{
	int err = testbed_set_up(SUBJECT_INTERFACE);

	if (!err)
		err = testbed_set_up(SUBJECT_PEER);
	return err ? err : subject_fill_filter(subject, NULL, list);
}

/* A single prefix is one that an operator would type. */
static int make_list(size_t size, struct filter_list *list)
{
	const struct filter_item item = {
		.prefix = { .family = 4, .length = 24, .addr = { 198, 18, 1 } },
		.action = FILTER_DROP,
	};

	return size == 1 ? filter_list_append(list, &item) : sources_list(4, size, list);
}

static int measure_size(const struct bench *bench, int section, size_t size)
{
	struct prefix *addresses = calloc(bench->addresses, sizeof(*addresses));
	struct filter_list list = {};
	struct subject subject;
	int err;

	if (!addresses)
		return -ENOMEM;
	err = make_list(size, &list);
	if (!err)
		err = sources_draw(4, SOURCES_LISTED, &list, addresses, bench->addresses);
	if (!err)
		err = subject_open(&subject);
	if (!err) {
		err = set_up(&subject, &list);
		if (!err)
			err = measure_list(bench, section, addresses, size);
		subject_close(&subject);
	}
	filter_list_free(&list);
	free(addresses);
	return err;
}

int suite_live(struct bench *bench)
{
	const struct sender probe = { bpf_program__fd(bench->bare->progs.bare_tx), DROP_PEER,
				      NULL };
	int section = report_section(bench->report,
				     "Live frames over veth, one CPU: dropped by root and filter",
				     "bare XDP_DROP");
	const size_t sizes[] = { 1, bench->sizes[1], bench->sizes[BENCH_SIZES - 1] };
	struct bench_frame frame;
	size_t i;
	int err;

	if (section < 0)
		return section;
	err = testbed_attach(DROP_INTERFACE, DROP_PEER,
			     bpf_program__fd(bench->bare->progs.bare_drop));
	if (err)
		return err;
	bench_tcp_frame(4, NULL, &frame);
	if (live_unsupported(&probe, &frame)) {
		err = report_skip(bench->report, "live frames",
				  "this kernel can't send them (5.18 and later can)");
	} else {
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !err; i++)
			err = measure_size(bench, section, sizes[i]);
	}
	testbed_delete(DROP_INTERFACE);
	return err;
}
