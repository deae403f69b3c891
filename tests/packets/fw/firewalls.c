// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "firewalls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "program.h"
#include "rules_text.h"
#include "xdp_fw.skel.h"

void firewall_open_ruleset(struct firewall *firewall, struct harness *harness,
			   struct fw_ruleset *ruleset, const struct fw_settings *settings)
{
	memset(firewall, 0, sizeof(*firewall));
	firewall->harness = harness;
	firewall->ruleset = *ruleset;
	assert_int_equal(fw_compile(ruleset, NULL, &firewall->compiled), 0);
	if (settings) {
		firewall->compiled.settings.expires = settings->expires;
		firewall->compiled.settings.dry_run = settings->dry_run;
	}
	firewall->skeleton = xdp_fw_bpf__open();
	assert_non_null(firewall->skeleton);
	harness_prepare(harness, firewall->skeleton->obj);
	assert_int_equal(fw_program_prepare(firewall->skeleton, ruleset, &firewall->compiled), 0);
	firewall->skeleton->rodata->ecbpf_frags = harness->frags;
	assert_int_equal(xdp_fw_bpf__load(firewall->skeleton), 0);
	assert_int_equal(fw_program_fill(firewall->skeleton, ruleset, &firewall->compiled), 0);
	harness_fill(harness, ECBPF_SLOT_FIREWALL,
		     bpf_program__fd(firewall->skeleton->progs.xdp_fw_prog));
}

void firewall_open(struct firewall *firewall, struct harness *harness, const char *rules,
		   const struct fw_settings *settings)
{
	struct fw_ruleset ruleset = {};

	assert_int_equal(fw_rules_parse("rules", rules, strlen(rules), stderr, &ruleset), 0);
	firewall_open_ruleset(firewall, harness, &ruleset, settings);
}

void firewall_close(struct firewall *firewall)
{
	xdp_fw_bpf__destroy(firewall->skeleton);
	fw_compiled_free(&firewall->compiled);
	fw_ruleset_free(&firewall->ruleset);
}

struct fw_hits firewall_hits(const struct firewall *firewall, uint32_t rule)
{
	struct fw_hits *values = calloc(libbpf_num_possible_cpus(), sizeof(*values)), sum = {};
	int i;

	assert_non_null(values);
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(firewall->skeleton->maps.hits), &rule, values), 0);
	for (i = 0; i < libbpf_num_possible_cpus(); i++) {
		sum.matched += values[i].matched;
		sum.dropped += values[i].dropped;
	}
	free(values);
	return sum;
}
