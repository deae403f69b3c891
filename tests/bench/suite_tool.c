// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Changes of a long list by the tool itself, end to end, and the memory that it then takes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bench.h"
#include "sources.h"
#include "subject.h"
#include "table_maps.h"
#include "testbed.h"

#define LOAD_SECONDS 5
/* Without counters of hits; IPv4. */
#define MEMORY_MB 64
/* Each takes seconds. */
#define RUNS_MAX 5

#define MIB (1024.0 * 1024)

/* The maps that counters of hits are in; the others' memory is the list's. */
#define HITS_PIN    "/hits"
#define PROGRAM_PIN "/program"

/* Sums that the walk over the pins adds to. */
static struct {
	double list;
	double hits;
} memory;

static double file_number(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	char format[64], line[256];
	double value = -1;

	snprintf(format, sizeof(format), "%s: %%lf", key);
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, format, &value) == 1)
			break;
	if (file)
		fclose(file);
	return value;
}

/* Memory in octets; 0: no map. */
static double map_memory(int map)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map);
	return file_number(path, "map_id") < 0 ? 0 : file_number(path, "memlock");
}

/* Of the maps that are variables of the program: they have no pins. */
static double variables_memory(int program)
{
	struct bpf_prog_info info = {};
	uint32_t ids[64], length = sizeof(info), i;
	double bytes = 0;

	info.nr_map_ids = sizeof(ids) / sizeof(ids[0]);
	info.map_ids = (uintptr_t)ids;
	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return 0;
	for (i = 0; i < info.nr_map_ids; i++) {
		struct bpf_map_info map = {};
		int fd = bpf_map_get_fd_by_id(ids[i]);

		length = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &length) &&
		    !strcmp(map.name, TABLE_VARIABLE))
			bytes += map_memory(fd);
		close(fd);
	}
	return bytes;
}

static bool ends_with(const char *path, const char *end)
{
	size_t length = strlen(path), end_length = strlen(end);

	return length >= end_length && !strcmp(path + length - end_length, end);
}

static int add_pin(const char *path, const struct stat *info, int type, struct FTW *place)
{
	int fd;

	(void)info;
	(void)place;
	if (type != FTW_F || !strstr(path, "/slot-"))
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (ends_with(path, PROGRAM_PIN))
		memory.list += variables_memory(fd);
	else
		*(ends_with(path, HITS_PIN) ? &memory.hits : &memory.list) += map_memory(fd);
	close(fd);
	return 0;
}

static int add_row(const struct bench *bench, int section, const char *what, unsigned int family,
		   const char *unit, const double *values, size_t count, struct goal goal)
{
	struct row row = { .unit = unit, .goal = goal };
	double sorted[RUNS_MAX];
	char number[32];

	memcpy(sorted, values, count * sizeof(*values));
	row.median = measure_median(sorted, count);
	row.best = sorted[0];
	snprintf(row.name, sizeof(row.name), "%s %s IPv%u prefixes", what,
		 bench_count_text(bench->sizes[BENCH_SIZES - 1], number), family);
	return report_row(bench->report, section, &row);
}

static int time_loads(const struct bench *bench, int section, const char *tool, unsigned int family,
		      size_t runs)
{
	double seconds[RUNS_MAX];
	char path[64];
	int fd, err = 0;
	size_t i;

	/* Room stays for what is dropped later. */
	fd = sources_file(family, bench->sizes[BENCH_SIZES - 1] - runs, path, sizeof(path));
	if (fd < 0)
		return fd;
	for (i = 0; i < runs && !err; i++)
		err = testbed_run(TESTBED_COMMAND(tool, "--load", path, "--interface",
						  SUBJECT_INTERFACE),
				  &seconds[i]);
	close(fd);
	if (err)
		return err;
	return add_row(bench, section, "xdp_filter --load,", family, "s", seconds, runs,
		       (struct goal){ GOAL_VALUE_AT_MOST, LOAD_SECONDS });
}

static int time_drops(const struct bench *bench, int section, const char *tool, unsigned int family,
		      size_t runs)
{
	double seconds[RUNS_MAX];
	char source[64];
	int err = 0;
	size_t i;

	/* Neither range is one that lists are drawn from. */
	for (i = 0; i < runs && !err; i++) {
		snprintf(source, sizeof(source), family == 4 ? "240.0.0.%zu" : "fd00::%zu", i + 1);
		err = testbed_run(TESTBED_COMMAND(tool, "--drop", "--ips", source, "--interface",
						  SUBJECT_INTERFACE),
				  &seconds[i]);
	}
	if (err)
		return err;
	return add_row(bench, section, "xdp_filter --drop, one more than", family, "s", seconds,
		       runs, (struct goal){});
}

static int measure_memory(const struct bench *bench, int section, unsigned int family)
{
	struct goal goal = { family == 4 ? GOAL_VALUE_AT_MOST : GOAL_NONE, MEMORY_MB };
	double value;
	int err;

	memset(&memory, 0, sizeof(memory));
	if (nftw(TESTBED_BPFFS "/ecbpf", add_pin, 16, FTW_PHYS))
		return ecbpf_fail(-errno, "reading pins: %s", strerror(errno));
	value = memory.list / MIB;
	err = add_row(bench, section, "memory but for hit counters,", family, "MiB", &value, 1,
		      goal);
	if (err)
		return err;
	value = memory.hits / MIB;
	return add_row(bench, section, "memory of hit counters,", family, "MiB", &value, 1,
		       (struct goal){});
}

static int measure_tools(const struct bench *bench, int section, unsigned int family,
			 const char *root, const char *filter)
{
	size_t runs = bench->settings.passes < RUNS_MAX ? bench->settings.passes : RUNS_MAX;
	int err;

	err = testbed_run(TESTBED_COMMAND(root, "--attach", "--interface", SUBJECT_INTERFACE),
			  NULL);
	if (!err)
		err = testbed_run(TESTBED_COMMAND(filter, "--attach", "--interface",
						  SUBJECT_INTERFACE),
				  NULL);
	if (!err)
		err = time_loads(bench, section, filter, family, runs);
	if (!err)
		err = measure_memory(bench, section, family);
	if (!err)
		err = time_drops(bench, section, filter, family, runs);
	if (!err)
		err = testbed_run(
			TESTBED_COMMAND(root, "--detach", "--interface", SUBJECT_INTERFACE), NULL);
	return err;
}

static int measure_family(const struct bench *bench, int section, unsigned int family)
{
	char root[512], filter[512];
	int err;

	snprintf(root, sizeof(root), "%s/xdp_root/xdp_root_loader", bench->tools);
	snprintf(filter, sizeof(filter), "%s/xdp_filter/xdp_filter", bench->tools);
	err = testbed_add_pair(SUBJECT_INTERFACE, SUBJECT_PEER);
	if (err)
		return err;
	err = measure_tools(bench, section, family, root, filter);
	testbed_delete(SUBJECT_INTERFACE);
	return err;
}

int suite_tool(struct bench *bench)
{
	int section = report_section(bench->report, "Changing a list, end to end", NULL), err;

	if (section < 0)
		return section;
	err = measure_family(bench, section, 4);
	return err ? err : measure_family(bench, section, 6);
}
