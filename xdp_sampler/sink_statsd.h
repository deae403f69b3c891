/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Estimated packets and octets by interface and reason, to a statsd server. */
#ifndef XDP_SAMPLER_SINK_STATSD_H
#define XDP_SAMPLER_SINK_STATSD_H

#include "sample.h"

int sink_statsd_open(const char *host, uint16_t port, const struct sampler_interface *interfaces,
		     size_t count, struct sample_sink **out);

#endif
