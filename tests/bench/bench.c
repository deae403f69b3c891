// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Measures what root array, filter and sampler cost per packet, and what the flow monitor costs per
 * connection, beside programs that do nothing.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include <ecbpf/tool.h>

#include "bare.skel.h"
#include "pmu.h"
#include "testbed.h"

#define PASSES	     4
#define ROUNDS	     3
#define REPEAT	     1000000
#define QUICK_PASSES 1
#define QUICK_ROUNDS 2
#define QUICK_REPEAT 20000

/*
 * The bare program is attached to an interface, as root is: the kernel calls programs that are
 * attached anywhere directly, and makes room for others each time that they are run.
 */
#define BARE_INTERFACE "bare0"
#define BARE_PEER      "bare1"

#define EX_SKIP	  77
#define EX_MISSED 1

static const struct {
	const char *name;
	int (*run)(struct bench *bench);
} suites[] = {
	{ "memory", suite_memory },	{ "root", suite_root },	      { "ipv4", suite_ipv4 },
	{ "ipv6", suite_ipv6 },		{ "ptb", suite_ptb },	      { "live", suite_live },
	{ "tool", suite_tool },		{ "sampler", suite_sampler }, { "monitor", suite_monitor },
	{ "firewall", suite_firewall },
};

#define SUITES (sizeof(suites) / sizeof(suites[0]))

static struct {
	bool quick;
	bool json;
	uint64_t passes;
	uint64_t rounds;
	uint64_t repeat;
	uint64_t cpu;
	struct ecbpf_strings only;
} env = {
	.cpu = UINT64_MAX,
};

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Options"),
	ECBPF_OPTION_FLAG_ROW("quick", 'q', &env.quick, 0,
			      "Run every case with few packets and short lists; judge no times"),
	ECBPF_OPTION_STRINGS_ROW(
		"only", &env.only, 0, 0, "SUITE[,SUITE...]",
		"Suites to run: memory, root, ipv4, ipv6, ptb, live, tool, sampler, monitor, "
		"firewall (default: all)"),
	{
		.name = "passes",
		.kind = ECBPF_OPTION_UNSIGNED,
		.target = &env.passes,
		.min = 1,
		.max = MEASURE_PASSES_MAX,
		.metavar = "N",
		.help = "How often programs are loaded anew (default 4)",
	},
	{
		.name = "rounds",
		.kind = ECBPF_OPTION_UNSIGNED,
		.target = &env.rounds,
		.min = 1,
		.max = MEASURE_PASS_ROUNDS_MAX,
		.metavar = "N",
		.help = "How often each case is measured then, in turn with others (default 3)",
	},
	{
		.name = "repeat",
		.kind = ECBPF_OPTION_UNSIGNED,
		.target = &env.repeat,
		.min = 1,
		.max = 1000000000,
		.metavar = "N",
		.help = "Packets each time (default 1000000)",
	},
	{
		.name = "cpu",
		.kind = ECBPF_OPTION_UNSIGNED,
		.target = &env.cpu,
		.max = 1023,
		.metavar = "N",
		.help = "CPU to stay on (default: the last one)",
	},
	ECBPF_OPTION_FLAG_ROW("json", 'j', &env.json, 0, "Print JSON"),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "bench",
	.summary =
		"Measures what root array, filter and sampler cost per packet. Exits with 1 if a target "
		"is missed.",
	.options = options,
	.examples = "bench\n"
		    "bench --only root,ipv4 --passes 10 --json",
};

static bool is_wanted(const char *suite)
{
	size_t i;

	for (i = 0; i < env.only.count; i++)
		if (!strcmp(env.only.items[i], suite))
			return true;
	return !env.only.count;
}

static int check_only(void)
{
	size_t i, j;

	for (i = 0; i < env.only.count; i++) {
		for (j = 0; j < SUITES; j++)
			if (!strcmp(env.only.items[i], suites[j].name))
				break;
		if (j == SUITES)
			return ecbpf_fail(-EINVAL, "no suite '%s'; see 'bench --help'",
					  env.only.items[i]);
	}
	return 0;
}

