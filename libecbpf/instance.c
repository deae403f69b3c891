// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Pin folders of running tools: BPFFS/ecbpf/TOOL/PID, locked by the process that they are of. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include <ecbpf/host.h>

#include "internal.h"

struct ecbpf_instance {
	char path[ECBPF_PATH_MAX];
	int folder;
};

static void tool_path(const char *tool, char *path)
{
	snprintf(path, ECBPF_PATH_MAX, "%s/ecbpf/%s", ecbpf_bpffs(), tool);
}

/* Whether its process lives: it holds the lock then. */
static bool is_held(const char *path)
{
	CLEANUP_FD int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
}

static int each_folder(const char *tool, int (*callback)(const char *, pid_t, void *),
		       void *context)
{
	char path[ECBPF_PATH_MAX], folder[ECBPF_PATH_MAX];
	struct dirent *entry;
	DIR *entries;
	int err = 0;

	tool_path(tool, path);
	entries = opendir(path);
	if (!entries && errno != ENOENT)
		return -errno;
	while (entries && !err && (entry = readdir(entries)))
		if (entry->d_name[0] != '.' && !ecbpf_path(folder, path, entry->d_name))
			err = callback(folder, atoi(entry->d_name), context);
	if (entries)
		closedir(entries);
	return err;
}

static int remove_dead(const char *path, pid_t pid, void *context)
{
	(void)pid;
	(void)context;
	if (!is_held(path) && !ecbpf_folder_remove(path))
		ecbpf_log(ECBPF_LOG_DEBUG, "%s: removed, its process is gone", path);
	return 0;
}

int ecbpf_instance_open(const char *tool, struct ecbpf_instance **out)
{
	struct ecbpf_instance *instance;
	char path[ECBPF_PATH_MAX], name[16];
	int err = ecbpf_bpffs_ready();

	if (err)
		return err;
	each_folder(tool, remove_dead, NULL);
	tool_path(tool, path);
	snprintf(name, sizeof(name), "%d", getpid());
	instance = calloc(1, sizeof(*instance));
	if (!instance)
		return ecbpf_fail(-ENOMEM, "out of memory");
	err = ecbpf_path(instance->path, path, name) ?: ecbpf_folder_make(instance->path);
	if (!err) {
		instance->folder = open(instance->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		err = instance->folder < 0 || flock(instance->folder, LOCK_EX | LOCK_NB) ? -errno :
											   0;
	}
	if (err) {
		ecbpf_fail(err, "%s: %s; --status can't show this process", instance->path,
			   strerror(-err));
		free(instance);
		return err;
	}
	*out = instance;
	return 0;
}

int ecbpf_instance_pin(struct ecbpf_instance *instance, int fd, const char *name)
{
	return ecbpf_pin(fd, instance->path, name);
}

void ecbpf_instance_close(struct ecbpf_instance *instance)
{
	if (!instance)
		return;
	ecbpf_folder_remove(instance->path);
	close(instance->folder);
	free(instance);
}

struct running {
	int (*callback)(const char *, pid_t, void *);
	void *context;
	int count;
};

static int call_running(const char *path, pid_t pid, void *context)
{
	struct running *running = context;

	if (!is_held(path))
		return 0;
	running->count++;
	return running->callback(path, pid, running->context);
}

int ecbpf_instances_each(const char *tool,
			 int (*callback)(const char *folder, pid_t pid, void *context),
			 void *context)
{
	struct running running = { .callback = callback, .context = context };
	int err = each_folder(tool, call_running, &running);

	if (err == -EACCES || err == -EPERM)
		return ecbpf_fail(err, "%s/ecbpf/%s: %s", ecbpf_bpffs(), tool, strerror(-err));
	return err ? err : running.count;
}
