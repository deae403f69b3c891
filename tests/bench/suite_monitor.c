// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * TCP connections over loopback, made and closed as fast as one CPU can, with and without somebody
 * who watches them: tcp_monitor, and tools of libbpf-tools. What watches runs on another CPU.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include <ecbpf/ecbpf.h>

#include "bench.h"
#include "monitor_load.h"
#include "testbed.h"

#define MONITOR_RATIO 0.90
#define EVENT_NS      250
#define EVENT_ROUNDS  3
#define NS_PER_MS     1000000L

/* Nothing tells when a tool is ready that isn't ours. */
#define SETTLE_MS 1500
/* Often enough that the other CPU doesn't go to sleep: that would slow this one down. */
#define TICK_MS 20

#define TRACEFS	    "/sys/kernel/tracing"
#define TW_BUCKETS  "/proc/sys/net/ipv4/tcp_max_tw_buckets"
#define TEXT_MAX    4096
#define ROUNDS_MOST 12

enum watcher {
	WATCHER_NONE,
	WATCHER_MONITOR,
	WATCHER_TCPLIFE,
	WATCHER_TCPSTATES,
	WATCHERS,
};

/**
 * struct watching - what was measured
 * @lost: records that tcp_monitor counted as lost, or didn't get to see
 */
struct watching {
	double rates[WATCHERS][ROUNDS_MOST];
	bool there[WATCHERS];
	size_t rounds;
	double lost;
	char monitor[512];
};

static const char *const peers[WATCHERS] = {
	[WATCHER_TCPLIFE] = "tcplife",
	[WATCHER_TCPSTATES] = "tcpstates",
};

static void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * NS_PER_MS };

	nanosleep(&time, NULL);
}

static int prepare_network(void)
{
	int fd = open(TW_BUCKETS, O_WRONLY | O_CLOEXEC), err;

	err = testbed_run(TESTBED_COMMAND("ip", "link", "set", "lo", "up"), NULL);
	/* So that all rounds find as many connections waiting for their end. */
	if (fd >= 0) {
		if (write(fd, "1000", 4) != 4)
			ecbpf_log(ECBPF_LOG_WARNING, TW_BUCKETS ": %m");
		close(fd);
	}
	return err;
}

static int connect_once(int listener, struct sockaddr_in *address, unsigned long number)
{
	int ends[2], err = monitor_load_connect(listener, address, number, ends);

	if (err)
		return err;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* Connections a second. */
static int load(unsigned long count, double *rate)
{
	struct sockaddr_in address;
	int listener = monitor_load_listen(&address), err = 0;
	unsigned long i;
	double began;

	if (listener < 0)
		return listener;
	testbed_undisturbed_begin();
	began = monitor_load_now();
	for (i = 0; i < count && !err; i++)
		err = connect_once(listener, &address, i);
	*rate = count / (monitor_load_now() - began);
	testbed_undisturbed_end();
	close(listener);
	return err ? ecbpf_fail(err, "connecting: %s", strerror(-err)) : 0;
}

static pid_t start(const struct watching *watching, enum watcher watcher, int *output)
{
	if (watcher == WATCHER_MONITOR)
		return testbed_start(TESTBED_COMMAND(watching->monitor, "--daemon"), output);
	return testbed_start(TESTBED_COMMAND(peers[watcher]), output);
}

/* From tcp_monitor's last line: what isn't a record that was sent. */
static int add_losses(struct watching *watching, const char *text, unsigned long count)
{
	unsigned long long closes, filtered, records, ring, table, unseen, sent, lost;
	const char *line = strstr(text, "tcp_monitor: closes ");

	if (!line ||
	    sscanf(line,
		   "tcp_monitor: closes %llu = filtered %llu + records %llu + ring full %llu + "
		   "table full %llu + unseen %llu; udp delivered %llu, lost %llu",
		   &closes, &filtered, &records, &ring, &table, &unseen, &sent, &lost) != 8)
		return ecbpf_fail(-EBADMSG, "tcp_monitor said '%s'", text);
	lost += ring + table + unseen;
	if (records < 2 * count)
		lost += 2 * count - records;
	if (lost)
		ecbpf_log(ECBPF_LOG_WARNING, "of %lu connections, tcp_monitor said '%s'", count,
			  text);
	watching->lost += lost;
	return 0;
}

static int settle(pid_t pid, enum watcher watcher)
{
	int err = watcher == WATCHER_MONITOR ? monitor_load_await(pid) : 0;

	sleep_ms(SETTLE_MS);
	return err;
}

static int measure_watcher(struct watching *watching, enum watcher watcher, unsigned long count,
			   size_t round)
{
	char text[TEXT_MAX];
	int output = -1, err, stopped;
	pid_t pid = 0;

	if (watcher != WATCHER_NONE) {
		pid = start(watching, watcher, &output);
		err = pid < 0 ? pid : settle(pid, watcher);
		if (err)
			return err;
	}
	err = load(count, &watching->rates[watcher][round]);
	if (!pid)
		return err;
	stopped = testbed_stop(pid, output, text, sizeof(text));
	if (!err && !stopped && watcher == WATCHER_MONITOR)
		err = add_losses(watching, text, count);
	return err ? err : stopped;
}

/* Keeps the other CPUs awake while it lives. */
static pid_t start_ticker(void)
{
	char ticks[64];
	int output;
	pid_t pid;

	snprintf(ticks, sizeof(ticks), "while :; do sleep .0%d; done", TICK_MS / 10 * 10);
	pid = testbed_start(TESTBED_COMMAND("sh", "-c", ticks), &output);
	if (pid > 0)
		close(output);
	return pid;
}

static int measure_rounds_of(struct watching *watching, unsigned long count)
{
	int watcher, err = 0;
	size_t round;

	for (round = 0; round < watching->rounds; round++)
		for (watcher = 0; watcher < WATCHERS && !err; watcher++)
			if (watching->there[watcher])
				err = measure_watcher(watching, watcher, count, round);
	return err;
}

/* Time and runs of the programs of these names that are loaded, by the kernel's own count. */
static void add_times(const char *name, uint64_t *ns, uint64_t *runs)
{
	struct bpf_prog_info info;
	uint32_t id = 0, length;
	int fd;

	while (!bpf_prog_get_next_id(id, &id)) {
		fd = bpf_prog_get_fd_by_id(id);
		length = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) &&
		    !strncmp(info.name, name, BPF_OBJ_NAME_LEN - 1)) {
			*ns += info.run_time_ns;
			*runs += info.run_cnt;
		}
		if (fd >= 0)
			close(fd);
	}
}

