// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The program in its slot. */
#include "instance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>

#include "xdp_printk.h"
#include "xdp_printk.skel.h"

int printk_attach(struct ecbpf_root *root, uint32_t rate)
{
	struct xdp_printk_bpf *skeleton = xdp_printk_bpf__open();
	int err;

	if (!skeleton)
		return ecbpf_fail(-errno, "opening xdp_printk_prog: %s", strerror(errno));
	*(uint32_t *)&skeleton->rodata->printk_rate = rate;
	err = ecbpf_subprogram_prepare(root, skeleton->obj);
	if (!err) {
		err = xdp_printk_bpf__load(skeleton);
		if (err)
			ecbpf_fail(err, "%s: loading xdp_printk_prog: %s",
				   ecbpf_root_interface(root), strerror(-err));
	}
	if (!err)
		err = ecbpf_slot_replace(root, ECBPF_SLOT_PRINTK, skeleton->obj,
					 skeleton->progs.xdp_printk_prog);
	xdp_printk_bpf__destroy(skeleton);
	return err;
}

static int no_printk(struct ecbpf_root *root)
{
	return ecbpf_fail(-ENOENT,
			  "%s: no xdp_printk in slot %d; run 'xdp_printk --attach "
			  "--interface %s'",
			  ecbpf_root_interface(root), ECBPF_SLOT_PRINTK,
			  ecbpf_root_interface(root));
}

int printk_detach(struct ecbpf_root *root)
{
	int err = ecbpf_slot_clear(root, ECBPF_SLOT_PRINTK);

	return err == -ENOENT ? no_printk(root) : err;
}

/* Sum over all CPUs, or a negative errno. */
static int64_t suppressed(struct ecbpf_root *root)
{
	int fd = ecbpf_slot_map_open(root, ECBPF_SLOT_PRINTK, "budget");
	int cpus = libbpf_num_possible_cpus(), cpu;
	struct printk_budget *values;
	uint32_t zero = 0;
	int64_t sum = 0;

	if (fd < 0)
		return fd;
	values = calloc(cpus > 0 ? cpus : 1, sizeof(*values));
	if (!values || cpus < 0 || bpf_map_lookup_elem(fd, &zero, values))
		sum = -EIO;
	for (cpu = 0; sum >= 0 && cpu < cpus; cpu++)
		sum += values[cpu].suppressed;
	free(values);
	close(fd);
	return sum;
}

int printk_status(struct ecbpf_root *root, struct json_object *array)
{
	struct json_object *json;
	int64_t sum = suppressed(root);

	if (sum < 0)
		return sum == -ENOENT ? no_printk(root) : (int)sum;
	if (!array) {
		printf("%s: %lld packets had no line of their own\n", ecbpf_root_interface(root),
		       (long long)sum);
		return 0;
	}
	json = json_object_new_object();
	json_object_object_add(json, "name", ecbpf_json_text(ecbpf_root_interface(root), SIZE_MAX));
	json_object_object_add(json, "suppressed", json_object_new_int64(sum));
	return json_object_array_add(array, json);
}
