// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "sampled.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include <ecbpf/ecbpf.h>

#include "testbed.h"

#define PATH_OCTETS 512

static void tool_path(const struct bench *bench, const char *tool, char *path)
{
	snprintf(path, PATH_OCTETS, "%s/%s", bench->tools, tool);
}

static int attach(const struct bench *bench, const char *name, unsigned long rate,
		  unsigned long ring)
{
	char root[PATH_OCTETS], sampler[PATH_OCTETS], rate_text[24], ring_text[24];
	int err;

	tool_path(bench, "xdp_root/xdp_root_loader", root);
	tool_path(bench, "xdp_sampler/xdp_sampler", sampler);
	snprintf(rate_text, sizeof(rate_text), "%lu", rate);
	snprintf(ring_text, sizeof(ring_text), "%lu", ring);
	err = testbed_run(TESTBED_COMMAND(root, "--attach", "--no-frags", "--interface", name),
			  NULL);
	if (err || !rate)
		return err;
	return testbed_run(TESTBED_COMMAND(sampler, "--attach", "--rate", rate_text, "--ring",
					   ring_text, "--snaplen", "128", "--interface", name),
			   NULL);
}

static void *map_page(int fd, int protection, unsigned int page)
{
	const long octets = sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, octets, protection, MAP_SHARED, fd, page * octets);

	return memory == MAP_FAILED ? NULL : memory;
}

static int map_ring(struct sampled *sampled)
{
	struct ecbpf_root *root;
	int ring, report, err;

	err = ecbpf_root_open_readonly(sampled->name, ECBPF_LIVE, &root);
	if (err)
		return err;
	ring = ecbpf_slot_map_open(root, ECBPF_SLOT_SAMPLER, "samples");
	report = ecbpf_slot_map_open(root, ECBPF_SLOT_SAMPLER, "reader");
	ecbpf_root_close(root);
	if (ring >= 0 && report >= 0) {
		sampled->consumer = map_page(ring, PROT_READ | PROT_WRITE, 0);
		sampled->producer = map_page(ring, PROT_READ, 1);
		sampled->report = map_page(report, PROT_READ, 0);
	}
	close(ring);
	close(report);
	if (!sampled->consumer || !sampled->producer || !sampled->report)
		return ecbpf_fail(-EIO, "%s: mapping its ring buffer failed", sampled->name);
	return 0;
}

int sampled_open(const struct bench *bench, const char *name, const char *peer, unsigned long rate,
		 unsigned long ring, struct sampled *sampled)
{
	int err;

	*sampled = (struct sampled){ .name = name, .program = -1 };
	err = testbed_add_pair(name, peer);
	if (err)
		return err;
	err = attach(bench, name, rate, ring);
	if (!err) {
		sampled->program = testbed_program(name);
		err = sampled->program < 0 ? sampled->program : 0;
	}
	if (!err && rate)
		err = map_ring(sampled);
	if (err)
		sampled_close(bench, sampled);
	return err;
}

static void unmap(const volatile void *memory)
{
	if (memory)
		munmap((void *)memory, sysconf(_SC_PAGESIZE));
}

void sampled_close(const struct bench *bench, struct sampled *sampled)
{
	char root[PATH_OCTETS];

	if (!sampled->name)
		return;
	unmap(sampled->consumer);
	unmap(sampled->producer);
	unmap(sampled->report);
	if (sampled->program >= 0)
		close(sampled->program);
	tool_path(bench, "xdp_root/xdp_root_loader", root);
	testbed_run(TESTBED_COMMAND(root, "--detach", "--interface", sampled->name), NULL);
	testbed_delete(sampled->name);
	memset(sampled, 0, sizeof(*sampled));
}

void sampled_drain(struct sampled *sampled)
{
	__atomic_store_n(sampled->consumer, __atomic_load_n(sampled->producer, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
}

int sampled_reader_begin(const struct bench *bench, const struct sampled *sampled,
			 struct sampled_reader *reader)
{
	char tool[PATH_OCTETS], path[64];

	*reader = (struct sampled_reader){ .file = memfd_create("samples", 0) };
	if (reader->file < 0)
		return ecbpf_fail(-errno, "a file in memory: %s", strerror(errno));
	tool_path(bench, "xdp_sampler/xdp_sampler", tool);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", reader->file);
	reader->pid = fork();
	if (!reader->pid) {
		execl(tool, tool, "--write", path, "--interface", sampled->name, NULL);
		_exit(127);
	}
	if (reader->pid < 0) {
		close(reader->file);
		return ecbpf_fail(-errno, "%s: %s", tool, strerror(errno));
	}
	return 0;
}

int sampled_reader_end(struct sampled_reader *reader)
{
	struct rusage usage;
	int status;

	kill(reader->pid, SIGTERM);
	if (wait4(reader->pid, &status, 0, &usage) < 0)
		return -errno;
	close(reader->file);
	reader->nanoseconds = 1e9 * (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			      1e3 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	reader->octets = usage.ru_maxrss * 1024.0;
	return status ? ecbpf_fail(-ECANCELED, "xdp_sampler: ended with status %#x", status) : 0;
}
