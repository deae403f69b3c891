/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses of the host, as they were when the loader filled them in. */
#ifndef LOCAL_BPF_H
#define LOCAL_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <ecbpf/parse.bpf.h>

#include "xdp_filter.h"

/* By enum filter_local; the loader makes room. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct filter_address);
	__type(value, __u8);
} local_addresses SEC(".maps");

/* What an address of @packet is to the host. */
static __always_inline enum filter_local local_find(const struct ecbpf_packet *packet,
						    const __be32 *words)
{
	struct filter_address key = {};
	const __u8 *found;

	if (packet->family == 4) {
		key.words[2] = bpf_htonl(0xffff);
		key.words[3] = words[0];
	} else {
		__builtin_memcpy(&key, words, sizeof(key));
	}
	found = bpf_map_lookup_elem(&local_addresses, &key);
	return found ? *found : FILTER_ELSEWHERE;
}

#endif
