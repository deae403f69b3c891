// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Samples of drops as text. */
#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "instance.h"

/* How long a poll waits before it looks whether there is anything to wait for, ms. */
#define POLL_MS 200

/**
 * struct source - an interface whose drops are told
 * @lock: that of its slot, whose folder goes with the firewall; so nobody else takes records away
 * @since: ns of CLOCK_BOOTTIME: older records are of a log that was killed
 */
struct source {
	const char *interface;
	bool found;
	struct fw_instance instance;
	int lock;
	uint64_t since;
};

static void print_end(unsigned int family, const __be32 *address, __be16 port, bool ports)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(family == 4 ? AF_INET : AF_INET6, address, text, sizeof(text));
	if (!ports)
		fputs(text, stderr);
	else
		fprintf(stderr, family == 4 ? "%s:%u" : "[%s]:%u", text, ntohs(port));
}

static int print_record(void *context, void *data, size_t size)
{
	const struct fw_log_record *record = data;
	const struct source *source = context;

	if (size < sizeof(*record) || record->time < source->since)
		return 0;
	fprintf(stderr, "%s: rule %u", source->interface, record->rule + 1);
	if (record->name[0])
		fprintf(stderr, " \"%.*s\"", FW_NAME_MAX - 1, record->name);
	fprintf(stderr, "%s ", record->dry_run ? " would drop" : " dropped");
	print_end(record->family, record->saddr, record->sport, record->ports);
	fputs(" > ", stderr);
	print_end(record->family, record->daddr, record->dport, record->ports);
	fprintf(stderr, ", protocol %u, %u octets\n", record->protocol, record->length);
	return 0;
}

static int set_every(const struct source *source, uint32_t every)
{
	struct fw_log_control control = { .every = every };
	uint32_t zero = 0;

	return bpf_map_update_elem(source->instance.log_control, &zero, &control, BPF_ANY) ?
		       -errno :
		       0;
}

static int add_ring(struct ring_buffer **ring, struct source *source)
{
	if (*ring)
		return ring_buffer__add(*ring, source->instance.log_ring, print_record, source);
	*ring = ring_buffer__new(source->instance.log_ring, print_record, source, NULL);
	return *ring ? 0 : -errno;
}

static int open_source(struct ecbpf_root *root, void *context)
{
	struct source *source = context;
	int err = fw_instance_open(root, false, &source->instance);

	if (err)
		return err == -ENOENT ? 0 : err;
	source->lock = ecbpf_slot_lock(root, ECBPF_SLOT_FIREWALL);
	source->found = source->lock >= 0;
	if (source->found)
		return 0;
	fw_instance_close(&source->instance);
	if (source->lock == -EBUSY)
		return ecbpf_fail(-EBUSY, "%s: another xdp_fw logs its drops; end that one first",
				  source->interface);
	return source->lock == -ENOENT ? -ESTALE : source->lock;
}

static void close_source(struct source *source)
{
	if (!source->found)
		return;
	set_every(source, 0);
	fw_instance_close(&source->instance);
	close(source->lock);
}

static int start(struct source *source, uint32_t every, struct ring_buffer **ring)
{
	int err = ecbpf_root_look(source->interface, ECBPF_LIVE, open_source, source);

	if (err)
		return err;
	if (!source->found)
		return ecbpf_fail(-ENOENT,
				  "%s: no firewall in slot %d; run 'xdp_fw --attach --rules FILE "
				  "--interface %s'",
				  source->interface, ECBPF_SLOT_FIREWALL, source->interface);
	source->since = ecbpf_clock(CLOCK_BOOTTIME);
	err = add_ring(ring, source) ?: set_every(source, every);
	return err ? ecbpf_fail(err, "%s: reading the log failed: %s", source->interface,
				strerror(-err)) :
		     0;
}

/* Whether all that was to be read is still there, and somebody to read it. */
static int look_after(const struct source *sources, size_t count)
{
	struct stat folder;
	size_t i;

	if (ferror(stderr))
		return -EPIPE;
	for (i = 0; i < count; i++)
		if (fstat(sources[i].lock, &folder) || !folder.st_nlink)
			return ecbpf_fail(-ENOENT,
					  "%s: the firewall was taken away, or another generation "
					  "made live; start --log again",
					  sources[i].interface);
	return 0;
}

int fw_log(const struct ecbpf_strings *interfaces, uint32_t every)
{
	struct source *sources = calloc(interfaces->count, sizeof(*sources));
	struct ring_buffer *ring = NULL;
	size_t i, started = 0;
	int err = sources ? 0 : -ENOMEM;

	ecbpf_interrupt_catch();
	/* Whoever reads may go first, and the program is to stop recording even so. */
	signal(SIGPIPE, SIG_IGN);
	for (; started < interfaces->count && !err; started++) {
		sources[started].interface = interfaces->items[started];
		err = start(&sources[started], every, &ring);
	}
	while (!err && !ecbpf_interrupted()) {
		err = ring_buffer__poll(ring, POLL_MS);
		if (err >= 0 || err == -EINTR)
			err = look_after(sources, started);
	}
	for (i = 0; i < started; i++)
		close_source(&sources[i]);
	ring_buffer__free(ring);
	free(sources);
	return err;
}
