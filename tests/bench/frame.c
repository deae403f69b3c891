// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Frames and probes that several suites use. */
#include "bench.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "bare.skel.h"

#define SOURCE4_OFFSET (14 + 12)
#define SOURCE6_OFFSET (14 + 8)

void bench_frame_build(const struct layer *layers, struct bench_frame *frame)
{
	static uint8_t octets[FRAME_MAX];

	frame->size = frame_build(layers, octets);
	assert(frame->size <= sizeof(frame->octets));
	memcpy(frame->octets, octets, frame->size);
}

void bench_tcp_frame(unsigned int family, const void *source, struct bench_frame *frame)
{
	const struct layer layers4[] = { ETHER(), IPV4(), TCP(), OCTETS(10), {} };
	const struct layer layers6[] = { ETHER(), IPV6(), TCP(), OCTETS(4), {} };

	bench_frame_build(family == 4 ? layers4 : layers6, frame);
	if (source && family == 4)
		memcpy(frame->octets + SOURCE4_OFFSET, source, 4);
	else if (source)
		memcpy(frame->octets + SOURCE6_OFFSET, source, 16);
}

struct probe bench_probe(int program, const struct bench_frame *frame, uint32_t action)
{
	return (struct probe){ program, frame->octets, frame->size, action };
}

struct probe bench_bare(const struct bench *bench, const struct bench_frame *frame)
{
	return bench_probe(bpf_program__fd(bench->bare->progs.bare_pass), frame, XDP_PASS);
}

const char *bench_count_text(size_t count, char text[32])
{
	if (count >= 1000000)
		snprintf(text, 32, "%zu %03zu %03zu", count / 1000000, count / 1000 % 1000,
			 count % 1000);
	else if (count >= 1000)
		snprintf(text, 32, "%zu %03zu", count / 1000, count % 1000);
	else
		snprintf(text, 32, "%zu", count);
	return text;
}
