// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Preloaded into a loader, fails its Nth call of bpf(2) for lack of memory, N being $FAILPOINT. If
 * there are not so many, the file $FAILPOINT_MISSED is made.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int count;

static int point(void)
{
	const char *text = getenv("FAILPOINT");

	return text ? atoi(text) : 0;
}

/* libbpf's way to bpf(2). */
long syscall(long number, ...)
{
	long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long words[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		words[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_bpf && ++count == point()) {
		errno = ENOMEM;
		return -1;
	}
	return real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("FAILPOINT_MISSED");

	if (path && count < point())
		close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}
