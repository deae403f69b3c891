// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "testbed.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <ecbpf/ecbpf.h>

#define COMMAND_FOLDERS "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define NO_IPV6		"/proc/sys/net/ipv6/conf/default/disable_ipv6"

static cpu_set_t allowed_cpus;

/* No router solicitations among the frames that are counted. */
static void disable_ipv6(void)
{
	int fd = open(NO_IPV6, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		ecbpf_log(ECBPF_LOG_DEBUG, "%s: %s", NO_IPV6, strerror(errno));
	close(fd);
}

int testbed_enter(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET))
		return ecbpf_fail(-errno, "entering namespaces of its own: %s", strerror(errno));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    mount("bpf", TESTBED_BPFFS, "bpf", 0, "mode=0700") ||
	    mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"))
		return ecbpf_fail(-errno, "mounting /sys, " TESTBED_BPFFS " and /run: %s",
				  strerror(errno));
	unsetenv("ECBPF_BPFFS");
	setenv("PATH", COMMAND_FOLDERS, 1);
	disable_ipv6();
	return 0;
}

int testbed_pin(int cpu)
{
	cpu_set_t one;
	int last = -1, i;

	if (sched_getaffinity(0, sizeof(allowed_cpus), &allowed_cpus))
		return ecbpf_fail(-errno, "reading the CPUs allowed: %s", strerror(errno));
	for (i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &allowed_cpus))
			last = i;
	if (cpu < 0)
		cpu = last;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return ecbpf_fail(-errno, "staying on CPU %d: %s", cpu, strerror(errno));
	return cpu;
}

/* A nice value would do nothing against processes of other sessions (sched(7), autogroup). */
static void set_policy(int policy)
{
	const struct sched_param parameters = { sched_get_priority_min(policy) };
	static bool told;

	if (!sched_setscheduler(0, policy, &parameters) || told)
		return;
	told = true;
	ecbpf_log(ECBPF_LOG_WARNING, "other processes may disturb: real-time scheduling: %s",
		  strerror(errno));
}

void testbed_undisturbed_begin(void)
{
	set_policy(SCHED_FIFO);
}

void testbed_undisturbed_end(void)
{
	set_policy(SCHED_OTHER);
}

bool testbed_has_command(const char *name)
{
	char folders[] = COMMAND_FOLDERS, path[256], *rest = folders, *folder;

	while ((folder = strtok_r(rest, ":", &rest))) {
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

static void become_command(const char *const *argv, int output, const cpu_set_t *cpus)
{
	/* A bench that is killed leaves nobody behind who watches the host. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sched_setaffinity(0, sizeof(*cpus), cpus);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execvp(argv[0], (char *const *)argv);
	dprintf(output, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void show(int output)
{
	struct stat info;
	off_t from = 0;

	if (!fstat(output, &info) && sendfile(STDERR_FILENO, output, &from, info.st_size) < 0)
		perror("sendfile");
}

int testbed_run(const char *const *argv, double *seconds)
{
	int output = memfd_create("output", MFD_CLOEXEC), status, err = 0;
	double began = now();
	pid_t pid;

	if (output < 0)
		return ecbpf_fail(-errno, "%s: no room for its output: %s", argv[0],
				  strerror(errno));
	pid = fork();
	if (!pid)
		become_command(argv, output, &allowed_cpus);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		err = ecbpf_fail(-errno, "%s: running it failed: %s", argv[0], strerror(errno));
	if (!err && status) {
		show(output);
		err = ecbpf_fail(-ECANCELED, "%s: failed with status %d", argv[0],
				 WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	}
	close(output);
	if (!err && seconds)
		*seconds = now() - began;
	return err;
}

/* All allowed ones but where this process is, or that one if there is no other. */
static cpu_set_t other_cpus(void)
{
	cpu_set_t others = allowed_cpus;

	CPU_CLR(sched_getcpu(), &others);
	return CPU_COUNT(&others) ? others : allowed_cpus;
}

pid_t testbed_start(const char *const *argv, int *output)
{
	int file = memfd_create("output", MFD_CLOEXEC);
	cpu_set_t cpus = other_cpus();
	pid_t pid;

	if (file < 0)
		return ecbpf_fail(-errno, "%s: no room for its output: %s", argv[0],
				  strerror(errno));
	pid = fork();
	if (!pid)
		become_command(argv, file, &cpus);
	if (pid < 0) {
		close(file);
		return ecbpf_fail(-errno, "%s: running it failed: %s", argv[0], strerror(errno));
	}
	*output = file;
	return pid;
}

int testbed_stop(pid_t pid, int output, char *text, size_t size)
{
	int status, err = 0;
	ssize_t got;

	kill(pid, SIGINT);
	if (waitpid(pid, &status, 0) < 0)
		err = -errno;
	/* Many tools end by the signal. */
	if (!err && status && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)) {
		show(output);
		err = ecbpf_fail(-ECANCELED, "process %d failed with status %d", pid, status);
	}
	got = pread(output, text, size - 1, 0);
	text[got > 0 ? got : 0] = '\0';
	close(output);
	return err;
}

int testbed_add_pair(const char *name, const char *peer)
{
	return testbed_run(TESTBED_COMMAND("ip", "link", "add", name, "type", "veth", "peer",
					   "name", peer),
			   NULL);
}

int testbed_set_up(const char *name)
{
	return testbed_run(TESTBED_COMMAND("ip", "link", "set", name, "up"), NULL);
}

int testbed_delete(const char *name)
{
	return testbed_run(TESTBED_COMMAND("ip", "link", "delete", name), NULL);
}

int testbed_attach(const char *name, const char *peer, int program)
{
	int err;

	err = testbed_add_pair(name, peer);
	if (!err)
		err = testbed_set_up(name);
	if (!err)
		err = testbed_set_up(peer);
	if (err)
		return err;
	err = bpf_xdp_attach(if_nametoindex(name), program, XDP_FLAGS_DRV_MODE, NULL);
	return err ? ecbpf_fail(err, "%s: attaching a program: %s", name, strerror(-err)) : 0;
}

int testbed_received(const char *interface, uint32_t *frames)
{
	struct ifaddrs *all, *one;
	int err = -ENODEV;

	if (getifaddrs(&all))
		return -errno;
	for (one = all; one; one = one->ifa_next) {
		if (!one->ifa_addr || one->ifa_addr->sa_family != AF_PACKET || !one->ifa_data ||
		    strcmp(one->ifa_name, interface) != 0)
			continue;
		*frames = ((const struct rtnl_link_stats *)one->ifa_data)->rx_packets;
		err = 0;
	}
	freeifaddrs(all);
	return err;
}

int testbed_program(const char *interface)
{
	uint32_t id = 0;
	int err, fd;

	err = bpf_xdp_query_id(if_nametoindex(interface), 0, &id);
	if (!err && !id)
		err = -ENOENT;
	if (err)
		return ecbpf_fail(err, "%s: finding its XDP program: %s", interface,
				  strerror(-err));
	fd = bpf_prog_get_fd_by_id(id);
	return fd < 0 ? ecbpf_fail(-errno, "%s: opening program %u: %s", interface, id,
				   strerror(errno)) :
			fd;
}
