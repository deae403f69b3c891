// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "monitor_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include <ecbpf/ecbpf.h>

#include "testbed.h"

#define LOAD_S	       30
#define QUICK_LOAD_S   1
#define WORKERS_A_CPU  2
#define ADDRESSES      200
#define TEXT_MAX       65536
#define SETTLE_S       2
#define READY_MOST_S   30
#define FLOWS	       262144
#define MEMORY_MOST_MB 50
#define FLOWS_A_PORT   10000
#define HOLDERS_MOST   256
/* Of those that a process may have open. */
#define FILES_SPARED 64
#define STEERING     "/sys/class/net/lo/queues/rx-0/rps_cpus"
#define CGROUP	     "/run/cgroup"
#define STATS_RATIO  0.98
#define THROUGHPUTS  8
#define PAIRS_TRIED  4

double monitor_load_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

int monitor_load_listen(struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	if (fd < 0 || bind(fd, (struct sockaddr *)address, length) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)address, &length))
		return ecbpf_fail(-errno, "listening: %m");
	return fd;
}

int monitor_load_connect(int listener, struct sockaddr_in *address, unsigned long number,
			 int ends[2])
{
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % ADDRESSES);
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ends[0] < 0 || connect(ends[0], (struct sockaddr *)address, sizeof(*address)))
		return -errno;
	ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return ends[1] < 0 ? -errno : 0;
}

/* On its CPU until the time is over; never returns. */
static void work(int cpu, double seconds, int out)
{
	struct sockaddr_in address;
	int listener = monitor_load_listen(&address), ends[2];
	double end = monitor_load_now() + seconds;
	uint64_t made = 0;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	while (listener >= 0 && monitor_load_now() < end &&
	       !monitor_load_connect(listener, &address, made, ends)) {
		close(ends[0]);
		close(ends[1]);
		made++;
	}
	_exit(write(out, &made, sizeof(made)) != sizeof(made));
}

/* Connections made, on all CPUs at once. */
static int load_all(double seconds, uint64_t *made)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), pipes[2], i, status, err = 0;
	uint64_t some;

	if (pipe2(pipes, O_CLOEXEC))
		return ecbpf_fail(-errno, "pipe: %m");
	for (i = 0; i < cpus * WORKERS_A_CPU; i++)
		if (!fork())
			work(i % cpus, seconds, pipes[1]);
	close(pipes[1]);
	*made = 0;
	while (read(pipes[0], &some, sizeof(some)) == sizeof(some))
		*made += some;
	close(pipes[0]);
	for (i = 0; i < cpus * WORKERS_A_CPU; i++)
		if (wait(&status) < 0 || status)
			err = -ECHILD;
	return err ? ecbpf_fail(err, "making connections: a process failed") : 0;
}

static void steer_packets(bool on)
{
	int fd = open(STEERING, O_WRONLY | O_CLOEXEC);
	char mask[16];

	snprintf(mask, sizeof(mask), "%x", on ? (1U << sysconf(_SC_NPROCESSORS_ONLN)) - 1 : 0);
	if (fd < 0 || write(fd, mask, strlen(mask)) < 0)
		ecbpf_log(ECBPF_LOG_WARNING, STEERING ": %m");
	if (fd >= 0)
		close(fd);
}

int monitor_load_await(pid_t pid)
{
	const struct timespec tick = { 0, 20000000 };
	double end = monitor_load_now() + READY_MOST_S;
	char pin[128];

	snprintf(pin, sizeof(pin), TESTBED_BPFFS "/ecbpf/tcp_monitor/%d/percpu", pid);
	while (access(pin, F_OK)) {
		if (monitor_load_now() > end)
			return ecbpf_fail(-ETIMEDOUT, "%s: tcp_monitor doesn't begin", pin);
		nanosleep(&tick, NULL);
	}
	return 0;
}

/* It looks at this process's network namespace only. */
static pid_t start_monitor(const struct bench *bench, int *output)
{
	char path[512], self[32];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/flow_monitor/tcp_monitor/tcp_monitor", bench->tools);
	snprintf(self, sizeof(self), "%d", getpid());
	pid = testbed_start(TESTBED_COMMAND(path, "--daemon", "--json", "--netns", self), output);
	if (pid > 0 && monitor_load_await(pid))
		return -ETIMEDOUT;
	return pid;
}

