// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <ecbpf/ecbpf.h>

#include "testbed.h"

/* Headers of libbpf 1.1 come with older ones of the kernel. */
#define LIVE_FRAMES (1U << 1)
#define BATCH	    64

#define SEND_INTERFACE "send0"
#define SEND_PEER      "send1"

#define MILLION 1e6

static int send_frames(const struct sender *sender, const struct bench_frame *frame,
		       unsigned long count)
{
	struct xdp_md context = {
		.data_end = frame->size,
		.ingress_ifindex = if_nametoindex(sender->from),
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->octets,
		    .data_size_in = frame->size, .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .repeat = count, .flags = LIVE_FRAMES, .batch_size = BATCH);

	return bpf_prog_test_run_opts(sender->program, &options);
}

int live_unsupported(const struct sender *sender, const struct bench_frame *frame)
{
	int err = send_frames(sender, frame, 1);

	return err == -EINVAL || err == -E2BIG;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

int live_rate(const struct sender *sender, const struct bench_frame *frame, unsigned long count,
	      double *rate)
{
	uint32_t before, after;
	double began, ended;
	int err;

	err = testbed_received(sender->to, &before);
	if (err)
		return err;
	testbed_undisturbed_begin();
	began = now();
	err = send_frames(sender, frame, count);
	ended = now();
	testbed_undisturbed_end();
	if (err)
		return ecbpf_fail(err, "sending live frames: %s", strerror(-err));
	err = testbed_received(sender->to, &after);
	*rate = (uint32_t)(after - before) / (ended - began) / MILLION;
	return err;
}

int live_attach_sender(int program)
{
	return testbed_attach(SEND_INTERFACE, SEND_PEER, program);
}

void live_detach_sender(void)
{
	testbed_delete(SEND_INTERFACE);
}
