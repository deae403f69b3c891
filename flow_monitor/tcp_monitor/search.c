// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "search.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <ecbpf/host.h>
#include <ecbpf/tool.h>

#include "tcp_monitor.skel.h"

/* Records read from an iterator at once. */
#define READ_RECORDS 512
/* Keys taken from the table at once. */
#define READ_KEYS 4096

/* Since 5.3 and 5.6; libc may not know them. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

typedef void (*take_flow)(const struct monitor_event *event, void *context);

void search_choose(struct tcp_monitor_bpf *skel, bool iterators)
{
	bool sockets = iterators && ecbpf_have_iterator("tcp");
	bool elements = iterators && ecbpf_have_iterator("bpf_map_elem");

	bpf_program__set_autoload(skel->progs.find_open, sockets);
	bpf_program__set_autoload(skel->progs.find_one, !sockets);
	bpf_program__set_autoload(skel->progs.read_each, elements);
	bpf_program__set_autoload(skel->progs.read_one, !elements);
	bpf_program__set_autoload(skel->progs.sweep_each, elements);
	bpf_program__set_autoload(skel->progs.sweep_some, !elements);
}

/* Run an iterator to its end. */
static int run_iterator(struct bpf_program *program, const struct bpf_iter_attach_opts *opts,
			take_flow take, void *context)
{
	struct monitor_event *events = calloc(READ_RECORDS, sizeof(*events));
	struct bpf_link *link = bpf_program__attach_iter(program, opts);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -errno;
	size_t filled = 0, i, whole;
	ssize_t got = fd < 0 ? fd : 1;

	if (!events)
		got = -ENOMEM;
	while (got > 0) {
		got = read(fd, (char *)events + filled, READ_RECORDS * sizeof(*events) - filled);
		if (got < 0)
			got = errno == EINTR || errno == EAGAIN ? 1 : -errno;
		else
			filled += got;
		whole = filled / sizeof(*events);
		for (i = 0; i < whole; i++)
			take(&events[i], context);
		filled -= whole * sizeof(*events);
		memmove(events, events + whole, filled);
	}
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	free(events);
	return got;
}

static int iterate_over_flows(struct tcp_monitor_bpf *skel, struct bpf_program *program,
			      take_flow take, void *context)
{
	union bpf_iter_link_info info = { .map.map_fd = bpf_map__fd(skel->maps.buckets) };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));

	return run_iterator(program, &opts, take, context);
}

/* What @program returns, or a negative errno. */
static int call(const struct bpf_program *program, const uint64_t *words, size_t count)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = words,
		    .ctx_size_in = count * sizeof(*words));
	int err = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);

	return err ?: (int)opts.retval;
}

static int find_in_namespace(uint32_t inode, void *context)
{
	struct tcp_monitor_bpf *skel = context;
	int err = run_iterator(skel->progs.find_open, NULL, NULL, NULL);

	if (err)
		ecbpf_log(ECBPF_LOG_DEBUG, "net:[%u]: looking for open flows: %s", inode,
			  strerror(-err));
	return 0;
}

/**
 * struct walk - over the sockets of all processes
 * @listeners: these are looked for
 * @left_out: processes that may not be looked at
 */
struct walk {
	const struct bpf_program *program;
	bool listeners;
	int left_out;
};

static bool may_not(int err)
{
	return err == EACCES || err == EPERM;
}

/* False, with errno: none, or that can't be told. */
static bool is_socket(int folder, const char *name)
{
	char target[16];
	ssize_t length = readlinkat(folder, name, target, sizeof(target));

	if (length >= 0)
		errno = 0;
	return length > 0 && !strncmp(target, "socket:", strlen("socket:"));
}

/* The program finds a socket through a descriptor of ours. False, with errno: we have none. */
static bool look_at(const struct walk *walk, int process, int number)
{
	int own = syscall(SYS_pidfd_getfd, process, number, 0);
	const uint64_t words[] = { own, walk->listeners };

	if (own < 0)
		return false;
	call(walk->program, words, sizeof(words) / sizeof(words[0]));
	close(own);
	return true;
}

/* False: we may not. What is closed, or ends, meanwhile isn't open. */
static bool look_through(const struct walk *walk, pid_t pid, DIR *descriptors)
{
	int process = syscall(SYS_pidfd_open, pid, 0);
	struct dirent *entry;
	bool allowed = true;

	if (process < 0)
		return errno == ESRCH;
	while (allowed && (entry = readdir(descriptors))) {
		if (entry->d_name[0] == '.')
			continue;
		if (!is_socket(dirfd(descriptors), entry->d_name) ||
		    !look_at(walk, process, atoi(entry->d_name)))
			allowed = !may_not(errno);
	}
	close(process);
	return allowed;
}

