// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Slots: what runs in slot N is pinned in slot-N/instance-I of its generation. The instance
 * whose program the slots array holds is the live one; others are leftovers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <ecbpf/tool.h>

#include "internal.h"

#define PROGRAM_PIN "program"

/* ecbpf_slot_is_locked() of others may be in the way for an instant. */
#define LOCK_ATTEMPTS 20
#define LOCK_PAUSE_NS 5000000L

static int slot_folder(const struct ecbpf_root *root, unsigned int slot, char *path)
{
	char name[sizeof("slot-4294967295")];

	if (slot >= ECBPF_SLOTS)
		return ecbpf_fail(-EINVAL, "slot %u: slots are 0 to %d", slot, ECBPF_SLOTS - 1);
	snprintf(name, sizeof(name), "slot-%u", slot);
	return ecbpf_path(path, root->path, name);
}

static int instance_path(const struct ecbpf_root *root, unsigned int slot, uint32_t instance,
			 char *path)
{
	char folder[ECBPF_PATH_MAX], name[sizeof("instance-4294967295")];
	int err = slot_folder(root, slot, folder);

	snprintf(name, sizeof(name), "instance-%u", instance);
	return err ? err : ecbpf_path(path, folder, name);
}

/* -ENOENT: the slot is empty; anything else: nobody knows whether it is. */
static int program_in(const struct ecbpf_root *root, unsigned int slot, uint32_t *id)
{
	*id = 0;
	return bpf_map_lookup_elem(root->maps[ROOT_MAP_SLOTS], &slot, id) ? -errno : 0;
}

uint32_t ecbpf_slot_program_id(struct ecbpf_root *root, unsigned int slot)
{
	uint32_t id;

	return program_in(root, slot, &id) ? 0 : id;
}

static int instances(struct ecbpf_root *root, unsigned int slot, uint32_t **numbers)
{
	char folder[ECBPF_PATH_MAX];
	int err = slot_folder(root, slot, folder);

	return err ? err : ecbpf_folder_numbers(folder, "instance", numbers);
}

int ecbpf_slot_path(struct ecbpf_root *root, unsigned int slot, char *path)
{
	CLEANUP_FREE uint32_t *numbers = NULL;
	uint32_t id = ecbpf_slot_program_id(root, slot);
	int count = instances(root, slot, &numbers), i, err;

	for (i = count - 1; id && i >= 0; i--) {
		err = instance_path(root, slot, numbers[i], path);
		if (err)
			return err;
		if (ecbpf_pinned_program_id(path, PROGRAM_PIN) == id)
			return 0;
	}
	return -ENOENT;
}

const char *ecbpf_slot_program_name(struct ecbpf_root *root, unsigned int slot)
{
	struct ecbpf_slot_meta meta;
	char path[ECBPF_PATH_MAX];

	if (ecbpf_slot_path(root, slot, path) ||
	    ecbpf_pinned_map_read(path, ECBPF_META_PIN, &meta, sizeof(meta)))
		return NULL;
	snprintf(root->slot_name, sizeof(root->slot_name), "%s", meta.name);
	return root->slot_name;
}

int ecbpf_slot_map_open(struct ecbpf_root *root, unsigned int slot, const char *name)
{
	char path[ECBPF_PATH_MAX];
	int err = ecbpf_slot_path(root, slot, path);

	return err ? err : ecbpf_pin_open(path, name);
}

static int open_slot_folder(const struct ecbpf_root *root, unsigned int slot, char *path)
{
	int err = slot_folder(root, slot, path), folder;

	if (err)
		return err;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder < 0 ? -errno : folder;
}

int ecbpf_slot_lock(struct ecbpf_root *root, unsigned int slot)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	char path[ECBPF_PATH_MAX];
	struct stat locked, there;
	int folder = open_slot_folder(root, slot, path), attempt, err = 0;

	if (folder < 0)
		return folder;
	for (attempt = 1; flock(folder, LOCK_EX | LOCK_NB) && !err; attempt++) {
		if (errno != EWOULDBLOCK)
			err = -errno;
		else if (attempt == LOCK_ATTEMPTS)
			err = -EBUSY;
		else
			nanosleep(&pause, NULL);
	}
	if (!err && (fstat(folder, &locked) || stat(path, &there) || locked.st_ino != there.st_ino))
		err = -ESTALE;
	if (!err)
		return folder;
	close(folder);
	return err;
}

