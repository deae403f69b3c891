// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "instance.h"

static int open_map(struct ecbpf_root *root, const char *name, int *fd)
{
	*fd = ecbpf_slot_map_open(root, ECBPF_SLOT_FIREWALL, name);
	return *fd < 0 ? *fd : 0;
}

static int open_view(struct ecbpf_root *root, const char *name, size_t value_size, bool writable,
		     struct map_view *view)
{
	int fd, err = open_map(root, name, &fd);

	if (err)
		return err;
	err = map_view_open(fd, writable, view);
	close(fd);
	return !err && view->value_size != value_size ? -EPROTO : err;
}

static int open_all(struct ecbpf_root *root, bool writable, struct fw_instance *instance)
{
	uint32_t zero = 0;
	int config = -1, err;

	err = open_map(root, "config", &config);
	if (!err && bpf_map_lookup_elem(config, &zero, &instance->settings))
		err = -errno;
	if (config >= 0)
		close(config);
	if (!err)
		err = open_view(root, "listing", sizeof(struct fw_listing), false, &instance->listing) ?:
			      open_view(root, "names", sizeof(struct fw_name), false, &instance->names) ?:
			      open_view(root, "texts", sizeof(__u64), false, &instance->texts) ?:
			      open_view(root, "hits_base", sizeof(struct fw_hits), writable,
					&instance->hits_base);
	return err						       ?:
		       open_map(root, "hits", &instance->hits)	       ?:
		       open_map(root, "log_ring", &instance->log_ring) ?:
		       open_map(root, "log_control", &instance->log_control);
}

int fw_instance_open(struct ecbpf_root *root, bool writable, struct fw_instance *instance)
{
	int err;

	memset(instance, 0, sizeof(*instance));
	instance->hits = instance->log_ring = instance->log_control = -1;
	err = open_all(root, writable, instance);
	if (!err && instance->settings.rules > instance->listing.entries)
		err = -EPROTO;
	if (!err)
		return 0;
	fw_instance_close(instance);
	if (err == -ENOENT && !ecbpf_slot_program_id(root, ECBPF_SLOT_FIREWALL))
		return err;
	return ecbpf_root_gone(root) || err == -ENOENT ? -ESTALE : err;
}

static int look(struct ecbpf_root *root, void *instance)
{
	return fw_instance_open(root, false, instance);
}

int fw_instance_look(const char *interface, enum ecbpf_which which, struct fw_instance *instance)
{
	return ecbpf_root_look(interface, which, look, instance);
}

void fw_instance_close(struct fw_instance *instance)
{
	int *const fds[] = { &instance->hits, &instance->log_ring, &instance->log_control };
	size_t i;

	map_view_close(&instance->listing);
	map_view_close(&instance->names);
	map_view_close(&instance->texts);
	map_view_close(&instance->hits_base);
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

const char *fw_instance_name(const struct fw_instance *instance, uint32_t rule)
{
	return ((const struct fw_name *)instance->names.data)[rule].text;
}

static const struct fw_listing *listing_of(const struct fw_instance *instance, uint32_t rule)
{
	return (const struct fw_listing *)instance->listing.data + rule;
}

const char *fw_instance_text(const struct fw_instance *instance, uint32_t rule, size_t *length)
{
	*length = listing_of(instance, rule)->length;
	return (const char *)instance->texts.data + listing_of(instance, rule)->text;
}

enum fw_action fw_instance_action(const struct fw_instance *instance, uint32_t rule)
{
	return listing_of(instance, rule)->action;
}

/* What the kernel counted. */
static int raw_hits(const struct fw_instance *instance, uint32_t rule, struct fw_hits *sum)
{
	int cpus = libbpf_num_possible_cpus(), i;
	struct fw_hits *values = calloc(cpus > 0 ? cpus : 1, sizeof(*values));
	int err = values && cpus > 0 ? 0 : -ENOMEM;

	if (!err && bpf_map_lookup_elem(instance->hits, &rule, values))
		err = -errno;
	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < cpus && !err; i++) {
		sum->matched += values[i].matched;
		sum->dropped += values[i].dropped;
	}
	free(values);
	return err;
}

int fw_instance_hits(const struct fw_instance *instance, uint32_t rule, struct fw_hits *hits)
{
	const struct fw_hits *base = (const struct fw_hits *)instance->hits_base.data + rule;
	int err = raw_hits(instance, rule, hits);

	hits->matched += base->matched;
	hits->dropped += base->dropped;
	return err;
}

int fw_instance_reset(struct fw_instance *instance)
{
	struct fw_hits *base = instance->hits_base.data, now;
	uint32_t rule;
	int err = 0;

	for (rule = 0; rule < instance->settings.rules && !err; rule++) {
		err = raw_hits(instance, rule, &now);
		base[rule].matched = -now.matched;
		base[rule].dropped = -now.dropped;
	}
	return err;
}

uint64_t fw_instance_remaining(const struct fw_instance *instance)
{
	uint64_t ns = ecbpf_clock(CLOCK_BOOTTIME);

	if (ns >= instance->settings.expires)
		return 0;
	return (instance->settings.expires - ns + 999999999) / 1000000000;
}
