// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Drops packets by source prefix, fragments, and IP headers that lie: slot 2 of a root array. */
#include <stdlib.h>

#include <ecbpf/tool.h>

#include "edit.h"
#include "report.h"
#include "status.h"
#include "watch.h"

#define NS_PER_S	UINT64_C(1000000000)
#define STATSD_PORT	8125
#define STATSD_INTERVAL (10 * NS_PER_S)

enum mode {
	MODE_ATTACH = 1,
	MODE_DETACH,
	MODE_STATUS,
	MODE_CLEAR_STATUS,
	MODE_DROP,
	MODE_NO_DROP,
	MODE_ALLOW,
	MODE_CLEAR,
	MODE_LOAD,
	MODE_LIST,
	MODE_STATSD,
	MODE_WATCH,
};

#define ENTRIES (ECBPF_WITH(MODE_DROP) | ECBPF_WITH(MODE_NO_DROP) | ECBPF_WITH(MODE_ALLOW))
#define EDITS	(ENTRIES | ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_CLEAR) | ECBPF_WITH(MODE_LOAD))
#define CHANGES (EDITS | ECBPF_WITH(MODE_DETACH) | ECBPF_WITH(MODE_CLEAR_STATUS))
#define LOOKS	(ECBPF_WITH(MODE_STATUS) | ECBPF_WITH(MODE_LIST))

static struct {
	int mode;
	struct ecbpf_strings interfaces;
	struct filter_edit edit;
	int output;
	uint64_t interval;
	const char *statsd_host;
	uint64_t statsd_port;
	uint64_t statsd_interval;
	bool statsd_detach;
} env = {
	.edit = {
		.frags_drop = -1,
		.frags_local_pass = -1,
		.drop_options = -1,
		.truncated_drop = -1,
		.ptb_max_pps = UINT64_MAX,
	},
	.output = FILTER_OUTPUT_TEXT,
	.interval = NS_PER_S,
	.statsd_host = "127.0.0.1",
	.statsd_port = STATSD_PORT,
	.statsd_interval = STATSD_INTERVAL,
};

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Modes"),
	ECBPF_OPTION_MODE_ROW("attach", 'a', MODE_ATTACH,
			      "Put the filter into its slot; over a running one, change its "
			      "configuration and keep its list"),
	ECBPF_OPTION_MODE_ROW("detach", 'D', MODE_DETACH, "Take the filter and its list away"),
	ECBPF_OPTION_MODE_ROW("status", 's', MODE_STATUS,
			      "Show configuration, prefixes with their hits, and statistics"),
	ECBPF_OPTION_WATCH_ROW(MODE_WATCH, &env.interval,
			       "Show rates and the busiest prefixes, live (default: every second)"),
	ECBPF_OPTION_MODE_ROW("clear-status", 0, MODE_CLEAR_STATUS,
			      "Set statistics and hits to zero"),
	ECBPF_OPTION_MODE_ROW("drop", 0, MODE_DROP, "Drop packets whose source is in one of --ips"),
	ECBPF_OPTION_MODE_ROW("no-drop", 0, MODE_NO_DROP,
			      "Remove the entries --ips, or allow them inside a shorter prefix that "
			      "is dropped"),
	ECBPF_OPTION_MODE_ROW(
		"allow", 0, MODE_ALLOW,
		"Never drop packets whose source is in one of --ips, whatever else says so"),
	ECBPF_OPTION_MODE_ROW("clear", 'c', MODE_CLEAR, "Remove all prefixes"),
	{
		.name = "load",
		.letter = 'l',
		.kind = ECBPF_OPTION_STRING,
		.mode = MODE_LOAD,
		.target = &env.edit.file,
		.metavar = "FILE",
		.help = "Replace the whole list, atomically, with lines of [drop|allow] PREFIX "
			"[TAG]; - is stdin",
	},
	ECBPF_OPTION_MODE_ROW("list", 'L', MODE_LIST, "Print the list as --load reads it"),
	ECBPF_OPTION_MODE_ROW("statsd", 0, MODE_STATSD,
			      "Send statistics to a statsd server until interrupted"),
	ECBPF_OPTION_GROUP_ROW("Options"),
	ECBPF_OPTION_INTERFACE_ROW(
		&env.interfaces, CHANGES | LOOKS | ECBPF_WITH(MODE_WATCH) | ECBPF_WITH(MODE_STATSD),
		CHANGES | ECBPF_WITH(MODE_STATSD), ECBPF_WITH(MODE_STATUS)),
	ECBPF_OPTION_STRINGS_ROW("ips", &env.edit.prefixes, ENTRIES, ENTRIES, "PREFIX[,PREFIX...]",
				 "IPv4 or IPv6 prefixes, or single addresses"),
	ECBPF_OPTION_STRINGS_ROW("tags", &env.edit.tags, ENTRIES, 0, "TEXT[,TEXT...]",
				 "A note for all of --ips, or one for each"),
	ECBPF_OPTION_DURATION_ROW("expires", &env.edit.expires, NS_PER_S / 10,
				  365 * 86400 * NS_PER_S, ENTRIES | ECBPF_WITH(MODE_LOAD), "TIME",
				  "The entries stop to match after that time (90s, 10m, 2h), by the "
				  "kernel's own clock"),
	ECBPF_OPTION_NEGATABLE_ROW("frags-drop", &env.edit.frags_drop, ECBPF_WITH(MODE_ATTACH),
				   "Drop fragments, and answer first ones with a path MTU message"),
	ECBPF_OPTION_UNSIGNED_ROW(
		"ptb-max-pps", &env.edit.ptb_max_pps, 0, UINT32_MAX, ECBPF_WITH(MODE_ATTACH), "N",
		"Send at most N such messages in a second (default 100; 0: none)"),
	ECBPF_OPTION_NEGATABLE_ROW(
		"frags-local-pass", &env.edit.frags_local_pass, ECBPF_WITH(MODE_ATTACH),
		"Spare fragments addressed to this host's own addresses, as they are now"),
	ECBPF_OPTION_NEGATABLE_ROW("drop-options", &env.edit.drop_options, ECBPF_WITH(MODE_ATTACH),
				   "Drop IPv4 packets with options"),
	ECBPF_OPTION_NEGATABLE_ROW("truncated-drop", &env.edit.truncated_drop,
				   ECBPF_WITH(MODE_ATTACH), "Drop frames that end inside a header"),
	ECBPF_OPTION_FLAG_ROW("stage", 0, &env.edit.stage, EDITS | ECBPF_WITH(MODE_DETACH) | LOOKS,
			      "Work on the staged generation; --attach begins with the live one's "
			      "list and configuration"),
	ECBPF_OPTION_CHOICE_ROW("json", 'j', &env.output, FILTER_OUTPUT_JSON, LOOKS, "Print JSON"),
	ECBPF_OPTION_CHOICE_ROW("openmetrics", 0, &env.output, FILTER_OUTPUT_OPENMETRICS,
				ECBPF_WITH(MODE_STATUS), "Print OpenMetrics text, for Prometheus"),
	{
		.name = "statsd-host",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.statsd_host,
		.with = ECBPF_WITH(MODE_STATSD),
		.metavar = "HOST",
		.help = "Server (default 127.0.0.1)",
	},
	ECBPF_OPTION_UNSIGNED_ROW("statsd-port", &env.statsd_port, 1, UINT16_MAX,
				  ECBPF_WITH(MODE_STATSD), "PORT", "Its UDP port (default 8125)"),
	ECBPF_OPTION_DURATION_ROW("statsd-interval", &env.statsd_interval, NS_PER_S / 10,
				  86400 * NS_PER_S, ECBPF_WITH(MODE_STATSD), "TIME",
				  "How often to send (default 10s)"),
	ECBPF_OPTION_FLAG_ROW("statsd-detach-on-exit", 0, &env.statsd_detach,
			      ECBPF_WITH(MODE_STATSD), "Detach the filter when interrupted"),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "xdp_filter",
	.summary = "Drops packets by source prefix, fragments, and IP headers that lie.",
	.options = options,
	.mode = &env.mode,
	.examples = "xdp_filter --attach --interface eth0 --frags-drop --ptb-max-pps 20\n"
		    "xdp_filter --drop --ips 192.0.2.0/24,2001:db8::/32 --tags 'scan' "
		    "--expires 10m --interface eth0\n"
		    "xdp_filter --allow --ips 198.51.100.7 --tags 'bastion' --interface eth0\n"
		    "xdp_filter --load prefixes.txt --interface eth0\n"
		    "xdp_filter --status --interface eth0",
	.overhead =
		"5 to 10 ns per packet behind the root program, up to 25 with a list of a million "
		"prefixes; for packets that it drops 15 to 60, up to 200 if each has another "
		"source of such a list. Changing one takes about a second, during which the old "
		"one works on.",
};

