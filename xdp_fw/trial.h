/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_TRIAL_H
#define XDP_FW_TRIAL_H

#include "rules.h"

/**
 * fw_trial() - tell what the rules would do to a capture, packet after packet
 * @explain: say of each rule that doesn't match which field differs
 *
 * Limits go by the capture's own clock. Return: -EBADMSG: a `test` line isn't met.
 */
int fw_trial(const char *capture, const struct fw_ruleset *ruleset, bool explain);

#endif
