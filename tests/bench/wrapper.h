/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs that make each packet anew and then tail-call a target; see wrapper.bpf.c. */
#ifndef BENCH_WRAPPER_H
#define BENCH_WRAPPER_H

#include <stddef.h>
#include <stdint.h>

struct draw;
struct prefix;
struct wrapper_bpf;

/**
 * struct wrapper - one of them, loaded
 * @program: what to run instead of the target
 */
struct wrapper {
	struct wrapper_bpf *skeleton;
	int program;
};

/* Writes the @count addresses, a power of two, one after the other as the frame's source. */
int wrapper_open_sources(const struct prefix *addresses, size_t count, int target,
			 struct wrapper *wrapper);

/* Writes the @count draws, a power of two, one after the other into a frame of TCP. */
int wrapper_open_draws(unsigned int family, const struct draw *draws, size_t count, int target,
		       struct wrapper *wrapper);

/*
 * Undoes what an answer did to @frame, which moves its start by @headroom octets and must not have
 * its size.
 */
int wrapper_open_restore(const uint8_t *frame, size_t size, int headroom, int target,
			 struct wrapper *wrapper);

/* Zero-initialised ones too. */
void wrapper_close(struct wrapper *wrapper);

#endif
