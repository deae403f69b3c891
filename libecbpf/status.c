// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* An interface at one moment: what is attached, and the counters. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "internal.h"

/* Sums over all CPUs, without what was there when the counters were cleared last. */
static int counters_read(struct ecbpf_root *root, struct ecbpf_counters *sums, bool raw)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	uint64_t *total = (uint64_t *)sums, *cleared = (uint64_t *)&root->meta.cleared;
	CLEANUP_FREE struct ecbpf_percpu *values = NULL;
	uint32_t zero = 0;
	size_t i;

	if (cpus < 0)
		return cpus;
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(root->maps[ROOT_MAP_PERCPU], &zero, values))
		return -errno;
	memset(sums, 0, sizeof(*sums));
	for (cpu = 0; cpu < cpus; cpu++) {
		uint64_t *one = (uint64_t *)values[cpu].actions;

		for (i = 0; i < sizeof(*sums) / sizeof(*total); i++)
			total[i] += one[i];
	}
	for (i = 0; !raw && i < sizeof(*sums) / sizeof(*total); i++)
		total[i] -= cleared[i];
	return 0;
}

_Static_assert(sizeof(struct ecbpf_counters) ==
		       sizeof(struct ecbpf_percpu) - offsetof(struct ecbpf_percpu, actions),
	       "counters are what a value ends with");

int ecbpf_reasons_read(struct ecbpf_root *root, uint64_t counts[ECBPF_REASON_MAX])
{
	struct ecbpf_counters sums;
	int err = counters_read(root, &sums, true);

	if (!err)
		memcpy(counts, sums.reasons, sizeof(sums.reasons));
	return err;
}

int ecbpf_counters_clear(struct ecbpf_root *root)
{
	struct ecbpf_counters sums;
	int err;

	err = counters_read(root, &sums, true);
	if (!err) {
		root->meta.cleared = sums;
		err = ecbpf_map_write(root->meta_map, &root->meta);
	}
	return err ? ecbpf_fail_kernel(err, "%s: clearing counters failed", root->path) : 0;
}

static void read_slot(struct ecbpf_root *root, unsigned int slot,
		      struct ecbpf_program_status *status)
{
	char path[ECBPF_PATH_MAX];
	struct ecbpf_slot_meta meta;

	do {
		status->id = ecbpf_slot_program_id(root, slot);
		if (!status->id)
			return;
		if (!ecbpf_slot_path(root, slot, path) &&
		    !ecbpf_pinned_map_read(path, ECBPF_META_PIN, &meta, sizeof(meta)) &&
		    meta.program_id == status->id) {
			snprintf(status->name, sizeof(status->name), "%s", meta.name);
			status->loaded = meta.loaded;
			return;
		}
		/* Replaced meanwhile, and the pins of the one before are gone? */
	} while (ecbpf_slot_program_id(root, slot) != status->id);
	snprintf(status->name, sizeof(status->name), "(not pinned)");
}

static int read_generation(struct ecbpf_root *root, struct ecbpf_status *status)
{
	struct ecbpf_counters sums;
	unsigned int slot;
	int err;

	err = counters_read(root, &sums, false);
	if (err)
		return ecbpf_fail_kernel(err, "%s: reading counters failed", root->path);
	status->frags = root->meta.frags;
	status->root.id = ecbpf_program_id(root->program);
	status->root.loaded = ecbpf_program_loaded(root->program);
	strcpy(status->root.name, "xdp_root_prog");
	memcpy(status->root.actions, sums.actions[ECBPF_SLOT_ROOT], sizeof(status->root.actions));
	for (slot = 0; slot < ECBPF_SLOTS; slot++) {
		read_slot(root, slot, &status->slots[slot]);
		memcpy(status->slots[slot].actions, sums.actions[slot],
		       sizeof(status->slots[slot].actions));
	}
	memcpy(status->reasons, sums.reasons, sizeof(status->reasons));
	return ecbpf_root_gone(root) ? -ESTALE : 0;
}

/* Whether it is a loader's work that isn't done: our pins, and no root array that fits them. */
static bool looks_unfinished(const struct ecbpf_interface *interface,
			     const struct ecbpf_status *status)
{
	if (!interface->meta.ifindex)
		return false;
	return status->attachment == ECBPF_FOREIGN || status->attachment == ECBPF_STALE;
}

static int read_interface(struct ecbpf_interface **handle, void *context)
{
	struct ecbpf_interface *interface = *handle;
	struct ecbpf_status *status = context;
	struct ecbpf_root *root;
	int err;

	memset(status, 0, sizeof(*status));
	snprintf(status->name, sizeof(status->name), "%s", interface->name);
	status->ifindex = interface->ifindex;
	status->mode = interface->meta.mode;
	status->attachment = ecbpf_interface_attachment(interface);
	if (status->attachment == ECBPF_FOREIGN)
		status->foreign_id = interface->link_program ?
					     interface->link_program :
					     ecbpf_link_foreign(interface->ifindex);
	if (ecbpf_generation_find(interface, ECBPF_STAGED, &status->staged))
		status->staged = 0;
	if (status->attachment != ECBPF_ATTACHED)
		return looks_unfinished(interface, status);
	err = ecbpf_generation_find(interface, ECBPF_LIVE, &status->generation) ?:
		      ecbpf_generation_abi(interface, status->generation, &status->abi);
	if (err || status->abi != ECBPF_ABI)
		return err;
	err = ecbpf_generation_load(interface, status->generation, &root);
	if (err)
		return err;
	err = read_generation(root, status);
	ecbpf_root_close(root);
	return err;
}

int ecbpf_status_read(const char *name, struct ecbpf_status *out)
{
	struct ecbpf_status status;
	int err;

	err = ecbpf_read_steadily(name, read_interface, &status);
	if (!err)
		*out = status;
	return err;
}
