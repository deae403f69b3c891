// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Repetition until the user has seen enough. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <ecbpf/tool.h>

#include "clock.h"

#define HOME_AND_CLEAR "\033[H\033[J"

static volatile sig_atomic_t interrupted;

static void note_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

void ecbpf_interrupt_catch(void)
{
	struct sigaction action = { .sa_handler = note_interrupt }, before;

	interrupted = 0;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* nohup(1) has it ignored. */
	if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

bool ecbpf_interrupted(void)
{
	return interrupted;
}

static void caught_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

void ecbpf_interrupt_hold(void)
{
	sigset_t caught;

	ecbpf_interrupt_catch();
	caught_signals(&caught);
	sigprocmask(SIG_BLOCK, &caught, NULL);
}

/* Hold the signals back; @mask lets them through, @before is what it was. */
static void hold_signals(sigset_t *mask, sigset_t *before)
{
	sigset_t caught;

	caught_signals(&caught);
	sigprocmask(SIG_BLOCK, &caught, before);
	*mask = *before;
	sigdelset(mask, SIGINT);
	sigdelset(mask, SIGTERM);
	sigdelset(mask, SIGHUP);
}

void ecbpf_interrupt_wait(int fd, uint64_t nanoseconds)
{
	struct timespec rest = { nanoseconds / NS_PER_S, nanoseconds % NS_PER_S };
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	sigset_t mask, before;

	hold_signals(&mask, &before);
	if (!interrupted)
		ppoll(&readable, 1, &rest, &mask);
}

bool ecbpf_output_wait(void)
{
	struct pollfd writable = { .fd = STDOUT_FILENO, .events = POLLOUT };
	const struct timespec none = {};
	sigset_t mask, before;
	int ready;

	hold_signals(&mask, &before);
	do
		ready = ppoll(&writable, 1, interrupted ? &none : NULL, &mask);
	while (ready < 0 && errno == EINTR);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ready > 0;
}

/* The signals get through only inside ppoll(), so that none is missed just before it. */
static void sleep_until(int64_t when)
{
	sigset_t caught, before;
	struct timespec rest;
	int64_t left;

	caught_signals(&caught);
	sigprocmask(SIG_BLOCK, &caught, &before);
	while (!interrupted && (left = when - monotonic_now()) > 0) {
		rest = (struct timespec){ left / NS_PER_S, left % NS_PER_S };
		ppoll(NULL, 0, &rest, &before);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int repeat(uint64_t interval, ecbpf_watch_callback callback, void *context, bool clear)
{
	int64_t next, began, late, last = 0;
	int err;

	if (!interval)
		return ecbpf_fail(-EINVAL, "an interval of zero can't be watched");
	ecbpf_interrupt_catch();
	next = monotonic_now();
	while (!interrupted) {
		if (clear)
			fputs(HOME_AND_CLEAR, stdout);
		began = monotonic_now();
		err = callback(last ? (double)(began - last) / NS_PER_S : 0, context);
		if (err)
			return err;
		/* For ecbpf_output_finish() to tell. */
		if (fflush(stdout) == EOF && !interrupted)
			return -EIO;
		last = began;
		late = monotonic_now() - next;
		next += late / (int64_t)interval * interval + interval;
		sleep_until(next);
	}
	return 0;
}

int ecbpf_watch(uint64_t interval, ecbpf_watch_callback callback, void *context)
{
	return repeat(interval, callback, context, isatty(STDOUT_FILENO));
}

int ecbpf_watch_lines(uint64_t interval, ecbpf_watch_callback callback, void *context)
{
	return repeat(interval, callback, context, false);
}

double ecbpf_rate(uint64_t before, uint64_t now, double seconds)
{
	return now > before && seconds > 0 ? (now - before) / seconds : 0;
}

const char *ecbpf_rate_format(const uint64_t *before, uint64_t now, double seconds,
			      char text[ECBPF_RATE_MAX])
{
	if (!before)
		return "-";
	snprintf(text, ECBPF_RATE_MAX, "%.0f", ecbpf_rate(*before, now, seconds));
	return text;
}
