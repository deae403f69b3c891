// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

/**
 * struct batch
 * @order: of @events, by time once it is sorted
 * @last: time of the event before
 * @mixed: some event is earlier than that before it
 */
struct batch {
	size_t count;
	__u64 last;
	bool mixed;
	const struct monitor_event *order[BATCH_MAX];
	struct monitor_event events[BATCH_MAX];
};

int batch_new(struct batch **batch)
{
	*batch = calloc(1, sizeof(**batch));
	return *batch ? 0 : ecbpf_fail(-ENOMEM, "out of memory");
}

void batch_free(struct batch *batch)
{
	free(batch);
}

void batch_clear(struct batch *batch)
{
	batch->count = 0;
	batch->last = 0;
	batch->mixed = false;
}

bool batch_add(struct batch *batch, const struct monitor_event *events, size_t count)
{
	size_t i;

	for (i = 0; i < count && batch->count < BATCH_MAX; i++) {
		struct monitor_event *event = &batch->events[batch->count];

		memcpy(event, &events[i], sizeof(*event));
		batch->order[batch->count++] = event;
		batch->mixed |= event->now < batch->last;
		batch->last = event->now;
	}
	return batch->count + MONITOR_GATHERED <= BATCH_MAX;
}

size_t batch_count(const struct batch *batch)
{
	return batch->count;
}

static int compare(const void *left, const void *right)
{
	const struct monitor_event *one = *(const struct monitor_event *const *)left;
	const struct monitor_event *other = *(const struct monitor_event *const *)right;

	if (one->now != other->now)
		return one->now < other->now ? -1 : 1;
	return one < other ? -1 : one > other;
}

void batch_sort(struct batch *batch)
{
	if (batch->mixed)
		qsort(batch->order, batch->count, sizeof(batch->order[0]), compare);
	batch->mixed = false;
}

const struct monitor_event *batch_at(const struct batch *batch, size_t index)
{
	return batch->order[index];
}
