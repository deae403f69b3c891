/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What tools that watch the host, and not an interface, share: control groups, network
 * namespaces, running instances, tracing programs.
 *
 * Functions that can fail return 0 or a negative errno and say why through the log callback,
 * as in <ecbpf/ecbpf.h>. Not thread-safe. Since 0.1 throughout.
 */
#ifndef ECBPF_HOST_H
#define ECBPF_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Control groups ------------------------------------------------------------------------- */

/**
 * ecbpf_cgroup_open() - a control group of version 2
 * @path: its folder; NULL: the root, wherever it is mounted
 * @id: out, may be NULL: number by which the kernel knows it
 *
 * Return: a descriptor to close(); -ENOENT: none is mounted, -ENODEV: no such folder, -EINVAL: it
 * isn't one of version 2.
 */
int ecbpf_cgroup_open(const char *path, uint64_t *id);

/* Network namespaces --------------------------------------------------------------------- */

/**
 * ecbpf_netns_find() - inode number of a network namespace
 * @text: a name of 'ip netns', a process id, a path, or "net:[INODE]"
 *
 * Return: -ENODEV: there is none; -EACCES, -EPERM: the caller may not look.
 */
int ecbpf_netns_find(const char *text, uint32_t *inode);

/**
 * ecbpf_netns_each() - call back once within each network namespace of a process or a name
 *
 * Beginning with the caller's own, which it is back in afterwards. Namespaces that can't be entered
 * are left out; a negative return of @callback ends it. Return: how many were left out, at least.
 */
int ecbpf_netns_each(int (*callback)(uint32_t inode, void *context), void *context);

/* Instances ------------------------------------------------------------------------------ */

struct ecbpf_instance;

/**
 * ecbpf_instance_open() - a pin folder for this process: BPFFS/ecbpf/TOOL/PID
 *
 * It is locked as long as the process lives, and removed when closed; those of processes that died
 * are cleared away here. Return: -EPERM, -EACCES, -ENOENT: no access to bpffs, or no bpffs.
 */
int ecbpf_instance_open(const char *tool, struct ecbpf_instance **instance);

/* Pin a map (any descriptor) as @name, without dots, for ecbpf_instances_each() to find. */
int ecbpf_instance_pin(struct ecbpf_instance *instance, int fd, const char *name);

/* Also accepts NULL. */
void ecbpf_instance_close(struct ecbpf_instance *instance);

/**
 * ecbpf_instances_each() - call back with the pin folder of each instance of @tool
 *
 * Only of those that run. Return: how many, or a negative return of @callback, which ends it.
 */
int ecbpf_instances_each(const char *tool,
			 int (*callback)(const char *folder, pid_t pid, void *context),
			 void *context);

/* Tracing -------------------------------------------------------------------------------- */

/* Whether the kernel tells about its own types, as typed tracepoints and iterators take. */
bool ecbpf_have_kernel_btf(void);

/* Whether it takes iterators @name ("tcp", "bpf_map_elem"): some refuse one to everybody. */
bool ecbpf_have_iterator(const char *name);

/* Whether BPF programs may compare and exchange: since 5.12. */
bool ecbpf_have_cmpxchg(void);

/*
 * Numbers of CPUs, as bpf_get_smp_processor_id() gives them, are below this. Some may be nobody's, so
 * CPUs may be fewer. Return: -ENODEV: unknown.
 */
int ecbpf_cpu_numbers(void);

/* Fail with -EPERM, naming them, if capabilities are missing that loading takes; @what fails. */
int ecbpf_capabilities_check(const char *what);

/* Runs that the kernel refused @program (descriptor), as one was on that CPU already. */
uint64_t ecbpf_program_misses(int program);

/* Read a kernel's types from @file (NULL: the running kernel's); -ENODEV: can't be read. */
int ecbpf_btf_check(const char *file);

/* Say all that is said, and the words of libbpf and the verifier, as --debug does. */
void ecbpf_log_verbose(void);

/* Output --------------------------------------------------------------------------------- */

/**
 * ecbpf_udp_open() - a non-blocking UDP socket, connected to @host (name or address) and @port
 * @what: begins the message of a failure
 *
 * Return: a descriptor to close(), -EHOSTUNREACH: the name has no address.
 */
int ecbpf_udp_open(const char *what, const char *host, uint16_t port);

#ifdef __cplusplus
}
#endif

#endif
