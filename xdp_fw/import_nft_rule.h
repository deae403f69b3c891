/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One rule, or one set, of nftables. */
#ifndef XDP_FW_IMPORT_NFT_RULE_H
#define XDP_FW_IMPORT_NFT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "import_nft_json.h"
#include "import_nft_values.h"
#include "rules.h"

/**
 * struct nft_lines - what a rule becomes, for each IP version that it is about
 * @err: -ENOTSUP: it can't be expressed, for @why; or -ENOMEM
 * @family: 0: both
 * @protocol: 0: any; both as far as the rule was read
 * @limits: has a limit
 * @stops: may drop, or leave the chain
 * @stops_all: drops also what isn't IP, where the chain sees that
 * @text: the lines
 * @ruleset: the same as rules; sets have no entries there
 */
struct nft_lines {
	int err;
	char why[NFT_REASON_MAX];
	unsigned int family;
	int protocol;
	bool limits;
	bool stops;
	bool stops_all;
	char *text;
	struct fw_ruleset ruleset;
};

void nft_rule_read(struct nft_sets *sets, struct json_object *rule, struct nft_lines *lines);
void nft_lines_free(struct nft_lines *lines);

#endif
