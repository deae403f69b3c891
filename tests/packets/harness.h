/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A root array in maps of its own, without pins or interface, that frames run through. What goes
 * wrong in here fails the test that asked.
 */
#ifndef PACKETS_HARNESS_H
#define PACKETS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ecbpf/abi.h>

#include "frames.h"

struct bpf_object;
struct bpf_program;
struct xdp_root_bpf;

/* Exit code of a test that can't run here. */
#define HARNESS_SKIP 77

/**
 * struct harness - a root array
 * @frags: its programs take multi-buffer frames
 * @first_piece: octets that lie in the first piece of a frame; 0: as many as go into it
 * @cpu: programs run there
 */
struct harness {
	struct xdp_root_bpf *root;
	bool frags;
	size_t first_piece;
	int cpu;
};

/**
 * struct outcome - what became of a frame
 * @action: as the program returned it
 * @row: slot whose counter moved, or ECBPF_SLOT_ROOT
 * @column: of which action
 * @reason: whose counter moved
 * @packet: what root found out
 * @frame: as it is now, @length octets
 */
struct outcome {
	uint32_t action;
	unsigned int row, column, reason;
	struct ecbpf_packet packet;
	uint8_t frame[FRAME_MAX];
	size_t length;
};

/* Whether BPF programs can be loaded here; says why not. Keeps the process on its CPU. */
bool harness_usable(void);

/* A root without frags, and where the kernel has them one with; returns how many. */
unsigned int harness_open_both(struct harness roots[2]);

/* Whether the kernel knows multi-buffer XDP (5.18); says so if not. */
bool harness_has_frags(void);

/* Whether the kernel lets tests say how much lies in the first piece (6.18, backported to
 * older ones); says so if not. */
bool harness_has_pieces(void);

void harness_open(struct harness *harness, bool frags);
void harness_close(struct harness *harness);

/* Fit an opened object to the root array, as ecbpf_subprogram_prepare() does. */
void harness_prepare(struct harness *harness, struct bpf_object *object);

/* Run on another CPU from now on; false if that can't be. */
bool harness_move(struct harness *harness, int cpu);

/* Take a slot; a negative @program empties it, but leaves its bit: a slot lost under way. */
void harness_fill(struct harness *harness, unsigned int slot, int program);
/* Say which slots are occupied. */
void harness_occupy(struct harness *harness, uint32_t slots);

/* Exactly one action and one reason must have been counted. */
void harness_run(struct harness *harness, const uint8_t *frame, size_t length,
		 struct outcome *outcome);

/* Update a prog array; returns 0 or -errno. */
int harness_join(int map, uint32_t index, int program);

/* Packets by reason since the harness was opened. */
void harness_reasons(const struct harness *harness, uint64_t counts[ECBPF_REASON_MAX]);

/* First value of a per-CPU array of @size octets, summed over all CPUs as 64-bit numbers. */
void harness_sum(int map, uint64_t *sum, size_t size);

#endif
