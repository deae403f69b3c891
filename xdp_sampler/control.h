/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tool's modes, for several interfaces at once. */
#ifndef XDP_SAMPLER_CONTROL_H
#define XDP_SAMPLER_CONTROL_H

#include "instance.h"
#include "outputs.h"

/* Each sorts @interfaces; 0 or a negative errno, having said why. */
int control_attach(struct ecbpf_strings *interfaces, const struct sampler_options *options);
int control_detach(struct ecbpf_strings *interfaces, bool stage);

/* Attaches where no sampler is, and detaches those again at the end. */
int control_read(struct ecbpf_strings *interfaces, const struct sampler_options *options,
		 const struct outputs_options *outputs);

#endif
