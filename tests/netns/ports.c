// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Loader of ports.bpf.c with what is installed: ports INTERFACE PORT [--stage] */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <ecbpf/ecbpf.h>

#include "ports.skel.h"

#define SLOT 3

static int put(struct ecbpf_root *root, struct ports_bpf *skeleton, unsigned int port)
{
	int err;

	skeleton->rodata->dropped_port = port;
	err = ecbpf_subprogram_prepare(root, skeleton->obj);
	if (!err)
		err = ports_bpf__load(skeleton);
	return err ? err :
		     ecbpf_slot_replace(root, SLOT, skeleton->obj,
					skeleton->progs.test_ports_that_are_dropped);
}

int main(int argc, char **argv)
{
	enum ecbpf_which which = ECBPF_LIVE;
	struct ports_bpf *skeleton;
	struct ecbpf_root *root;
	int err;

	if (argc < 3)
		return EX_USAGE;
	if (argc > 3 && strcmp(argv[3], "--stage") == 0)
		which = ECBPF_STAGED;
	skeleton = ports_bpf__open();
	if (!skeleton)
		return EX_OSERR;
	err = ecbpf_root_open(argv[1], which, &root);
	if (!err) {
		err = put(root, skeleton, atoi(argv[2]));
		ecbpf_root_close(root);
	}
	ports_bpf__destroy(skeleton);
	return ecbpf_exit_code(err);
}
