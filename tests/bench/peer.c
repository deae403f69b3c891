// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "peer.h"

#include <errno.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <ecbpf/ecbpf.h>

#include "prefix.h"
#include "testbed.h"

#define PEER_TOOL      "xdp-filter"
#define PEER_INTERFACE "peer0"
#define PEER_OTHER     "peer1"
/* Pass what isn't listed; all features. */
#define PEER_OBJECTS	       "/usr/lib*/bpf/xdpfilt_alw_all.o"
#define PEER_OBJECTS_MULTIARCH "/usr/lib/*/bpf/xdpfilt_alw_all.o"
/* Its map value: of each CPU a count, and below it what the entry is for. */
#define PEER_FLAG_SOURCE 1

bool peer_installed(void)
{
	return testbed_has_command(PEER_TOOL);
}

static const char *map_name(unsigned int family)
{
	return family == 4 ? "filter_ipv4" : "filter_ipv6";
}

static int fill(int map, const struct prefix *addresses, size_t count)
{
	int cpus = libbpf_num_possible_cpus(), err = 0, i;
	uint64_t *value;
	size_t j;

	if (cpus < 1)
		return cpus;
	value = calloc(cpus, sizeof(*value));
	if (!value)
		return -ENOMEM;
	for (i = 0; i < cpus; i++)
		value[i] = PEER_FLAG_SOURCE;
	for (j = 0; j < count && !err; j++)
		if (bpf_map_update_elem(map, addresses[j].addr, value, BPF_ANY))
			err = -errno;
	free(value);
	return err;
}

static int open_by_tool(const struct prefix *addresses, size_t count, struct peer *peer)
{
	char pin[128];
	int map, err;

	err = testbed_add_pair(PEER_INTERFACE, PEER_OTHER);
	if (!err)
		err = testbed_run(TESTBED_COMMAND(PEER_TOOL, "load", "-f", "all", PEER_INTERFACE),
				  NULL);
	if (err)
		return err;
	peer->attached = true;
	peer->program = testbed_program(PEER_INTERFACE);
	if (peer->program < 0)
		return peer->program;
	if (!count)
		return 0;
	snprintf(pin, sizeof(pin), TESTBED_BPFFS "/" PEER_TOOL "/%s", map_name(addresses->family));
	map = bpf_obj_get(pin);
	if (map < 0)
		return ecbpf_fail(-errno, "%s: %s", pin, strerror(errno));
	err = fill(map, addresses, count);
	close(map);
	return err;
}

static int prepare(struct bpf_object *object, const char *name, size_t count)
{
	struct bpf_program *program;
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, object) {
		err = err ?: bpf_map__set_pin_path(map, NULL);
		if (!err && !strcmp(bpf_map__name(map), name))
			err = bpf_map__set_max_entries(map, count);
	}
	bpf_object__for_each_program(program, object) {
		bpf_program__set_type(program, BPF_PROG_TYPE_XDP);
		bpf_program__set_expected_attach_type(program, 0);
	}
	return err;
}

static int open_object(const struct prefix *addresses, size_t count, struct peer *peer)
{
	const char *name = map_name(addresses->family);
	glob_t found;
	int err;

	if (glob(PEER_OBJECTS, 0, NULL, &found) && glob(PEER_OBJECTS_MULTIARCH, 0, NULL, &found))
		return ecbpf_fail(-ENOENT, "%s: its objects are not where they are expected",
				  PEER_TOOL);
	peer->object = bpf_object__open_file(found.gl_pathv[0], NULL);
	globfree(&found);
	if (!peer->object)
		return ecbpf_fail(-errno, "%s: opening its object: %s", PEER_TOOL, strerror(errno));
	err = prepare(peer->object, name, count) ?: bpf_object__load(peer->object);
	if (err)
		return ecbpf_fail(err, "%s: loading its object: %s", PEER_TOOL, strerror(-err));
	peer->program = dup(bpf_program__fd(bpf_object__next_program(peer->object, NULL)));
	return fill(bpf_object__find_map_fd_by_name(peer->object, name), addresses, count);
}

int peer_open(const struct prefix *addresses, size_t count, struct peer *peer)
{
	int err;

	*peer = (struct peer){ .program = -1 };
	if (count <= PEER_ADDRESSES_MAX)
		err = open_by_tool(addresses, count, peer);
	else
		err = open_object(addresses, count, peer);
	if (err)
		peer_close(peer);
	return err;
}

void peer_close(struct peer *peer)
{
	if (peer->program > 0)
		close(peer->program);
	bpf_object__close(peer->object);
	if (peer->attached) {
		testbed_run(TESTBED_COMMAND(PEER_TOOL, "unload", PEER_INTERFACE), NULL);
		testbed_delete(PEER_INTERFACE);
	}
	*peer = (struct peer){ .program = -1 };
}
