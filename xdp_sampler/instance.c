// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The sampler in its slot. */
#include "instance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "filter.h"
#include "programs.h"
#include "taken.h"
#include "xdp_sampler.skel.h"

#define RATE_DEFAULT 2500
#define RING_DEFAULT (8U << 20)
/* A reader is woken when the ring is this part full; else it comes by itself. */
#define WAKEUP_PART 4
/* A reader may go on while its counts are read. */
#define LOOKS 100

struct build {
	struct ecbpf_root *root;
	struct sampler_settings settings;
	struct xdp_sampler_bpf *skeleton;
	struct sampler_filter *filter;
};

static int failed(struct ecbpf_root *root, int err, const char *what)
{
	const char *hint = "";

	if (err == -EPERM || err == -EACCES)
		hint = "; it takes CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";
	return ecbpf_fail(err, "%s: %s: %s%s; nothing changed", ecbpf_root_interface(root), what,
			  strerror(-err), hint);
}

/* Value 0 of the map @name of the sampler that runs. */
static int read_value(struct ecbpf_root *root, const char *name, void *value)
{
	int fd = ecbpf_slot_map_open(root, ECBPF_SLOT_SAMPLER, name), err = 0;
	uint32_t zero = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, value))
		err = -errno;
	close(fd);
	return err;
}

static int read_counts(struct ecbpf_root *root, struct sampler_counts *sums)
{
	int cpus = libbpf_num_possible_cpus(), cpu, i, err;
	struct sampler_counts *values;

	if (cpus < 0)
		return cpus;
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	err = read_value(root, "counts", values);
	memset(sums, 0, sizeof(*sums));
	for (cpu = 0; cpu < cpus && !err; cpu++)
		for (i = 0; i < SAMPLER_COUNT_MAX; i++)
			sums->values[i] += values[cpu].values[i];
	free(values);
	return err;
}

const uint64_t *sampler_ring_position(int fd)
{
	void *memory = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void sampler_ring_unmap(const uint64_t *position)
{
	if (position)
		munmap((void *)position, sysconf(_SC_PAGESIZE));
}

/* What each output still holds, and for those that are not in use what they were not given. */
static void complete_outputs(struct sampler_instance *instance, bool alive)
{
	struct sampler_reader *reader = &instance->reader;
	uint64_t wanted = taken_wanted(&instance->taken), rest;
	int i;

	for (i = 0; i < SAMPLER_OUTPUT_MAX; i++) {
		const bool used = reader->outputs >> i & 1;

		rest = wanted - reader->delivered[i] - reader->lost[i];
		if (used)
			rest -= reader->unused[i];
		if (!used)
			reader->unused[i] = rest;
		else if (alive)
			instance->held[i] = rest;
		else
			reader->lost[i] += rest;
	}
}

static int read_reader(struct ecbpf_root *root, struct sampler_instance *instance)
{
	bool alive = ecbpf_slot_is_locked(root, ECBPF_SLOT_SAMPLER);
	int ring = ecbpf_slot_map_open(root, ECBPF_SLOT_SAMPLER, "samples"), looks, err;
	const uint64_t *position = ring < 0 ? NULL : sampler_ring_position(ring);
	uint64_t before = 0;

	err = ring < 0 ? ring : position ? 0 : -errno;
	for (looks = 0; !err && looks < LOOKS; looks++) {
		before = __atomic_load_n(position, __ATOMIC_ACQUIRE);
		err = read_value(root, "reader", &instance->reader);
		if (__atomic_load_n(position, __ATOMIC_ACQUIRE) == before)
			break;
	}
	if (!err) {
		instance->taken = instance->reader.taken[taken_at(&instance->reader, before)];
		alive |= ecbpf_slot_is_locked(root, ECBPF_SLOT_SAMPLER);
		complete_outputs(instance, alive);
	}
	sampler_ring_unmap(position);
	if (ring >= 0)
		close(ring);
	return err;
}

int sampler_instance_read(struct ecbpf_root *root, struct sampler_instance *instance)
{
	struct sampler_settings settings;
	int err;

	memset(instance, 0, sizeof(*instance));
	instance->program_id = ecbpf_slot_program_id(root, ECBPF_SLOT_SAMPLER);
	if (!instance->program_id)
		return -ENOENT;
	err = read_value(root, "settings", &settings)	   ?:
		      read_counts(root, &instance->counts) ?:
							     read_reader(root, instance);
	if (ecbpf_slot_program_id(root, ECBPF_SLOT_SAMPLER) != instance->program_id ||
	    ecbpf_root_gone(root))
		return -ESTALE;
	if (err)
		return ecbpf_fail(err, "%s: reading the sampler's maps failed: %s",
				  ecbpf_root_interface(root), strerror(-err));
	instance->config = settings.config;
	instance->ring_octets = settings.ring;
	memcpy(instance->filter, settings.filter, sizeof(instance->filter));
	return 0;
}

static int read_settings(struct build *build)
{
	int err = read_value(build->root, "settings", &build->settings);

	if (err && err != -ENOENT)
		return failed(build->root, err, "reading the sampler's settings");
	return 0;
}

static int complete_settings(struct build *build, const struct sampler_options *options)
{
	struct sampler_config *config = &build->settings.config;
	uint64_t limit;

	config->change++;
	if (!config->rate)
		config->rate = RATE_DEFAULT;
	if (options->rate)
		config->rate = options->rate;
	if (options->random >= 0)
		config->random = options->random;
	if (options->as_sent >= 0)
		config->as_sent = options->as_sent;
	if (options->filter && strlen(options->filter) >= sizeof(build->settings.filter))
		return ecbpf_fail(-EINVAL, "--filter: longer than %zu octets",
				  sizeof(build->settings.filter) - 1);
	if (options->filter)
		snprintf(build->settings.filter, sizeof(build->settings.filter), "%s",
			 options->filter);
	config->ifindex = ecbpf_root_ifindex(build->root);
	config->have_load_bytes = ecbpf_have_load_bytes();
	limit = config->have_load_bytes ? SAMPLER_SNAPLEN_MAX : SAMPLER_SNAPLEN_MAX_DIRECT;
	if (options->snaplen > limit)
		return ecbpf_fail(
			-EINVAL,
			"--snaplen %llu: this kernel copies at most %llu octets of a packet "
			"(more takes 5.18)",
			(unsigned long long)options->snaplen, (unsigned long long)limit);
	if (options->snaplen)
		config->snaplen = options->snaplen;
	else if (!config->snaplen)
		config->snaplen = SAMPLER_SNAPLEN_DEFAULT;
	if (options->ring & (options->ring - 1))
		return ecbpf_fail(-EINVAL, "--ring %llu: not a power of two",
				  (unsigned long long)options->ring);
	if (!build->settings.ring)
		build->settings.ring = options->ring ? options->ring : RING_DEFAULT;
	else if (options->ring && options->ring != build->settings.ring)
		return ecbpf_fail(-EBUSY,
				  "%s: the ring buffer can't change while the sampler is "
				  "attached; --detach it first",
				  ecbpf_root_interface(build->root));
	config->wakeup = build->settings.ring / WAKEUP_PART;
	programs_scale(config);
	return 0;
}

static int compile_filter(struct build *build)
{
	build->settings.config.filtered = build->settings.filter[0] != '\0';
	if (!build->settings.config.filtered)
		return 0;
	return sampler_filter_compile(build->settings.filter, build->settings.config.snaplen,
				      &build->filter);
}

/* Maps that outlive a change: the ring with its reader, and the counts. */
static int keep_maps(struct build *build)
{
	static const char *const kept[] = { "samples", "counts", "reader" };
	struct bpf_map *map;
	size_t i;
	int fd, err;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		fd = ecbpf_slot_map_open(build->root, ECBPF_SLOT_SAMPLER, kept[i]);
		if (fd == -ENOENT)
			continue;
		map = bpf_object__find_map_by_name(build->skeleton->obj, kept[i]);
		err = fd < 0 ? fd : bpf_map__reuse_fd(map, fd);
		if (fd >= 0)
			close(fd);
		if (err)
			return err;
	}
	return 0;
}