static uint64_t number_at(struct json_object *json, const char *group, const char *key)
{
	struct json_object *found;

	if (!json_object_object_get_ex(json, group, &found) ||
	    !json_object_object_get_ex(found, key, &found))
		return 0;
	return json_object_get_int64(found);
}

/* The JSON that @text ends with, from its first line that begins so. */
static struct json_object *json_in(const char *text)
{
	const char *begin = *text == '{' ? text : strstr(text, "\n{");

	return begin ? json_tokener_parse(begin) : NULL;
}

int monitor_load_losses(const struct bench *bench, int section)
{
	double seconds = bench->quick ? QUICK_LOAD_S : LOAD_S, missing;
	char text[TEXT_MAX], name[ROW_NAME_MAX];
	struct json_object *summary, *outputs = NULL;
	uint64_t made = 0, records;
	int output, err, stopped;
	pid_t pid;

	steer_packets(true);
	pid = start_monitor(bench, &output);
	if (pid < 0)
		return pid;
	err = load_all(seconds, &made);
	sleep(SETTLE_S);
	stopped = testbed_stop(pid, output, text, sizeof(text));
	steer_packets(false);
	if (err || stopped)
		return err ? err : stopped;
	summary = json_in(text);
	if (!summary)
		return ecbpf_fail(-EBADMSG, "tcp_monitor said '%s'", text);
	json_object_object_get_ex(summary, "outputs", &outputs);
	records = number_at(summary, "counts", "emitted");
	missing = (double)(2 * made) - records + (outputs ? number_at(outputs, "udp", "lost") : 0);
	if (missing != 0)
		ecbpf_log(ECBPF_LOG_WARNING, "of %llu connections, tcp_monitor said '%s'",
			  (unsigned long long)made, text);
	snprintf(name, sizeof(name), "tcp_monitor, records lost of %llu, all CPUs loaded, RPS on",
		 (unsigned long long)(2 * made));
	json_object_put(summary);
	return report_value(bench->report, section, name, "records", missing, 0);
}

/* At most until now. */
static double resident_mb(pid_t pid)
{
	char path[64], line[256];
	unsigned long kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmHWM: %lu kB", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb / 1024.0;
}

/* Opens connections, says so, and keeps them; never returns. */
static void hold(size_t flows, int ready)
{
	struct sockaddr_in address;
	int ends[2], listener = -1;
	size_t i;

	for (i = 0; i < flows / 2; i++) {
		if (i % FLOWS_A_PORT == 0)
			listener = monitor_load_listen(&address);
		if (listener < 0 || monitor_load_connect(listener, &address, i, ends))
			_exit(1);
	}
	if (write(ready, "", 1) == 1)
		pause();
	_exit(0);
}

/* As many processes as it takes, each with as many files as it may have open. */
static size_t open_flows(size_t flows, pid_t holders[HOLDERS_MOST])
{
	struct rlimit limit = {};
	size_t count = 0, each, opened = 0;
	char done;
	int ready[2];

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	each = limit.rlim_cur > FILES_SPARED + 2 ? (limit.rlim_cur - FILES_SPARED) & ~1UL : 2;
	if (pipe2(ready, O_CLOEXEC))
		return 0;
	while (opened < flows && count < HOLDERS_MOST) {
		if (each > flows - opened)
			each = flows - opened;
		holders[count] = fork();
		if (!holders[count]) {
			close(ready[0]);
			hold(each, ready[1]);
		}
		if (holders[count++] < 0)
			break;
		opened += each;
	}
	close(ready[1]);
	for (each = 0; each < count; each++)
		if (read(ready[0], &done, 1) != 1)
			opened = 0;
	close(ready[0]);
	while (!opened && count)
		if (holders[--count] > 0)
			kill(holders[count], SIGKILL);
	return count;
}

int monitor_load_memory(const struct bench *bench, int section)
{
	size_t flows = bench->quick ? 1000 : FLOWS - 64;
	char text[TEXT_MAX], name[ROW_NAME_MAX];
	pid_t pid, holders[HOLDERS_MOST];
	double mb;
	int output, err;
	size_t count, i;

	pid = start_monitor(bench, &output);
	if (pid < 0)
		return pid;
	count = open_flows(flows, holders);
	for (i = 0; i < count; i++) {
		kill(holders[i], SIGKILL);
		waitpid(holders[i], NULL, 0);
	}
	sleep(SETTLE_S);
	mb = resident_mb(pid);
	err = testbed_stop(pid, output, text, sizeof(text));
	if (err)
		return err;
	if (!count)
		return report_skip(bench->report, "tcp_monitor, resident memory",
				   "so many connections can't be open here");
	snprintf(name, sizeof(name), "tcp_monitor, resident memory, %zu flows open and closed",
		 flows);
	return report_value(bench->report, section, name, "MB", mb, MEMORY_MOST_MB);
}

