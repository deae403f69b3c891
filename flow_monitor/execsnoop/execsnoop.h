/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What execsnoop's BPF programs and its user side share. */
#ifndef EXECSNOOP_H
#define EXECSNOOP_H

#include <linux/types.h>

#define SNOOP_NAME_MAX 16
/* Octets of arguments that are kept; a power of two. */
#define SNOOP_ARGS_MAX 512

enum snoop_kind {
	SNOOP_EXEC,
	SNOOP_EXIT,
};

/**
 * struct snoop_event - in the ring
 * @monotonic: ns
 * @exit_code: as wait() has it: signal in the lower seven bits, status in the next octet
 * @args: each with a NUL behind it; @args_length octets of @args_total
 */
struct snoop_event {
	__u64 monotonic;
	__u32 kind;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	__u32 exit_code;
	__u32 args_length;
	__u32 args_total;
	char name[SNOOP_NAME_MAX];
	char args[SNOOP_ARGS_MAX];
};

#endif
