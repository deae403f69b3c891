// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Root and firewall beside root alone, and rulesets beside each other. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "bench.h"
#include "draws.h"
#include "rules_text.h"
#include "subject.h"
#include "suite_firewall.h"
#include "wrapper.h"
#include "xdp_fw/instance.h"
#include "xdp_root.skel.h"

/* ns beyond root alone, for packets that don't match. */
#define GOAL_IPV4 40
#define GOAL_IPV6 60
/* Of 4 096 rules, as many times what 64 cost. */
#define GOAL_MANY 2.5

static const unsigned int rule_counts[] = { 64, 1024, 4096 };

#define SIZES (sizeof(rule_counts) / sizeof(rule_counts[0]))

/* Beside 64 rules of the same kind; @kind: of packets. */
static const struct {
	const char *prefix;
	const char *title;
	enum draws_kind kind;
} many[] = {
	{ "", "prefixes, ports and flags", DRAWS_NEAR },
	{ "covered-", "prefixes within prefixes", DRAWS_NEAR },
	{ "fields-", "all fields used", DRAWS_NEAR },
	{ "mixed-", "wide in all fields but one", DRAWS_NEAR },
	{ "halves-", "half of two ranges each", DRAWS_NEAR },
	{ "last-", "the last field differs", DRAWS_NEAR },
	{ "last-", "the last one matches", DRAWS_LAST },
};

#define MANY (sizeof(many) / sizeof(many[0]))

int side_read(const struct bench *bench, unsigned int family, const char *file,
	      enum draws_kind kind, struct side *side)
{
	const char *const folders[] = { BENCH_RULES, BENCH_RULES_MADE };
	char path[512];
	int err;

	*side = (struct side){
		.family = family,
		.kind = kind,
		.action = kind == DRAWS_RANDOM || kind == DRAWS_NEAR ? XDP_PASS : XDP_DROP,
		.count = bench->addresses / SIDE_ADDRESSES,
	};
	snprintf(path, sizeof(path), "%s/ipv%u-%s.rules", folders[file[0] > '9'], family, file);
	err = fw_rules_read(path, stderr, &side->ruleset) ?:
		      fw_compile(&side->ruleset, NULL, &side->compiled);
	side->draws = calloc(side->count, sizeof(*side->draws));
	if (!err && !side->draws)
		err = -ENOMEM;
	if (!err)
		err = draws_make(&side->ruleset, family, kind, side->draws, side->count);
	if (err)
		return ecbpf_fail(err, "%s: drawing packets: %s", path, strerror(-err));
	draw_frame(family, &side->draws[0], &side->frame);
	return 0;
}

void side_free(struct side *side)
{
	fw_compiled_free(&side->compiled);
	fw_ruleset_free(&side->ruleset);
	free(side->draws);
	*side = (struct side){};
}

int side_open(struct side *side, const char *interface, const char *peer)
{
	int err = subject_open_at(interface, peer, &side->subject);

	if (err)
		return err;
	err = fw_instance_install(side->subject.root, &side->ruleset, &side->compiled, NULL);
	if (!err)
		err = wrapper_open_draws(side->family, side->draws, side->count,
					 side->subject.program, &side->around);
	if (err)
		side_close(side);
	return err;
}

void side_close(struct side *side)
{
	wrapper_close(&side->around);
	if (side->subject.root)
		subject_close(&side->subject);
}

/* Root in no interface, with no slots, and around it what draws @side's packets. */
struct alone {
	struct xdp_root_bpf *root;
	struct wrapper around;
};

static int alone_open(const struct side *side, struct alone *alone)
{
	int err;

	alone->root = xdp_root_bpf__open();
	if (!alone->root)
		return -errno;
	err = ecbpf_object_prepare(alone->root->obj, false) ?: xdp_root_bpf__load(alone->root);
	return err   ?:
		       wrapper_open_draws(side->family, side->draws, side->count,
					  bpf_program__fd(alone->root->progs.xdp_root_prog),
					  &alone->around);
}

static void alone_close(struct alone *alone)
{
	wrapper_close(&alone->around);
	xdp_root_bpf__destroy(alone->root);
}

/* What every case is measured with. */
static void use_alone(const struct alone *alone, const struct side *side, struct measurement *one)
{
	one->probes[PROBE_BARE] = bench_probe(bpf_program__fd(alone->root->progs.xdp_root_prog),
					      &side->frame, XDP_PASS);
	one->probes[PROBE_WRAPPER] = bench_probe(alone->around.program, &side->frame, XDP_PASS);
}

/* One packet (hot), then one drawn each time. */
static int measure_size_pass(struct side *side, unsigned int rules, int section,
			     struct measure *measure)
{
	static const char *const titles[] = { "hot", "random", "hot, near", "near" };
	struct measurement cases[2] = {};
	struct alone alone = {};
	char count[32];
	int err, i;