static int edit(enum filter_change change)
{
	env.edit.change = change;
	return filter_edit(&env.interfaces, &env.edit);
}

static int look(enum filter_output output)
{
	return filter_status(&env.interfaces, env.edit.stage ? ECBPF_STAGED : ECBPF_LIVE, output);
}

static int run(void)
{
	switch ((enum mode)env.mode) {
	case MODE_ATTACH:
		return edit(FILTER_CHANGE_ATTACH);
	case MODE_DROP:
		return edit(FILTER_CHANGE_DROP);
	case MODE_NO_DROP:
		return edit(FILTER_CHANGE_NO_DROP);
	case MODE_ALLOW:
		return edit(FILTER_CHANGE_ALLOW);
	case MODE_CLEAR:
		return edit(FILTER_CHANGE_CLEAR);
	case MODE_LOAD:
		return edit(FILTER_CHANGE_LOAD);
	case MODE_DETACH:
		return filter_detach(&env.interfaces, env.edit.stage);
	case MODE_CLEAR_STATUS:
		return filter_clear_status(&env.interfaces);
	case MODE_STATUS:
		return look(env.output);
	case MODE_LIST:
		return look(env.output == FILTER_OUTPUT_JSON ? FILTER_OUTPUT_LIST_JSON :
							       FILTER_OUTPUT_LIST);
	case MODE_WATCH:
		return filter_watch(&env.interfaces, env.interval);
	case MODE_STATSD:
		return filter_report(&env.interfaces, env.statsd_host, env.statsd_port,
				     env.statsd_interval, env.statsd_detach);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv);

	if (status == ECBPF_OPTIONS_OK)
		status = ecbpf_output_finish(ecbpf_exit_code(run()));
	ecbpf_strings_free(&env.interfaces);
	ecbpf_strings_free(&env.edit.prefixes);
	ecbpf_strings_free(&env.edit.tags);
	return status;
}
