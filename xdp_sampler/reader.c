// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads the rings of several interfaces and hands what is wanted to the outputs. */
#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "filter.h"
#include "instance.h"
#include "taken.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL
/* So that a ring which fills as fast as it is read can't keep us from all else. */
#define TURN_RECORDS 16384
/* The programs wake nobody until a ring is a quarter full: so this bounds the delay. */
#define DRAIN_MS 10
#define TICK_NS	 (100 * NS_PER_MS)
#define CHECK_NS (2 * NS_PER_S)

/**
 * struct ring - of one interface
 * @lock: of the slot, whose holder is its ring's only reader
 * @id: of the ring's map
 * @counts: descriptor, of the programs' counts
 * @position: mapped, up to which it is consumed
 * @report: mapped value of "reader"
 * @before: the same when we began
 * @current: which of the report's "taken" holds
 * @filter: for what was not filtered in the kernel
 * @filtered: change of settings from which on the kernel does
 * @buffer: of its own, as one that is never empty would keep libbpf from the others
 * @turn: records taken since the other rings had theirs
 */
struct ring {
	struct sampler_interface interface;
	struct sampler_reader_handle *reader;
	int lock;
	uint32_t id;
	int counts;
	const uint64_t *position;
	struct sampler_reader *report;
	struct sampler_reader before;
	unsigned int current;
	struct sampler_filter *filter;
	uint32_t filtered;
	struct ring_buffer *buffer;
	uint32_t turn;
};

struct sampler_reader_handle {
	struct ring *rings;
	size_t count;
	struct sampler_interface *interfaces;
	struct sample_losses *losses;
	struct pollfd *waits;
	uint64_t epoch;
	const struct reader_wishes *wishes;
	struct sample_sink **sinks;
	size_t sink_count;
	uint64_t taken;
};

/* 0: it can't be told. */
static uint32_t map_id(int fd)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) ? 0 : info.id;
}

static int map_report(struct ecbpf_root *root, struct ring *ring)
{
	int fd = ecbpf_slot_map_open(root, ECBPF_SLOT_SAMPLER, "reader");
	void *memory;

	if (fd < 0)
		return fd;
	memory = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return -errno;
	ring->report = memory;
	return 0;
}

/* Count what a reader before us took and neither delivered nor lost; it is dead, as we have its lock. */
static void settle(struct ring *ring, uint64_t outputs)
{
	struct sampler_reader *report = ring->report;
	uint64_t position = __atomic_load_n(ring->position, __ATOMIC_ACQUIRE), wanted;
	int i;

	ring->current = taken_at(report, position);
	report->taken[ring->current].position = position;
	wanted = taken_wanted(&report->taken[ring->current]);
	for (i = 0; i < SAMPLER_OUTPUT_MAX; i++) {
		if (report->outputs >> i & 1)
			report->lost[i] = wanted - report->delivered[i] - report->unused[i];
		else
			report->unused[i] = wanted - report->delivered[i] - report->lost[i];
	}
	__atomic_store_n(&report->outputs, outputs, __ATOMIC_RELEASE);
	ring->before = *report;
}

/* libbpf moves the ring's position behind this record next, which makes @taken hold. */
static void count_taken(struct ring *ring, struct sampler_taken taken, size_t size)
{
	struct sampler_taken *next = &ring->report->taken[!ring->current];
	const uint64_t octets = (BPF_RINGBUF_HDR_SZ + size + 7) & ~7ULL;

	taken.received++;
	next->received = taken.received;
	next->unwanted = taken.unwanted;
	next->malformed = taken.malformed;
	__atomic_store_n(&next->position, taken.position + octets, __ATOMIC_RELEASE);
	ring->current = !ring->current;
}

static void take_wanted(struct sampler_reader_handle *reader, const struct sample *sample)
{
	size_t i;

	for (i = 0; i < reader->sink_count; i++) {
		if (reader->sinks[i]->ended)
			reader->sinks[i]->lost[sample->interface->index]++;
		else
			reader->sinks[i]->calls->take(reader->sinks[i], sample);
	}
	reader->taken++;
}

