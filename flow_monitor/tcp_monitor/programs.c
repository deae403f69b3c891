// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The programs in the kernel, at the best hook that there is. */
#define _GNU_SOURCE
#include "programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <ecbpf/host.h>

#include "search.h"
#include "tcp_monitor.skel.h"
#include "tcp_monitor_old.skel.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define REALTIME "/sys/kernel/realtime"

/* Tables for so many flows, at most, never hold more. */
#define EXACT_MAX 65536

/* From the best to the last. */
enum hook {
	HOOK_TYPED,
	HOOK_RAW,
	HOOK_CLASSIC,
	HOOKS,
};

static const char *const hook_names[HOOKS] = {
	[HOOK_TYPED] = "tp_btf",
	[HOOK_RAW] = "raw_tracepoint",
	[HOOK_CLASSIC] = "tracepoint",
};

/* That some kernels lack; these don't refuse nested events, so there is nothing to rescue. */
#define BIRTH_TRACEPOINT "tcp_cong_state_set"

/**
 * struct programs - what is loaded
 * @first: the program at the hook
 * @birth, @end: those that make up for what is refused to it; NULL: the kernel has no place for them
 * @percpu: mapped, by CPU
 * @cpus: that it has room for
 */
struct programs {
	struct tcp_monitor_bpf *skel;
	enum hook hook;
	struct bpf_program *first;
	struct bpf_program *birth;
	struct bpf_program *end;
	struct bpf_link *links[4];
	const struct monitor_percpu *percpu;
	int cpus;
};

static bool have_birth_tracepoint(void)
{
	return libbpf_find_vmlinux_btf_id(BIRTH_TRACEPOINT, BPF_TRACE_RAW_TP) > 0;
}

static void choose(struct programs *programs, bool accept_pid)
{
	struct tcp_monitor_bpf *skel = programs->skel;
	struct bpf_program *first[HOOKS] = { skel->progs.typed_first, skel->progs.raw_first,
					     skel->progs.classic_first };
	bool typed = programs->hook == HOOK_TYPED;
	bool birth = typed && have_birth_tracepoint();
	int i;

	for (i = 0; i < HOOKS; i++)
		bpf_program__set_autoload(first[i], i == (int)programs->hook);
	bpf_program__set_autoload(skel->progs.typed_birth, birth);
	bpf_program__set_autoload(skel->progs.typed_end, typed);
	bpf_program__set_autoload(skel->progs.raw_birth, !typed);
	bpf_program__set_autoload(skel->progs.raw_end, !typed);
	programs->first = first[programs->hook];
	programs->birth = typed ? (birth ? skel->progs.typed_birth : NULL) : skel->progs.raw_birth;
	programs->end = typed ? skel->progs.typed_end : skel->progs.raw_end;
	bpf_program__set_autoload(skel->progs.reader_found, accept_pid);
}

/* Programs and maps have the same names in both objects. */
static struct tcp_monitor_bpf *open_object(const char *btf)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = btf);
	struct tcp_monitor_bpf *skel = calloc(1, sizeof(*skel));
	int err = skel ? tcp_monitor_bpf__create_skeleton(skel) : -ENOMEM;

	if (!err && !ecbpf_have_cmpxchg())
		skel->skeleton->data =
			(void *)tcp_monitor_old_bpf__elf_bytes(&skel->skeleton->data_sz);
	if (!err)
		err = bpf_object__open_skeleton(skel->skeleton, &opts);
	if (!err)
		return skel;
	tcp_monitor_bpf__destroy(skel);
	errno = -err;
	return NULL;
}

static void size_table(struct tcp_monitor_bpf *skel, uint64_t max_flows)
{
	/* Of the slots as many again stay free. */
	uint32_t buckets = (2 * max_flows + MONITOR_WAYS - 1) / MONITOR_WAYS;

	skel->rodata->config.buckets = buckets;
	skel->rodata->config.max_slots = max_flows <= EXACT_MAX ? max_flows : 0;
	bpf_map__set_max_entries(skel->maps.buckets, buckets);
	bpf_map__set_max_entries(skel->maps.flows, buckets * MONITOR_WAYS);
}

