// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Samples of drops as text. */
#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "instance.h"

/* How long a poll waits before it looks whether it was interrupted, ms. */
#define POLL_MS 200

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

	if (size < sizeof(*record))
		return 0;
	fprintf(stderr, "%s: rule %u", (const char *)context, record->rule + 1);
	if (record->name[0])
		fprintf(stderr, " \"%.*s\"", FW_NAME_MAX - 1, record->name);
	fprintf(stderr, "%s ", record->dry_run ? " would drop" : " dropped");
	print_end(record->family, record->saddr, record->sport, record->ports);
	fputs(" > ", stderr);
	print_end(record->family, record->daddr, record->dport, record->ports);
	fprintf(stderr, ", protocol %u, %u octets\n", record->protocol, record->length);
	return 0;
}

static int set_every(const struct fw_instance *instance, uint32_t every)
{
	struct fw_log_control control = { .every = every };
	uint32_t zero = 0;

	return bpf_map_update_elem(instance->log_control, &zero, &control, BPF_ANY) ? -errno : 0;
}

static int add_ring(struct ring_buffer **ring, const char *interface,
		    const struct fw_instance *instance)
{
	if (*ring)
		return ring_buffer__add(*ring, instance->log_ring, print_record, (void *)interface);
	*ring = ring_buffer__new(instance->log_ring, print_record, (void *)interface, NULL);
	return *ring ? 0 : -errno;
}

static int start(const char *interface, uint32_t every, struct fw_instance *instance,
		 struct ring_buffer **ring)
{
	int err = fw_instance_look(interface, instance);

	if (err == -ENOENT)
		return ecbpf_fail(err,
				  "%s: no firewall in slot %d; run 'xdp_fw --attach --rules FILE "
				  "--interface %s'",
				  interface, ECBPF_SLOT_FIREWALL, interface);
	if (err)
		return err;
	err = add_ring(ring, interface, instance) ?: set_every(instance, every);
	if (err) {
		fw_instance_close(instance);
		return ecbpf_fail(err, "%s: reading the log failed: %s", interface, strerror(-err));
	}
	return 0;
}

int fw_log(const struct ecbpf_strings *interfaces, uint32_t every)
{
	struct fw_instance *instances = calloc(interfaces->count, sizeof(*instances));
	struct ring_buffer *ring = NULL;
	size_t i, started = 0;
	int err = instances ? 0 : -ENOMEM;

	ecbpf_interrupt_catch();
	for (; started < interfaces->count && !err; started += !err)
		err = start(interfaces->items[started], every, &instances[started], &ring);
	while (!err && !ecbpf_interrupted()) {
		err = ring_buffer__poll(ring, POLL_MS);
		if (err > 0 || err == -EINTR)
			err = 0;
	}
	for (i = 0; i < started; i++) {
		set_every(&instances[i], 0);
		fw_instance_close(&instances[i]);
	}
	ring_buffer__free(ring);
	free(instances);
	return err;
}
