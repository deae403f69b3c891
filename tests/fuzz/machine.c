// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "frames.h"
#include "internal.h"
#include "machine.h"
#include "table_maps.h"
#include "xdp_filter.h"
#include "xdp_filter.skel.h"
#include "xdp_root.skel.h"

#define CONFIGURED_MTU 1432
/* XDP_PACKET_HEADROOM of the kernel: how much longer a frame can become. */
#define HEADROOM 256
/* A tick that has passed, and one that never will. */
#define TICK_PAST   1
#define TICK_FUTURE 0xffffffffU

struct machine {
	struct xdp_root_bpf *root;
	struct xdp_filter_bpf *filter;
	const struct scene *scene;
	unsigned int mtu;
	bool linear;
	int cpu;
	size_t cpus;
	struct ecbpf_percpu before;
	struct ecbpf_percpu *now;
	uint8_t out[FRAME_MAX + HEADROOM];
};

static int complain(int err, const char *what)
{
	fprintf(stderr, "mutate: %s: %s\n", what, strerror(-err));
	return err;
}

static int load_root(struct machine *machine)
{
	int err;

	machine->root = xdp_root_bpf__open();
	if (!machine->root)
		return -errno;
	err = ecbpf_object_prepare(machine->root->obj, machine->scene->frags);
	if (err)
		return err;
	machine->root->data_ecbpf->ecbpf_control.occupied = 1U << ECBPF_SLOT_FILTER;
	return xdp_root_bpf__load(machine->root);
}

static int share_maps(struct machine *machine)
{
	struct bpf_map *theirs, *ours;
	int i, err = 0;

	for (i = 0; i < ROOT_MAPS && !err; i++) {
		theirs = bpf_object__find_map_by_name(machine->root->obj, ecbpf_root_maps[i].map);
		ours = bpf_object__find_map_by_name(machine->filter->obj, ecbpf_root_maps[i].map);
		err = bpf_map__reuse_fd(ours, bpf_map__fd(theirs));
	}
	return err;
}

static int plan(const struct scene *scene, struct table **table)
{
	struct table_rule rules[LIST_MAX] = {};
	size_t i;

	for (i = 0; i < scene->policy.list_length; i++) {
		rules[i].prefix.family = scene->list[i].family;
		rules[i].prefix.length = scene->list[i].length;
		memcpy(rules[i].prefix.addr, scene->list[i].address, 16);
		rules[i].id = i + 1;
		rules[i].allow = scene->list[i].allow;
		rules[i].expires = scene->expires[i];
	}
	return table_plan(rules, scene->policy.list_length, NULL, table);
}

static void configure(struct machine *machine, const struct table_layout *layout)
{
	struct xdp_filter_bpf *filter = machine->filter;
	const struct policy *policy = &machine->scene->policy;
	const struct filter_config config = {
		.frags_drop = policy->frags_drop,
		.frags_local_pass = policy->frags_local_pass,
		.drop_options = policy->drop_options,
		.truncated_drop = policy->truncated_drop,
		.have_check_mtu = machine->scene->check_mtu && ecbpf_have_check_mtu(),
		.ptb_max_pps = machine->scene->ptb_max_pps,
		.mtu = CONFIGURED_MTU,
		.hit_shard_size = (LIST_MAX / FILTER_HITS_PER_VALUE + 1) * FILTER_HITS_PER_VALUE,
		.memo_key = 1ULL << 63,
	};
	int lo = ecbpf_mtu("lo");

	memcpy((void *)&filter->rodata->filter_config, &config, sizeof(config));
	memcpy((void *)&filter->rodata->table4, &layout->v4, sizeof(layout->v4));
	memcpy((void *)&filter->rodata->table6, &layout->v6, sizeof(layout->v6));
	machine->mtu = config.have_check_mtu ? lo : CONFIGURED_MTU;
}

