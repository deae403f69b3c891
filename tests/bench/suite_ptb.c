// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* First fragments that are dropped and answered. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "bare.skel.h"
#include "bench.h"
#include "subject.h"
#include "wrapper.h"

/* Octets that an answer puts in front of the packet that it quotes: IP and ICMP headers. */
#define HEADROOM4 28
#define HEADROOM6 48

static const struct fragment {
	const char *name;
	int headroom;
	struct layer layers[LAYERS_MAX];
} fragments[] = {
	{ "IPv4, first fragment answered",
	  HEADROOM4,
	  { ETHER(), IPV4(.fragment = 0x2000), UDP(), OCTETS(32) } },
	{ "IPv6, first fragment of 102 octets answered",
	  HEADROOM6,
	  { ETHER(), IPV6(), FRAGMENT(1), UDP(), OCTETS(32) } },
	{ "IPv6, first fragment of 1 494 octets answered",
	  HEADROOM6,
	  { ETHER(), IPV6(), FRAGMENT(1), UDP(), OCTETS(1424) } },
};

#define FRAGMENTS (sizeof(fragments) / sizeof(fragments[0]))

struct answer {
	struct bench_frame frame;
	struct wrapper around_bare;
	struct wrapper around_subject;
};

static int open_answer(const struct bench *bench, int program, const struct fragment *fragment,
		       struct answer *answer, struct measurement *one)
{
	int bare = bpf_program__fd(bench->bare->progs.bare_pass), err;

	bench_frame_build(fragment->layers, &answer->frame);
	err = wrapper_open_restore(answer->frame.octets, answer->frame.size, fragment->headroom,
				   bare, &answer->around_bare);
	if (!err)
		err = wrapper_open_restore(answer->frame.octets, answer->frame.size,
					   fragment->headroom, program, &answer->around_subject);
	snprintf(one->name, sizeof(one->name), "%s", fragment->name);
	one->probes[PROBE_BARE] = bench_bare(bench, &answer->frame);
	one->probes[PROBE_WRAPPER] =
		bench_probe(answer->around_bare.program, &answer->frame, XDP_PASS);
	one->probes[PROBE_SUBJECT] =
		bench_probe(answer->around_subject.program, &answer->frame, XDP_TX);
	return err;
}

static int measure_answers(const struct bench *bench, int section, const struct subject *subject,
			   struct measure *measure)
{
	struct measurement cases[FRAGMENTS] = {};
	static struct answer answers[FRAGMENTS];
	size_t i;
	int err = 0;

	for (i = 0; i < FRAGMENTS && !err; i++) {
		cases[i].section = section;
		err = open_answer(bench, subject->program, &fragments[i], &answers[i], &cases[i]);
	}
	if (!err)
		err = measure_pass(measure, cases, FRAGMENTS);
	for (i = 0; i < FRAGMENTS; i++) {
		wrapper_close(&answers[i].around_bare);
		wrapper_close(&answers[i].around_subject);
	}
	return err;
}

static int measure_filter(const struct bench *bench, int section, struct measure *measure)
{
	const struct filter_config config = { .frags_drop = 1, .ptb_max_pps = UINT32_MAX };
	struct filter_list none = {};
	struct subject subject;
	int err;

	err = subject_open(&subject);
	if (err)
		return err;
	err = subject_fill_filter(&subject, &config, &none);
	if (!err)
		err = measure_answers(bench, section, &subject, measure);
	subject_close(&subject);
	return err;
}

int suite_ptb(struct bench *bench)
{
	int section = report_section(bench->report, "Path MTU messages", "bare XDP_PASS"), err = 0;
	struct measure *measure;
	size_t pass;

	if (section < 0)
		return section;
	measure = measure_new(&bench->settings);
	if (!measure)
		return -ENOMEM;
	for (pass = 0; pass < bench->settings.passes && !err; pass++)
		err = measure_filter(bench, section, measure);
	if (!err)
		err = measure_report(measure, bench->report);
	measure_free(measure);
	return err;
}