bool ecbpf_slot_is_locked(struct ecbpf_root *root, unsigned int slot)
{
	char path[ECBPF_PATH_MAX];
	CLEANUP_FD int folder = open_slot_folder(root, slot, path);

	return folder >= 0 && flock(folder, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
}

static int reading_failed(const struct ecbpf_root *root, unsigned int slot, int err)
{
	return ecbpf_fail_kernel(err, "%s: reading slot %u failed", root->interface->name, slot);
}

/* Removes the instances of @slot but the one that runs; none where it can't be told which does. */
static int clean(struct ecbpf_root *root, unsigned int slot)
{
	CLEANUP_FREE uint32_t *numbers = NULL;
	char path[ECBPF_PATH_MAX], live[ECBPF_PATH_MAX] = "";
	uint32_t id;
	int count = instances(root, slot, &numbers), i, err = program_in(root, slot, &id);

	if (err && err != -ENOENT)
		return reading_failed(root, slot, err);
	if (!err && ecbpf_slot_path(root, slot, live))
		return 0;
	for (i = 0; i < count; i++) {
		err = instance_path(root, slot, numbers[i], path);
		if (!err && strcmp(path, live) != 0)
			err = ecbpf_folder_remove(path);
		if (err)
			return err;
	}
	return 0;
}

static bool shared_with_root(const char *map)
{
	int i;

	for (i = 0; i < ROOT_MAPS; i++)
		if (!strcmp(map, ecbpf_root_maps[i].map))
			return true;
	return false;
}

static int pin_instance(struct bpf_object *object, struct bpf_program *program, const char *path)
{
	struct ecbpf_slot_meta meta = { .loaded = ecbpf_clock(CLOCK_REALTIME) };
	int fd = bpf_program__fd(program), err;
	struct bpf_map *map;

	meta.program_id = ecbpf_program_id(fd);
	snprintf(meta.name, sizeof(meta.name), "%s", bpf_program__name(program));
	err = ecbpf_folder_make(path);
	if (err)
		return ecbpf_fail_kernel(err, "%s: making the folder failed", path);
	bpf_object__for_each_map(map, object) {
		const char *name = bpf_map__name(map);

		if (strchr(name, '.') || shared_with_root(name) || bpf_map__fd(map) < 0)
			continue;
		err = ecbpf_pin(bpf_map__fd(map), path, name);
		if (err)
			return err;
	}
	return ecbpf_pin_value(path, ECBPF_META_PIN, &meta, sizeof(meta)) ?:
		       ecbpf_pin(fd, path, PROGRAM_PIN);
}

static int set_occupied(struct ecbpf_root *root, unsigned int slot, bool occupied)
{
	struct ecbpf_control control;
	int fd = root->maps[ROOT_MAP_CONTROL], err;

	err = ecbpf_map_read(fd, &control, sizeof(control));
	if (!err) {
		control.occupied &= ~(1U << slot);
		control.occupied |= (uint32_t)occupied << slot;
		control.changes++;
		err = ecbpf_map_write(fd, &control);
	}
	return err ? ecbpf_fail_kernel(err, "%s: marking slot %u failed", root->interface->name,
				       slot) :
		     0;
}

static int put(struct ecbpf_root *root, unsigned int slot, int program)
{
	uint32_t id;
	int err;

	err = set_occupied(root, slot, true);
	if (err)
		return err;
	if (!bpf_map_update_elem(root->maps[ROOT_MAP_SLOTS], &slot, &program, BPF_ANY)) {
		/* Again: now the change is there, whether or not this can be noted. */
		set_occupied(root, slot, true);
		return 0;
	}
	err = -errno;
	if (program_in(root, slot, &id) == -ENOENT)
		set_occupied(root, slot, false);
	if (err == -EINVAL)
		return ecbpf_fail(err,
				  "%s: slot %u refuses the program: it was loaded with another "
				  "attach type, frags flag or JIT setting than the root array",
				  root->interface->name, slot);
	return ecbpf_fail_kernel(err, "%s: putting the program into slot %u failed",
				 root->interface->name, slot);
}

/* What changes in the live generation while another is staged goes with it. */
static void tell_of_staged(const struct ecbpf_root *root, unsigned int slot)
{
	uint32_t staged;

	if (ecbpf_generation_find(root->interface, ECBPF_STAGED, &staged) || staged == root->number)
		return;
	ecbpf_log(ECBPF_LOG_WARNING,
		  "%s: slot %u changed in the live generation, not in the staged one (%u), which "
		  "replaces it at --commit",
		  root->interface->name, slot, staged);
}

int ecbpf_slot_replace(struct ecbpf_root *root, unsigned int slot, struct bpf_object *object,
		       struct bpf_program *program)
{
	CLEANUP_FREE uint32_t *numbers = NULL;
	char path[ECBPF_PATH_MAX];
	int count, err;

	err = slot_folder(root, slot, path) ?: clean(root, slot);
	if (err)
		return err;
	count = instances(root, slot, &numbers);
	err = instance_path(root, slot, count > 0 ? numbers[count - 1] + 1 : 1, path);
	if (!err)
		err = pin_instance(object, program, path);
	if (!err)
		err = put(root, slot, bpf_program__fd(program));
	if (err) {
		ecbpf_folder_remove(path);
		return err;
	}
	/* It runs: what can't be removed now is left to the next loader. */
	clean(root, slot);
	tell_of_staged(root, slot);
	return 0;
}

int ecbpf_slot_clear(struct ecbpf_root *root, unsigned int slot)
{
	char path[ECBPF_PATH_MAX];
	uint32_t id;
	int err;

	err = slot_folder(root, slot, path);
	if (err)
		return err;
	err = program_in(root, slot, &id);
	if (err == -ENOENT)
		ecbpf_folder_remove(path);
	if (err)
		return err == -ENOENT ? err : reading_failed(root, slot, err);
	if (bpf_map_delete_elem(root->maps[ROOT_MAP_SLOTS], &slot))
		return ecbpf_fail_kernel(-errno, "%s: emptying slot %u failed",
					 root->interface->name, slot);
	tell_of_staged(root, slot);
	return set_occupied(root, slot, false) ?: ecbpf_folder_remove(path);
}

int ecbpf_emitter_replace(struct ecbpf_root *root, struct bpf_program *program)
{
	int fd = bpf_program__fd(program);
	uint32_t zero = 0;

	if (bpf_map_update_elem(root->maps[ROOT_MAP_EMITTER], &zero, &fd, BPF_ANY))
		return ecbpf_fail_kernel(-errno, "%s: setting the emitter failed",
					 root->interface->name);
	return 0;
}

int ecbpf_emitter_clear(struct ecbpf_root *root)
{
	uint32_t zero = 0;

	if (bpf_map_delete_elem(root->maps[ROOT_MAP_EMITTER], &zero) && errno != ENOENT)
		return ecbpf_fail_kernel(-errno, "%s: clearing the emitter failed",
					 root->interface->name);
	return 0;
}