static bool enough(const struct sampler_reader_handle *reader)
{
	return reader->wishes->count && reader->taken >= reader->wishes->count;
}

static bool wanted(const struct ring *ring, const struct reader_wishes *wishes,
		   const struct sample *sample)
{
	if (wishes->actions && !(wishes->actions >> sample->action & 1))
		return false;
	if (wishes->slots && !(wishes->slots >> sample->slot & 1))
		return false;
	if (wishes->reasons && (sample->reason > 63 || !(wishes->reasons >> sample->reason & 1)))
		return false;
	return !ring->filter || sample->change >= ring->filtered ||
	       sampler_filter_match(ring->filter, sample->data, sample->length, sample->captured);
}

static int take_record(void *context, void *data, size_t size)
{
	struct ring *ring = context;
	struct sampler_reader_handle *reader = ring->reader;
	struct sampler_taken taken = ring->report->taken[ring->current];
	struct sample sample;

	if (sample_decode(data, size, reader->epoch, &ring->interface, &sample))
		taken.malformed++;
	else if (!wanted(ring, reader->wishes, &sample))
		taken.unwanted++;
	else
		take_wanted(reader, &sample);
	count_taken(ring, taken, size);
	return enough(reader) || ++ring->turn == TURN_RECORDS ? -ECANCELED : 0;
}

static int map_ring(struct ecbpf_root *root, struct ring *ring)
{
	int fd, err;

	ring->counts = ecbpf_slot_map_open(root, ECBPF_SLOT_SAMPLER, "counts");
	if (ring->counts < 0)
		return ring->counts;
	fd = ecbpf_slot_map_open(root, ECBPF_SLOT_SAMPLER, "samples");
	if (fd < 0)
		return fd;
	ring->id = map_id(fd);
	ring->position = sampler_ring_position(fd);
	err = ring->position ? map_report(root, ring) : -errno;
	if (!err) {
		ring->buffer = ring_buffer__new(fd, take_record, ring, NULL);
		err = ring->buffer ? 0 : -errno;
	}
	close(fd);
	return err;
}

static int open_ring(struct ecbpf_root *root, void *context)
{
	const char *name = ecbpf_root_interface(root);
	struct sampler_instance instance;
	struct ring *ring = context;
	int err;

	err = sampler_instance_read(root, &instance);
	if (err == -ENOENT)
		return ecbpf_fail(
			err,
			"%s: no sampler in slot %d; run 'xdp_sampler --attach --interface "
			"%s'",
			name, ECBPF_SLOT_SAMPLER, name);
	if (err)
		return err;
	snprintf(ring->interface.name, sizeof(ring->interface.name), "%s", name);
	ring->interface.index = ring - ring->reader->rings;
	ring->interface.ifindex = ecbpf_root_ifindex(root);
	ring->interface.mtu = ecbpf_mtu(name) > 0 ? ecbpf_mtu(name) : 0;
	/* Another ring comes with another slot folder: its lock is for this one. */
	ring->lock = ecbpf_slot_lock(root, ECBPF_SLOT_SAMPLER);
	if (ring->lock == -EBUSY)
		return ecbpf_fail(-EBUSY,
				  "%s: another xdp_sampler reads its samples; end that one first",
				  name);
	if (ring->lock == -ENOENT || ring->lock == -ESTALE)
		return -ESTALE;
	err = ring->lock < 0 ? ring->lock : map_ring(root, ring);
	if (err)
		return ecbpf_fail(err, "%s: reading the ring buffer failed: %s", name,
				  strerror(-err));
	return 0;
}

static int follow_filter(struct ecbpf_root *root, void *context)
{
	struct sampler_instance instance;
	struct ring *ring = context;
	int err = sampler_instance_read(root, &instance);

	if (err)
		return err;
	sampler_filter_free(ring->filter);
	ring->filter = NULL;
	if (!instance.filter[0])
		return 0;
	/* The ring may still have samples from before the filter. */
	ring->filtered = instance.config.filtered ? instance.config.change : UINT32_MAX;
	return sampler_filter_compile(instance.filter, instance.config.snaplen, &ring->filter);
}

