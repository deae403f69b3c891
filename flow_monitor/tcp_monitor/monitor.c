// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From the ring to the outputs, until told to end. */
#define _GNU_SOURCE
#include "monitor.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <ecbpf/host.h>

#include "batch.h"
#include "counts.h"
#include "output_json.h"
#include "output_text.h"
#include "search.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL
/* The programs wake nobody until the ring is half full: so this bounds the delay. */
#define DRAIN_MS 50
/* CPUs are interrupted for what they have gathered so seldom at least. */
#define PUT_NS (10 * NS_PER_MS)
/* At the end, for programs that still run. */
#define PUT_MOST_NS NS_PER_S
/* A ring of that many octets has room for what CPUs write before each asks how full it is. */
#define ASK_SELDOM_RING	   (1 << 20)
#define ASK_SELDOM_RECORDS 16
/* Between searches for flows whose end nobody saw. */
#define SWEEP_NS (10 * NS_PER_S)

/**
 * struct monitor - one run
 * @report: mapped value of "report", where the outputs' counts are too
 * @batch: of one turn, bounded so that a ring which fills as fast as it is read can't keep us from
 *	all else
 * @epoch: CLOCK_REALTIME less CLOCK_MONOTONIC, ns
 * @mark: flags of records that are taken from open flows
 * @least: how long such a flow must have lasted, ns
 * @put: when CPUs are next asked for what they have gathered, CLOCK_MONOTONIC, ns
 * @left: something was left there
 */
struct monitor {
	const struct monitor_options *options;
	struct programs *programs;
	struct ecbpf_instance *instance;
	struct ring_buffer *ring;
	struct monitor_report *report;
	struct batch *batch;
	struct record_output *outputs[2];
	size_t output_count;
	uint64_t epoch;
	uint32_t sequence;
	uint8_t mark;
	uint64_t least;
	uint64_t put;
	bool left;
};

static void note_epoch(struct monitor *monitor)
{
	monitor->epoch = ecbpf_clock(CLOCK_REALTIME) - ecbpf_clock(CLOCK_MONOTONIC);
}

static void hand_out(struct monitor *monitor, const struct monitor_event *event, uint8_t flags)
{
	struct record record;
	size_t i;

	record_from_event(event, monitor->epoch, monitor->sequence++, &record);
	record.flow.flags |= flags;
	for (i = 0; i < monitor->output_count; i++)
		monitor->outputs[i]->calls->take(monitor->outputs[i], &record);
}

static void hand_out_state(struct monitor *monitor, const struct monitor_event *event)
{
	struct record record;
	size_t i;

	record_from_event(event, monitor->epoch, 0, &record);
	for (i = 0; i < monitor->output_count; i++)
		if (monitor->outputs[i]->calls->state)
			monitor->outputs[i]->calls->state(monitor->outputs[i], &record);
}

static int take_events(void *context, void *data, size_t size)
{
	struct monitor *monitor = context;

	return batch_add(monitor->batch, data, size / sizeof(struct monitor_event)) ? 0 :
										      -ECANCELED;
}

static void hand_out_batch(struct monitor *monitor)
{
	const struct monitor_event *event;
	size_t i;

	/* The states of a flow have other clocks than its end: these come as they were read. */
	if (!monitor->options->programs.config.states)
		batch_sort(monitor->batch);
	for (i = 0; i < batch_count(monitor->batch); i++) {
		event = batch_at(monitor->batch, i);
		if (event->kind == MONITOR_STATE_CHANGED) {
			hand_out_state(monitor, event);
		} else {
			monitor->report->received++;
			hand_out(monitor, event, 0);
		}
	}
}

static void take_open(const struct monitor_event *event, void *context)
{
	struct monitor *monitor = context;

	if (event->now - event->start < monitor->least)
		return;
	++*(monitor->mark == FLOW_OPEN ? &monitor->report->open : &monitor->report->interim);
	hand_out(monitor, event, monitor->mark);
}

static int report_open(struct monitor *monitor, uint8_t mark, uint64_t least)
{
	monitor->mark = mark;
	monitor->least = least;
	return search_read(programs_skel(monitor->programs), take_open, monitor);
}

static int add_output(struct monitor *monitor, struct record_output *output,
		      enum monitor_output which)
{
	output->delivered = &monitor->report->delivered[which];
	output->lost = &monitor->report->lost[which];
	output->held = &monitor->report->held[which];
	monitor->report->outputs |= 1ULL << which;
	monitor->outputs[monitor->output_count++] = output;
	return 0;
}

