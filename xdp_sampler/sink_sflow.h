/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Samples as sFlow version 5 datagrams (sflow.org, sflow_version_5.txt). */
#ifndef XDP_SAMPLER_SINK_SFLOW_H
#define XDP_SAMPLER_SINK_SFLOW_H

#include <ecbpf/tool.h>

#include "sample.h"

/*
 * "HOST:PORT", "[ADDRESS]:PORT" or "HOST" each (port 6343), and not too many. -EINVAL: said which
 * is none.
 */
int sink_sflow_check(const struct ecbpf_strings *collectors);

/**
 * sink_sflow_open() - send flow samples, and counter samples of the interfaces
 * @collectors: that were checked
 *
 * Each collector gets everything. Return: -EINVAL: no such address, said which.
 */
int sink_sflow_open(const struct ecbpf_strings *collectors,
		    const struct sampler_interface *interfaces, size_t count,
		    struct sample_sink **out);

#endif
