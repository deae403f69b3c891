// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How long xdp_fw takes, from its start to its end, until new rules are live. */
#include "suite_firewall.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sources.h"
#include "testbed.h"

/* The targets. */
#define RULES_SECONDS  0.5
#define PREFIX_SECONDS 5.0

#define RUNS_MAX MEASURE_PASSES_MAX

static int time_updates(const struct bench *bench, int section, const char *rules, double goal,
			const char *title)
{
	size_t runs = bench->settings.passes, i;
	struct row row = { .unit = "s", .goal = { GOAL_VALUE_AT_MOST, goal } };
	double seconds[RUNS_MAX];
	char tool[512];
	int err = 0;

	snprintf(tool, sizeof(tool), "%s/xdp_fw/xdp_fw", bench->tools);
	for (i = 0; i < runs && !err; i++)
		err = testbed_run(TESTBED_COMMAND(tool, "--update", "--rules", rules, "--interface",
						  SUBJECT_INTERFACE),
				  &seconds[i]);
	if (err)
		return err;
	snprintf(row.name, sizeof(row.name), "xdp_fw --update, %s", title);
	row.median = measure_median(seconds, runs);
	row.best = seconds[0];
	return report_row(bench->report, section, &row);
}

static int time_rules(const struct bench *bench, int section, unsigned int family)
{
	char path[512], title[ROW_NAME_MAX / 2];

	snprintf(path, sizeof(path), "%s/ipv%u-4096.rules", BENCH_RULES, family);
	snprintf(title, sizeof(title), "4 096 IPv%u rules", family);
	return time_updates(bench, section, path, RULES_SECONDS, title);
}

/* Only this process and those that it starts see /run. */
static int time_set(const struct bench *bench, int section, unsigned int family)
{
	const char *path = "/run/set.rules";
	size_t count = bench->sizes[BENCH_SIZES - 1];
	char title[ROW_NAME_MAX / 2], number[32], list[64];
	FILE *file;
	int err, fd;

	fd = sources_file(family, count, list, sizeof(list));
	if (fd < 0)
		return fd;
	file = fopen(path, "we");
	if (!file) {
		close(fd);
		return ecbpf_fail(-errno, "%s: %s", path, strerror(errno));
	}
	fprintf(file, "set all file \"%s\"\n%s from all to any proto any\n", list,
		family == 4 ? "ip" : "ip6");
	fclose(file);
	snprintf(title, sizeof(title), "a set of %s IPv%u prefixes",
		 bench_count_text(count, number), family);
	err = time_updates(bench, section, path, PREFIX_SECONDS, title);
	close(fd);
	return err;
}

static int time_family(const struct bench *bench, int section, unsigned int family)
{
	return time_rules(bench, section, family) ?: time_set(bench, section, family);
}

int firewall_tool(const struct bench *bench)
{
	int section = report_section(bench->report, "Changing rules, end to end", NULL), err;
	char root[512], tool[512];

	if (section < 0)
		return section;
	snprintf(root, sizeof(root), "%s/xdp_root/xdp_root_loader", bench->tools);
	snprintf(tool, sizeof(tool), "%s/xdp_fw/xdp_fw", bench->tools);
	err = testbed_add_pair(SUBJECT_INTERFACE, SUBJECT_PEER);
	if (err)
		return err;
	err = testbed_run(TESTBED_COMMAND(root, "--attach", "--interface", SUBJECT_INTERFACE),
			  NULL);
	if (!err)
		err = testbed_run(TESTBED_COMMAND(tool, "--attach", "--rules", "/dev/null",
						  "--interface", SUBJECT_INTERFACE),
				  NULL);
	if (!err)
		err = time_family(bench, section, 4) ?: time_family(bench, section, 6);
	if (!err)
		err = testbed_run(
			TESTBED_COMMAND(root, "--detach", "--interface", SUBJECT_INTERFACE), NULL);
	testbed_delete(SUBJECT_INTERFACE);
	return err;
}