static int open_outputs(struct monitor *monitor)
{
	const struct monitor_options *options = monitor->options;
	struct record_output *output;
	int err = 0;

	if (options->send) {
		err = output_udp_open(&options->udp, &output);
		if (err)
			return err;
		add_output(monitor, output, MONITOR_OUTPUT_UDP);
	}
	if (!options->print)
		return 0;
	err = options->json ? output_json_open(&output) : output_text_open(&output);
	return err ? err :
		     add_output(monitor, output,
				options->json ? MONITOR_OUTPUT_JSON : MONITOR_OUTPUT_TEXT);
}

static int map_report(struct monitor *monitor)
{
	void *memory = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			    programs_report(monitor->programs), 0);

	if (memory == MAP_FAILED)
		return ecbpf_fail(-errno, "report: %m");
	monitor->report = memory;
	snprintf(monitor->report->hook, sizeof(monitor->report->hook), "%s",
		 programs_hook(monitor->programs));
	monitor->report->max_flows = monitor->options->programs.max_flows;
	monitor->report->ring = monitor->options->programs.ring;
	return 0;
}

/* Without pins all works but --status. */
static void open_instance(struct monitor *monitor)
{
	if (ecbpf_instance_open("tcp_monitor", &monitor->instance))
		return;
	if (!ecbpf_instance_pin(monitor->instance, programs_report(monitor->programs), "report"))
		ecbpf_instance_pin(monitor->instance, programs_percpu(monitor->programs), "percpu");
}

static void update_report(struct monitor *monitor)
{
	uint64_t first, rescuer;

	programs_misses(monitor->programs, &first, &rescuer);
	monitor->report->missed_first = first;
	monitor->report->missed_rescuer = rescuer;
}

/* True if there is more than one turn takes. */
static bool consume(struct monitor *monitor)
{
	return ring_buffer__consume(monitor->ring) == -ECANCELED;
}

/* True if the turn was cut short. */
static bool drain(struct monitor *monitor)
{
	uint64_t now = ecbpf_clock(CLOCK_MONOTONIC);
	bool more;

	batch_clear(monitor->batch);
	note_epoch(monitor);
	more = consume(monitor);
	/* There is room now. */
	if (now >= monitor->put) {
		monitor->left = programs_put_gathered(monitor->programs);
		monitor->put = now + PUT_NS;
		if (!more)
			more = consume(monitor);
	}
	hand_out_batch(monitor);
	return more;
}

/* Until nothing is in the ring, nor on its way there. */
static void drain_all(struct monitor *monitor)
{
	const uint64_t until = ecbpf_clock(CLOCK_MONOTONIC) + PUT_MOST_NS;
	bool more;

	do {
		monitor->put = 0;
		more = drain(monitor);
		if (monitor->left)
			sched_yield();
	} while (more || (monitor->left && ecbpf_clock(CLOCK_MONOTONIC) < until));
}

/* Once around, as long as nothing could be lost to what is put there. */
static void touch_ring(struct monitor *monitor)
{
	uint64_t ring = monitor->options->programs.ring, step = MONITOR_TOUCHED_PAGES * 4096, at;

	for (at = 0; step <= ring / 8 && at < ring; at += step) {
		if (programs_touch_ring(monitor->programs))
			return;
		drain(monitor);
	}
}

static void tick(struct monitor *monitor)
{
	uint64_t now = ecbpf_clock(CLOCK_MONOTONIC);
	size_t i;

	for (i = 0; i < monitor->output_count; i++)
		monitor->outputs[i]->calls->tick(monitor->outputs[i], now);
}

static uint64_t wait_ns(const struct monitor_options *options)
{
	bool sooner = options->send && options->udp.flush_ms < DRAIN_MS;

	return (sooner ? options->udp.flush_ms : DRAIN_MS) * NS_PER_MS;
}

static bool all_gone(const struct monitor *monitor)
{
	size_t i;

	for (i = 0; i < monitor->output_count; i++)
		if (!monitor->outputs[i]->gone)
			return false;
	return true;
}