static int size_maps(struct machine *machine, const struct table_layout *layout)
{
	int err = table_maps_size(machine->filter->obj, table_map_names, layout);

	if (!err)
		err = bpf_map__set_max_entries(machine->filter->maps.entries, LIST_MAX + 1);
	if (!err)
		err = bpf_map__set_max_entries(machine->filter->maps.hits,
					       LIST_MAX / FILTER_HITS_PER_VALUE + 1);
	if (!err)
		err = bpf_map__set_max_entries(machine->filter->maps.allows, LIST_MAX);
	if (!err)
		err = bpf_map__set_max_entries(machine->filter->maps.local_addresses, LOCAL_MAX);
	return err;
}

static struct filter_allow_key allow_key_of(const struct listed *listed)
{
	struct filter_allow_key key = { .length = FILTER_ALLOW_FAMILY_BITS + listed->length,
					.family = listed->family };

	memcpy(&key.address, listed->address, listed->family == 4 ? 4 : 16);
	return key;
}

static struct filter_address local_key_of(const struct listed *listed)
{
	struct filter_address key = {};

	if (listed->family == 4) {
		key.words[2] = htonl(0xffff);
		memcpy(&key.words[3], listed->address, 4);
	} else {
		memcpy(&key, listed->address, 16);
	}
	return key;
}

static int fill_entries(struct machine *machine, const uint32_t *parents)
{
	const struct scene *scene = machine->scene;
	struct filter_allow_key key;
	struct filter_entry entry;
	uint32_t id;
	size_t i;

	for (i = 0; i < scene->policy.list_length; i++) {
		id = i + 1;
		entry = (struct filter_entry){
			.parent = parents[i],
			.length = scene->list[i].length,
			.family = scene->list[i].family,
			.action = scene->list[i].allow ? FILTER_ALLOW : FILTER_DROP,
		};
		if (scene->expires[i])
			entry.expires = scene->list[i].live ? TICK_FUTURE : TICK_PAST;
		if (bpf_map_update_elem(bpf_map__fd(machine->filter->maps.entries), &id, &entry,
					BPF_ANY))
			return -errno;
		key = allow_key_of(&scene->list[i]);
		if (entry.action == FILTER_ALLOW &&
		    bpf_map_update_elem(bpf_map__fd(machine->filter->maps.allows), &key, &id,
					BPF_ANY))
			return -errno;
	}
	return 0;
}

