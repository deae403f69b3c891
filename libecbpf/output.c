// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The end of a tool's output: a full disk must not go unnoticed. */
#include <errno.h>

#include <ecbpf/tool.h>

int ecbpf_output_finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	ecbpf_log(ECBPF_LOG_ERROR, "writing to standard output failed: %m");
	return status ? status : ecbpf_exit_code(-EIO);
}
