// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Making generations, and making them live. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <ecbpf/tool.h>

#include "internal.h"

const struct root_map_name ecbpf_root_maps[ROOT_MAPS] = {
	[ROOT_MAP_SLOTS] = { "ecbpf_slots", "slots" },
	[ROOT_MAP_EMITTER] = { "ecbpf_emitter", "emitter" },
	[ROOT_MAP_XDPCAP] = { "xdpcap_hook", "xdpcap_hook" },
	[ROOT_MAP_PERCPU] = { "ecbpf_percpu", "percpu" },
	[ROOT_MAP_CONTROL] = { ".data.ecbpf", "control" },
};

/* Readers may come before a replacement is finished: the program that runs is the next one then. */
static int open_program(const struct ecbpf_root *root)
{
	uint32_t id = root->interface->link_program;
	int fd = ecbpf_pin_open(root->path, ECBPF_ROOT_NEXT_PIN);

	if (fd >= 0) {
		if (id && ecbpf_program_id(fd) == id)
			return fd;
		close(fd);
	}
	return ecbpf_pin_open(root->path, ECBPF_ROOT_PIN);
}

static int open_pins(struct ecbpf_root *root)
{
	int i;

	root->program = open_program(root);
	if (root->program < 0)
		return root->program;
	for (i = 0; i < ROOT_MAPS; i++) {
		root->maps[i] = ecbpf_pin_open(root->path, ecbpf_root_maps[i].pin);
		if (root->maps[i] < 0)
			return root->maps[i];
	}
	return 0;
}

int ecbpf_generation_load(struct ecbpf_interface *interface, uint32_t number,
			  struct ecbpf_root **out)
{
	struct ecbpf_root *root = ecbpf_root_new(interface, number);
	int err;

	if (!root)
		return -ENOMEM;
	root->meta_map = ecbpf_pin_open(root->path, ECBPF_META_PIN);
	err = root->meta_map < 0 ? root->meta_map :
				   ecbpf_map_read(root->meta_map, &root->meta, sizeof(root->meta));
	if (!err && root->meta.abi != ECBPF_ABI)
		err = ecbpf_fail(-EPROTO,
				 "%s: root array has ABI %u, this program ABI %u; stage a new one "
				 "with 'xdp_root_loader --stage', fill and '--commit' it, or "
				 "'--detach --force'",
				 interface->name, root->meta.abi, ECBPF_ABI);
	else if (!err)
		err = open_pins(root);
	if (err) {
		if (err != -EPROTO)
			ecbpf_fail_kernel(err, "%s: opening pins failed", root->path);
		ecbpf_root_close(root);
		return err;
	}
	*out = root;
	return 0;
}

static int find(struct ecbpf_interface *interface, enum ecbpf_which which, uint32_t *number)
{
	int err = ecbpf_generation_find(interface, which, number);

	if (err == -ENOENT && which == ECBPF_STAGED)
		return ecbpf_fail(err,
				  "%s: no staged generation; run 'xdp_root_loader --stage "
				  "--interface %s'",
				  interface->name, interface->name);
	if (err)
		return ecbpf_fail(
			-ENOENT, "%s: no root array; run 'xdp_root_loader --attach --interface %s'",
			interface->name, interface->name);
	return 0;
}

int ecbpf_generation_open(struct ecbpf_interface *interface, enum ecbpf_which which,
			  struct ecbpf_root **root)
{
	uint32_t number;

	return find(interface, which, &number) ?: ecbpf_generation_load(interface, number, root);
}

static int pin_generation(struct ecbpf_root *root, struct bpf_object *object,
			  struct bpf_program *program, bool frags)
{
	struct bpf_map *map;
	int i, err;

	root->meta = (struct ecbpf_generation_meta){
		.abi = ECBPF_ABI,
		.state = ECBPF_GENERATION_BUILDING,
		.frags = frags,
		.created = ecbpf_clock(CLOCK_REALTIME),
	};
	err = ecbpf_folder_make(root->path);
	if (err)
		return ecbpf_fail_kernel(err, "%s: making the folder failed", root->path);
	err = ecbpf_pin_value(root->path, ECBPF_META_PIN, &root->meta, sizeof(root->meta));
	for (i = 0; i < ROOT_MAPS && !err; i++) {
		map = bpf_object__find_map_by_name(object, ecbpf_root_maps[i].map);
		if (!map)
			return ecbpf_fail(-EINVAL, "root object has no map '%s'",
					  ecbpf_root_maps[i].map);
		err = ecbpf_pin(bpf_map__fd(map), root->path, ecbpf_root_maps[i].pin);
	}
	return err ?: ecbpf_pin(bpf_program__fd(program), root->path, ECBPF_ROOT_PIN);
}

