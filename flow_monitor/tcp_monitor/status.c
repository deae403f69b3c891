// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What monitors that run on this host do. */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <json-c/json.h>

#include <ecbpf/host.h>

#include "counts.h"

struct found {
	struct counts_instance *instances;
	size_t count;
};

static int open_pin(const char *folder, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int read_instance(const char *folder, struct counts_instance *instance)
{
	int percpu = open_pin(folder, "percpu"), report = open_pin(folder, "report"), err = 0;
	uint32_t zero = 0;

	if (percpu < 0 || report < 0)
		err = percpu < 0 ? percpu : report;
	if (!err && bpf_map_lookup_elem(report, &zero, &instance->report))
		err = -errno;
	if (!err)
		err = counts_read(percpu, &instance->counts);
	if (percpu >= 0)
		close(percpu);
	if (report >= 0)
		close(report);
	return err;
}

static int add_instance(const char *folder, pid_t pid, void *context)
{
	struct counts_instance instance = { .pid = pid }, *grown;
	struct found *found = context;
	int err = read_instance(folder, &instance);

	/* It may just have begun, or ended. */
	if (err == -ENOENT)
		return 0;
	if (err)
		return ecbpf_fail(err, "%s: %m", folder);
	grown = realloc(found->instances, (found->count + 1) * sizeof(*grown));
	if (!grown)
		return ecbpf_fail(-ENOMEM, "out of memory");
	found->instances = grown;
	grown[found->count++] = instance;
	return 0;
}

static int print_text(const struct found *found)
{
	size_t i;

	if (!found->count)
		return ecbpf_fail(-ENOENT, "none runs; run 'tcp_monitor --daemon'");
	for (i = 0; i < found->count; i++)
		counts_print(found->instances[i].pid, &found->instances[i].counts,
			     &found->instances[i].report);
	return 0;
}

static int print_json(const struct found *found)
{
	struct json_object *json = json_object_new_object(), *array = json_object_new_array();
	size_t i;

	for (i = 0; i < found->count; i++)
		json_object_array_add(array, counts_json(found->instances[i].pid,
							 &found->instances[i].counts,
							 &found->instances[i].report));
	json_object_object_add(json, "instances", array);
	return ecbpf_json_print(stdout, json);
}

int status_show(enum status_format format)
{
	struct found found = {};
	int err = ecbpf_instances_each("tcp_monitor", add_instance, &found);

	if (err < 0)
		return err;
	err = 0;
	if (format == STATUS_JSON)
		err = print_json(&found);
	else if (format == STATUS_OPENMETRICS)
		counts_print_openmetrics(found.instances, found.count);
	else
		err = print_text(&found);
	free(found.instances);
	return err;
}
