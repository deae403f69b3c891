// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --trace: what bpf_debug() of debug builds, and bpf_printk() of anybody, says. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ecbpf/tool.h>

#include "trace.h"

#define BY_BPF "bpf_trace_printk:"

static int open_pipe(void)
{
	static const char *const paths[] = {
		"/sys/kernel/tracing/trace_pipe",
		"/sys/kernel/debug/tracing/trace_pipe",
	};
	int fd = -1;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT)
			break;
	}
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return ecbpf_fail(-ENOENT, "no trace pipe; run "
					   "'mount -t tracefs tracefs /sys/kernel/tracing'");
	if (errno == EBUSY)
		return ecbpf_fail(-EBUSY, "the trace pipe has a reader already; end that one");
	return ecbpf_fail(-errno, "opening the trace pipe failed: %m; run this as root");
}

/* The default action of SIGINT ends a read that may last forever. */
int trace_show(void)
{
	char *line = NULL;
	size_t size = 0;
	FILE *pipe;
	int fd;

	fd = open_pipe();
	if (fd < 0)
		return fd;
	pipe = fdopen(fd, "r");
	if (!pipe) {
		close(fd);
		return ecbpf_fail(-ENOMEM, "out of memory");
	}
#ifdef NDEBUG
	ecbpf_log(ECBPF_LOG_WARNING, "this is a release build, its programs are silent; "
				     "'./build.sh --debug build' makes one that isn't");
#endif
	setlinebuf(stdout);
	while (getline(&line, &size, pipe) > 0)
		if (strstr(line, BY_BPF))
			fputs(line, stdout);
	free(line);
	fclose(pipe);
	return 0;
}
