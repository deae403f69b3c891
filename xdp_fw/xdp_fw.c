// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Drops, passes, limits and counts packets by rules: slot 5 of a root array. */
#include <stdlib.h>

#include <ecbpf/tool.h>

#include "change.h"
#include "import_nft.h"
#include "log.h"
#include "rules_text.h"
#include "status.h"
#include "trial.h"
#include "watch.h"

#define NS_PER_S UINT64_C(1000000000)

enum mode {
	MODE_ATTACH = 1,
	MODE_UPDATE,
	MODE_DETACH,
	MODE_STATS,
	MODE_LIST,
	MODE_RESET_STATS,
	MODE_LOG,
	MODE_VALIDATE,
	MODE_TEST,
	MODE_FROM_NFT,
	MODE_WATCH,
};

#define LOADS	(ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_UPDATE))
#define READS	(LOADS | ECBPF_WITH(MODE_VALIDATE) | ECBPF_WITH(MODE_TEST))
#define LOOKS	(ECBPF_WITH(MODE_STATS) | ECBPF_WITH(MODE_LIST))
#define CHANGES (LOADS | ECBPF_WITH(MODE_DETACH) | ECBPF_WITH(MODE_RESET_STATS))

static struct {
	int mode;
	struct ecbpf_strings interfaces;
	struct fw_change change;
	int output;
	uint64_t every;
	uint64_t interval;
	const char *capture;
	const char *nft;
	bool explain;
} env = {
	.output = FW_OUTPUT_TEXT,
	.interval = NS_PER_S,
};

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Modes"),
	ECBPF_OPTION_MODE_ROW("attach", 'a', MODE_ATTACH,
			      "Put the firewall with these rules into its slot"),
	ECBPF_OPTION_MODE_ROW("update", 'u', MODE_UPDATE,
			      "Replace the rules of one that is there, between two packets"),
	ECBPF_OPTION_MODE_ROW("detach", 'D', MODE_DETACH, "Take the firewall away"),
	ECBPF_OPTION_MODE_ROW("stats", 's', MODE_STATS, "Show what each rule counted"),
	ECBPF_OPTION_WATCH_ROW(MODE_WATCH, &env.interval,
			       "Show the rates of the busiest rules, live (default: every second)"),
	ECBPF_OPTION_MODE_ROW("list", 'L', MODE_LIST, "Print the rules as loaded, with numbers"),
	ECBPF_OPTION_MODE_ROW("reset-stats", 0, MODE_RESET_STATS, "Set all counts to zero"),
	{
		.name = "log",
		.kind = ECBPF_OPTION_UNSIGNED,
		.mode = MODE_LOG,
		.target = &env.every,
		.min = 1,
		.max = UINT32_MAX,
		.metavar = "N",
		.help = "Write one in N drops to stderr, with the rule's name, until interrupted",
	},
	ECBPF_OPTION_MODE_ROW("validate", 0, MODE_VALIDATE,
			      "Check a file of rules; takes no privileges"),
	{
		.name = "test",
		.letter = 't',
		.kind = ECBPF_OPTION_STRING,
		.mode = MODE_TEST,
		.target = &env.capture,
		.metavar = "CAPTURE",
		.help = "Tell what the rules would do to a pcap or pcapng file, and check "
			"their 'test' lines; takes no privileges",
	},
	{
		.name = "from-nft",
		.kind = ECBPF_OPTION_STRING,
		.mode = MODE_FROM_NFT,
		.target = &env.nft,
		.metavar = "FILE",
		.help = "Write rules for what 'nft -j list ruleset' printed into FILE, and say what "
			"can't be expressed; - is stdin",
	},
	ECBPF_OPTION_GROUP_ROW("Options"),
	ECBPF_OPTION_INTERFACE_ROW(&env.interfaces,
				   CHANGES | LOOKS | ECBPF_WITH(MODE_WATCH) | ECBPF_WITH(MODE_LOG),
				   CHANGES | ECBPF_WITH(MODE_LOG), 0),
	{
		.name = "rules",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.change.rules,
		.with = READS,
		.required_with = READS,
		.metavar = "FILE",
		.help = "The rules, see xdp_fw(8); - is stdin",
	},
	ECBPF_OPTION_DURATION_ROW("expires", &env.change.expires, NS_PER_S / 10,
				  365 * 86400 * NS_PER_S, LOADS, "TIME",
				  "The rules stop to match after that time (90s, 10m, 2h), by the "
				  "kernel's own clock"),
	ECBPF_OPTION_FLAG_ROW("dry-run", 0, &env.change.dry_run, LOADS,
			      "Count what would be dropped, and drop nothing"),
	ECBPF_OPTION_FLAG_ROW("stage", 0, &env.change.stage,
			      LOADS | ECBPF_WITH(MODE_DETACH) | LOOKS,
			      "Work on the staged generation"),
	ECBPF_OPTION_FLAG_ROW("explain", 0, &env.explain, ECBPF_WITH(MODE_TEST),
			      "Say of each rule which field keeps it from matching"),
	ECBPF_OPTION_CHOICE_ROW("json", 'j', &env.output, FW_OUTPUT_JSON, LOOKS, "Print JSON"),
	ECBPF_OPTION_CHOICE_ROW("openmetrics", 0, &env.output, FW_OUTPUT_OPENMETRICS,
				ECBPF_WITH(MODE_STATS), "Print OpenMetrics text, for Prometheus"),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "xdp_fw",
	.summary = "Drops, passes, limits and counts packets by rules.",
	.options = options,
	.mode = &env.mode,
	.examples = "xdp_fw --validate --rules my.rules\n"
		    "xdp_fw --test traffic.pcap --rules my.rules\n"
		    "xdp_fw --attach --rules my.rules --interface eth0 --dry-run\n"
		    "xdp_fw --update --rules my.rules --interface eth0 --expires 10m\n"
		    "xdp_fw --stats --interface eth0\n"
		    "xdp_fw --log 1000 --interface eth0",
	.overhead = "10 to 20 ns per packet that no rule matches, by how many fields the rules "
		    "use and not by how many rules there are. Limits take a lock, 100 ns.",
};

