// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "pmu.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

static const uint64_t configurations[PMU_EVENTS] = {
	[PMU_CYCLES] = PERF_COUNT_HW_CPU_CYCLES,
	[PMU_CACHE_MISSES] = PERF_COUNT_HW_CACHE_MISSES,
};

int pmu_open(struct pmu *pmu)
{
	struct perf_event_attr attributes = { .type = PERF_TYPE_HARDWARE };
	int i, err;

	attributes.size = sizeof(attributes);
	memset(pmu->descriptors, -1, sizeof(pmu->descriptors));
	pmu->usable = false;
	for (i = 0; i < PMU_EVENTS; i++) {
		attributes.config = configurations[i];
		pmu->descriptors[i] =
			syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
		if (pmu->descriptors[i] < 0) {
			err = -errno;
			pmu_close(pmu);
			return err;
		}
	}
	pmu->usable = true;
	return 0;
}

void pmu_close(struct pmu *pmu)
{
	int i;

	for (i = 0; i < PMU_EVENTS; i++)
		if (pmu->descriptors[i] >= 0)
			close(pmu->descriptors[i]);
	memset(pmu->descriptors, -1, sizeof(pmu->descriptors));
	pmu->usable = false;
}

void pmu_read(const struct pmu *pmu, struct pmu_counts *counts)
{
	int i;

	memset(counts, 0, sizeof(*counts));
	for (i = 0; i < PMU_EVENTS && pmu->usable; i++)
		if (read(pmu->descriptors[i], &counts->events[i], sizeof(counts->events[i])) !=
		    sizeof(counts->events[i]))
			counts->events[i] = 0;
}