int reader_follow(struct sampler_reader_handle *reader)
{
	size_t i;
	int err = 0;

	for (i = 0; i < reader->count && !err; i++) {
		err = ecbpf_root_look(reader->interfaces[i].name, ECBPF_LIVE, follow_filter,
				      &reader->rings[i]);
		if (err == -ENOENT)
			err = ecbpf_fail(-ENODEV, "%s: its sampler was detached; read again",
					 reader->interfaces[i].name);
	}
	return err;
}

int reader_open(const struct ecbpf_strings *interfaces, struct sampler_reader_handle **out)
{
	struct sampler_reader_handle *reader = calloc(1, sizeof(*reader));
	size_t i;
	int err = 0;

	if (!reader)
		return -ENOMEM;
	reader->rings = calloc(interfaces->count, sizeof(*reader->rings));
	reader->interfaces = calloc(interfaces->count, sizeof(*reader->interfaces));
	reader->losses = calloc(interfaces->count, sizeof(*reader->losses));
	reader->waits = calloc(interfaces->count, sizeof(*reader->waits));
	if (!reader->rings || !reader->interfaces || !reader->losses || !reader->waits)
		err = -ENOMEM;
	reader->epoch = ecbpf_clock(CLOCK_REALTIME) - ecbpf_clock(CLOCK_MONOTONIC);
	for (i = 0; i < interfaces->count && !err; i++) {
		reader->rings[i].lock = -1;
		reader->rings[i].counts = -1;
		reader->count = i + 1;
		reader->rings[i].reader = reader;
		err = ecbpf_root_look(interfaces->items[i], ECBPF_LIVE, open_ring,
				      &reader->rings[i]);
		reader->interfaces[i] = reader->rings[i].interface;
		if (!err)
			reader->waits[i] = (struct pollfd){
				.fd = ring_buffer__epoll_fd(reader->rings[i].buffer),
				.events = POLLIN,
			};
	}
	if (err) {
		reader_close(reader);
		return err;
	}
	*out = reader;
	return 0;
}

const struct sampler_interface *reader_interfaces(const struct sampler_reader_handle *reader,
						  size_t *count)
{
	*count = reader->count;
	return reader->interfaces;
}

static void read_losses(struct ring *ring, struct sample_losses *losses)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	struct sampler_counts *values = calloc(cpus > 0 ? cpus : 1, sizeof(*values));
	uint32_t zero = 0;

	if (cpus > 0 && values && !bpf_map_lookup_elem(ring->counts, &zero, values)) {
		memset(losses, 0, sizeof(*losses));
		for (cpu = 0; cpu < cpus; cpu++) {
			const uint64_t *one = (const uint64_t *)values[cpu].values;

			losses->pool += one[SAMPLER_COUNT_POOL];
			losses->picked += one[SAMPLER_COUNT_PICKED];
			losses->filtered += one[SAMPLER_COUNT_FILTERED];
			losses->lost += one[SAMPLER_COUNT_RING_FULL] + one[SAMPLER_COUNT_ABANDONED];
		}
	}
	free(values);
}

/* What the outputs counted, for --status; shared by all interfaces of this process. */
static void write_report(struct sampler_reader_handle *reader)
{
	size_t i, j;

	for (i = 0; i < reader->count; i++) {
		struct ring *ring = &reader->rings[i];

		for (j = 0; j < reader->sink_count; j++) {
			const struct sample_sink *sink = reader->sinks[j];

			ring->report->delivered[sink->output] =
				ring->before.delivered[sink->output] + sink->delivered[i];
			ring->report->lost[sink->output] =
				ring->before.lost[sink->output] + sink->lost[i];
		}
	}
}

/* Whether any output still wants samples. */
static bool tick(struct sampler_reader_handle *reader)
{
	uint64_t now = ecbpf_clock(CLOCK_REALTIME);
	bool wanted = false;
	size_t i;

	for (i = 0; i < reader->count; i++)
		read_losses(&reader->rings[i], &reader->losses[i]);
	for (i = 0; i < reader->sink_count; i++) {
		if (!reader->sinks[i]->ended)
			reader->sinks[i]->calls->tick(reader->sinks[i], now, reader->losses);
		wanted |= !reader->sinks[i]->ended;
	}
	write_report(reader);
	return wanted;
}

