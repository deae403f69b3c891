// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends mutated frames through root and filter in the kernel and compares what becomes of them
 * with the dissector's opinion. Frame N of a seed is always the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <ecbpf/ecbpf.h>
#include <linux/bpf.h>

#include "compare.h"
#include "frames.h"
#include "machine.h"

#define EX_SKIPPED 77
#define SHOWN_MAX  5
/* From here on every fate has its frames. */
#define COUNT_TELLING 5000
/* A piece that programs can read, at 5.18's default size of a linear part or less. */
#define LENGTH_ONE_PIECE 3400

struct run {
	uint64_t seed, start, count;
	struct scene scenes[SCENES];
	struct machine *machines[SCENES];
	uint64_t hits[SCENES][LIST_MAX];
	uint64_t fates[FATE_ANSWER + 1];
	uint64_t differences;
};

/* A frame on its way, with everything that made it. */
struct trial {
	unsigned int scene;
	size_t linear;
	struct frame frame;
	struct frame other;
	struct facts facts;
	struct expected expected;
	struct outcome outcome;
};

static void make(struct run *run, uint64_t number, struct trial *trial)
{
	struct random random = random_for(run->seed, number);
	struct theme theme;
	size_t mutations;

	trial->scene = number % SCENES;
	theme.policy = &run->scenes[trial->scene].policy;
	theme.length_max = run->scenes[trial->scene].frags ? FRAME_MAX - 256 : LENGTH_ONE_PIECE;
	frame_build(&trial->frame, &theme, &random);
	frame_build(&trial->other, &theme, &random);
	mutations = random_chance(&random, 20) ? 0 : 1 + random_below(&random, 4);
	while (mutations--)
		frame_mutate(&trial->frame, &trial->other, &theme, &random);
	trial->linear = 0;
	if (run->machines[trial->scene] && machine_has_linear(run->machines[trial->scene]) &&
	    random_chance(&random, 50))
		trial->linear = FRAME_MIN + random_below(&random, 160);
}

static const char *examine(struct run *run, struct trial *trial)
{
	const struct scene *scene = &run->scenes[trial->scene];
	const struct frame *frame = &trial->frame;
	const struct outcome *outcome = &trial->outcome;
	const char *difference;

	difference = compare(scene, &trial->facts, &trial->expected, trial->linear, outcome);
	if (difference)
		return difference;
	if (outcome->action == XDP_TX)
		return fault_of_answer(frame->octets, &trial->facts,
				       machine_mtu(run->machines[trial->scene]), outcome->octets,
				       outcome->length);
	if (outcome->reason == ECBPF_REASON_FILTER_TOO_BIG_ERROR)
		return NULL;
	if (outcome->length != frame->length ||
	    memcmp(outcome->octets, frame->octets, frame->length))
		return "the frame was changed";
	return NULL;
}

static void show_octets(const char *what, const uint8_t *octets, size_t length)
{
	size_t i;

	printf("  %s, %zu octets: ", what, length);
	for (i = 0; i < length; i++)
		printf("%02x", octets[i]);
	printf("\n");
}

static void show(const struct run *run, uint64_t number, const struct trial *trial,
		 const char *difference)
{
	printf("frame %llu (--seed %llu --start %llu --count 1), scene '%s': %s\n",
	       (unsigned long long)number, (unsigned long long)run->seed,
	       (unsigned long long)number, run->scenes[trial->scene].name, difference);
	if (trial->linear)
		printf("  the first %zu octets in one piece\n", trial->linear);
	show_octets("in", trial->frame.octets, trial->frame.length);
	if (trial->outcome.action == XDP_TX)
		show_octets("out", trial->outcome.octets, trial->outcome.length);
}

static int try(struct run *run, uint64_t number, struct trial *trial)
{
	const struct policy *policy;
	const char *difference;
	int err;

	make(run, number, trial);
	if (!run->machines[trial->scene])
		return 0;
	policy = &run->scenes[trial->scene].policy;
	dissect(trial->frame.octets, trial->frame.length, &trial->facts);
	judge(trial->frame.octets, &trial->facts, policy, &trial->expected);
	err = machine_run(run->machines[trial->scene], trial->frame.octets, trial->frame.length,
			  trial->linear, &trial->outcome);
	if (err) {
		show(run, number, trial, "not run");
		return err;
	}
	run->fates[trial->expected.fate]++;
	if (trial->expected.fate == FATE_DROP_SOURCE || trial->expected.fate == FATE_DROP_SOURCE6)
		run->hits[trial->scene][trial->expected.entry]++;
	difference = examine(run, trial);
	if (difference && run->differences++ < SHOWN_MAX)
		show(run, number, trial, difference);
	return 0;
}

