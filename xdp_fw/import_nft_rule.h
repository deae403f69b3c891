/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One rule, or one set, of nftables. */
#ifndef XDP_FW_IMPORT_NFT_RULE_H
#define XDP_FW_IMPORT_NFT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define NFT_REASON_MAX 128

struct json_object;

/* NULL: no such member, or no object. */
struct json_object *nft_member(struct json_object *object, const char *key);
/* "": likewise. */
const char *nft_text(struct json_object *object, const char *key);

/* 0: no array; NULL: no such item. */
size_t nft_count(struct json_object *array);
struct json_object *nft_item(struct json_object *array, size_t index);

/* A set of addresses becomes one of ours; others are written out where rules name them. */
void nft_set_write(struct json_object *set, FILE *out);

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

/* Whether some packet may match both rules, as far as IP version and protocol tell. */
bool nft_rules_meet(struct json_object *objects, struct json_object *one,
		    struct json_object *other);

#endif
