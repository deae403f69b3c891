// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Reading without the lock, which a loader may hold for seconds. Between two steps of one, an
 * interface may look foreign, stale, or without its root array: whoever sees that looks again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "internal.h"

#define ATTEMPTS 200
#define PAUSE_NS 5000000L

static bool loader_at_work(const struct ecbpf_interface *interface)
{
	CLEANUP_FD int folder = open(interface->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return folder >= 0 && flock(folder, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
}

/* @first: another loader may have ended since it was read. */
static bool look_again(const struct ecbpf_interface *interface, int err, bool first)
{
	if (err == -ESTALE)
		return true;
	return (err == -ENOENT || err > 0) && (first || loader_at_work(interface));
}

int ecbpf_read_steadily(const char *name,
			int (*read)(struct ecbpf_interface **interface, void *context),
			void *context)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct ecbpf_interface *interface;
	int attempt, err;
	bool again;

	for (attempt = 0;; attempt++) {
		err = ecbpf_interface_open_readonly(name, &interface);
		if (err)
			return err;
		ecbpf_log_hold();
		err = read(&interface, context);
		again = attempt < ATTEMPTS && look_again(interface, err, !attempt);
		ecbpf_log_release(!again);
		ecbpf_interface_close(interface);
		if (!again)
			return err > 0 ? 0 : err;
		if (attempt)
			nanosleep(&pause, NULL);
	}
}
