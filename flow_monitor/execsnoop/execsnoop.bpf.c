// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Tells of programs that are started, and of processes that end. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "execsnoop.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* The kernel's types, as far as they are read here: where a field is, is found out at loading. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};

struct atomic_t {
	int counter;
};

struct signal_struct {
	struct atomic_t live;
	unsigned int flags;
	int group_exit_code;
};

struct task_struct {
	int pid;
	int tgid;
	int exit_code;
	__u64 start_time;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct mm_struct *mm;
	struct signal_struct *signal;
};

#pragma clang attribute pop

/* Of signal_struct's flags: group_exit_code is the status of all threads. */
#define SIGNAL_GROUP_EXIT 4

/* A process, also where its number is given again. */
struct snoop_process {
	__u64 start_time;
	__u32 pid;
	__u32 unused;
};

/* Processes whose end was told. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct snoop_process);
	__type(value, __u8);
} gone SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* Events that found the ring full. */
__u64 lost = 0;

static __always_inline struct snoop_event *begin(enum snoop_kind kind)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct snoop_event *event;

	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&lost, 1);
		return NULL;
	}
	event->monotonic = bpf_ktime_get_ns();
	event->kind = kind;
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->ppid = BPF_CORE_READ(task, real_parent, tgid);
	event->uid = bpf_get_current_uid_gid();
	event->exit_code = 0;
	event->args_length = 0;
	event->args_total = 0;
	bpf_get_current_comm(event->name, sizeof(event->name));
	return event;
}

/* A kernel without these fields tells no arguments, and all the rest. */
static __always_inline void read_arguments(struct snoop_event *event)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	unsigned long start, total, length;

	if (!bpf_core_field_exists(task->mm->arg_start) ||
	    !bpf_core_field_exists(task->mm->arg_end))
		return;
	start = BPF_CORE_READ(task, mm, arg_start);
	total = BPF_CORE_READ(task, mm, arg_end) - start;
	length = total < SNOOP_ARGS_MAX - 1 ? total : SNOOP_ARGS_MAX - 1;
	/* The verifier wants to see a mask, which the compiler knows to be of no effect. */
	asm volatile("" : "+r"(length));
	length &= SNOOP_ARGS_MAX - 1;
	if (bpf_probe_read_user(event->args, length, (void *)start))
		return;
	event->args_length = length;
	event->args_total = total;
}

SEC("raw_tp/sched_process_exec")
int started(void *ctx)
{
	struct snoop_event *event = begin(SNOOP_EXEC);

	(void)ctx;
	if (!event)
		return 0;
	read_arguments(event);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* As wait() tells it. */
static __always_inline int exit_code_of(struct task_struct *task)
{
	if (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
		return BPF_CORE_READ(task, signal, group_exit_code);
	return BPF_CORE_READ(task, group_leader, exit_code);
}

/*
 * For each thread; the process ends with its last one. Before 6.16 several may see that none is
 * alive any more, when they end at once.
 */
SEC("raw_tp/sched_process_exit")
int ended(void *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct snoop_process process = { .pid = bpf_get_current_pid_tgid() >> 32 };
	struct snoop_event *event;
	__u8 one = 1;

	(void)ctx;
	if (BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;
	process.start_time = BPF_CORE_READ(task, group_leader, start_time);
	if (bpf_map_update_elem(&gone, &process, &one, BPF_NOEXIST))
		return 0;
	event = begin(SNOOP_EXIT);
	if (!event)
		return 0;
	event->exit_code = exit_code_of(task);
	bpf_ringbuf_submit(event, 0);
	return 0;
}
