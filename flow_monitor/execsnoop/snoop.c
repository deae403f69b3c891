// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From the ring to standard output. */
#include "snoop.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <json-c/json.h>

#include <ecbpf/host.h>
#include <ecbpf/tool.h>

#include "execsnoop.h"
#include "execsnoop.skel.h"

#define WAIT_NS 100000000ULL

struct snoop {
	const struct snoop_options *options;
	uint64_t told;
	uint64_t unread;
};

static uint64_t wall_clock(uint64_t monotonic)
{
	return monotonic + ecbpf_clock(CLOCK_REALTIME) - ecbpf_clock(CLOCK_MONOTONIC);
}

/* Status as a shell has it: 128 and more for a signal. */
static unsigned int status_of(const struct snoop_event *event)
{
	unsigned int signal = event->exit_code & 0x7f;

	return signal ? 128 + signal : event->exit_code >> 8 & 0xff;
}

static void print_text(const struct snoop_event *event)
{
	char time[ECBPF_TIME_MAX], name[SNOOP_NAME_MAX];
	uint32_t i;

	printf("%s %-4s %7u %7u %6u %-15s", ecbpf_time_iso(wall_clock(event->monotonic), time),
	       event->kind == SNOOP_EXIT ? "exit" : "exec", event->pid, event->ppid, event->uid,
	       ecbpf_text_printable(event->name, name, sizeof(name)));
	if (event->kind == SNOOP_EXIT)
		printf(" %u", status_of(event));
	for (i = 0; i < event->args_length; i++) {
		if (!i || !event->args[i - 1])
			putchar(' ');
		if (event->args[i])
			putchar(isprint((unsigned char)event->args[i]) ? event->args[i] : '?');
	}
	puts(event->args_total > event->args_length ? "..." : "");
}

static struct json_object *json_args(const struct snoop_event *event)
{
	struct json_object *array = json_object_new_array();
	const char *at = event->args, *end = event->args + event->args_length;
	size_t length;

	for (; at < end; at += length + 1) {
		length = strnlen(at, end - at);
		json_object_array_add(array, ecbpf_json_text(at, length));
	}
	return array;
}

static int print_json(const struct snoop_event *event)
{
	struct json_object *json = json_object_new_object();
	uint64_t time = wall_clock(event->monotonic);
	bool ended = event->kind == SNOOP_EXIT;

	json_object_object_add(json, "event", json_object_new_string(ended ? "exit" : "exec"));
	json_object_object_add(json, "time", ecbpf_json_time(time));
	json_object_object_add(json, "time_ns", json_object_new_uint64(time));
	json_object_object_add(json, "pid", json_object_new_uint64(event->pid));
	json_object_object_add(json, "ppid", json_object_new_uint64(event->ppid));
	json_object_object_add(json, "uid", json_object_new_uint64(event->uid));
	json_object_object_add(json, "name", ecbpf_json_text(event->name, sizeof(event->name)));
	if (ended) {
		json_object_object_add(json, "status", json_object_new_uint64(status_of(event)));
		return ecbpf_json_line(stdout, json);
	}
	json_object_object_add(json, "args", json_args(event));
	json_object_object_add(json, "args_cut",
			       json_object_new_boolean(event->args_total > event->args_length));
	return ecbpf_json_line(stdout, json);
}

static int take(void *context, void *data, size_t size)
{
	struct snoop *snoop = context;
	int err = 0;

	if (size < sizeof(struct snoop_event))
		return 0;
	/* Told to end while nobody reads: what is still in the ring is counted. */
	if (!ecbpf_output_wait()) {
		snoop->unread++;
		return 0;
	}
	if (snoop->options->json)
		err = print_json(data);
	else
		print_text(data);
	fflush(stdout);
	snoop->told++;
	return err || snoop->told == snoop->options->count ? -ECANCELED : 0;
}

static void tell_lost(uint64_t lost, const char *why)
{
	if (lost)
		ecbpf_log(ECBPF_LOG_WARNING, "%" PRIu64 " events were lost, as %s", lost, why);
}

static int read_events(const struct snoop_options *options, struct execsnoop_bpf *skel)
{
	struct snoop snoop = { .options = options };
	struct ring_buffer *ring;
	int done = 0;

	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), take, &snoop, NULL);
	if (!ring)
		return ecbpf_fail(-errno, "ring buffer: %m");
	if (!options->json) {
		printf("%-20s %-4s %7s %7s %6s %-15s %s\n", "TIME", "WHAT", "PID", "PPID", "UID",
		       "NAME", "ARGUMENTS");
		fflush(stdout);
	}
	while (done != -ECANCELED && !ecbpf_interrupted() && !ferror(stdout)) {
		ecbpf_interrupt_wait(ring_buffer__epoll_fd(ring), WAIT_NS);
		done = ring_buffer__consume(ring);
	}
	execsnoop_bpf__detach(skel);
	if (done != -ECANCELED && !ferror(stdout))
		ring_buffer__consume(ring);
	ring_buffer__free(ring);
	tell_lost(skel->bss->lost, "the ring was full");
	tell_lost(snoop.unread, "nobody read them");
	return 0;
}

static int explain(int err)
{
	if ((err == -EPERM || err == -EACCES) && *ecbpf_capabilities_missing())
		return ecbpf_capabilities_check("watching processes");
	return ecbpf_fail(-EOPNOTSUPP, "watching processes: %s; --debug tells why", strerror(-err));
}

int snoop_run(const struct snoop_options *options)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = options->btf);
	struct execsnoop_bpf *skel;
	int err = ecbpf_btf_check(options->btf);

	if (err)
		return err;
	ecbpf_interrupt_hold();
	skel = execsnoop_bpf__open_opts(&opts);
	if (!skel)
		return explain(-errno);
	bpf_program__set_autoload(skel->progs.ended, options->exits);
	err = execsnoop_bpf__load(skel);
	if (!err)
		err = execsnoop_bpf__attach(skel);
	err = err ? explain(err) : read_events(options, skel);
	execsnoop_bpf__destroy(skel);
	return err;
}