static void visit(struct walk *walk, pid_t pid)
{
	char path[64];
	DIR *descriptors;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	descriptors = opendir(path);
	if (!descriptors) {
		walk->left_out += may_not(errno);
		return;
	}
	walk->left_out += !look_through(walk, pid, descriptors);
	closedir(descriptors);
}

static int walk_processes(struct tcp_monitor_bpf *skel, bool listeners)
{
	struct walk walk = { .program = skel->progs.find_one, .listeners = listeners };
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	if (!processes)
		return ecbpf_fail(-errno, "/proc: %m");
	while ((entry = readdir(processes)))
		if (!entry->d_name[strspn(entry->d_name, "0123456789")])
			visit(&walk, atoi(entry->d_name));
	closedir(processes);
	return walk.left_out;
}

int search_open(struct tcp_monitor_bpf *skel)
{
	bool iterators = bpf_program__autoload(skel->progs.find_open);
	int left_out;

	if (iterators) {
		left_out = ecbpf_netns_each(find_in_namespace, skel);
	} else {
		left_out = walk_processes(skel, true);
		if (left_out >= 0)
			left_out = walk_processes(skel, false);
	}
	if (left_out > 0)
		ecbpf_log(ECBPF_LOG_WARNING,
			  "flows open already were not looked for in %d or more %s that may not be "
			  "looked at (that takes %sCAP_SYS_PTRACE): their start is unknown",
			  left_out, iterators ? "network namespaces" : "processes",
			  iterators ? "CAP_SYS_ADMIN and " : "");
	return left_out;
}

/* Call back with the keys in the table, some at a time. */
static int each_key(struct tcp_monitor_bpf *skel,
		    void (*callback)(struct tcp_monitor_bpf *skel, const uint64_t *keys,
				     uint32_t count, void *context),
		    void *context)
{
	size_t slots = bpf_map__max_entries(skel->maps.flows), size = slots * sizeof(uint64_t), i;
	const uint64_t *table =
		mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(skel->maps.buckets), 0);
	uint64_t keys[READ_KEYS], key;
	uint32_t count = 0;

	if (table == MAP_FAILED)
		return -errno;
	for (i = 0; i < slots; i++) {
		key = __atomic_load_n(&table[i], __ATOMIC_RELAXED);
		if (key > MONITOR_TAKEN)
			keys[count++] = key;
		if (count && (count == READ_KEYS || i + 1 == slots)) {
			callback(skel, keys, count, context);
			count = 0;
		}
	}
	munmap((void *)table, size);
	return 0;
}

static void sweep(struct tcp_monitor_bpf *skel, const uint64_t *keys, uint32_t count, void *context)
{
	uint64_t words[MONITOR_SWEEP_KEYS];
	uint32_t i, some;

	(void)context;
	for (i = 0; i < count; i += some) {
		some = count - i < MONITOR_SWEEP_KEYS ? count - i : MONITOR_SWEEP_KEYS;
		memset(words, 0, sizeof(words));
		memcpy(words, &keys[i], some * sizeof(*words));
		call(skel->progs.sweep_some, words, MONITOR_SWEEP_KEYS);
	}
}

int search_unseen(struct tcp_monitor_bpf *skel)
{
	if (bpf_program__autoload(skel->progs.sweep_each))
		return iterate_over_flows(skel, skel->progs.sweep_each, NULL, NULL);
	return each_key(skel, sweep, NULL);
}

/**
 * struct reading - of active flows, one after another
 * @event: mapped value of "one_read"
 */
struct reading {
	const struct monitor_event *event;
	take_flow take;
	void *context;
	int err;
};

static void read_keys(struct tcp_monitor_bpf *skel, const uint64_t *keys, uint32_t count,
		      void *context)
{
	struct reading *reading = context;
	uint32_t i;
	int found;

	for (i = 0; i < count && !reading->err; i++) {
		found = call(skel->progs.read_one, &keys[i], 1);
		if (found > 0)
			reading->take(reading->event, reading->context);
		else
			reading->err = found;
	}
}

static int read_one_by_one(struct tcp_monitor_bpf *skel, take_flow take, void *context)
{
	size_t size = sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(skel->maps.one_read), 0);
	struct reading reading = { .event = memory, .take = take, .context = context };
	int err;

	if (memory == MAP_FAILED)
		return -errno;
	err = each_key(skel, read_keys, &reading) ?: reading.err;
	munmap(memory, size);
	return err;
}

int search_read(struct tcp_monitor_bpf *skel, take_flow take, void *context)
{
	int err = bpf_program__autoload(skel->progs.read_each) ?
			  iterate_over_flows(skel, skel->progs.read_each, take, context) :
			  read_one_by_one(skel, take, context);

	return err ? ecbpf_fail(err, "reading open flows: %s", strerror(-err)) : 0;
}
