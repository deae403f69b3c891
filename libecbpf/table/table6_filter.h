/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_TABLE6_FILTER_H
#define ECBPF_TABLE6_FILTER_H

#include "table_runs.h"

/* Chooses the depths at which the filter is asked, and its size. */
void table6_filter_plan(const struct table_runs *runs, struct table_layout *layout);

void table6_filter_fill(const struct table_runs *runs, const struct table_layout *layout,
			__u64 *words);

#endif
