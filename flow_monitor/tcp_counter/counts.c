// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counting until told to end. */
#include "counts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>

#include <ecbpf/host.h>

#include "tcp_counter.h"
#include "tcp_counter.skel.h"

#define NS_PER_S 1000000000ULL
#define KINDS	 (COUNTER_DIRECTIONS * COUNTER_FAMILIES)
/* Lines between two headings. */
#define PAGE 20

static const char *const kind_names[KINDS] = {
	"active_ipv4",
	"active_ipv6",
	"passive_ipv4",
	"passive_ipv6",
};

/**
 * struct counter - one run
 * @last: sums that the line before was about, by direction and family
 * @told: when that was, CLOCK_MONOTONIC
 */
struct counter {
	const struct counts_options *options;
	struct tcp_counter_bpf *skel;
	struct counter_counts *percpu;
	int cpus;
	uint64_t last[KINDS];
	uint64_t lines;
	double told;
};

static int read_sums(struct counter *counter, uint64_t sums[KINDS])
{
	const uint64_t *values;
	uint32_t zero = 0;
	int cpu, i;

	if (bpf_map_lookup_elem(bpf_map__fd(counter->skel->maps.counts), &zero, counter->percpu))
		return ecbpf_fail(-errno, "reading counts: %m");
	memset(sums, 0, KINDS * sizeof(*sums));
	for (cpu = 0; cpu < counter->cpus; cpu++) {
		values = (const uint64_t *)counter->percpu[cpu].established;
		for (i = 0; i < KINDS; i++)
			sums[i] += values[i];
	}
	return 0;
}

static double monotonic_seconds(void)
{
	return (double)ecbpf_clock(CLOCK_MONOTONIC) / NS_PER_S;
}

static void print_text(const struct counter *counter, const uint64_t sums[KINDS])
{
	char text[ECBPF_TIME_MAX];
	uint64_t total = 0;
	int i;

	if (counter->lines % PAGE == 0) {
		printf("%-20s", "TIME");
		for (i = 0; i < KINDS; i++)
			printf(" %12s", kind_names[i]);
		printf(" %12s\n", "total");
	}
	printf("%-20s", ecbpf_time_iso(ecbpf_clock(CLOCK_REALTIME), text));
	for (i = 0; i < KINDS; i++) {
		printf(" %12" PRIu64, sums[i] - counter->last[i]);
		total += sums[i];
	}
	printf(" %12" PRIu64 "\n", total);
}

static struct json_object *json_kinds(const uint64_t values[KINDS], const uint64_t less[KINDS])
{
	struct json_object *json = json_object_new_object();
	int i;

	for (i = 0; i < KINDS; i++)
		json_object_object_add(json, kind_names[i],
				       json_object_new_uint64(values[i] - less[i]));
	return json;
}

static int print_json(const struct counter *counter, const uint64_t sums[KINDS], double seconds)
{
	static const uint64_t nothing[KINDS];
	struct json_object *json = json_object_new_object();
	uint64_t time = ecbpf_clock(CLOCK_REALTIME);

	json_object_object_add(json, "time", ecbpf_json_time(time));
	json_object_object_add(json, "time_ns", json_object_new_uint64(time));
	json_object_object_add(json, "seconds", json_object_new_double(seconds));
	json_object_object_add(json, "established", json_kinds(sums, counter->last));
	json_object_object_add(json, "total", json_kinds(sums, nothing));
	return ecbpf_json_line(stdout, json);
}

/* The first call is where the first interval begins. */
static int tell(double seconds, void *context)
{
	struct counter *counter = context;
	uint64_t sums[KINDS];
	int err = 0;

	counter->told = monotonic_seconds();
	if (seconds == 0)
		return 0;
	if (!ecbpf_output_wait())
		return -ECANCELED;
	err = read_sums(counter, sums);
	if (err)
		return err;
	if (counter->options->json)
		err = print_json(counter, sums, seconds);
	else
		print_text(counter, sums);
	memcpy(counter->last, sums, sizeof(sums));
	counter->lines++;
	if (!err && counter->options->count && counter->lines == counter->options->count)
		err = -ECANCELED;
	return err;
}

static int explain(int err)
{
	if ((err == -EPERM || err == -EACCES) && *ecbpf_capabilities_missing())
		return ecbpf_capabilities_check("counting connections");
	return ecbpf_fail(-EOPNOTSUPP, "counting connections: %s; --debug tells why",
			  strerror(-err));
}

static int load(struct counter *counter)
{
	const struct counts_options *options = counter->options;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = options->btf);
	struct tcp_counter_bpf *skel;
	uint32_t inode = 0;
	int err = 0;

	if (options->netns)
		err = ecbpf_netns_find(options->netns, &inode);
	if (!err && (options->netns || options->btf))
		err = ecbpf_btf_check(options->btf);
	if (err)
		return err;
	skel = tcp_counter_bpf__open_opts(&opts);
	if (!skel)
		return explain(-errno);
	counter->skel = skel;
	skel->rodata->netns = inode;
	bpf_program__set_autoload(skel->progs.count_all, !options->netns);
	bpf_program__set_autoload(skel->progs.count_in_netns, options->netns);
	err = tcp_counter_bpf__load(skel);
	return err ? explain(err) : 0;
}

static int attach(struct counter *counter, int cgroup, struct bpf_link **link)
{
	struct tcp_counter_bpf *skel = counter->skel;
	struct bpf_program *program = counter->options->netns ? skel->progs.count_in_netns :
								skel->progs.count_all;

	*link = bpf_program__attach_cgroup(program, cgroup);
	return *link ? 0 : explain(-errno);
}

/* Whoever interrupts it wants to know what came since the last line, too. */
static int run(struct counter *counter)
{
	int err = ecbpf_watch_lines(counter->options->interval, tell, counter);

	return err ? err : tell(monotonic_seconds() - counter->told, counter);
}

int counts_run(const struct counts_options *options)
{
	struct counter counter = { .options = options, .cpus = libbpf_num_possible_cpus() };
	struct bpf_link *link = NULL;
	int cgroup = ecbpf_cgroup_open(options->cgroup, NULL), err;

	if (cgroup < 0)
		return cgroup;
	counter.percpu = calloc(counter.cpus > 0 ? counter.cpus : 1, sizeof(*counter.percpu));
	err = counter.percpu ? load(&counter) : ecbpf_fail(-ENOMEM, "out of memory");
	if (!err)
		err = attach(&counter, cgroup, &link);
	if (!err)
		err = run(&counter);
	bpf_link__destroy(link);
	tcp_counter_bpf__destroy(counter.skel);
	free(counter.percpu);
	close(cgroup);
	return err == -ECANCELED ? 0 : err;
}
