/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FUZZ_COMPARE_H
#define FUZZ_COMPARE_H

#include "dissector.h"
#include "machine.h"

/*
 * Where the programs' outcome isn't what the dissector expects, in words, or NULL. They last until
 * the next call. `linear`: octets of the frame's first piece, 0: enough.
 */
const char *compare(const struct scene *scene, const struct facts *facts,
		    const struct expected *expected, size_t linear, const struct outcome *outcome);

const char *fate_name(enum fate fate);

#endif
