/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the processor itself counts, where the machine lets one read it. */
#ifndef BENCH_PMU_H
#define BENCH_PMU_H

#include <stdbool.h>
#include <stdint.h>

enum pmu_event {
	PMU_CYCLES,
	PMU_CACHE_MISSES,
	PMU_EVENTS,
};

struct pmu {
	int descriptors[PMU_EVENTS];
	bool usable;
};

/* Counts of this thread, in the kernel too, since pmu_open(). */
struct pmu_counts {
	uint64_t events[PMU_EVENTS];
};

/* Returns 0, or -errno with @pmu unusable: its counts stay zero. */
int pmu_open(struct pmu *pmu);
void pmu_close(struct pmu *pmu);
void pmu_read(const struct pmu *pmu, struct pmu_counts *counts);

#endif
