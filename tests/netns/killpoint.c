// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Preloaded into a loader, kills it right before its Nth step that others can see, N being
 * $KILLPOINT: changes of links, maps, pins and devices. So each kind of state that a loader can
 * leave behind is met, and not only those that last. Of steps of one kind in a row the first two
 * count: none of them done, and one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind {
	KIND_MKDIR = 1,
	KIND_RMDIR,
	KIND_UNLINK,
	KIND_UNLINKAT,
	KIND_RENAME,
	KIND_FLOCK,
	KIND_IOCTL,
	/* And the command of bpf(2). */
	KIND_BPF,
};

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

static void step(int kind)
{
	static int last, repeated, count;
	const char *point = getenv("KILLPOINT");

	repeated = kind == last ? repeated + 1 : 0;
	last = kind;
	if (point && repeated < 2 && ++count == atoi(point))
		kill(getpid(), SIGKILL);
}

static bool is_visible(long command)
{
	switch (command) {
	case BPF_OBJ_PIN:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_LINK_CREATE:
	case BPF_LINK_UPDATE:
	case BPF_LINK_DETACH:
		return true;
	default:
		return false;
	}
}

/* libbpf's way to bpf(2). */
long syscall(long number, ...)
{
	long words[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		words[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_bpf && is_visible(words[0]))
		step(KIND_BPF + words[0]);
	return REAL("syscall", long (*)(long, ...))(number, words[0], words[1], words[2], words[3],
						    words[4], words[5]);
}

int mkdir(const char *path, mode_t mode)
{
	step(KIND_MKDIR);
	return REAL("mkdir", int (*)(const char *, mode_t))(path, mode);
}

int rmdir(const char *path)
{
	step(KIND_RMDIR);
	return REAL("rmdir", int (*)(const char *))(path);
}

int unlink(const char *path)
{
	step(KIND_UNLINK);
	return REAL("unlink", int (*)(const char *))(path);
}

int unlinkat(int folder, const char *path, int flags)
{
	step(KIND_UNLINKAT);
	return REAL("unlinkat", int (*)(int, const char *, int))(folder, path, flags);
}

int rename(const char *from, const char *to)
{
	step(KIND_RENAME);
	return REAL("rename", int (*)(const char *, const char *))(from, to);
}

int flock(int fd, int operation)
{
	step(KIND_FLOCK);
	return REAL("flock", int (*)(int, int))(fd, operation);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	step(KIND_IOCTL);
	return REAL("ioctl", int (*)(int, unsigned long, ...))(fd, request, argument);
}
