// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "wrapper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <ecbpf/ecbpf.h>

#include "draw.h"
#include "map_view.h"
#include "prefix.h"
#include "wrapper.skel.h"

static int failed(struct wrapper *wrapper, int err)
{
	wrapper_close(wrapper);
	return ecbpf_fail(err, "loading a wrapper: %s", strerror(-err));
}

/*
 * Load @program alone: the others don't fit the maps' sizes. A prog array takes programs of one
 * attach type only: root's is 0, but a foreign target's may be XDP, which nothing tells but a
 * refusal.
 */
static int load(struct wrapper *wrapper, struct bpf_program *program, enum bpf_attach_type type,
		int target)
{
	struct bpf_program *each;
	uint32_t zero = 0;
	int err;

	bpf_object__for_each_program(each, wrapper->skeleton->obj)
		bpf_program__set_autoload(each, each == program);
	bpf_program__set_expected_attach_type(program, type);
	err = wrapper_bpf__load(wrapper->skeleton);
	if (!err && bpf_map_update_elem(bpf_map__fd(wrapper->skeleton->maps.target), &zero, &target,
					BPF_ANY))
		err = -errno;
	wrapper->program = bpf_program__fd(program);
	return err;
}

static int fill(struct wrapper *wrapper, const void *values, size_t size)
{
	struct map_view view = {};
	int err;

	err = map_view_open(bpf_map__fd(wrapper->skeleton->maps.sources), true, &view);
	if (err)
		return err;
	memcpy(view.data, values, size);
	map_view_close(&view);
	return 0;
}

static struct bpf_program *program_for(const struct wrapper *wrapper, unsigned int family,
				       bool draws)
{
	if (draws)
		return family == 4 ? wrapper->skeleton->progs.write_draw4 :
				     wrapper->skeleton->progs.write_draw6;
	return family == 4 ? wrapper->skeleton->progs.write_source4 :
			     wrapper->skeleton->progs.write_source6;
}

/* @values: what each of @count packets gets, @size octets. */
struct written {
	unsigned int family;
	bool draws;
	const void *values;
	size_t size;
	size_t count;
};

static int open_written(const struct written *written, enum bpf_attach_type type, int target,
			struct wrapper *wrapper)
{
	int err;

	wrapper->skeleton = wrapper_bpf__open();
	if (!wrapper->skeleton)
		return -errno;
	wrapper->skeleton->rodata->source_mask = written->count - 1;
	err = bpf_map__set_value_size(wrapper->skeleton->maps.sources,
				      written->count * written->size);
	if (!err)
		err = load(wrapper, program_for(wrapper, written->family, written->draws), type,
			   target);
	if (!err)
		err = fill(wrapper, written->values, written->count * written->size);
	if (err)
		wrapper_close(wrapper);
	return err;
}

static int open_any(const struct written *written, int target, struct wrapper *wrapper)
{
	int err = open_written(written, 0, target, wrapper);

	if (err == -EINVAL)
		err = open_written(written, BPF_XDP, target, wrapper);
	return err ? failed(wrapper, err) : 0;
}

int wrapper_open_sources(const struct prefix *addresses, size_t count, int target,
			 struct wrapper *wrapper)
{
	size_t octets = prefix_length_max(addresses[0].family) / 8, i;
	uint8_t *values = calloc(count, octets);
	const struct written written = {
		.family = addresses[0].family,
		.values = values,
		.size = octets,
		.count = count,
	};
	int err;

	if (!values)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		memcpy(values + i * octets, addresses[i].addr, octets);
	err = open_any(&written, target, wrapper);
	free(values);
	return err;
}

int wrapper_open_draws(unsigned int family, const struct draw *draws, size_t count, int target,
		       struct wrapper *wrapper)
{
	const struct written written = {
		.family = family,
		.draws = true,
		.values = draws,
		.size = sizeof(*draws),
		.count = count,
	};

	return open_any(&written, target, wrapper);
}

int wrapper_open_restore(const uint8_t *frame, size_t size, int headroom, int target,
			 struct wrapper *wrapper)
{
	int err;

	wrapper->skeleton = wrapper_bpf__open();
	if (!wrapper->skeleton)
		return failed(wrapper, -errno);
	wrapper->skeleton->rodata->frame_size = size;
	wrapper->skeleton->rodata->answer_headroom = headroom;
	memcpy((void *)&wrapper->skeleton->rodata->link_header, frame,
	       sizeof(wrapper->skeleton->rodata->link_header));
	err = load(wrapper, wrapper->skeleton->progs.restore_frame, 0, target);
	return err ? failed(wrapper, err) : 0;
}

void wrapper_close(struct wrapper *wrapper)
{
	wrapper_bpf__destroy(wrapper->skeleton);
	wrapper->skeleton = NULL;
	wrapper->program = -1;
}
