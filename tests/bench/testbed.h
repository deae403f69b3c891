/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A network namespace, /sys, bpffs and /run (other tools' locks) that nobody else sees and that
 * vanish with the process, however it ends.
 */
#ifndef BENCH_TESTBED_H
#define BENCH_TESTBED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TESTBED_BPFFS "/sys/fs/bpf"

/* Move this process there. Return: -EPERM: not permitted here. */
int testbed_enter(void);

/* Stay on @cpu, or with -1 on the last one of those allowed; returns it, or -errno. */
int testbed_pin(int cpu);

/* Between these, no other process gets this CPU where that is permitted: at most for a moment. */
void testbed_undisturbed_begin(void);
void testbed_undisturbed_end(void);

/* Whether there is such a command. */
bool testbed_has_command(const char *name);

/**
 * testbed_run() - run a command, on any CPU, to its end
 * @argv: as execvp() takes it; what it prints is shown only if it fails
 * @seconds: out: by the wall clock; may be NULL
 */
int testbed_run(const char *const *argv, double *seconds);

/**
 * testbed_start() - run a command beside this process, on the other CPUs if there are any
 * @output: what it prints; testbed_stop() closes it
 *
 * Return: its process id.
 */
pid_t testbed_start(const char *const *argv, int *output);

/* Interrupt it, and wait for its end. What it printed is put into @text, cut to @size. */
int testbed_stop(pid_t pid, int output, char *text, size_t size);

/* The words of a command line, for testbed_run(). */
#define TESTBED_COMMAND(...)    \
	((const char *const[]){ \
		__VA_ARGS__,    \
		NULL,           \
	})

/* A pair of interfaces, both down. */
int testbed_add_pair(const char *name, const char *peer);
int testbed_set_up(const char *name);
int testbed_delete(const char *name);

/* A pair, up, with @program attached to @name in native mode. */
int testbed_attach(const char *name, const char *peer, int program);

/* Frames that @interface's XDP program saw or the stack received, modulo 2^32. */
int testbed_received(const char *interface, uint32_t *frames);

/* The program that is attached to @interface: a descriptor or -errno. */
int testbed_program(const char *interface);

#endif
