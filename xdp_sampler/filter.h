/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --filter: libpcap expressions, run in the kernel where they can be. */
#ifndef XDP_SAMPLER_FILTER_H
#define XDP_SAMPLER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An instruction as libpcap's compiler makes it: classic BPF, Linux's struct sock_filter. */
struct classic_insn {
	uint16_t code;
	uint8_t jump_true;
	uint8_t jump_false;
	uint32_t k;
};

struct sampler_filter;

/**
 * sampler_filter_compile() - compile a libpcap expression for Ethernet frames
 * @snaplen: octets that will be there to look at
 *
 * Return: -EINVAL, said in libpcap's words.
 */
int sampler_filter_compile(const char *expression, uint32_t snaplen, struct sampler_filter **out);

/* Also accepts NULL. */
void sampler_filter_free(struct sampler_filter *filter);

/* Whether the frame matches; @length: of the whole, @captured: octets at @data. */
bool sampler_filter_match(const struct sampler_filter *filter, const uint8_t *data, size_t length,
			  size_t captured);

const struct classic_insn *sampler_filter_code(const struct sampler_filter *filter, size_t *count);

#endif