static int read_until_told(struct monitor *monitor)
{
	const struct monitor_options *options = monitor->options;
	int ready = ring_buffer__epoll_fd(monitor->ring);
	uint64_t now = ecbpf_clock(CLOCK_MONOTONIC), update = now,
		 interim = now + options->interval;
	uint64_t sweep = now + SWEEP_NS;
	bool more = false;

	while (!ecbpf_interrupted()) {
		/* Readers that are gone, all of them, end us too. */
		if (all_gone(monitor))
			return -EIO;
		if (!more)
			ecbpf_interrupt_wait(ready, wait_ns(options));
		more = drain(monitor);
		tick(monitor);
		now = ecbpf_clock(CLOCK_MONOTONIC);
		if (now >= update) {
			update_report(monitor);
			update = now + NS_PER_S;
		}
		if (now >= sweep) {
			search_unseen(programs_skel(monitor->programs));
			sweep = now + SWEEP_NS;
		}
		if (options->interval && now >= interim) {
			if (report_open(monitor, FLOW_INTERIM, options->interval))
				return -EIO;
			interim += (now - interim) / options->interval * options->interval +
				   options->interval;
		}
	}
	return 0;
}

static int finish(struct monitor *monitor)
{
	int err = 0;
	size_t i;

	update_report(monitor);
	/* Room for what that puts into the ring. What ends from now on is as good as open. */
	drain(monitor);
	search_unseen(programs_skel(monitor->programs));
	programs_detach(monitor->programs);
	for (i = 0; i < monitor->output_count; i++)
		monitor->outputs[i]->last = true;
	drain_all(monitor);
	if (monitor->options->flush_open) {
		/* Or it would have neither kind of record. */
		search_unseen(programs_skel(monitor->programs));
		drain_all(monitor);
		err = report_open(monitor, FLOW_OPEN, 0);
	}
	for (i = 0; i < monitor->output_count; i++)
		monitor->outputs[i]->calls->close(monitor->outputs[i]);
	monitor->output_count = 0;
	return err;
}

static int show_summary(struct monitor *monitor)
{
	struct counts counts;
	int err = counts_read(programs_percpu(monitor->programs), &counts);

	if (err)
		return err;
	return monitor->options->json ? counts_print_json_line(&counts, monitor->report) :
					counts_print_line(&counts, monitor->report);
}

static int run(struct monitor *monitor)
{
	int err = map_report(monitor), left_out;

	if (!err)
		err = batch_new(&monitor->batch);
	if (!err)
		err = open_outputs(monitor);
	if (err)
		return err;
	monitor->ring =
		ring_buffer__new(programs_events(monitor->programs), take_events, monitor, NULL);
	if (!monitor->ring)
		return ecbpf_fail(-errno, "ring buffer: %m");
	touch_ring(monitor);
	open_instance(monitor);
	left_out = search_open(programs_skel(monitor->programs));
	if (left_out < 0)
		return left_out;
	monitor->report->left_out = left_out;
	monitor->report->began = ecbpf_clock(CLOCK_REALTIME);
	err = read_until_told(monitor);
	err = finish(monitor) ?: err;
	/* What is lost is told above all where something failed. */
	return show_summary(monitor) ?: err;
}

int monitor_run(struct monitor_options *options)
{
	struct monitor monitor = { .options = options };
	struct filter filter;
	size_t i;
	int err = filter_parse(&options->terms, &options->netns, &filter);

	signal(SIGPIPE, SIG_IGN);
	ecbpf_interrupt_hold();
	if (!err) {
		filter_configure(&filter, &options->programs.config);
		options->programs.config.wakeup = options->programs.ring / 2;
		if (options->programs.ring >= ASK_SELDOM_RING)
			options->programs.config.wakeup_mask = ASK_SELDOM_RECORDS - 1;
		err = programs_open(&options->programs, &filter, &monitor.programs);
	}
	filter_free(&filter);
	if (err)
		return err;
	err = run(&monitor);
	for (i = 0; i < monitor.output_count; i++)
		monitor.outputs[i]->calls->close(monitor.outputs[i]);
	ring_buffer__free(monitor.ring);
	batch_free(monitor.batch);
	ecbpf_instance_close(monitor.instance);
	if (monitor.report)
		munmap(monitor.report, sysconf(_SC_PAGESIZE));
	programs_close(monitor.programs);
	return err;
}

void monitor_options_free(struct monitor_options *options)
{
	ecbpf_strings_free(&options->terms);
	ecbpf_strings_free(&options->netns);
}