	err = alone_open(side, &alone) ?: side_open(side, SUBJECT_INTERFACE, SUBJECT_PEER);
	for (i = 0; i < 2 && !err; i++) {
		snprintf(cases[i].name, sizeof(cases[i].name), "IPv%u, %s rules, no match, %s",
			 side->family, bench_count_text(rules, count),
			 titles[2 * (side->kind == DRAWS_NEAR) + i]);
		cases[i].section = section;
		if (rules == rule_counts[0])
			cases[i].goal = (struct goal){
				GOAL_DIFFERENCE_AT_MOST,
				side->family == 4 ? GOAL_IPV4 : GOAL_IPV6,
			};
		use_alone(&alone, side, &cases[i]);
		cases[i].probes[PROBE_SUBJECT] = bench_probe(
			i ? side->around.program : side->subject.program, &side->frame, XDP_PASS);
	}
	if (!err) {
		cases[0].probes[PROBE_WRAPPER] = (struct probe){};
		err = measure_pass(measure, cases, 2);
	}
	side_close(side);
	alone_close(&alone);
	return err;
}

static int measure_size(const struct bench *bench, unsigned int family, unsigned int rules,
			enum draws_kind kind, int section)
{
	struct measure *measure = measure_new(&bench->settings);
	struct side *side = calloc(1, sizeof(*side));
	int err = measure && side ? 0 : -ENOMEM;
	char file[16];
	size_t pass;

	snprintf(file, sizeof(file), "%u", rules);
	if (!err)
		err = side_read(bench, family, file, kind, side);
	for (pass = 0; pass < bench->settings.passes && !err; pass++)
		err = measure_size_pass(side, rules, section, measure);
	if (!err)
		err = measure_report(measure, bench->report);
	if (side)
		side_free(side);
	measure_free(measure);
	free(side);
	return err;
}

static int measure_beside_pass(struct side sides[2], const char *title, int section,
			       struct measure *measure)
{
	struct measurement one = { .section = section, .goal = { GOAL_RATIO_AT_MOST, GOAL_MANY } };
	struct alone alone = {};
	int err;

	err = alone_open(&sides[1], &alone)					?:
		      side_open(&sides[0], SUBJECT_INTERFACE_2, SUBJECT_PEER_2) ?:
		      side_open(&sides[1], SUBJECT_INTERFACE, SUBJECT_PEER);
	if (!err) {
		snprintf(one.name, sizeof(one.name), "IPv%u, 4 096 rules, %s", sides[1].family,
			 title);
		use_alone(&alone, &sides[1], &one);
		one.probes[PROBE_PEER] =
			bench_probe(sides[0].around.program, &sides[0].frame, sides[0].action);
		one.probes[PROBE_SUBJECT] =
			bench_probe(sides[1].around.program, &sides[1].frame, sides[1].action);
		err = measure_pass(measure, &one, 1);
	}
	side_close(&sides[0]);
	side_close(&sides[1]);
	alone_close(&alone);
	return err;
}

static int measure_beside(const struct bench *bench, unsigned int family, size_t which, int section)
{
	struct measure *measure = measure_new(&bench->settings);
	struct side *sides = calloc(2, sizeof(*sides));
	int err = measure && sides ? 0 : -ENOMEM;
	char few_file[32], many_file[32];
	size_t pass;

	snprintf(few_file, sizeof(few_file), "%s64", many[which].prefix);
	snprintf(many_file, sizeof(many_file), "%s4096", many[which].prefix);
	if (!err)
		err = side_read(bench, family, few_file, many[which].kind, &sides[0]) ?:
			      side_read(bench, family, many_file, many[which].kind, &sides[1]);
	for (pass = 0; pass < bench->settings.passes && !err; pass++)
		err = measure_beside_pass(sides, many[which].title, section, measure);
	if (!err)
		err = measure_report(measure, bench->report);
	if (sides) {
		side_free(&sides[0]);
		side_free(&sides[1]);
	}
	measure_free(measure);
	free(sides);
	return err;
}

static int measure_all_beside(const struct bench *bench)
{
	int section = report_section(bench->report, "4 096 rules, packets near them",
				     "64 of the same kind");
	unsigned int family;
	size_t i;
	int err = section < 0 ? section : 0;

	for (family = 4; family <= 6; family += 2)
		for (i = 0; i < MANY && !err; i++)
			err = measure_beside(bench, family, i, section);
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
			err = measure_size(bench, family, rule_counts[i], DRAWS_RANDOM, section) ?:
				      measure_size(bench, family, rule_counts[i], DRAWS_NEAR,
						   section);
	return err				  ?:
		       measure_all_beside(bench)  ?:
		       firewall_beside_nft(bench) ?:
						    firewall_tool(bench);
}
