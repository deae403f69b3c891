// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Shows sampled packets with the verdict that each met: slot 1 of a root array. */
#include <ecbpf/tool.h>

#include "control.h"
#include "outputs.h"
#include "status.h"

#define NS_PER_S UINT64_C(1000000000)

enum mode {
	MODE_ATTACH = 1,
	MODE_DETACH,
	MODE_STATUS,
	MODE_READ,
	MODE_TOP,
};

#define READS	 (ECBPF_WITH(MODE_READ) | ECBPF_WITH(MODE_TOP))
#define ATTACHES (ECBPF_WITH(MODE_ATTACH) | READS)
#define CHANGES	 (ATTACHES | ECBPF_WITH(MODE_DETACH))

static struct {
	int mode;
	struct ecbpf_strings interfaces;
	struct sampler_options options;
	struct outputs_options outputs;
	int format;
} env = {
	.options = { .random = -1, .as_sent = -1 },
	.outputs = { .top_key = "src" },
	.format = SAMPLER_STATUS_TEXT,
};

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Modes"),
	ECBPF_OPTION_MODE_ROW("attach", 'a', MODE_ATTACH,
			      "Put the sampler into its slot; over a running one, change it"),
	ECBPF_OPTION_MODE_ROW("detach", 'D', MODE_DETACH, "Take the sampler away"),
	ECBPF_OPTION_MODE_ROW("status", 's', MODE_STATUS,
			      "Show rate, filter, samples and losses at each place"),
	ECBPF_OPTION_GROUP_ROW(
		"Outputs: modes that read samples. All but --top may be combined. Where "
		"no sampler is attached, one is while they run"),
	{
		.name = "live",
		.letter = 'l',
		.kind = ECBPF_OPTION_FLAG,
		.mode = MODE_READ,
		.target = &env.outputs.live,
		.help = "Write pcapng to stdout, for 'tshark -r -'",
	},
	{
		.name = "write",
		.letter = 'w',
		.kind = ECBPF_OPTION_STRING,
		.mode = MODE_READ,
		.target = &env.outputs.files.path,
		.metavar = "FILE",
		.help = "Write pcapng to a file",
	},
	{
		.name = "sflow",
		.kind = ECBPF_OPTION_STRINGS,
		.mode = MODE_READ,
		.target = &env.outputs.collectors,
		.metavar = "HOST:PORT[,...]",
		.help = "Send sFlow version 5 to collectors",
	},
	{
		.name = "top",
		.kind = ECBPF_OPTION_STRING,
		.optional = true,
		.mode = MODE_TOP,
		.target = &env.outputs.top_key,
		.metavar = "KEY",
		.help = "Show heavy hitters by src, dst, dport, reason, or a prefix of the address "
			"(src/24); default src",
	},
	{
		.name = "statsd",
		.kind = ECBPF_OPTION_STRING,
		.mode = MODE_READ,
		.target = &env.outputs.statsd_host,
		.metavar = "HOST",
		.help = "Send estimated packets and octets by verdict to a statsd server",
	},
	ECBPF_OPTION_GROUP_ROW("Sampling"),
	ECBPF_OPTION_INTERFACE_ROW(&env.interfaces, CHANGES | ECBPF_WITH(MODE_STATUS), CHANGES,
				   ECBPF_WITH(MODE_STATUS)),
	ECBPF_OPTION_UNSIGNED_ROW("rate", &env.options.rate, 1, SAMPLER_RATE_MAX, ATTACHES, "N",
				  "Sample one packet in N (default 2500)"),
	ECBPF_OPTION_NEGATABLE_ROW("random", &env.options.random, ATTACHES,
				   "Pick each packet with probability 1/N instead of every Nth"),
	ECBPF_OPTION_UNSIGNED_ROW("snaplen", &env.options.snaplen, 14, SAMPLER_SNAPLEN_MAX,
				  ATTACHES, "OCTETS", "Keep that much of a packet (default 128)"),
	ECBPF_OPTION_NEGATABLE_ROW("as-sent", &env.options.as_sent, ATTACHES,
				   "Keep packets as slots rewrote them, not as they came"),
	{
		.name = "filter",
		.letter = 'f',
		.kind = ECBPF_OPTION_STRING,
		.target = &env.options.filter,
		.with = ATTACHES,
		.metavar = "EXPRESSION",
		.help = "Of the packets sampled, keep those that a libpcap expression matches",
	},
	ECBPF_OPTION_UNSIGNED_ROW("ring", &env.options.ring, 4096, 1U << 30, ATTACHES, "OCTETS",
				  "Size of the ring buffer, a power of two (default 8388608)"),
	ECBPF_OPTION_FLAG_ROW("stage", 0, &env.options.stage,
			      ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_DETACH),
			      "Work on the staged generation"),
	ECBPF_OPTION_GROUP_ROW("Reading"),
	ECBPF_OPTION_STRINGS_ROW("action", &env.outputs.actions, READS, 0, "ACTION[,...]",
				 "Only packets that were dropped, passed, tx, ..."),
	ECBPF_OPTION_STRINGS_ROW(
		"slot", &env.outputs.slots, READS, 0, "SLOT[,...]",
		"Only verdicts of these slots, by number or name (filter, root, ...)"),
	ECBPF_OPTION_STRINGS_ROW("reason", &env.outputs.reasons, READS, 0, "REASON[,...]",
				 "Only these reasons ('xdp_root_loader --reasons' lists them)"),
	ECBPF_OPTION_UNSIGNED_ROW("count", &env.outputs.count, 1, 0, READS, "N",
				  "Stop after N samples"),
	ECBPF_OPTION_UNSIGNED_ROW("rotate-size", &env.outputs.files.rotate_octets, 4096, 0, READS,
				  "OCTETS", "Begin another file at that size, 4096 at least"),
	ECBPF_OPTION_DURATION_ROW("rotate-seconds", &env.outputs.files.rotate_ns, NS_PER_S, 0,
				  READS, "TIME", "Begin another file after that time"),
	ECBPF_OPTION_UNSIGNED_ROW("files", &env.outputs.files.files, 1, 0, READS, "N",
				  "Keep the newest N files"),
	ECBPF_OPTION_DURATION_ROW("interval", &env.outputs.top_interval, NS_PER_S / 5, 0, READS,
				  "TIME", "Of --top (default 2s)"),
	ECBPF_OPTION_FLAG_ROW("suggest", 0, &env.outputs.top_suggest, READS,
			      "With --top: the 'xdp_filter --drop' line for what leads the table"),
	ECBPF_OPTION_UNSIGNED_ROW("statsd-port", &env.outputs.statsd_port, 1, UINT16_MAX, READS,
				  "PORT", "UDP port of the statsd server (default 8125)"),
	ECBPF_OPTION_CHOICE_ROW("json", 'j', &env.format, SAMPLER_STATUS_JSON,
				ECBPF_WITH(MODE_STATUS), "Print JSON"),
	ECBPF_OPTION_CHOICE_ROW("openmetrics", 0, &env.format, SAMPLER_STATUS_OPENMETRICS,
				ECBPF_WITH(MODE_STATUS), "Print OpenMetrics text, for Prometheus"),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "xdp_sampler",
	.summary = "Shows sampled packets with the slot, action and reason that decided each one.",
	.options = options,
	.mode = &env.mode,
	.examples = "xdp_sampler --interface eth0 --live | tshark -r -\n"
		    "xdp_sampler --interface eth0,eth1 --rate 100 --write attack.pcapng\n"
		    "xdp_sampler --interface eth0 --top src/24 --action drop\n"
		    "xdp_sampler --attach --interface eth0 --rate 2500 --filter 'tcp port 80'\n"
		    "xdp_sampler --interface eth0 --sflow 192.0.2.9:6343",
	.overhead = "A few nanoseconds per packet; some hundred more for each one sampled.",
};

static int run(void)
{
	switch ((enum mode)env.mode) {
	case MODE_ATTACH:
		return control_attach(&env.interfaces, &env.options);
	case MODE_DETACH:
		return control_detach(&env.interfaces, env.options.stage);
	case MODE_STATUS:
		return status_show(&env.interfaces, env.format);
	case MODE_TOP:
		env.outputs.top = true;
		return control_read(&env.interfaces, &env.options, &env.outputs);
	case MODE_READ:
		return control_read(&env.interfaces, &env.options, &env.outputs);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv);

	if (status == ECBPF_OPTIONS_OK)
		status = ecbpf_output_finish(ecbpf_exit_code(run()));
	ecbpf_strings_free(&env.interfaces);
	outputs_options_free(&env.outputs);
	return status;
}
