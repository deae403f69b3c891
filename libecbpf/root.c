// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The root array as subprograms' loaders see it. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "internal.h"

/* Attempts to read what others replace. */
#define LOOKS 200

int ecbpf_root_open(const char *name, enum ecbpf_which which, struct ecbpf_root **out)
{
	struct ecbpf_interface *interface;
	struct ecbpf_root *root;
	int err;

	err = ecbpf_interface_open(name, 0, &interface);
	if (err)
		return err;
	err = ecbpf_generation_open(interface, which, &root);
	if (err) {
		ecbpf_interface_close(interface);
		return err;
	}
	root->owns_interface = true;
	*out = root;
	return 0;
}

struct wanted {
	enum ecbpf_which which;
	struct ecbpf_root *root;
};

static int open_wanted(struct ecbpf_interface **interface, void *context)
{
	struct wanted *wanted = context;
	int err = ecbpf_generation_open(*interface, wanted->which, &wanted->root);

	if (!err) {
		wanted->root->owns_interface = true;
		*interface = NULL;
	}
	return err;
}

int ecbpf_root_open_readonly(const char *interface, enum ecbpf_which which,
			     struct ecbpf_root **root)
{
	struct wanted wanted = { .which = which };
	int err = ecbpf_read_steadily(interface, open_wanted, &wanted);

	if (!err)
		*root = wanted.root;
	return err;
}

int ecbpf_root_present(const char *interface, enum ecbpf_which which, bool *present)
{
	struct ecbpf_status status;
	struct ecbpf_root *root;
	int err;

	if (which == ECBPF_LIVE) {
		err = ecbpf_status_read(interface, &status);
		*present = !err && status.attachment == ECBPF_ATTACHED;
		return err;
	}
	err = ecbpf_root_open_readonly(interface, which, &root);
	*present = !err;
	if (!err)
		ecbpf_root_close(root);
	return err;
}

int ecbpf_root_look(const char *interface, enum ecbpf_which which,
		    int (*look)(struct ecbpf_root *root, void *context), void *context)
{
	struct ecbpf_root *root;
	int attempt, err;

	for (attempt = 0; attempt < LOOKS; attempt++) {
		err = ecbpf_root_open_readonly(interface, which, &root);
		if (err)
			return err;
		err = look(root, context);
		ecbpf_root_close(root);
		if (err != -ESTALE)
			return err;
	}
	return ecbpf_fail(-EAGAIN, "%s: what runs there is replaced again and again; try later",
			  interface);
}

bool ecbpf_root_gone(const struct ecbpf_root *root)
{
	return access(root->path, F_OK) || ecbpf_link_moved(root->interface);
}

/* Set "ecbpf_frags" in an opened object's .rodata, for which libbpf 1.1 has no call by name. */
static int set_rodata_frags(struct bpf_object *object, bool frags)
{
	const struct btf *btf = bpf_object__btf(object);
	const struct btf_var_secinfo *variable;
	const struct btf_type *section;
	struct bpf_map *map;
	size_t size;
	char *data;
	int id, i;

	map = bpf_object__find_map_by_name(object, ".rodata");
	id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -ENOENT;
	if (!map || id < 0)
		return 0;
	data = (char *)bpf_map__initial_value(map, &size);
	section = btf__type_by_id(btf, id);
	variable = btf_var_secinfos(section);
	for (i = 0; i < btf_vlen(section); i++, variable++) {
		const struct btf_type *type = btf__type_by_id(btf, variable->type);
		uint32_t value = frags;

		if (strcmp(btf__name_by_offset(btf, type->name_off), "ecbpf_frags") != 0)
			continue;
		if (!data || variable->offset + sizeof(value) > size)
			return -EINVAL;
		memcpy(data + variable->offset, &value, sizeof(value));
		return 0;
	}
	return 0;
}

int ecbpf_object_prepare(struct bpf_object *object, bool frags)
{
	struct bpf_program *program;
	uint32_t flags;

	bpf_object__for_each_program(program, object) {
		bpf_program__set_expected_attach_type(program, 0);
		flags = bpf_program__flags(program) & ~BPF_F_XDP_HAS_FRAGS;
		bpf_program__set_flags(program, frags ? flags | BPF_F_XDP_HAS_FRAGS : flags);
	}
	return set_rodata_frags(object, frags);
}

int ecbpf_root_share_maps(struct ecbpf_root *root, struct bpf_object *object)
{
	struct bpf_map *map;
	int i, err;

	for (i = 0; i < ROOT_MAPS; i++) {
		map = bpf_object__find_map_by_name(object, ecbpf_root_maps[i].map);
		if (!map)
			continue;
		err = bpf_map__reuse_fd(map, root->maps[i]);
		if (err)
			return ecbpf_fail(err, "%s: map '%s' doesn't fit the root array's: %s",
					  root->interface->name, ecbpf_root_maps[i].map,
					  strerror(-err));
	}
	return 0;
}

int ecbpf_subprogram_prepare(struct ecbpf_root *root, struct bpf_object *object)
{
	return ecbpf_root_share_maps(root, object) ?:
						     ecbpf_object_prepare(object, root->meta.frags);
}
