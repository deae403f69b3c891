// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <ecbpf/ecbpf.h>

/* A verdict is counted once, with its reason. */
static const struct {
	enum filter_stat stat;
	enum ecbpf_reason reason;
} verdicts[] = {
	{ FILTER_STAT_IP_DROP, ECBPF_REASON_FILTER_SOURCE },
	{ FILTER_STAT_IP6_DROP, ECBPF_REASON_FILTER_SOURCE6 },
	{ FILTER_STAT_IP_FRAG_DROP, ECBPF_REASON_FILTER_FRAGMENT },
	{ FILTER_STAT_IP_FRAG_DROP, ECBPF_REASON_FILTER_TOO_BIG },
	{ FILTER_STAT_IP_FRAG_DROP, ECBPF_REASON_FILTER_TOO_BIG_LIMIT },
	{ FILTER_STAT_IP_FRAG_DROP, ECBPF_REASON_FILTER_TOO_BIG_ERROR },
	{ FILTER_STAT_PTB_SENT, ECBPF_REASON_FILTER_TOO_BIG },
	{ FILTER_STAT_PTB_LIMIT, ECBPF_REASON_FILTER_TOO_BIG_LIMIT },
	{ FILTER_STAT_IP_EVIL_BIT, ECBPF_REASON_FILTER_EVIL_BIT },
	{ FILTER_STAT_BAD_LENGTH, ECBPF_REASON_FILTER_BAD_LENGTH },
	{ FILTER_STAT_IP_OPTIONS, ECBPF_REASON_FILTER_IP_OPTIONS },
};

void filter_stats_add_reasons(const uint64_t *reasons, struct filter_stats *stats)
{
	size_t i;

	for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		stats->values[verdicts[i].stat] += reasons[verdicts[i].reason];
}

static int add_counted(int fd, struct filter_stats *stats)
{
	int cpus = libbpf_num_possible_cpus(), cpu, i;
	struct filter_stats *values;
	uint32_t zero = 0;
	int err = 0;

	if (cpus < 0)
		return cpus;
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, values))
		err = -errno;
	for (cpu = 0; cpu < cpus && !err; cpu++)
		for (i = 0; i < FILTER_STAT_COUNT; i++)
			stats->values[i] += values[cpu].values[i];
	free(values);
	return err;
}

int filter_stats_read(struct ecbpf_root *root, int fd, struct filter_stats *stats)
{
	uint64_t reasons[ECBPF_REASON_MAX];
	int err;

	memset(stats, 0, sizeof(*stats));
	err = ecbpf_reasons_read(root, reasons);
	if (err)
		return err;
	filter_stats_add_reasons(reasons, stats);
	return fd < 0 ? 0 : add_counted(fd, stats);
}
