// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Root and firewall beside root alone, by number of rules. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "bench.h"
#include "xdp_fw/instance.h"
#include "rules_text.h"
#include "sources.h"
#include "subject.h"
#include "wrapper.h"
#include "xdp_root.skel.h"

/* ns beyond root alone. */
#define GOAL_IPV4 40
#define GOAL_IPV6 60

static const unsigned int rule_counts[] = { 64, 1024, 4096 };

#define SIZES (sizeof(rule_counts) / sizeof(rule_counts[0]))
/* One source, or another for each packet. */
#define CASES 2

/* @root: in no interface, with no slots. */
struct round {
	unsigned int family;
	unsigned int rules;
	int section;
	struct xdp_root_bpf *root;
	struct subject subject;
	struct prefix *addresses;
	struct bench_frame frame;
	struct wrapper around_root;
	struct wrapper around_subject;
	struct measurement cases[CASES];
};

static int fill(struct round *round)
{
	struct fw_ruleset ruleset = {};
	struct fw_compiled compiled = {};
	char path[512];
	int err;

	snprintf(path, sizeof(path), "%s/ipv%u-%u.rules", BENCH_RULES, round->family, round->rules);
	err = fw_rules_read(path, stderr, &ruleset);
	if (!err)
		err = fw_compile(&ruleset, NULL, &compiled);
	if (!err)
		err = fw_instance_install(round->subject.root, &ruleset, &compiled, NULL);
	fw_compiled_free(&compiled);
	fw_ruleset_free(&ruleset);
	return err;
}

static int open_root(struct round *round)
{
	round->root = xdp_root_bpf__open();
	if (!round->root)
		return -errno;
	return ecbpf_object_prepare(round->root->obj, false) ?: xdp_root_bpf__load(round->root);
}

static int open_wrappers(const struct bench *bench, struct round *round)
{
	const struct filter_list nothing = {};
	int err;

	round->addresses = calloc(bench->addresses, sizeof(*round->addresses));
	if (!round->addresses)
		return -ENOMEM;
	err = sources_draw(round->family, SOURCES_MISS, &nothing, round->addresses,
			   bench->addresses);
	if (err)
		return err;
	bench_tcp_frame(round->family, NULL, &round->frame);
	return wrapper_open_sources(round->addresses, bench->addresses,
				    bpf_program__fd(round->root->progs.xdp_root_prog),
				    &round->around_root) ?:
	       wrapper_open_sources(round->addresses, bench->addresses, round->subject.program,
				    &round->around_subject);
}

static void add_cases(struct round *round)
{
	const int root = bpf_program__fd(round->root->progs.xdp_root_prog);
	char count[32];
	int i;

	for (i = 0; i < CASES; i++) {
		struct measurement *one = &round->cases[i];

		snprintf(one->name, sizeof(one->name), "IPv%u, %s rules, no match, %s",
			 round->family, bench_count_text(round->rules, count),
			 i ? "random" : "hot");
		one->section = round->section;
		one->goal = (struct goal){ GOAL_DIFFERENCE_AT_MOST,
					   round->family == 4 ? GOAL_IPV4 : GOAL_IPV6 };
		one->probes[PROBE_BARE] = bench_probe(root, &round->frame, XDP_PASS);
		one->probes[PROBE_SUBJECT] =
			bench_probe(i ? round->around_subject.program : round->subject.program,
				    &round->frame, XDP_PASS);
	}
	round->cases[1].probes[PROBE_WRAPPER] =
		bench_probe(round->around_root.program, &round->frame, XDP_PASS);
}

static void close_round(struct round *round)
{
	wrapper_close(&round->around_root);
	wrapper_close(&round->around_subject);
	if (round->subject.root)
		subject_close(&round->subject);
	xdp_root_bpf__destroy(round->root);
	free(round->addresses);
}

static int measure_round(const struct bench *bench, struct round *round, struct measure *measure)
{
	int err = open_root(round);

	if (!err)
		err = subject_open(&round->subject);
	if (!err)
		err = fill(round) ?: open_wrappers(bench, round);
	if (!err) {
		add_cases(round);
		err = measure_pass(measure, round->cases, CASES);
	}
	close_round(round);
	return err;
}

static int measure_size(const struct bench *bench, unsigned int family, unsigned int rules,
			int section)
{
	struct measure *measure = measure_new(&bench->settings);
	struct round *round = calloc(1, sizeof(*round));
	int err = measure && round ? 0 : -ENOMEM;
	size_t pass;

	for (pass = 0; pass < bench->settings.passes && !err; pass++) {
		*round = (struct round){ .family = family, .rules = rules, .section = section };
		err = measure_round(bench, round, measure);
	}
	if (!err)
		err = measure_report(measure, bench->report);
	measure_free(measure);
	free(round);
	return err;
}

int suite_firewall(struct bench *bench)
{
	int section = report_section(bench->report, "Root and firewall", "root alone"), err = 0;
	unsigned int family;
	size_t i;

	if (section < 0)
		return section;
	for (family = 4; family <= 6; family += 2)
		for (i = 0; i < SIZES && !err; i++)
			err = measure_size(bench, family, rule_counts[i], section);
	return err;
}