static size_t percpu_octets(const struct programs *programs)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (programs->cpus * sizeof(struct monitor_percpu) + page - 1) / page * page;
}

static void unload(struct programs *programs)
{
	if (programs->percpu)
		munmap((void *)programs->percpu, percpu_octets(programs));
	programs->percpu = NULL;
	tcp_monitor_bpf__destroy(programs->skel);
	programs->skel = NULL;
}

static int map_percpu(struct programs *programs)
{
	void *memory = mmap(NULL, percpu_octets(programs), PROT_READ, MAP_SHARED,
			    programs_percpu(programs), 0);

	if (memory == MAP_FAILED)
		return -errno;
	programs->percpu = memory;
	return 0;
}

static int load(struct programs *programs, const struct programs_options *options,
		const struct filter *filter)
{
	struct tcp_monitor_bpf *skel = open_object(options->btf);
	int err;

	if (!skel)
		return -errno;
	programs->skel = skel;
	programs->cpus = ecbpf_cpu_numbers();
	choose(programs, options->config.accept_pid);
	search_choose(skel, !options->btf);
	memcpy((void *)&skel->rodata->config, &options->config, sizeof(options->config));
	size_table(skel, options->max_flows);
	memcpy((void *)skel->rodata->ports, filter->ports, sizeof(filter->ports));
	bpf_map__set_max_entries(skel->maps.events, options->ring);
	if (programs->cpus > 0)
		bpf_map__set_max_entries(skel->maps.percpu, programs->cpus);
	err = programs->cpus < 0 ? programs->cpus : tcp_monitor_bpf__load(skel);
	if (!err)
		err = map_percpu(programs);
	if (err)
		unload(programs);
	return err;
}

/* What @cpu has gathered; @flags: of BPF_PROG_TEST_RUN, 0: from here. */
static int put_gathered(const struct programs *programs, int cpu, uint32_t flags)
{
	uint64_t word = cpu;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &word, .ctx_size_in = sizeof(word),
		    .flags = flags, .cpu = flags ? cpu : 0);

	return bpf_prog_test_run_opts(bpf_program__fd(programs->skel->progs.put_gathered), &opts);
}

/*
 * Not where that can't be fetched. Nor where states are reported, which are to come in one order with
 * ends; nor on realtime kernels, where before 6.12 the ring's lock sleeps, which an interrupt can't.
 */
static void choose_gathering(const struct programs *programs, const struct monitor_config *config)
{
	programs->skel->bss->gathering = !config->states && access(REALTIME, F_OK) &&
					 !put_gathered(programs, 0, 0);
}

static int attach_one(struct programs *programs, struct bpf_program *program, int place)
{
	programs->links[place] = bpf_program__attach(program);
	return programs->links[place] ? 0 : -errno;
}

static int attach_rescuer(struct programs *programs, struct bpf_program **program, int place)
{
	int err = *program ? attach_one(programs, *program, place) : 0;

	if (err != -ENOENT)
		return err;
	*program = NULL;
	return 0;
}

static int attach(struct programs *programs, bool accept_pid)
{
	int err = attach_one(programs, programs->first, 0);

	if (!err)
		err = attach_rescuer(programs, &programs->birth, 1);
	if (!err)
		err = attach_rescuer(programs, &programs->end, 2);
	if (!err && accept_pid)
		err = attach_one(programs, programs->skel->progs.reader_found, 3);
	return err;
}

static int load_and_attach(struct programs *programs, const struct programs_options *options,
			   const struct filter *filter)
{
	int err = load(programs, options, filter);

	if (err)
		return err;
	err = filter_fill(filter, bpf_map__fd(programs->skel->maps.addresses),
			  bpf_map__fd(programs->skel->maps.cgroups),
			  bpf_map__fd(programs->skel->maps.namespaces));
	choose_gathering(programs, &options->config);
	if (!err)
		err = attach(programs, options->config.accept_pid);
	if (err) {
		programs_detach(programs);
		unload(programs);
	}
	return err;
}

