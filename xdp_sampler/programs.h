/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* xdp_sampler's programs, made ready before they are loaded, and after. */
#ifndef XDP_SAMPLER_PROGRAMS_H
#define XDP_SAMPLER_PROGRAMS_H

#include "filter.h"
#include "xdp_sampler.h"

struct xdp_sampler_bpf;

/* Complete @config for its rate. */
void programs_scale(struct sampler_config *config);

/* Sizes of maps, and constants; before loading. */
int programs_prepare(struct xdp_sampler_bpf *skeleton, const struct sampler_settings *settings);

/**
 * programs_complete() - fill the maps of loaded programs
 * @settings: what is put into the map of that name; if the kernel can't run @filter, it is told
 *	as not filtered, and the filter is the reader's business
 * @filter: NULL: none
 */
int programs_complete(struct xdp_sampler_bpf *skeleton, struct sampler_settings *settings,
		      const struct sampler_filter *filter, bool frags);

#endif
