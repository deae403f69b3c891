// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Samples by programs of a control group. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <ecbpf/host.h>

#include "flows.h"
#include "json.h"
#include "stats.h"
#include "tcp_stats.skel.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL
#define WAIT_NS	  (100 * NS_PER_MS)
/* Long enough to tell the tick rates that kernels are built with from each other. */
#define TICKS_WAIT_NS (150 * NS_PER_MS)

struct sampling {
	const struct stats_options *options;
	uint64_t taken;
	uint64_t unread;
	int err;
};

static int read_clocks(struct tcp_stats_bpf *skel)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(skel->progs.what_time), &opts);
}

static uint32_t nearest_rate(double ticks_per_second)
{
	static const uint32_t rates[] = { 100, 250, 300, 1000 };
	uint32_t nearest = rates[0];
	size_t i;

	for (i = 1; i < sizeof(rates) / sizeof(rates[0]); i++)
		if (ticks_per_second > (rates[i - 1] + rates[i]) / 2.0)
			nearest = rates[i];
	return nearest;
}

/* The configuration of the running kernel needn't be at hand: so watch its clock tick. */
static int find_hz(const struct stats_options *options, uint32_t *hz)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = options->btf);
	struct timespec wait = { 0, TICKS_WAIT_NS };
	struct tcp_stats_bpf *skel = tcp_stats_bpf__open_opts(&opts);
	uint64_t ticks, ns;
	int err;

	if (!skel)
		return -errno;
	bpf_program__set_autoload(skel->progs.watch, false);
	err = tcp_stats_bpf__load(skel);
	if (!err)
		err = read_clocks(skel);
	ticks = err ? 0 : skel->bss->clock_jiffies;
	ns = err ? 0 : skel->bss->clock_ns;
	if (!err) {
		nanosleep(&wait, NULL);
		err = read_clocks(skel);
	}
	if (!err)
		*hz = nearest_rate((double)(skel->bss->clock_jiffies - ticks) * NS_PER_S /
				   (skel->bss->clock_ns - ns));
	tcp_stats_bpf__destroy(skel);
	return err;
}

static int explain(int err)
{
	if ((err == -EPERM || err == -EACCES) && *ecbpf_capabilities_missing())
		return ecbpf_capabilities_check("sampling connections");
	return ecbpf_fail(-EOPNOTSUPP, "sampling connections: %s; --debug tells why",
			  strerror(-err));
}

static int load(const struct stats_options *options, struct tcp_stats_bpf **out)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = options->btf);
	struct stats_config *config;
	struct tcp_stats_bpf *skel;
	uint32_t hz = 0;
	int err, count;

	err = find_hz(options, &hz);
	if (err)
		return explain(err);
	skel = tcp_stats_bpf__open_opts(&opts);
	if (!skel)
		return explain(-errno);
	bpf_program__set_autoload(skel->progs.what_time, false);
	config = (struct stats_config *)&skel->rodata->config;
	config->poll = options->poll_ms * NS_PER_MS;
	config->states = options->states;
	config->hz = hz;
	count = flows_parse(&options->terms, config->flows);
	config->flow_count = count < 0 ? 0 : count;
	err = count < 0 ? count : tcp_stats_bpf__load(skel);
	if (err) {
		tcp_stats_bpf__destroy(skel);
		return count < 0 ? count : explain(err);
	}
	*out = skel;
	return 0;
}

static int take(void *context, void *data, size_t size)
{
	struct sampling *sampling = context;

	if (size < sizeof(struct stats_sample))
		return 0;
	sampling->err = json_print(data);
	/* Of what is still in the ring, so much is counted. */
	if (sampling->err == -ECANCELED) {
		sampling->unread++;
		return 0;
	}
	sampling->taken++;
	if (sampling->err || sampling->taken == sampling->options->count)
		return -ECANCELED;
	return 0;
}

static void tell_lost(uint64_t lost, const char *why)
{
	if (lost)
		ecbpf_log(ECBPF_LOG_WARNING, "%" PRIu64 " samples were lost, as %s", lost, why);
}

/* No more samples are taken once it has ended. */
static int read_samples(const struct stats_options *options, struct tcp_stats_bpf *skel,
			struct bpf_link **link)
{
	struct sampling sampling = { .options = options };
	struct ring_buffer *ring;
	int done = 0;

	ring = ring_buffer__new(bpf_map__fd(skel->maps.samples), take, &sampling, NULL);
	if (!ring)
		return ecbpf_fail(-errno, "ring buffer: %m");
	while (done != -ECANCELED && !ecbpf_interrupted() && !ferror(stdout)) {
		ecbpf_interrupt_wait(ring_buffer__epoll_fd(ring), WAIT_NS);
		done = ring_buffer__consume(ring);
	}
	bpf_link__destroy(*link);
	*link = NULL;
	if (done != -ECANCELED)
		ring_buffer__consume(ring);
	ring_buffer__free(ring);
	tell_lost(skel->bss->lost, "the ring was full");
	tell_lost(sampling.unread, "nobody read them");
	return sampling.err == -ECANCELED ? 0 : sampling.err;
}

int sockops_run(const struct stats_options *options)
{
	int cgroup = ecbpf_cgroup_open(options->cgroup, NULL), err;
	struct tcp_stats_bpf *skel = NULL;
	struct bpf_link *link = NULL;

	if (cgroup < 0)
		return cgroup;
	ecbpf_interrupt_hold();
	err = ecbpf_btf_check(options->btf);
	if (!err)
		err = load(options, &skel);
	if (!err) {
		link = bpf_program__attach_cgroup(skel->progs.watch, cgroup);
		err = link ? 0 : explain(-errno);
	}
	if (!err)
		err = read_samples(options, skel, &link);
	bpf_link__destroy(link);
	tcp_stats_bpf__destroy(skel);
	close(cgroup);
	return err;
}
