// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Attaches root arrays of XDP subprograms to interfaces, and shows what they do. */
#include <errno.h>
#include <stdlib.h>

#include <ecbpf/tool.h>

#include "attach.h"
#include "reasons.h"
#include "status.h"
#include "trace.h"
#include "watch.h"

#define NS_PER_S UINT64_C(1000000000)

enum mode {
	MODE_ATTACH = 1,
	MODE_DETACH,
	MODE_STATUS,
	MODE_CLEAR,
	MODE_REASONS,
	MODE_WATCH,
	MODE_TRACE,
	MODE_STAGE,
	MODE_COMMIT,
	MODE_ABORT,
};

#define CHANGES                                                                       \
	(ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_DETACH) | ECBPF_WITH(MODE_CLEAR) | \
	 ECBPF_WITH(MODE_STAGE) | ECBPF_WITH(MODE_COMMIT) | ECBPF_WITH(MODE_ABORT))
#define ATTACHES (ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_STAGE) | ECBPF_WITH(MODE_COMMIT))
#define LOOKS	 (ECBPF_WITH(MODE_STATUS) | ECBPF_WITH(MODE_REASONS) | ECBPF_WITH(MODE_WATCH))

static struct {
	int mode;
	struct ecbpf_strings interfaces;
	int attach_mode;
	int format;
	uint64_t interval;
	struct root_options options;
} env = {
	.attach_mode = ECBPF_MODE_AUTO,
	.format = STATUS_TABLE,
	.interval = NS_PER_S,
	.options = { .frags = -1 },
};

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Modes"),
	ECBPF_OPTION_MODE_ROW("attach", 'a', MODE_ATTACH,
			      "Attach a root array; over a running one, replace its program "
			      "and keep slots and counters"),
	ECBPF_OPTION_MODE_ROW("detach", 'D', MODE_DETACH,
			      "Detach the root array and remove every pin"),
	ECBPF_OPTION_MODE_ROW(
		"status", 's', MODE_STATUS,
		"Show slots and verdicts, of all root arrays if no interface is given"),
	ECBPF_OPTION_MODE_ROW("stats", 0, MODE_STATUS, "The same"),
	ECBPF_OPTION_MODE_ROW("reasons", 'r', MODE_REASONS,
			      "Show how many packets met which verdict reason"),
	ECBPF_OPTION_WATCH_ROW(MODE_WATCH, &env.interval,
			       "Show rates, live (default: every second)"),
	ECBPF_OPTION_MODE_ROW("clear", 'c', MODE_CLEAR, "Set all counters to zero"),
	ECBPF_OPTION_MODE_ROW(
		"stage", 0, MODE_STAGE,
		"Begin a second generation, for other loaders to fill with their --stage"),
	ECBPF_OPTION_MODE_ROW("commit", 0, MODE_COMMIT,
			      "Let packets go through the staged generation, in one instant"),
	ECBPF_OPTION_MODE_ROW("abort", 0, MODE_ABORT, "Drop the staged generation"),
	ECBPF_OPTION_MODE_ROW("trace", 't', MODE_TRACE, "Print debug messages of BPF programs"),
	ECBPF_OPTION_GROUP_ROW("Options"),
	ECBPF_OPTION_INTERFACE_ROW(&env.interfaces, CHANGES | LOOKS, CHANGES,
				   ECBPF_WITH(MODE_STATUS) | ECBPF_WITH(MODE_DETACH)),
	ECBPF_OPTION_CHOICE_ROW(
		"generic", 'g', &env.attach_mode, ECBPF_MODE_GENERIC, ATTACHES,
		"Attach in generic mode (after the driver; slower, works on any interface)"),
	ECBPF_OPTION_CHOICE_ROW(
		"native", 'n', &env.attach_mode, ECBPF_MODE_NATIVE, ATTACHES,
		"Attach in native mode or not at all (default: generic where the driver "
		"can't)"),
	ECBPF_OPTION_FLAG_ROW("force", 'f', &env.options.force,
			      ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_DETACH),
			      "Change mode although packets pass unfiltered meanwhile; drop slots; "
			      "detach a root array of another ABI"),
	ECBPF_OPTION_FLAG_ROW("nop", 0, &env.options.nop,
			      ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_DETACH),
			      "Put a program that passes everything in the root array's place, for "
			      "drivers that reset on removal"),
	ECBPF_OPTION_CHOICE_ROW("libxdp", 0, &env.attach_mode, ECBPF_MODE_LIBXDP, ATTACHES,
				"Attach beside other XDP programs, through libxdp's dispatcher"),
	ECBPF_OPTION_NEGATABLE_ROW(
		"frags", &env.options.frags, ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_STAGE),
		"Handle frames in several buffers, which shuts xdpcap out (default: "
		"where the MTU needs it)"),
	ECBPF_OPTION_FLAG_ROW("keep-rxvlan", 0, &env.options.keep_rxvlan,
			      ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_COMMIT),
			      "Leave rx-vlan offload on: programs won't see VLAN tags"),
	ECBPF_OPTION_CHOICE_ROW("json", 'j', &env.format, STATUS_JSON,
				ECBPF_WITH(MODE_STATUS) | ECBPF_WITH(MODE_REASONS), "Print JSON"),
	ECBPF_OPTION_CHOICE_ROW("openmetrics", 0, &env.format, STATUS_OPENMETRICS,
				ECBPF_WITH(MODE_STATUS), "Print OpenMetrics text, for Prometheus"),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "xdp_root_loader",
	.summary = "Runs up to eight XDP programs, one after the other, on a network interface.",
	.options = options,
	.mode = &env.mode,
	.examples = "xdp_root_loader --attach --interface eth0,eth1\n"
		    "xdp_root_loader --status --interface eth0\n"
		    "xdp_root_loader --watch 2\n"
		    "xdp_root_loader --status --openmetrics > /var/lib/node_exporter/ecbpf.prom\n"
		    "xdp_root_loader --detach --interface eth0,eth1",
	.overhead = "A few nanoseconds per packet for the root program, plus what the programs "
		    "in its slots take. --status and --watch cost packets nothing.",
};