static int try_capture(void)
{
	struct fw_ruleset ruleset;
	int err = fw_rules_read(env.change.rules, stderr, &ruleset);

	if (err)
		return err;
	err = fw_trial(env.capture, &ruleset, env.explain);
	fw_ruleset_free(&ruleset);
	return err;
}

static int run(void)
{
	enum ecbpf_which which = env.change.stage ? ECBPF_STAGED : ECBPF_LIVE;

	switch ((enum mode)env.mode) {
	case MODE_UPDATE:
		env.change.update = true;
		return fw_change_install(&env.interfaces, &env.change);
	case MODE_ATTACH:
		return fw_change_install(&env.interfaces, &env.change);
	case MODE_DETACH:
		return fw_change_detach(&env.interfaces, env.change.stage);
	case MODE_RESET_STATS:
		return fw_change_reset(&env.interfaces);
	case MODE_STATS:
		return fw_status(&env.interfaces, which, env.output);
	case MODE_LIST:
		return fw_status(&env.interfaces, which,
				 env.output == FW_OUTPUT_TEXT ? FW_OUTPUT_LIST : env.output);
	case MODE_WATCH:
		return fw_watch(&env.interfaces, env.interval);
	case MODE_LOG:
		return fw_log(&env.interfaces, env.every);
	case MODE_VALIDATE:
		return fw_change_validate(env.change.rules);
	case MODE_TEST:
		return try_capture();
	case MODE_FROM_NFT:
		return fw_import_nft(env.nft);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv);

	if (status == ECBPF_OPTIONS_OK)
		status = ecbpf_output_finish(ecbpf_exit_code(run()));
	ecbpf_strings_free(&env.interfaces);
	return status;
}
