// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Live frames into root and firewall, and into the ingress hook of nftables' netdev family, which
 * has the same rules: one by one, or in sets and verdict maps. Everything is on one CPU.
 */
#include "suite_firewall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/if_ether.h>

#include "bare.skel.h"
#include "live.h"
#include "testbed.h"

#define NFT_INTERFACE "nft0"
#define NFT_PEER      "nft1"

/* In a round, of each side. */
#define BURSTS 5
/* Seconds of a burst at most: nobody else gets the CPU meanwhile. */
#define BURST_SECONDS 0.1
#define BURST_MIN     1024

static const struct {
	const char *file;
	const char *title;
	double goal;
} languages[] = {
	{ "nft-plain.nft", "plain rules", 10 },
	{ "nft-sets.nft", "sets and verdict maps", 2 },
};

/* What passes costs both the way into the stack: that is no goal. */
static const struct {
	enum draws_kind kind;
	const char *title;
	bool judged;
} traffics[] = {
	{ DRAWS_LAST, "the last rule drops", true },
	{ DRAWS_HIT, "any rule drops", true },
	{ DRAWS_NEAR, "no rule matches", false },
};

#define LANGUAGES (sizeof(languages) / sizeof(languages[0]))
#define TRAFFICS  (sizeof(traffics) / sizeof(traffics[0]))

enum which {
	OURS,
	THEIRS,
	BOTH,
};

struct race {
	const struct bench *bench;
	struct side side;
	struct sender senders[BOTH];
	double rates[BOTH][MEASURE_ROUNDS_MAX * BURSTS];
};

/* IPv4 packets that came as far as the stack of this namespace. */
static int stack_received(unsigned long long *count)
{
	FILE *file = fopen("/proc/self/net/snmp", "re");
	char line[1024];
	int err = -EPROTO;

	while (file && err && fgets(line, sizeof(line), file))
		if (sscanf(line, "Ip: %*u %*u %llu", count) == 1)
			err = 0;
	if (file)
		fclose(file);
	return err ? ecbpf_fail(err, "/proc/self/net/snmp: no count of IP packets") : 0;
}

/* Frames for everybody: they reach the stack if, and only if, nothing drops them. */
static int verify(const struct race *race, enum which which)
{
	struct bench_frame frame = race->side.frame;
	unsigned long long before, after;
	double rate;
	int err;

	memset(frame.octets, 0xff, ETH_ALEN);
	err = stack_received(&before)						 ?:
		      live_rate(&race->senders[which], &frame, BURST_MIN, &rate) ?:
		      stack_received(&after);
	if (err)
		return err;
	if (rate > 0 && (after == before) == (race->side.action == XDP_DROP))
		return 0;
	return ecbpf_fail(-EBADMSG, "%s: of the frames sent, %llu passed", race->senders[which].to,
			  after - before);
}

/* As many frames as take a moment. */
static int burst_of(const struct race *race, enum which which, unsigned long *count)
{
	double rate;
	int err = live_rate(&race->senders[which], &race->side.frame, BURST_MIN, &rate);

	*count = rate * 1e6 * BURST_SECONDS;
	if (*count < BURST_MIN)
		*count = BURST_MIN;
	if (*count > race->bench->burst)
		*count = race->bench->burst;
	return err;
}

static int run_race(struct race *race, int section, size_t traffic, size_t language)
{
	size_t bursts = measure_rounds(&race->bench->settings) * BURSTS, i;
	struct row row = { .unit = "Mpps" };
	unsigned long counts[BOTH];
	int err = 0, which;

	for (which = 0; which < BOTH && !err; which++)
		err = verify(race, which) ?: burst_of(race, which, &counts[which]);
	for (i = 0; i < bursts && !err; i++)
		for (which = 0; which < BOTH && !err; which++)
			err = live_rate(&race->senders[which], &race->side.frame, counts[which],
					&race->rates[which][i]);
	if (err)
		return err;
	snprintf(row.name, sizeof(row.name), "1 024 rules, %s; nft: %s", traffics[traffic].title,
		 languages[language].title);
	if (traffics[traffic].judged)
		row.goal = (struct goal){ GOAL_RATIO_AT_LEAST, languages[language].goal };
	row.median = measure_median(race->rates[OURS], bursts);
	row.best = race->rates[OURS][bursts - 1];
	measure_median(race->rates[THEIRS], bursts);
	row.baseline = race->rates[THEIRS][bursts - 1];
	return report_row(race->bench->report, section, &row);
}

