/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* xdp-filter of xdp-tools, which filters exact addresses. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_object;
struct prefix;

/* What its own maps hold. */
#define PEER_ADDRESSES_MAX 10000

struct peer {
	int program;
	bool attached;
	struct bpf_object *object;
};

/* Whether it is installed. */
bool peer_installed(void);

/**
 * peer_open() - xdp-filter with all its features and @count addresses to drop by source
 *
 * Attached by its own tool as long as its maps hold them, else its installed object is loaded with
 * maps that do.
 */
int peer_open(const struct prefix *addresses, size_t count, struct peer *peer);
/* A zero-initialised one too. */
void peer_close(struct peer *peer);

#endif