/* A turn for each ring; true if one of them was cut short. */
static bool read_rings(struct sampler_reader_handle *reader)
{
	bool more = false;
	size_t i;

	for (i = 0; i < reader->count && !enough(reader); i++) {
		reader->rings[i].turn = 0;
		more |= ring_buffer__consume(reader->rings[i].buffer) == -ECANCELED;
	}
	return more;
}

/* Whether the programs of the live generation still write to the rings that are read. */
static int check_rings(struct sampler_reader_handle *reader)
{
	struct ecbpf_root *root;
	uint32_t id = 0;
	size_t i;
	int fd, err;

	for (i = 0; i < reader->count; i++) {
		struct ring *ring = &reader->rings[i];

		err = ecbpf_root_open_readonly(ring->interface.name, ECBPF_LIVE, &root);
		if (err)
			return -ENODEV;
		fd = ecbpf_slot_map_open(root, ECBPF_SLOT_SAMPLER, "samples");
		id = fd < 0 ? 0 : map_id(fd);
		if (fd >= 0)
			close(fd);
		ecbpf_root_close(root);
		if (id != ring->id)
			return ecbpf_fail(-ENODEV,
					  "%s: its sampler was %s while it was read; read again",
					  ring->interface.name, id ? "attached anew" : "detached");
	}
	return 0;
}

/* What is left, unless more comes all the time. */
static void drain(struct sampler_reader_handle *reader)
{
	uint64_t end = ecbpf_clock(CLOCK_MONOTONIC) + NS_PER_S;

	while (read_rings(reader) && ecbpf_clock(CLOCK_MONOTONIC) < end)
		;
}

static int read_until_told(struct sampler_reader_handle *reader)
{
	uint64_t now = ecbpf_clock(CLOCK_MONOTONIC), next = now + TICK_NS, check = now + CHECK_NS;
	bool more = false;
	int err = 0;

	while (!ecbpf_interrupted() && !err) {
		if (!more)
			poll(reader->waits, reader->count, DRAIN_MS);
		more = read_rings(reader);
		if (enough(reader))
			return 0;
		now = ecbpf_clock(CLOCK_MONOTONIC);
		if (now < next)
			continue;
		next = now + TICK_NS;
		if (!tick(reader))
			return 0;
		if (now < check)
			continue;
		check = now + CHECK_NS;
		err = check_rings(reader);
	}
	drain(reader);
	return err;
}

int reader_run(struct sampler_reader_handle *reader, const struct reader_wishes *wishes,
	       struct sample_sink **sinks, size_t count)
{
	uint64_t outputs = 0;
	size_t i;
	int err;

	reader->wishes = wishes;
	reader->sinks = sinks;
	reader->sink_count = count;
	for (i = 0; i < count; i++)
		outputs |= 1ULL << sinks[i]->output;
	for (i = 0; i < reader->count; i++)
		settle(&reader->rings[i], outputs);
	tick(reader);
	err = read_until_told(reader);
	tick(reader);
	for (i = 0; i < count; i++)
		sinks[i]->calls->finish(sinks[i], reader->losses);
	write_report(reader);
	for (i = 0; i < count; i++)
		sinks[i]->calls->close(sinks[i]);
	return err;
}

void reader_close(struct sampler_reader_handle *reader)
{
	size_t i;

	if (!reader)
		return;
	for (i = 0; i < reader->count; i++) {
		struct ring *ring = &reader->rings[i];

		ring_buffer__free(ring->buffer);
		sampler_ring_unmap(ring->position);
		if (ring->report)
			munmap(ring->report, sysconf(_SC_PAGESIZE));
		if (ring->lock >= 0)
			close(ring->lock);
		if (ring->counts >= 0)
			close(ring->counts);
		sampler_filter_free(ring->filter);
	}
	free(reader->rings);
	free(reader->interfaces);
	free(reader->losses);
	free(reader->waits);
	free(reader);
}
