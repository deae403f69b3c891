// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Limits keep to their rate for seconds, all CPUs together: packets come as fast as programs run,
 * and what passed is counted against the kernel's clock. A burst of two seconds' worth spares a
 * test that doesn't get a CPU for a while.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "clock.h"
#include "firewalls.h"
#include "xdp_root.skel.h"

#define SECONDS	      3
#define BURST_SECONDS 2
/* Programs run so often in one call. */
#define REPEAT	     100000
#define REPEAT_GUEST 5000
/* How often it is tried to get the CPU for some seconds. */
#define ATTEMPTS 5
#define FRAMES	 4
#define CPUS	 4

/* Sends one of the frames from @began to @ended, which is after @end; @longest: time of a call, ns. */
struct sender {
	pthread_t thread;
	const struct harness *harness;
	const uint8_t *frame;
	size_t length;
	uint64_t end;
	uint64_t began;
	uint64_t ended;
	uint64_t longest;
	int cpu;
	int err;
};

static void *send_all(void *context)
{
	struct sender *sender = context;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = sender->frame,
		    .data_size_in = sender->length,
		    .repeat = getenv("ECBPF_GUEST") ? REPEAT_GUEST : REPEAT);
	uint64_t before;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sender->cpu, &cpus);
	sender->err = sched_setaffinity(0, sizeof(cpus), &cpus);
	sender->began = sender->ended = monotonic_now();
	while (!sender->err && sender->ended < sender->end) {
		before = sender->ended;
		sender->err = bpf_prog_test_run_opts(
			bpf_program__fd(sender->harness->root->progs.xdp_root_prog), &options);
		sender->ended = monotonic_now();
		if (sender->ended - before > sender->longest)
			sender->longest = sender->ended - before;
	}
	return NULL;
}

/* As many as there are of the first CPUs allowed. */
static size_t allowed_cpus(int found[CPUS])
{
	cpu_set_t cpus;
	size_t count = 0;
	int i;

	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	for (i = 0; i < CPU_SETSIZE && count < CPUS; i++)
		if (CPU_ISSET(i, &cpus))
			found[count++] = i;
	return count;
}

/*
 * Send these from all CPUs for some seconds: how many ns, on average, from the first to the last packet
 * of each frame; 0: a sender had to wait for so long that limits had room left.
 */
static uint64_t flood(const struct harness *harness, uint8_t (*frames)[FRAME_MAX],
		      const size_t lengths[FRAMES], size_t count, const cpu_set_t *everywhere)
{
	struct sender senders[CPUS * FRAMES] = {};
	uint64_t now = monotonic_now(), first[FRAMES], last[FRAMES] = {}, sum = 0, longest = 0;
	size_t i, threads;
	int cpus[CPUS];

	assert_int_equal(sched_setaffinity(0, sizeof(*everywhere), everywhere), 0);
	threads = allowed_cpus(cpus) * count;
	for (i = 0; i < threads; i++) {
		senders[i] = (struct sender){
			.harness = harness,
			.frame = frames[i % count],
			.length = lengths[i % count],
			.end = now + SECONDS * NS_PER_S,
			.cpu = cpus[i / count],
		};
		assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]),
				 0);
	}
	for (i = 0; i < threads; i++) {
		pthread_join(senders[i].thread, NULL);
		assert_int_equal(senders[i].err, 0);
		if (i < count || senders[i].began < first[i % count])
			first[i % count] = senders[i].began;
		if (senders[i].ended > last[i % count])
			last[i % count] = senders[i].ended;
		if (senders[i].longest > longest)
			longest = senders[i].longest;
	}
	if (longest > BURST_SECONDS * NS_PER_S / 2)
		return 0;
	for (i = 0; i < count; i++)
		sum += last[i] - first[i];
	return sum / count;
}

/* What @rule let pass, of @sources limits at once, is within 10 % of what it should. */
static void check(const struct firewall *firewall, uint64_t ns, uint64_t sources)
{
	const struct fw_rate *rate = &firewall->ruleset.rules[0].rate;
	struct fw_hits hits = firewall_hits(firewall, 0);
	double passed = (double)(hits.matched - hits.dropped) / sources - rate->burst;
	double wanted = (double)rate->per_second * ns / NS_PER_S;

	if (hits.dropped && passed >= 0.9 * wanted - 1 && passed <= 1.1 * wanted + 1)
		return;
	fail_msg("%" PRIu64 "/second, %" PRIu64 " sources, %.3f s: %.0f passed besides the burst",
		 rate->per_second, sources, (double)ns / NS_PER_S, passed);
}

static void limit(unsigned long per_second, size_t sources, const cpu_set_t *everywhere)
{
	static const char *const from[FRAMES] = { "192.0.2.1", "192.0.2.2", "198.51.100.3",
						  "203.0.113.4" };
	static uint8_t frames[FRAMES][FRAME_MAX];
	size_t lengths[FRAMES] = {}, i;
	struct firewall firewall;
	struct harness harness;
	uint64_t ns = 0;
	char rules[128];

	snprintf(rules, sizeof(rules),
		 "ip from any to any udp action limit %lu/second burst %lu%s\n", per_second,
		 BURST_SECONDS * per_second, sources > 1 ? " per source" : "");
	for (i = 0; i < sources; i++) {
		const struct layer layers[] = { ETHER(),
						IPV4(.from = from[i]),
						UDP(),
						OCTETS(8),
						{} };

		lengths[i] = frame_build(layers, frames[i]);
	}
	for (i = 0; i < ATTEMPTS && !ns; i++) {
		harness_open(&harness, false);
		firewall_open(&firewall, &harness, rules, NULL);
		ns = flood(&harness, frames, lengths, sources, everywhere);
		if (ns)
			check(&firewall, ns, sources);
		firewall_close(&firewall);
		harness_close(&harness);
	}
	if (!ns)
		printf("SKIP: this machine is too busy to send for %d seconds\n", SECONDS);
}

static void of_the_interface(void **state)
{
	limit(10, 1, *state);
	limit(1000, 1, *state);
	/* Emulated guests don't get as many packets through. */
	if (!getenv("ECBPF_GUEST"))
		limit(100000, 1, *state);
}

static void of_each_source(void **state)
{
	limit(10, FRAMES, *state);
	limit(1000, FRAMES, *state);
}

/* Without a burst of its own a limit lets a twentieth of a second's worth come at once, or two. */
static void default_burst(void **state)
{
	struct firewall firewall;
	struct harness harness;

	(void)state;
	harness_open(&harness, false);
	firewall_open(&firewall, &harness,
		      "ip from any to any udp action limit 1000/second\n"
		      "ip from any to any tcp action limit 10/second\n",
		      NULL);
	assert_int_equal(firewall.ruleset.rules[0].rate.burst, 50);
	assert_int_equal(firewall.ruleset.rules[1].rate.burst, 2);
	firewall_close(&firewall);
	harness_close(&harness);
}

int main(void)
{
	static cpu_set_t everywhere;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(of_the_interface, &everywhere),
		cmocka_unit_test_prestate(of_each_source, &everywhere),
		cmocka_unit_test(default_burst),
	};

	if (sched_getaffinity(0, sizeof(everywhere), &everywhere) || !harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