static void choose_sizes(struct bench *bench)
{
	static const size_t sizes[] = { 0, 1000, 100000, 1000000 };
	static const size_t quick_sizes[] = { 0, 200, 2000, 20000 };

	bench->settings.passes = env.quick ? QUICK_PASSES : PASSES;
	bench->settings.rounds = env.quick ? QUICK_ROUNDS : ROUNDS;
	bench->settings.repeat = env.quick ? QUICK_REPEAT : REPEAT;
	if (env.passes)
		bench->settings.passes = env.passes;
	if (env.rounds)
		bench->settings.rounds = env.rounds;
	if (env.repeat)
		bench->settings.repeat = env.repeat;
	memcpy(bench->sizes, env.quick ? quick_sizes : sizes, sizeof(bench->sizes));
	bench->addresses = env.quick ? 1 << 12 : 1 << 20;
	bench->burst = env.quick ? 1 << 12 : 1 << 18;
	bench->connections = env.quick ? 500 : 20000;
	bench->quick = env.quick;
}

static int run_suites(struct bench *bench)
{
	size_t i;
	int err = 0;

	for (i = 0; i < SUITES && !err; i++) {
		if (!is_wanted(suites[i].name))
			continue;
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "measuring: %s\n", suites[i].name);
		err = suites[i].run(bench);
		if (!err)
			report_show(bench->report);
	}
	return err;
}

/* Of the attach type that root's targets have too. */
static int open_bare(struct bench *bench)
{
	int err;

	bench->bare = bare_bpf__open();
	err = bench->bare ? ecbpf_object_prepare(bench->bare->obj, false) : -errno;
	if (!err)
		err = bare_bpf__load(bench->bare);
	if (err)
		return ecbpf_fail(err, "loading the bare programs: %s", strerror(-err));
	return testbed_attach(BARE_INTERFACE, BARE_PEER,
			      bpf_program__fd(bench->bare->progs.bare_pass));
}

static int measure(struct bench *bench, int cpu)
{
	struct pmu pmu;
	bool events = !pmu_open(&pmu);
	const struct report_settings settings = {
		.json = env.json,
		.judged = !env.quick,
		.events = events,
		.passes = bench->settings.passes,
		.rounds = bench->settings.rounds,
		.repeat = bench->settings.repeat,
		.cpu = cpu,
	};
	int err;

	bench->settings.pmu = &pmu;
	bench->report = report_new(&settings);
	err = bench->report ? open_bare(bench) : -ENOMEM;
	if (!err)
		err = run_suites(bench);
	if (!err)
		err = report_finish(bench->report);
	bare_bpf__destroy(bench->bare);
	pmu_close(&pmu);
	return err;
}

static int run(void)
{
	struct bench bench = { .tools = getenv("ECBPF_BUILD_DIR") };
	int err, cpu, status;

	if (!bench.tools) {
		ecbpf_fail(-EINVAL, "ECBPF_BUILD_DIR isn't set; run './build.sh bench'");
		return EX_USAGE;
	}
	if (check_only())
		return EX_USAGE;
	if (geteuid()) {
		printf("skipped: measuring takes root: namespaces, mounts, BPF programs\n");
		return EX_SKIP;
	}
	choose_sizes(&bench);
	err = testbed_enter();
	cpu = err ? err : testbed_pin(env.cpu == UINT64_MAX ? -1 : (int)env.cpu);
	if (cpu < 0)
		return ecbpf_exit_code(cpu);
	err = measure(&bench, cpu);
	status = ecbpf_exit_code(err);
	if (!err && report_missed(bench.report))
		status = EX_MISSED;
	report_free(bench.report);
	return status;
}

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv);

	if (status == ECBPF_OPTIONS_OK)
		status = ecbpf_output_finish(run());
	ecbpf_strings_free(&env.only);
	return status;
}
