// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A tool's standard streams: a full disk must not go unnoticed. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <ecbpf/tool.h>

#include "options.h"

void ecbpf_streams_reserve(void)
{
	int stream, fd;

	for (stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
		if (fcntl(stream, F_GETFD) >= 0)
			continue;
		/* The lowest that is free; for the other direction, so that its use fails. */
		fd = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
		if (fd > STDERR_FILENO)
			close(fd);
	}
}

int ecbpf_output_finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	ecbpf_log(ECBPF_LOG_ERROR, "writing to standard output failed: %m");
	return status ? status : ecbpf_exit_code(-EIO);
}