static int load(struct build *build)
{
	int err;

	build->skeleton = xdp_sampler_bpf__open();
	if (!build->skeleton)
		return failed(build->root, -errno, "opening xdp_sampler_prog");
	err = ecbpf_subprogram_prepare(build->root, build->skeleton->obj);
	if (err)
		return err;
	err = programs_prepare(build->skeleton, &build->settings) ?: keep_maps(build);
	if (err)
		return failed(build->root, err, "sizing the sampler's maps");
	err = xdp_sampler_bpf__load(build->skeleton);
	if (err)
		return failed(build->root, err, "loading xdp_sampler_prog");
	err = programs_complete(build->skeleton, &build->settings, build->filter,
				ecbpf_root_frags(build->root));
	return err ? failed(build->root, err, "filling the sampler's maps") : 0;
}

int sampler_instance_check(struct ecbpf_root *root, const struct sampler_options *options)
{
	struct build build = { .root = root };
	int err = read_settings(&build);

	if (!err)
		err = complete_settings(&build, options) ?: compile_filter(&build);
	sampler_filter_free(build.filter);
	return err;
}

int sampler_instance_attach(struct ecbpf_root *root, const struct sampler_options *options)
{
	struct build build = { .root = root };
	int err;

	err = read_settings(&build);
	if (err)
		return err;
	err = complete_settings(&build, options) ?: compile_filter(&build);
	if (!err)
		err = load(&build);
	/* The emitter first: it records nothing that nobody marked. */
	if (!err)
		err = ecbpf_emitter_replace(root, build.skeleton->progs.xdp_sampler_emitter);
	if (!err)
		err = ecbpf_slot_replace(root, ECBPF_SLOT_SAMPLER, build.skeleton->obj,
					 build.skeleton->progs.xdp_sampler_prog);
	xdp_sampler_bpf__destroy(build.skeleton);
	sampler_filter_free(build.filter);
	return err;
}

int sampler_instance_detach(struct ecbpf_root *root)
{
	return ecbpf_slot_clear(root, ECBPF_SLOT_SAMPLER) ?: ecbpf_emitter_clear(root);
}
