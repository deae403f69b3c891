// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Root and filter, by length of the list and kind of source; and xdp-filter beside them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "bare.skel.h"
#include "bench.h"
#include "peer.h"
#include "sources.h"
#include "subject.h"
#include "wrapper.h"

enum {
	KINDS = SOURCES_LISTED + 1,
	/* The first cases are those of sources that match nothing: hot, random. */
	PEER_CASES = 2,
};

/* What one kind of sources meets. */
struct kind {
	const char *name;
	uint32_t action;
	struct goal hot;
	struct goal random;
	/* Random ones of the longest list. */
	struct goal random_longest;
};

static const struct kind kinds[KINDS] = {
	[SOURCES_MISS] = { "no match",
			   XDP_PASS,
			   { GOAL_DIFFERENCE_AT_MOST, 15 },
			   { GOAL_DIFFERENCE_AT_MOST, 15 },
			   { GOAL_DIFFERENCE_AT_MOST, 35 } },
	[SOURCES_NEAR_MISS] = { "near miss", XDP_PASS, {}, {}, {} },
	[SOURCES_LISTED] = { "listed",
			     XDP_DROP,
			     { GOAL_VALUE_AT_MOST, 100 },
			     { GOAL_VALUE_AT_MOST, 150 },
			     { GOAL_VALUE_AT_MOST, 150 } },
};

/* IPv6 may take that much more, baseline left out. */
#define IPV6_FACTOR 1.5
#define PEER_RATIO  0.6

/* Sources of one kind: one of them in a frame, and all behind wrappers. */
struct draw {
	struct prefix *addresses;
	struct bench_frame frame;
	struct wrapper around_bare;
	struct wrapper around_subject;
};

/**
 * struct round - a pass with one list
 * @entries: what the peer's list holds: the first address of each of ours
 * @peer_section: -1: there is no peer
 */
struct round {
	unsigned int family;
	size_t size;
	bool longest;
	struct filter_list list;
	struct prefix *entries;
	struct draw draws[KINDS];
	struct subject subject;
	struct peer peer;
	struct wrapper around_peer;
	struct measurement cases[2 * KINDS + PEER_CASES];
	size_t count;
	int section;
	int peer_section;
};

static struct goal scale(struct goal goal, unsigned int family)
{
	if (family == 6)
		goal.limit *= IPV6_FACTOR;
	return goal;
}

static struct measurement *add_case(struct round *round, struct goal goal, const char *what,
				    const char *how)
{
	struct measurement *one = &round->cases[round->count++];
	char count[32];

	snprintf(one->name, sizeof(one->name), "%s prefixes, %s, %s",
		 bench_count_text(round->size, count), what, how);
	one->section = round->section;
	one->goal = scale(goal, round->family);
	return one;
}

static void add_cases(const struct bench *bench, struct round *round, enum sources_kind which)
{
	struct draw *draw = &round->draws[which];
	const struct kind *kind = &kinds[which];
	struct measurement *one;

	one = add_case(round,
		       round->longest && which == SOURCES_MISS ? kind->random_longest : kind->hot,
		       kind->name, "hot");
	one->probes[PROBE_BARE] = bench_bare(bench, &draw->frame);
	one->probes[PROBE_SUBJECT] =
		bench_probe(round->subject.program, &draw->frame, kind->action);

	one = add_case(round, round->longest ? kind->random_longest : kind->random, kind->name,
		       "random");
	one->probes[PROBE_BARE] = bench_bare(bench, &draw->frame);
	one->probes[PROBE_WRAPPER] = bench_probe(draw->around_bare.program, &draw->frame, XDP_PASS);
	one->probes[PROBE_SUBJECT] =
		bench_probe(draw->around_subject.program, &draw->frame, kind->action);
}

/* All of them must meet what their kind is to meet, and not just the last. */
static int verify(const struct bench *bench, const struct draw *draw, const struct kind *kind)
{
	struct probe probe = bench_probe(draw->around_subject.program, &draw->frame, kind->action);
	uint64_t before, after, wanted = kind->action == XDP_DROP ? bench->addresses : 0;
	int err;

	err = subject_dropped(&before);
	if (!err)
		err = measure_verify(&probe, bench->addresses);
	if (!err)
		err = subject_dropped(&after);
	if (!err && after - before != wanted)
		err = ecbpf_fail(-EBADMSG, "of %zu sources (%s), %llu were dropped",
				 bench->addresses, kind->name,
				 (unsigned long long)(after - before));
	return err;
}

static int open_draw(const struct bench *bench, struct round *round, enum sources_kind which)
{
	int bare = bpf_program__fd(bench->bare->progs.bare_pass), err;
	struct draw *draw = &round->draws[which];

	draw->addresses = calloc(bench->addresses, sizeof(*draw->addresses));
	if (!draw->addresses)
		return -ENOMEM;
	err = sources_draw(round->family, which, &round->list, draw->addresses, bench->addresses);
	if (err)
		return ecbpf_fail(err, "no entry of the list is long enough for a near miss");
	bench_tcp_frame(round->family, draw->addresses[0].addr, &draw->frame);
	err = wrapper_open_sources(draw->addresses, bench->addresses, bare, &draw->around_bare);
	if (!err)
		err = wrapper_open_sources(draw->addresses, bench->addresses,
					   round->subject.program, &draw->around_subject);
	return err ? err : verify(bench, draw, &kinds[which]);
}