/* Mbit/s over loopback. */
static int measure_iperf3(const char *seconds, double *mbit)
{
	struct json_object *json, *end, *sum, *rate;
	char text[TEXT_MAX];
	int output, status;
	ssize_t got;
	pid_t pid = testbed_start(TESTBED_COMMAND("iperf3", "--client", "127.0.0.1", "--time",
						  seconds, "--interval", "0", "--json"),
				  &output);

	if (pid < 0)
		return pid;
	waitpid(pid, &status, 0);
	got = pread(output, text, sizeof(text) - 1, 0);
	text[got > 0 ? got : 0] = '\0';
	close(output);
	json = json_in(text);
	*mbit = 0;
	if (json && json_object_object_get_ex(json, "end", &end) &&
	    json_object_object_get_ex(end, "sum_received", &sum) &&
	    json_object_object_get_ex(sum, "bits_per_second", &rate))
		*mbit = json_object_get_double(rate) / 1e6;
	json_object_put(json);
	return *mbit ? 0 : ecbpf_fail(-ECANCELED, "iperf3 said '%.200s'", text);
}

static int try_pair(const struct bench *bench, double *bare, double *sampled, bool *seen)
{
	const char *seconds = bench->quick ? "1" : "2";
	char path[512], text[TEXT_MAX];
	int output, err = measure_iperf3(seconds, bare), stopped;
	pid_t pid;

	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/flow_monitor/tcp_stats/tcp_stats", bench->tools);
	pid = testbed_start(TESTBED_COMMAND(path, "--poll", "100", "--cgroup", CGROUP), &output);
	if (pid < 0)
		return pid;
	sleep(SETTLE_S);
	err = measure_iperf3(seconds, sampled);
	stopped = testbed_stop(pid, output, text, sizeof(text));
	*seen = strstr(text, "\"bytes_acked\"");
	return err ? err : stopped;
}

/* Nothing tells when tcp_stats has begun: a pair of which it saw nothing is measured again. */
static int measure_pair(const struct bench *bench, double *bare, double *sampled)
{
	bool seen = false;
	int tries = PAIRS_TRIED, err = 0;

	while (!seen && tries-- && !err)
		err = try_pair(bench, bare, sampled, &seen);
	return err || seen ? err : ecbpf_fail(-EBADMSG, "tcp_stats took no sample");
}

static int report_throughput(const struct bench *bench, double *bare, double *sampled,
			     size_t rounds)
{
	struct row row = {
		.name = "iperf3 beside tcp_stats --poll 100",
		.unit = "Mbit/s",
		.goal = { GOAL_RATIO_AT_LEAST, STATS_RATIO },
	};
	int section = report_section(bench->report, "throughput over loopback", "unwatched");

	if (section < 0)
		return section;
	row.median = measure_median(sampled, rounds);
	row.best = sampled[rounds - 1];
	measure_median(bare, rounds);
	row.baseline = bare[rounds - 1];
	return report_row(bench->report, section, &row);
}

int monitor_load_throughput(const struct bench *bench)
{
	size_t rounds = bench->quick ? 1 : THROUGHPUTS, round;
	double bare[THROUGHPUTS], sampled[THROUGHPUTS];
	int output, err = 0;
	pid_t server;

	if (!testbed_has_command("iperf3"))
		return report_skip(bench->report, "iperf3 beside tcp_stats --poll 100",
				   "not installed (package iperf3)");
	if (mkdir(CGROUP, 0700) || mount("cgroup2", CGROUP, "cgroup2", 0, NULL))
		return report_skip(bench->report, "iperf3 beside tcp_stats --poll 100",
				   "no control groups, version 2");
	server = testbed_start(TESTBED_COMMAND("iperf3", "--server"), &output);
	if (server < 0)
		return server;
	sleep(1);
	for (round = 0; round < rounds && !err; round++)
		err = measure_pair(bench, &bare[round], &sampled[round]);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	close(output);
	umount(CGROUP);
	return err ? err : report_throughput(bench, bare, sampled, rounds);
}
