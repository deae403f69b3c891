/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One rule, or one set, of nftables. */
#ifndef XDP_FW_IMPORT_NFT_RULE_H
#define XDP_FW_IMPORT_NFT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "import_nft_json.h"
#include "import_nft_values.h"

struct fw_ruleset;

/**
 * nft_rule_write() - write a rule, for each IP version that it is about
 * @objects: all of the ruleset
 * @why: what can't be expressed
 *
 * Return: -ENOTSUP: nothing written.
 */
int nft_rule_write(struct json_object *objects, struct json_object *rule, FILE *out,
		   char why[NFT_REASON_MAX]);

/* Whether a statement of that name is in a rule. */
bool nft_rule_has(struct json_object *rule, const char *statement);

/* The same as rules; sets have no entries there. Return: -ENOTSUP: can't be. */
int nft_rule_parse(struct json_object *objects, struct json_object *rule,
		   struct fw_ruleset *ruleset);

/* Whether IP versions and protocols of two rules, whatever else is in them, have any in common. */
bool nft_rules_relate(struct json_object *objects, struct json_object *one,
		      struct json_object *other);

#endif
