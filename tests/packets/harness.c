// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "xdp_root.skel.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Headers of libbpf 1.1 may be older than the flag. */
#define XDP_HAS_FRAGS (1U << 5)

static int say_warnings(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* The smallest XDP program: a descriptor or -errno. */
static int load_smallest(unsigned int flags)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = flags);
	int fd;

	libbpf_set_print(say_nothing);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "harness_probe", "GPL", pass, ARRAY_SIZE(pass),
			   &options);
	libbpf_set_print(say_warnings);
	return fd;
}

static bool stay_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return !sched_setaffinity(0, sizeof(cpus), &cpus);
}

bool harness_usable(void)
{
	int fd = load_smallest(0);

	if (fd == -EPERM || fd == -ENOSYS) {
		printf("skipped: loading an XDP program: %s; it takes CAP_BPF, CAP_NET_ADMIN and "
		       "CAP_PERFMON\n",
		       strerror(-fd));
		return false;
	}
	if (fd >= 0)
		close(fd);
	return stay_on(sched_getcpu());
}

bool harness_move(struct harness *harness, int cpu)
{
	if (!stay_on(cpu))
		return false;
	harness->cpu = cpu;
	return true;
}

bool harness_has_frags(void)
{
	int fd = load_smallest(XDP_HAS_FRAGS);

	if (fd < 0) {
		printf("not run: this kernel has no multi-buffer XDP\n");
		return false;
	}
	close(fd);
	return true;
}

bool harness_has_pieces(void)
{
	struct xdp_md context = { .data_end = 20 };
	uint8_t frame[40] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1);
	int fd = load_smallest(XDP_HAS_FRAGS), err = fd;

	if (fd >= 0) {
		err = bpf_prog_test_run_opts(fd, &options);
		close(fd);
	}
	if (err)
		printf("not run: this kernel puts frames of tests into one piece\n");
	return !err;
}

static void set_up_program(const struct harness *harness, struct bpf_program *program)
{
	bpf_program__set_expected_attach_type(program, 0);
	if (harness->frags)
		bpf_program__set_flags(program, bpf_program__flags(program) | XDP_HAS_FRAGS);
}

void harness_open(struct harness *harness, bool frags)
{
	*harness = (struct harness){ .frags = frags,
				     .cpu = sched_getcpu(),
				     .root = xdp_root_bpf__open() };
	assert_non_null(harness->root);
	harness->root->rodata->ecbpf_frags = frags;
	set_up_program(harness, harness->root->progs.xdp_root_prog);
	assert_int_equal(xdp_root_bpf__load(harness->root), 0);
}

unsigned int harness_open_both(struct harness roots[2])
{
	harness_open(&roots[0], false);
	if (!harness_has_frags())
		return 1;
	harness_open(&roots[1], true);
	return 2;
}

void harness_close(struct harness *harness)
{
	xdp_root_bpf__destroy(harness->root);
	harness->root = NULL;
}

void harness_prepare(struct harness *harness, struct bpf_object *object)
{
	struct xdp_root_bpf *root = harness->root;
	const struct bpf_map *shared[] = { root->maps.ecbpf_slots, root->maps.ecbpf_emitter,
					   root->maps.xdpcap_hook, root->maps.ecbpf_percpu,
					   root->maps.data_ecbpf };
	struct bpf_program *program;
	struct bpf_map *map;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shared); i++) {
		map = bpf_object__find_map_by_name(object, bpf_map__name(shared[i]));
		if (map)
			assert_int_equal(bpf_map__reuse_fd(map, bpf_map__fd(shared[i])), 0);
	}
	bpf_object__for_each_program(program, object)
		set_up_program(harness, program);
}

int harness_join(int map, uint32_t index, int program)
{
	if (program < 0)
		return bpf_map_delete_elem(map, &index);
	return bpf_map_update_elem(map, &index, &program, BPF_ANY);
}

void harness_occupy(struct harness *harness, uint32_t slots)
{
	harness->root->data_ecbpf->ecbpf_control.occupied = slots;
}

void harness_fill(struct harness *harness, unsigned int slot, int program)
{
	int map = bpf_map__fd(harness->root->maps.ecbpf_slots);

	assert_int_equal(harness_join(map, slot, program), 0);
	harness->root->data_ecbpf->ecbpf_control.changes++;
	if (program >= 0)
		harness_occupy(harness,
			       harness->root->data_ecbpf->ecbpf_control.occupied | 1U << slot);
}

/* The first value of a per-CPU array, of all CPUs side by side; free() it. */
static void *read_percpu(int map, size_t size)
{
	void *values = calloc(libbpf_num_possible_cpus(), size);
	uint32_t zero = 0;

	assert_non_null(values);
	assert_int_equal(bpf_map_lookup_elem(map, &zero, values), 0);
	return values;
}

void harness_sum(int map, uint64_t *sum, size_t size)
{
	const size_t words = size / sizeof(*sum);
	uint64_t *values = read_percpu(map, size);
	size_t cpu, i;

	memset(sum, 0, size);
	for (cpu = 0; cpu < (size_t)libbpf_num_possible_cpus(); cpu++)
		for (i = 0; i < words; i++)
			sum[i] += values[cpu * words + i];
	free(values);
}

/* The packet of this CPU, and the sums of the counters. */
static void read_state(const struct harness *harness, struct ecbpf_percpu *state)
{
	int map = bpf_map__fd(harness->root->maps.ecbpf_percpu);
	struct ecbpf_percpu *values = read_percpu(map, sizeof(*values));

	harness_sum(map, (uint64_t *)state, sizeof(*state));
	state->packet = values[harness->cpu].packet;
	free(values);
}

void harness_reasons(const struct harness *harness, uint64_t counts[ECBPF_REASON_MAX])
{
	struct ecbpf_percpu state;

	read_state(harness, &state);
	memcpy(counts, state.reasons, sizeof(state.reasons));
}

/* Which of @count counters moved, by one; the others must stand. */
static unsigned int moved(const __u64 *before, const __u64 *after, unsigned int count)
{
	unsigned int i, found = count;

	for (i = 0; i < count; i++) {
		if (after[i] == before[i])
			continue;
		assert_int_equal(after[i], before[i] + 1);
		assert_int_equal(found, count);
		found = i;
	}
	assert_int_not_equal(found, count);
	return found;
}

void harness_run(struct harness *harness, const uint8_t *frame, size_t length,
		 struct outcome *outcome)
{
	struct xdp_md context = { .data_end = harness->first_piece };
	struct ecbpf_percpu before, after;
	unsigned int counter;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length,
		    .data_out = outcome->frame, .data_size_out = sizeof(outcome->frame),
		    .repeat = 1);

	if (harness->first_piece && harness->first_piece < length) {
		options.ctx_in = &context;
		options.ctx_size_in = sizeof(context);
	}
	read_state(harness, &before);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(harness->root->progs.xdp_root_prog),
						&options),
			 0);
	read_state(harness, &after);
	outcome->action = options.retval;
	outcome->length = options.data_size_out;
	outcome->packet = after.packet;
	counter = moved(before.actions[0], after.actions[0],
			sizeof(before.actions) / sizeof(before.actions[0][0]));
	outcome->row = counter / ECBPF_ACTIONS;
	outcome->column = counter % ECBPF_ACTIONS;
	outcome->reason = moved(before.reasons, after.reasons, ECBPF_REASON_MAX);
}
