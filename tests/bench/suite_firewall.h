/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of the suite "firewall" share. */
#ifndef BENCH_SUITE_FIREWALL_H
#define BENCH_SUITE_FIREWALL_H

#include "bench.h"
#include "draws.h"
#include "subject.h"
#include "wrapper.h"
#include "xdp_fw/compile.h"

/* Of addresses, so many as one packet: what rules do to each of these is made sure of before. */
#define SIDE_ADDRESSES 128

/**
 * struct side - a ruleset, and packets for it
 * @action: that its packets meet
 * @frame: of the first draw
 * @subject: root and firewall, once opened
 * @around: what draws a packet each time
 */
struct side {
	unsigned int family;
	enum draws_kind kind;
	struct fw_ruleset ruleset;
	struct fw_compiled compiled;
	struct draw *draws;
	size_t count;
	uint32_t action;
	struct bench_frame frame;
	struct subject subject;
	struct wrapper around;
};

/* @file: of ipvFAMILY-FILE.rules; a number: one that stands in the sources. */
int side_read(const struct bench *bench, unsigned int family, const char *file,
	      enum draws_kind kind, struct side *side);
/* A zero-initialised one too. */
void side_free(struct side *side);

/* Load and attach what was read. */
int side_open(struct side *side, const char *interface, const char *peer);
void side_close(struct side *side);

/* Live frames, here and through nftables. */
int firewall_beside_nft(const struct bench *bench);

/* The tool's own time. */
int firewall_tool(const struct bench *bench);

#endif