int ecbpf_generation_create(struct ecbpf_interface *interface, struct bpf_object *object,
			    struct bpf_program *program, bool frags, struct ecbpf_root **out)
{
	CLEANUP_FREE uint32_t *numbers = NULL;
	struct ecbpf_root *root;
	int count, err;

	count = ecbpf_folder_numbers(interface->path, "gen", &numbers);
	if (count < 0)
		return ecbpf_fail_kernel(count, "%s: reading failed", interface->path);
	if (count && ecbpf_generation_is_staged(interface, numbers[count - 1]) &&
	    !ecbpf_generation_is_live(interface, numbers[count - 1]))
		return ecbpf_fail(
			-EEXIST, "%s: a generation is staged already; --commit or --abort it first",
			interface->name);
	root = ecbpf_root_new(interface, count ? numbers[count - 1] + 1 : 1);
	if (!root)
		return -ENOMEM;
	err = pin_generation(root, object, program, frags);
	if (err) {
		ecbpf_generation_remove(root);
		return err;
	}
	err = ecbpf_generation_load(interface, root->number, out);
	ecbpf_root_close(root);
	return err;
}

int ecbpf_generation_stage(struct ecbpf_root *root, enum ecbpf_mode mode)
{
	int err;

	root->meta.mode = mode;
	root->meta.state = ECBPF_GENERATION_STAGED;
	err = ecbpf_map_write(root->meta_map, &root->meta);
	return err ? ecbpf_fail_kernel(err, "%s: marking as staged failed", root->path) : 0;
}

enum ecbpf_mode ecbpf_generation_mode(const struct ecbpf_root *root)
{
	return root->meta.mode;
}

int ecbpf_generation_activate(struct ecbpf_root *root, enum ecbpf_mode mode)
{
	struct ecbpf_interface *interface = root->interface;
	int err;

	err = interface->link_program ? ecbpf_link_update(interface, root->program) :
					ecbpf_link_create(interface, root->program, mode);
	if (!err)
		ecbpf_generations_clean(interface);
	return err;
}

int ecbpf_generation_adopt(struct ecbpf_root *root, int program)
{
	struct ecbpf_interface *interface = root->interface;
	int err;

	err = ecbpf_pin_over(program, root->path, ECBPF_ROOT_DISPATCHED_PIN);
	if (err)
		return err;
	interface->meta.mode = ECBPF_MODE_LIBXDP;
	interface->meta.dispatched = ecbpf_program_id(program);
	err = ecbpf_interface_meta_write(interface);
	if (err)
		return err;
	interface->link_program = interface->meta.dispatched;
	ecbpf_generations_clean(interface);
	return 0;
}

int ecbpf_interface_dispatched(const struct ecbpf_interface *interface)
{
	char path[ECBPF_PATH_MAX];
	uint32_t number;
	int err;

	if (!interface->meta.dispatched)
		return -ENOENT;
	err = ecbpf_generation_find(interface, ECBPF_LIVE, &number);
	if (err)
		return err;
	ecbpf_generation_path(interface, number, path);
	return ecbpf_pin_open(path, ECBPF_ROOT_DISPATCHED_PIN);
}

int ecbpf_root_replace(struct ecbpf_root *root, struct bpf_program *program)
{
	char next[ECBPF_PATH_MAX], path[ECBPF_PATH_MAX];
	int fd = bpf_program__fd(program), err;

	err = ecbpf_path(next, root->path, ECBPF_ROOT_NEXT_PIN) ?:
		      ecbpf_path(path, root->path, ECBPF_ROOT_PIN);
	if (err)
		return err;
	if (unlink(next) && errno != ENOENT)
		return ecbpf_fail_kernel(-errno, "%s: removing failed", next);
	err = ecbpf_pin(fd, root->path, ECBPF_ROOT_NEXT_PIN);
	if (err)
		return err;
	err = ecbpf_link_update(root->interface, fd);
	if (err) {
		unlink(next);
		return err;
	}
	if (rename(next, path))
		return ecbpf_fail_kernel(-errno, "%s: renaming failed", next);
	close(root->program);
	root->program = dup(fd);
	return 0;
}

/* Without its meta, the first to go, nobody takes what may be left for a generation. */
static int remove_folder(const char *path)
{
	return ecbpf_pin_remove(path, ECBPF_META_PIN) ?: ecbpf_folder_remove(path);
}

int ecbpf_generation_remove(struct ecbpf_root *root)
{
	int err = remove_folder(root->path);

	ecbpf_root_close(root);
	return err;
}

int ecbpf_generation_abort(struct ecbpf_interface *interface)
{
	char path[ECBPF_PATH_MAX];
	uint32_t number;
	int err;

	err = find(interface, ECBPF_STAGED, &number);
	if (err)
		return err;
	ecbpf_generation_path(interface, number, path);
	return remove_folder(path);
}