static int check(const struct programs_options *options)
{
	size_t i;

	if (options->ring & (options->ring - 1))
		return ecbpf_fail(-EINVAL, "--ring %llu: not a power of two",
				  (unsigned long long)options->ring);
	for (i = 0; options->hook && strcmp(options->hook, hook_names[i]); i++)
		if (i + 1 == HOOKS)
			return ecbpf_fail(-EINVAL,
					  "--hook '%s': give tp_btf, raw_tracepoint or tracepoint",
					  options->hook);
	return ecbpf_btf_check(options->btf);
}

static int explain(int err)
{
	if ((err == -EPERM || err == -EACCES) && *ecbpf_capabilities_missing())
		return ecbpf_capabilities_check("following TCP flows");
	if (err == -ENOENT)
		return ecbpf_fail(-EOPNOTSUPP,
				  "sock:inet_sock_set_state: no such tracepoint; if nothing is "
				  "mounted there, run 'mount -t tracefs tracefs "
				  "/sys/kernel/tracing'");
	return ecbpf_fail(
		err == -ENOMEM ? err : -EOPNOTSUPP,
		"sock:inet_sock_set_state: no program can be attached: %s; --libbpf tells "
		"why",
		strerror(-err));
}

int programs_open(const struct programs_options *options, const struct filter *filter,
		  struct programs **out)
{
	struct programs *programs;
	int hook, err = check(options);

	if (err)
		return err;
	programs = calloc(1, sizeof(*programs));
	if (!programs)
		return ecbpf_fail(-ENOMEM, "out of memory");
	err = -EOPNOTSUPP;
	for (hook = 0; hook < HOOKS; hook++) {
		if (options->hook && strcmp(options->hook, hook_names[hook]))
			continue;
		if (hook == HOOK_TYPED && !ecbpf_have_kernel_btf())
			continue;
		programs->hook = hook;
		err = load_and_attach(programs, options, filter);
		if (!err || err == -ENOMEM || err == -E2BIG)
			break;
		/* There are kernels that refuse typed programs to everybody. */
		if (err == -EPERM && *ecbpf_capabilities_missing())
			break;
	}
	if (err) {
		free(programs);
		/* Too much for a map: has been told. */
		return err == -E2BIG ? err : explain(err);
	}
	*out = programs;
	return 0;
}

void programs_detach(struct programs *programs)
{
	size_t i = ARRAY_SIZE(programs->links);

	/* Rescuers first: what they missed now would be no loss of the hook's. */
	while (i--) {
		bpf_link__destroy(programs->links[i]);
		programs->links[i] = NULL;
	}
	/* Until those that run just now have ended: an RCU grace period (kernel/sched/membarrier.c). */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void programs_close(struct programs *programs)
{
	if (!programs)
		return;
	programs_detach(programs);
	unload(programs);
	free(programs);
}

int programs_touch_ring(const struct programs *programs)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(programs->skel->progs.touch_ring), &opts);
}

/* True: something is left. */
static bool put_of(const struct programs *programs, int cpu)
{
	volatile const __u32 *gathered = &programs->percpu[cpu].gathered;

	/* Of one that is offline from here. */
	if (*gathered && put_gathered(programs, cpu, BPF_F_TEST_RUN_ON_CPU) == -ENXIO)
		put_gathered(programs, cpu, 0);
	return *gathered;
}

bool programs_put_gathered(const struct programs *programs)
{
	bool left = false;
	int cpu;

	for (cpu = 0; cpu < programs->cpus; cpu++)
		left |= put_of(programs, cpu);
	return left;
}

const char *programs_hook(const struct programs *programs)
{
	return hook_names[programs->hook];
}

struct tcp_monitor_bpf *programs_skel(const struct programs *programs)
{
	return programs->skel;
}

int programs_events(const struct programs *programs)
{
	return bpf_map__fd(programs->skel->maps.events);
}

int programs_percpu(const struct programs *programs)
{
	return bpf_map__fd(programs->skel->maps.percpu);
}

int programs_report(const struct programs *programs)
{
	return bpf_map__fd(programs->skel->maps.report);
}

static uint64_t misses_of(const struct bpf_program *program)
{
	return program ? ecbpf_program_misses(bpf_program__fd(program)) : 0;
}

void programs_misses(const struct programs *programs, uint64_t *first, uint64_t *rescuer)
{
	*first = misses_of(programs->first);
	*rescuer = misses_of(programs->birth) + misses_of(programs->end);
}
