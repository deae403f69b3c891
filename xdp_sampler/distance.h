/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Size of the table that BPF program and loader share. */
#ifndef XDP_SAMPLER_DISTANCE_H
#define XDP_SAMPLER_DISTANCE_H

/* Segments between 1 and 2 in which log2 is interpolated. */
#define DISTANCE_TABLE 256

#endif
