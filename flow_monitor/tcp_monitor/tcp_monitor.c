// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A record of each TCP flow that ends on this host. */
#include <errno.h>
#include <unistd.h>

#include <ecbpf/host.h>
#include <ecbpf/tool.h>

#include "flow_wire.h"
#include "monitor.h"
#include "status.h"

#define NS_PER_S      UINT64_C(1000000000)
#define DATAGRAM_MAX  65507
#define MAX_FLOWS_MAX (1U << 24)
#define RING_A_CPU    (1U << 20)
#define RING_MOST     (1U << 24)

enum mode {
	MODE_RUN = 1,
	MODE_STATUS,
};

#define RUN    ECBPF_WITH(MODE_RUN)
#define STATUS ECBPF_WITH(MODE_STATUS)

static struct {
	int mode;
	struct monitor_options options;
	bool verbose;
	bool accept_pid;
	bool libbpf;
	int format;
} env = {
	.options = {
		.programs = { .max_flows = 262144 },
		.udp = {
			.host = "127.0.0.1",
			.port = 5001,
			.batch = 128,
			.flush_ms = 200,
			.datagram = 1400,
		},
	},
	.format = STATUS_TEXT,
};

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Modes; the first two may be given together"),
	{
		.name = "debug",
		.letter = 'd',
		.kind = ECBPF_OPTION_FLAG,
		.mode = MODE_RUN,
		.target = &env.options.print,
		.help = "Print each flow's record as it ends",
	},
	{
		.name = "daemon",
		.letter = 'D',
		.kind = ECBPF_OPTION_FLAG,
		.mode = MODE_RUN,
		.target = &env.options.send,
		.help = "Send records over UDP, until SIGINT or SIGTERM",
	},
	ECBPF_OPTION_MODE_ROW("status", 's', MODE_STATUS,
			      "Show hook, flows, records, and losses at each place"),
	ECBPF_OPTION_GROUP_ROW("Output"),
	ECBPF_OPTION_FLAG_ROW("verbose", 'v', &env.verbose, RUN,
			      "With --debug: print state changes too"),
	ECBPF_OPTION_CHOICE_ROW("json", 'j', &env.format, STATUS_JSON, 0,
				"Print JSON; one object a line with --debug"),
	ECBPF_OPTION_CHOICE_ROW("openmetrics", 0, &env.format, STATUS_OPENMETRICS, STATUS,
				"Print OpenMetrics text, for Prometheus"),
	{
		.name = "udp-host",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.options.udp.host,
		.with = RUN,
		.metavar = "HOST",
		.help = "Where --daemon sends to (default 127.0.0.1)",
	},
	ECBPF_OPTION_UNSIGNED_ROW("udp-port", &env.options.udp.port, 1, UINT16_MAX, RUN, "PORT",
				  "The collector's port (default 5001)"),
	ECBPF_OPTION_UNSIGNED_ROW("batch-size", &env.options.udp.batch, 1, OUTPUT_UDP_BATCH_MAX,
				  RUN, "N", "Records that are sent without waiting (default 128)"),
	ECBPF_OPTION_UNSIGNED_ROW("flush-ms", &env.options.udp.flush_ms, 1, 60000, RUN, "MS",
				  "How long a record waits for others (default 200)"),
	ECBPF_OPTION_UNSIGNED_ROW("max-datagram", &env.options.udp.datagram,
				  FLOW_WIRE_HEADER + FLOW_WIRE_RECORD, DATAGRAM_MAX, RUN, "OCTETS",
				  "Size of a datagram's payload (default 1400)"),
	ECBPF_OPTION_GROUP_ROW("Flows"),
	{
		.name = "filter",
		.letter = 'f',
		.kind = ECBPF_OPTION_STRINGS,
		.target = &env.options.terms,
		.with = RUN,
		.metavar = "TERM[,TERM...]",
		.help = "Only flows with one of these at either end: ADDRESS[/LENGTH], "
			"PORT[-PORT], or cgroup=FOLDER; of different kinds, one of each",
	},
	ECBPF_OPTION_STRINGS_ROW("netns", &env.options.netns, RUN, 0, "NETNS[,NETNS...]",
				 "Only in these network namespaces: name, process id, path, or "
				 "net:[INODE]"),
	ECBPF_OPTION_UNSIGNED_ROW("min-bytes", &env.options.programs.config.min_bytes, 0, 0, RUN,
				  "OCTETS", "Only flows with that much payload, both ways"),
	ECBPF_OPTION_DURATION_ROW("min-duration", &env.options.programs.config.min_duration, 0, 0,
				  RUN, "TIME", "Only flows that lasted that long"),
	ECBPF_OPTION_FLAG_ROW("accept-pid", 0, &env.accept_pid, RUN,
			      "Find the process of accepted connections too"),
	ECBPF_OPTION_DURATION_ROW("interval", &env.options.interval, NS_PER_S / 10, 0, RUN, "TIME",
				  "Report flows that last longer, every so often"),
	ECBPF_OPTION_FLAG_ROW("flush-open", 0, &env.options.flush_open, RUN,
			      "At the end, report flows that are still open"),
	ECBPF_OPTION_GROUP_ROW("Kernel side"),
	ECBPF_OPTION_UNSIGNED_ROW("max-flows", &env.options.programs.max_flows, 1, MAX_FLOWS_MAX,
				  RUN, "N", "Flows that may be active at once (default 262144)"),
	ECBPF_OPTION_UNSIGNED_ROW(
		"ring", &env.options.programs.ring, 4096, 1U << 30, RUN, "OCTETS",
		"Size of the ring buffer, a power of two (default: 1048576 for each CPU)"),
	{
		.name = "hook",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.options.programs.hook,
		.with = RUN,
		.metavar = "HOOK",
		.help = "tp_btf, raw_tracepoint or tracepoint (default: the first that works)",
	},
	{
		.name = "btf",
		.kind = ECBPF_OPTION_STRING,
		.target = &env.options.programs.btf,
		.with = RUN,
		.metavar = "FILE",
		.help = "The kernel's types, where it has none of its own",
	},
	ECBPF_OPTION_FLAG_ROW("libbpf", 0, &env.libbpf, RUN,
			      "Tell every step, with the words of libbpf and the verifier"),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "tcp_monitor",
	.summary =
		"Tells about each TCP flow that ends on this host, IPv4 and IPv6: who, how much, "
		"how long, how it ended.",
	.options = options,
	.mode = &env.mode,
	.examples = "tcp_monitor --debug\n"
		    "tcp_monitor --debug --json --filter 443,2001:db8::/32 --min-bytes 1000000\n"
		    "tcp_monitor --daemon --udp-host 192.0.2.9 --udp-port 5001 --interval 60\n"
		    "tcp_monitor --status --json",
	.overhead = "Some microseconds of CPU time per flow, nothing per packet; with --accept-pid "
		    "some 80 ns for each receive. 262144 flows take about 63 MB in the kernel.",
};

/*
 * Some 100 ms of as many connections as the CPUs can make. More than caches hold costs: a record
 * takes some 200 ns longer in 8 MB than in 2 MB.
 */
static uint64_t default_ring(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t ring = RING_A_CPU;

	while (ring < RING_MOST && ring < (uint64_t)cpus * RING_A_CPU)
		ring *= 2;
	return ring;
}

static int run(void)
{
	if (env.mode == MODE_STATUS)
		return status_show(env.format);
	if (env.verbose && !env.options.print)
		return ecbpf_fail(-EINVAL, "--verbose has no use without --debug; leave it out");
	if (env.libbpf)
		ecbpf_log_verbose();
	if (!env.options.programs.ring)
		env.options.programs.ring = default_ring();
	env.options.json = env.format == STATUS_JSON;
	env.options.programs.config.states = env.verbose;
	env.options.programs.config.accept_pid = env.accept_pid;
	return monitor_run(&env.options);
}

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv);

	if (status == ECBPF_OPTIONS_OK)
		status = ecbpf_output_finish(ecbpf_exit_code(run()));
	monitor_options_free(&env.options);
	return status;
}
