/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FIREWALL_RANDOM_RULES_H
#define FIREWALL_RANDOM_RULES_H

#include <stdio.h>

#include "fuzz/random.h"

/*
 * Write a ruleset of @count rules: few addresses and ports, so that rules overlap. Of limits,
 * none lets a packet pass that comes right after another.
 */
void random_rules(struct random *random, size_t count, FILE *out);

/* An address of those that rules name, or close to one. */
void random_address(struct random *random, unsigned int family, char text[64]);
unsigned int random_port(struct random *random);

/*
 * Build a frame that such rules may match, cut short now and then: its length. At most
 * RANDOM_FRAME_MAX octets.
 */
#define RANDOM_FRAME_MAX 2048

size_t random_frame(struct random *random, uint8_t *frame);

#endif
