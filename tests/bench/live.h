/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frames that are really sent, by BPF_PROG_TEST_RUN and XDP_TX. */
#ifndef BENCH_LIVE_H
#define BENCH_LIVE_H

#include <stdbool.h>

#include "bench.h"

/**
 * struct sender - a program that returns XDP_TX, run as if frames had come in at @from: they leave
 * there, and arrive at @to
 */
struct sender {
	int program;
	const char *from;
	const char *to;
};

/* 1: this kernel can't (5.18 and later can). */
int live_unsupported(const struct sender *sender, const struct bench_frame *frame);

/* @rate: out: million frames a second that the other end took. */
int live_rate(const struct sender *sender, const struct bench_frame *frame, unsigned long count,
	      double *rate);

/*
 * What sends is attached to an interface that nothing comes in at: to run a program that is
 * attached nowhere, the kernel makes room for a direct call, and waits several ms for that.
 */
int live_attach_sender(int program);
void live_detach_sender(void);

#endif
