// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "wrapper.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <ecbpf/ecbpf.h>

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

static int fill_sources(struct wrapper *wrapper, const struct prefix *addresses, size_t count)
{
	size_t octets = prefix_length_max(addresses[0].family) / 8, i;
	struct map_view view = {};
	int err;

	err = map_view_open(bpf_map__fd(wrapper->skeleton->maps.sources), true, &view);
	if (err)
		return err;
	for (i = 0; i < count; i++)
		memcpy((uint8_t *)view.data + i * octets, addresses[i].addr, octets);
	map_view_close(&view);
	return 0;
}

static int open_sources(const struct prefix *addresses, size_t count, enum bpf_attach_type type,
			int target, struct wrapper *wrapper)
{
	size_t octets = prefix_length_max(addresses[0].family) / 8;
	struct bpf_program *program;
	int err;

	wrapper->skeleton = wrapper_bpf__open();
	if (!wrapper->skeleton)
		return -errno;
	program = addresses[0].family == 4 ? wrapper->skeleton->progs.write_source4 :
					     wrapper->skeleton->progs.write_source6;
	wrapper->skeleton->rodata->source_mask = count - 1;
	err = bpf_map__set_value_size(wrapper->skeleton->maps.sources, count * octets);
	if (!err)
		err = load(wrapper, program, type, target);
	if (!err)
		err = fill_sources(wrapper, addresses, count);
	if (err)
		wrapper_close(wrapper);
	return err;
}

int wrapper_open_sources(const struct prefix *addresses, size_t count, int target,
			 struct wrapper *wrapper)
{
	int err = open_sources(addresses, count, 0, target, wrapper);

	if (err == -EINVAL)
		err = open_sources(addresses, count, BPF_XDP, target, wrapper);
	return err ? failed(wrapper, err) : 0;
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