/* Each entry's counter tells of the packets that met it, and of no others. */
static int compare_hits(struct run *run)
{
	unsigned int scene;
	uint64_t hits;
	size_t i;
	int err;

	for (scene = 0; scene < SCENES; scene++) {
		for (i = 0; run->machines[scene] && i < LIST_MAX; i++) {
			err = machine_hits(run->machines[scene], i, &hits);
			if (err)
				return err;
			if (hits == run->hits[scene][i])
				continue;
			printf("scene '%s', entry %zu: %llu hits expected, are %llu\n",
			       run->scenes[scene].name, i, (unsigned long long)run->hits[scene][i],
			       (unsigned long long)hits);
			run->differences++;
		}
	}
	return 0;
}

static int open_scenes(struct run *run)
{
	bool frags = ecbpf_have_frags();
	unsigned int i;
	int err;

	for (i = 0; i < SCENES; i++) {
		scene_set(&run->scenes[i], i, run->seed);
		if (run->scenes[i].frags && !frags) {
			printf("scene '%s' left out: this kernel has no multi-buffer XDP\n",
			       run->scenes[i].name);
			continue;
		}
		err = machine_open(&run->scenes[i], &run->machines[i]);
		if (err)
			return err;
		if (run->scenes[i].frags && !machine_has_linear(run->machines[i]))
			printf("scene '%s': this kernel chooses the first piece's size\n",
			       run->scenes[i].name);
	}
	return 0;
}

static int report(struct run *run)
{
	bool silent = false;
	size_t i;

	printf("%llu frames, seed %llu:", (unsigned long long)run->count,
	       (unsigned long long)run->seed);
	for (i = 0; i <= FATE_ANSWER; i++) {
		printf("%s %s %llu", i ? ";" : "", fate_name(i), (unsigned long long)run->fates[i]);
		silent |= !run->fates[i];
	}
	printf("\n%llu differences\n", (unsigned long long)run->differences);
	if (run->differences)
		return EXIT_FAILURE;
	if (silent && run->count >= COUNT_TELLING) {
		printf("some fate has no frames: the generator is broken\n");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static int run_all(struct run *run)
{
	static struct trial trial;
	uint64_t i;
	int err;

	err = open_scenes(run);
	for (i = 0; i < run->count && !err; i++)
		err = try(run, run->start + i, &trial);
	if (!err)
		err = compare_hits(run);
	for (i = 0; i < SCENES; i++)
		machine_close(run->machines[i]);
	return err ? EX_OSERR : report(run);
}

static bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static bool parse(int argc, char **argv, struct run *run)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'c' },
		{ "start", required_argument, NULL, 'b' },
		{},
	};
	bool good = true;
	int option;

	while (good && (option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		good = (option == 's' && parse_number(optarg, &run->seed)) ||
		       (option == 'c' && parse_number(optarg, &run->count)) ||
		       (option == 'b' && parse_number(optarg, &run->start));
	return good && optind == argc;
}

int main(int argc, char **argv)
{
	static struct run run = { .seed = 1, .count = 100000 };

	/* A guest without hardware help is several times slower. */
	if (getenv("ECBPF_GUEST"))
		run.count = COUNT_TELLING;

	if (!parse(argc, argv, &run)) {
		fprintf(stderr, "Usage: mutate [--seed N] [--start N] [--count N]\n");
		return EX_USAGE;
	}
	if (geteuid()) {
		printf("SKIP: only root may run BPF programs\n");
		return EX_SKIPPED;
	}
	/* Nobody else's loopback, whose MTU answers name. */
	if (unshare(CLONE_NEWNET)) {
		fprintf(stderr, "mutate: a network namespace of its own: %s\n", strerror(errno));
		return EX_OSERR;
	}
	return run_all(&run);
}