/* ns that all programs take for a change of state; the kernel's clock is in it. */
static int measure_event_once(const struct watching *watching, unsigned long count, double *ns)
{
	uint64_t time = 0, runs = 0, rescuer_runs = 0;
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME), output, err;
	char text[TEXT_MAX];
	double rate;
	pid_t pid;

	if (stats < 0)
		return ecbpf_fail(-errno, "counting run times: %m");
	pid = start(watching, WATCHER_MONITOR, &output);
	err = pid < 0 ? pid : settle(pid, WATCHER_MONITOR);
	if (err)
		return err;
	err = load(count, &rate);
	add_times("typed_first", &time, &runs);
	add_times("typed_birth", &time, &rescuer_runs);
	add_times("typed_end", &time, &rescuer_runs);
	close(stats);
	if (!err)
		err = testbed_stop(pid, output, text, sizeof(text));
	if (!err && !runs)
		err = ecbpf_fail(-ENOENT, "tcp_monitor's programs were not found");
	*ns = runs ? (double)time / runs : 0;
	return err;
}

static int measure_event(const struct watching *watching, unsigned long count, double *best)
{
	double ns = INFINITY;
	int err = 0, i;

	*best = INFINITY;
	for (i = 0; i < EVENT_ROUNDS && !err; i++) {
		err = measure_event_once(watching, count, &ns);
		*best = ns < *best ? ns : *best;
	}
	return err;
}

static int add_rate(const struct bench *bench, struct watching *watching, int section,
		    enum watcher watcher, const char *name)
{
	double *rates = watching->rates[watcher], *none = watching->rates[WATCHER_NONE];
	struct row row = { .unit = "conn/s" };

	if (!watching->there[watcher])
		return report_skip(bench->report, name, "not installed (package libbpf-tools)");
	snprintf(row.name, sizeof(row.name), "%s", name);
	if (watcher == WATCHER_MONITOR)
		row.goal = (struct goal){ GOAL_RATIO_AT_LEAST, MONITOR_RATIO };
	row.median = measure_median(rates, watching->rounds);
	row.best = rates[watching->rounds - 1];
	measure_median(none, watching->rounds);
	row.baseline = none[watching->rounds - 1];
	return report_row(bench->report, section, &row);
}

static int report_all(const struct bench *bench, struct watching *watching, double event)
{
	int section = report_section(bench->report, "TCP connections over loopback, one CPU",
				     "unwatched"),
	    err;

	if (section < 0)
		return section;
	err = add_rate(bench, watching, section, WATCHER_MONITOR, "tcp_monitor --daemon");
	if (!err)
		err = add_rate(bench, watching, section, WATCHER_TCPLIFE, "tcplife");
	if (!err)
		err = add_rate(bench, watching, section, WATCHER_TCPSTATES, "tcpstates");
	if (!err)
		err = report_value(bench->report, section, "tcp_monitor, a change of state", "ns",
				   event, EVENT_NS);
	if (!err)
		err = report_value(bench->report, section, "tcp_monitor, records lost", "records",
				   watching->lost, 0);
	if (!err)
		err = monitor_load_losses(bench, section);
	if (!err)
		err = monitor_load_memory(bench, section);
	return err ? err : monitor_load_throughput(bench);
}

int suite_monitor(struct bench *bench)
{
	struct watching watching = { .there = { [WATCHER_NONE] = true, [WATCHER_MONITOR] = true } };
	double event = 0;
	pid_t ticker;
	int err;

	watching.rounds = measure_rounds(&bench->settings);
	if (watching.rounds > ROUNDS_MOST)
		watching.rounds = ROUNDS_MOST;
	snprintf(watching.monitor, sizeof(watching.monitor),
		 "%s/flow_monitor/tcp_monitor/tcp_monitor", bench->tools);
	/* Tools of others find their tracepoints there. */
	if (!mount("tracefs", TRACEFS, "tracefs", 0, NULL) || errno == EBUSY) {
		watching.there[WATCHER_TCPLIFE] = testbed_has_command("tcplife");
		watching.there[WATCHER_TCPSTATES] = testbed_has_command("tcpstates");
	}
	err = prepare_network();
	ticker = err ? 0 : start_ticker();
	if (!err)
		err = measure_rounds_of(&watching, bench->connections);
	if (!err)
		err = measure_event(&watching, bench->connections, &event);
	if (ticker > 0) {
		kill(ticker, SIGKILL);
		waitpid(ticker, NULL, 0);
	}
	return err ? err : report_all(bench, &watching, event);
}