static int copy_entries(struct round *round)
{
	size_t i;

	round->entries = calloc(round->size + 1, sizeof(*round->entries));
	if (!round->entries)
		return -ENOMEM;
	for (i = 0; i < round->size; i++) {
		round->entries[i] = round->list.items[i].prefix;
		round->entries[i].length = prefix_length_max(round->family);
	}
	return 0;
}

static int open_round(const struct bench *bench, struct round *round)
{
	struct filter_list copy = {};
	size_t kind, drawn = round->size ? KINDS : 1;
	int err;

	err = sources_list(round->family, round->size, &round->list);
	if (!err)
		err = sources_list(round->family, round->size, &copy);
	if (!err)
		err = copy_entries(round);
	if (!err)
		err = subject_open(&round->subject);
	if (!err)
		err = subject_fill_filter(&round->subject, NULL, &copy);
	filter_list_free(&copy);
	for (kind = 0; kind < drawn && !err; kind++) {
		err = open_draw(bench, round, kind);
		if (!err)
			add_cases(bench, round, kind);
	}
	return err;
}

/* Its program with the sources that match nothing, between runs of ours. */
static int open_peer(const struct bench *bench, struct round *round)
{
	const struct draw *draw = &round->draws[SOURCES_MISS];
	size_t i;
	int err;

	err = peer_open(round->entries, round->size, &round->peer);
	if (!err)
		err = wrapper_open_sources(draw->addresses, bench->addresses, round->peer.program,
					   &round->around_peer);
	if (err)
		return err;
	for (i = 0; i < PEER_CASES; i++) {
		struct measurement *one = &round->cases[round->count++];

		*one = round->cases[i];
		one->section = round->peer_section;
		one->goal = (struct goal){ GOAL_RATIO_AT_MOST, PEER_RATIO };
		one->probes[PROBE_PEER] = bench_probe(one->probes[PROBE_WRAPPER].frame ?
							      round->around_peer.program :
							      round->peer.program,
						      &draw->frame, XDP_PASS);
	}
	return 0;
}

static void close_round(struct round *round)
{
	size_t i;

	for (i = 0; i < KINDS; i++) {
		wrapper_close(&round->draws[i].around_bare);
		wrapper_close(&round->draws[i].around_subject);
		free(round->draws[i].addresses);
	}
	wrapper_close(&round->around_peer);
	peer_close(&round->peer);
	if (round->subject.root)
		subject_close(&round->subject);
	filter_list_free(&round->list);
	free(round->entries);
}

static int measure_round(const struct bench *bench, struct round *round, struct measure *measure)
{
	int err = open_round(bench, round);

	if (!err && round->peer_section >= 0)
		err = open_peer(bench, round);
	if (!err)
		err = measure_pass(measure, round->cases, round->count);
	close_round(round);
	return err;
}

static int measure_size(const struct bench *bench, unsigned int family, size_t which,
			const int *sections)
{
	struct measure *measure = measure_new(&bench->settings);
	struct round *round = calloc(1, sizeof(*round));
	int err = measure && round ? 0 : -ENOMEM;
	size_t pass;

	for (pass = 0; pass < bench->settings.passes && !err; pass++) {
		*round = (struct round){
			.family = family,
			.size = bench->sizes[which],
			.longest = which == BENCH_SIZES - 1,
			.section = sections[0],
			.peer_section = sections[1],
		};
		err = measure_round(bench, round, measure);
	}
	if (!err)
		err = measure_report(measure, bench->report);
	measure_free(measure);
	free(round);
	return err;
}

static int suite_filter(struct bench *bench, unsigned int family, const char *title,
			const char *peer_title)
{
	int sections[] = { report_section(bench->report, title, "bare XDP_PASS"), -1 }, err = 0;
	size_t i;

	if (sections[0] < 0)
		return sections[0];
	if (peer_installed()) {
		sections[1] = report_section(bench->report, peer_title,
					     "xdp-filter with as many exact addresses");
		err = sections[1] < 0 ? sections[1] : 0;
	} else {
		err = report_skip(bench->report, peer_title, "package xdp-tools isn't installed");
	}
	for (i = 0; i < BENCH_SIZES && !err; i++)
		err = measure_size(bench, family, i, sections);
	return err;
}

int suite_ipv4(struct bench *bench)
{
	return suite_filter(bench, 4, "Root and filter, IPv4 sources",
			    "Beside xdp-filter, IPv4 sources");
}

int suite_ipv6(struct bench *bench)
{
	return suite_filter(bench, 6, "Root and filter, IPv6 sources",
			    "Beside xdp-filter, IPv6 sources");
}