static int race_language(struct race *race, int section, size_t traffic, size_t language)
{
	char path[512];
	int err;

	snprintf(path, sizeof(path), "%s/%s", BENCH_RULES_MADE, languages[language].file);
	err = testbed_run(TESTBED_COMMAND("nft", "-f", path), NULL);
	if (!err)
		err = run_race(race, section, traffic, language);
	testbed_run(TESTBED_COMMAND("nft", "flush", "ruleset"), NULL);
	return err;
}

static int race_traffic(struct race *race, int section, size_t traffic)
{
	int tx = bpf_program__fd(race->bench->bare->progs.bare_tx), err;
	struct wrapper wrapper = {};
	size_t i;

	err = side_read(race->bench, 4, "nft", traffics[traffic].kind, &race->side);
	if (!err)
		err = side_open(&race->side, SUBJECT_INTERFACE, SUBJECT_PEER);
	if (!err)
		err = testbed_set_up(SUBJECT_INTERFACE) ?: testbed_set_up(SUBJECT_PEER);
	if (!err)
		err = wrapper_open_draws(4, race->side.draws, race->side.count, tx, &wrapper) ?:
			      live_attach_sender(wrapper.program);
	if (!err) {
		race->senders[OURS] =
			(struct sender){ wrapper.program, SUBJECT_PEER, SUBJECT_INTERFACE };
		race->senders[THEIRS] = (struct sender){ wrapper.program, NFT_PEER, NFT_INTERFACE };
		for (i = 0; i < LANGUAGES && !err; i++)
			err = race_language(race, section, traffic, i);
		live_detach_sender();
	}
	wrapper_close(&wrapper);
	side_close(&race->side);
	side_free(&race->side);
	return err;
}

/*
 * Frames of XDP_TX arrive only where there is NAPI, which a program brings; GRO, which comes with
 * it, would cost nftables time.
 */
static int open_nft_interface(const struct bench *bench)
{
	int err = testbed_attach(NFT_INTERFACE, NFT_PEER,
				 bpf_program__fd(bench->bare->progs.bare_pass));

	return err   ?:
		       testbed_run(TESTBED_COMMAND("ethtool", "-K", NFT_INTERFACE, "gro", "off"),
				   NULL);
}

int firewall_beside_nft(const struct bench *bench)
{
	const char *what = "firewall beside nftables";
	struct sender probe = { .from = NFT_PEER, .to = NFT_INTERFACE };
	struct race *race = calloc(1, sizeof(*race));
	struct bench_frame frame;
	int section, err;
	size_t i;

	section = report_section(bench->report, "Live frames, root and firewall", "nftables");
	if (!race || section < 0) {
		free(race);
		return -ENOMEM;
	}
	race->bench = bench;
	if (!testbed_has_command("nft")) {
		free(race);
		return report_skip(bench->report, what, "nft is not installed");
	}
	err = open_nft_interface(bench);
	probe.program = bpf_program__fd(bench->bare->progs.bare_tx);
	bench_tcp_frame(4, NULL, &frame);
	if (!err && live_unsupported(&probe, &frame))
		err = report_skip(bench->report, what,
				  "this kernel can't send live frames (5.18 and later can)");
	else
		for (i = 0; i < TRAFFICS && !err; i++)
			err = race_traffic(race, section, i);
	testbed_delete(NFT_INTERFACE);
	free(race);
	return err;
}