static int fill_local(struct machine *machine)
{
	struct filter_address key;
	uint8_t value;
	size_t i;

	for (i = 0; i < machine->scene->policy.local_length; i++) {
		key = local_key_of(&machine->scene->local[i]);
		value = i < machine->scene->policy.own_length ? FILTER_OWN : FILTER_BROADCAST;
		if (bpf_map_update_elem(bpf_map__fd(machine->filter->maps.local_addresses), &key,
					&value, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int load_filter(struct machine *machine, struct table *table)
{
	const struct table_layout *layout = table_get_layout(table);
	uint32_t slot = ECBPF_SLOT_FILTER;
	int err, fd;

	machine->filter = xdp_filter_bpf__open();
	if (!machine->filter)
		return -errno;
	err = ecbpf_object_prepare(machine->filter->obj, machine->scene->frags);
	if (!err)
		err = share_maps(machine);
	if (!err)
		err = size_maps(machine, layout);
	if (err)
		return err;
	configure(machine, layout);
	err = xdp_filter_bpf__load(machine->filter);
	if (!err)
		err = table_maps_fill(machine->filter->obj, table_map_names, table);
	if (!err)
		err = fill_entries(machine, table_get_parents(table));
	if (!err)
		err = fill_local(machine);
	if (err)
		return err;
	fd = bpf_program__fd(machine->filter->progs.xdp_filter_prog);
	return bpf_map_update_elem(bpf_map__fd(machine->root->maps.ecbpf_slots), &slot, &fd,
				   BPF_ANY);
}

/* Verdicts are counted per CPU: stay on one. */
static int stay(struct machine *machine)
{
	cpu_set_t one;

	machine->cpu = sched_getcpu();
	machine->cpus = libbpf_num_possible_cpus();
	machine->now = calloc(machine->cpus, sizeof(*machine->now));
	if (!machine->now)
		return -ENOMEM;
	CPU_ZERO(&one);
	CPU_SET(machine->cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
}

static int test_run(struct machine *machine, const uint8_t *frame, size_t length, size_t linear,
		    struct outcome *outcome)
{
	struct xdp_md context = { .data_end = linear };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length,
		    .data_out = machine->out, .data_size_out = sizeof(machine->out), .repeat = 1);

	if (linear && linear < length) {
		options.ctx_in = &context;
		options.ctx_size_in = sizeof(context);
	}
	if (bpf_prog_test_run_opts(bpf_program__fd(machine->root->progs.xdp_root_prog), &options))
		return -errno;
	outcome->action = options.retval;
	outcome->octets = machine->out;
	outcome->length = options.data_size_out;
	return 0;
}

/* Which one counter of `count` went up, and by one? `count`: not just one. */
static size_t find_step(const __u64 *before, const __u64 *now, size_t count)
{
	size_t found = count, i;

	for (i = 0; i < count; i++) {
		if (before[i] == now[i])
			continue;
		if (found != count || now[i] - before[i] != 1)
			return count;
		found = i;
	}
	return found;
}

static int read_counters(struct machine *machine)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(bpf_map__fd(machine->root->maps.ecbpf_percpu), &zero,
				   machine->now) ?
		       -errno :
		       0;
}

static int probe_linear(struct machine *machine)
{
	static const uint8_t frame[256];
	struct outcome outcome;
	int err;

	machine->linear = machine->scene->frags &&
			  !test_run(machine, frame, sizeof(frame), sizeof(frame) / 2, &outcome);
	err = read_counters(machine);
	machine->before = machine->now[machine->cpu];
	return err;
}

int machine_open(const struct scene *scene, struct machine **out)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	struct table *table = NULL;
	int err;

	if (!machine)
		return complain(-ENOMEM, scene->name);
	machine->scene = scene;
	err = stay(machine);
	if (!err)
		err = load_root(machine);
	if (!err)
		err = plan(scene, &table);
	if (!err)
		err = load_filter(machine, table);
	table_free(table);
	if (!err)
		err = probe_linear(machine);
	if (err) {
		machine_close(machine);
		return complain(err, scene->name);
	}
	*out = machine;
	return 0;
}

void machine_close(struct machine *machine)
{
	if (!machine)
		return;
	xdp_filter_bpf__destroy(machine->filter);
	xdp_root_bpf__destroy(machine->root);
	free(machine->now);
	free(machine);
}

int machine_run(struct machine *machine, const uint8_t *frame, size_t length, size_t linear,
		struct outcome *outcome)
{
	const struct ecbpf_percpu *now;
	size_t place, reason;
	int err;

	err = test_run(machine, frame, length, linear, outcome);
	if (err)
		return complain(err, "BPF_PROG_TEST_RUN");
	err = read_counters(machine);
	if (err)
		return complain(err, "ecbpf_percpu");
	now = &machine->now[machine->cpu];
	place = find_step(machine->before.actions[0], now->actions[0],
			  (ECBPF_SLOTS + 1) * ECBPF_ACTIONS);
	reason = find_step(machine->before.reasons, now->reasons, ECBPF_REASON_MAX);
	machine->before = *now;
	outcome->packet = now->packet;
	outcome->slot = place / ECBPF_ACTIONS;
	outcome->reason = reason;
	if (place % ECBPF_ACTIONS != outcome->action || outcome->slot > ECBPF_SLOT_ROOT ||
	    reason == ECBPF_REASON_MAX)
		return complain(-EPROTO, "a packet isn't counted once, by action and by reason");
	return 0;
}

bool machine_has_linear(const struct machine *machine)
{
	return machine->linear;
}

unsigned int machine_mtu(const struct machine *machine)
{
	return machine->mtu;
}

int machine_hits(struct machine *machine, size_t index, uint64_t *hits)
{
	uint32_t id = index + 1, key = id / FILTER_HITS_PER_VALUE;
	struct filter_hits value;

	if (bpf_map_lookup_elem(bpf_map__fd(machine->filter->maps.hits), &key, &value))
		return complain(-errno, "hits");
	*hits = value.count[id % FILTER_HITS_PER_VALUE];
	return 0;
}
