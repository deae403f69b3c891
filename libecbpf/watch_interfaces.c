// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Repeated pictures of what runs on several interfaces. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <ecbpf/tool.h>

#include "clock.h"

/* @states: of the picture before, one after the other. */
struct watched {
	const struct ecbpf_strings *names;
	const struct ecbpf_watch_work *work;
	char *states;
};

static void *state_of(const struct watched *watched, size_t i)
{
	return watched->states + i * watched->work->size;
}

static int draw(double seconds, void *context)
{
	struct watched *watched = context;
	char text[ECBPF_TIME_MAX];
	int err = 0;
	size_t i;

	printf("%s\n", ecbpf_time_mail(ecbpf_clock(CLOCK_REALTIME) / NS_PER_S * NS_PER_S, text));
	for (i = 0; i < watched->names->count && !err; i++)
		err = watched->work->draw(watched->names->items[i], state_of(watched, i), seconds);
	if (!watched->names->count)
		puts("\nNo interface has a root array.");
	putchar('\n');
	return err;
}

static int watch_all(struct watched *watched, uint64_t interval)
{
	size_t i;
	int err;

	watched->states = calloc(watched->names->count + 1, watched->work->size);
	if (!watched->states)
		return ecbpf_fail(-ENOMEM, "out of memory");
	err = ecbpf_watch(interval, draw, watched);
	for (i = 0; i < watched->names->count; i++)
		watched->work->forget(state_of(watched, i));
	free(watched->states);
	return err;
}

int ecbpf_watch_interfaces(const struct ecbpf_strings *interfaces, uint64_t interval,
			   const struct ecbpf_watch_work *work)
{
	struct ecbpf_strings names;
	struct watched watched = { .names = &names, .work = work };
	int err = ecbpf_interfaces_or_all(interfaces, &names);

	if (err)
		return err;
	err = watch_all(&watched, interval);
	ecbpf_strings_free(&names);
	return err;
}
