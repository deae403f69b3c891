/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The firewall in slot 5 of a harness. */
#ifndef PACKETS_FIREWALLS_H
#define PACKETS_FIREWALLS_H

#include "compile.h"
#include "harness.h"

struct xdp_fw_bpf;

struct firewall {
	struct harness *harness;
	struct xdp_fw_bpf *skeleton;
	struct fw_ruleset ruleset;
	struct fw_compiled compiled;
};

/* Rules from text; @settings: what isn't in the rules, may be NULL. */
void firewall_open(struct firewall *firewall, struct harness *harness, const char *rules,
		   const struct fw_settings *settings);

/* The same from rules that are there, which it takes. */
void firewall_open_ruleset(struct firewall *firewall, struct harness *harness,
			   struct fw_ruleset *ruleset, const struct fw_settings *settings);
void firewall_close(struct firewall *firewall);

/* Of rule @rule, from 0, over all CPUs. */
struct fw_hits firewall_hits(const struct firewall *firewall, uint32_t rule);

#endif