static int clear_all(struct ecbpf_root **roots)
{
	size_t opened = 0;
	int err = 0;

	for (; opened < env.interfaces.count && !err; opened += !err)
		err = ecbpf_root_open(env.interfaces.items[opened], ECBPF_LIVE, &roots[opened]);
	for (size_t i = 0; i < opened && !err; i++)
		err = ecbpf_counters_clear(roots[i]);
	while (opened--)
		ecbpf_root_close(roots[opened]);
	return err;
}

static int clear(void)
{
	struct ecbpf_root **roots = calloc(env.interfaces.count, sizeof(*roots));
	int err = roots ? clear_all(roots) : ecbpf_fail(-ENOMEM, "out of memory");

	free(roots);
	return err;
}

static int run(void)
{
	switch ((enum mode)env.mode) {
	case MODE_ATTACH:
		return root_attach(&env.interfaces, &env.options);
	case MODE_DETACH:
		return root_detach(&env.interfaces, &env.options);
	case MODE_STAGE:
		return root_stage(&env.interfaces, &env.options);
	case MODE_COMMIT:
		return root_commit(&env.interfaces, &env.options);
	case MODE_ABORT:
		return root_abort(&env.interfaces, &env.options);
	case MODE_CLEAR:
		return clear();
	case MODE_STATUS:
		return status_show(&env.interfaces, env.format);
	case MODE_REASONS:
		return reasons_show(&env.interfaces, env.format == STATUS_JSON);
	case MODE_WATCH:
		return watch_show(&env.interfaces, env.interval);
	case MODE_TRACE:
		return trace_show();
	}
	return 0;
}

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv);

	if (status == ECBPF_OPTIONS_OK) {
		env.options.mode = env.attach_mode;
		status = ecbpf_output_finish(ecbpf_exit_code(run()));
	}
	ecbpf_strings_free(&env.interfaces);
	return status;
}
