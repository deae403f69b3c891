/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known of a rule of nftables while it is read: fields as text of ours. */
#ifndef XDP_FW_IMPORT_NFT_VALUES_H
#define XDP_FW_IMPORT_NFT_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct fw_ruleset;
struct json_object;
struct nft_named;

#define NFT_REASON_MAX 128
/* Octets of the values of a field. */
#define NFT_FIELD_MAX 65536

enum nft_field {
	NFT_FIELD_FROM,
	NFT_FIELD_TO,
	NFT_FIELD_TTL,
	NFT_FIELD_SPORT,
	NFT_FIELD_DPORT,
	NFT_FIELD_WINDOW,
	NFT_FIELD_FLAGS,
	NFT_FIELD_TYPE,
	NFT_FIELD_CODE,
	NFT_FIELD_PROTO,
	NFT_FIELD_VLAN,
	NFT_FIELD_ACTION,
	NFT_FIELDS,
};

/* @text: in our words, once it is @judged; NULL: it has none, or not only prefixes. */
struct nft_set {
	struct json_object *json;
	size_t position;
	bool judged;
	char *text;
};

/* Sorted by family, table and name, without duplicates. */
struct nft_sets {
	struct nft_set *items;
	size_t count;
};

/* @protocol: 0: any; @family: 0: both; @named: sets of ours that @fields name, or NULL. */
struct nft_rule {
	struct nft_sets *sets;
	struct nft_set *named[NFT_FIELD_TO + 1];
	struct json_object *json;
	char *why;
	unsigned int family;
	int protocol;
	const char *fragment;
	bool limited;
	bool drops;
	char fields[NFT_FIELDS][NFT_FIELD_MAX];
};

/* What `payload` calls a field; @names: of its values, or NULL. */
struct nft_payload {
	const char *protocol;
	const char *name;
	enum nft_field field;
	unsigned int family;
	int is;
	unsigned int max;
	const struct nft_named *names;
};

/* -ENOTSUP, and in @rule why. */
int nft_refuse(struct nft_rule *rule, const char *what, const char *detail);

/* Append to a field; -E2BIG: no room. */
int nft_field_add(char field[NFT_FIELD_MAX], const char *text);

/* Append a value, all values of an array, or those of the set called @name. -ENOTSUP: refused. */
int nft_field_value(struct nft_rule *rule, const struct nft_payload *payload,
		    struct json_object *value, char out[NFT_FIELD_MAX]);
int nft_field_values(struct nft_rule *rule, const struct nft_payload *payload,
		     struct json_object *values, char out[NFT_FIELD_MAX]);
int nft_field_set(struct nft_rule *rule, const struct nft_payload *payload, const char *name,
		  char out[NFT_FIELD_MAX]);

/* What a whole field in our words means otherwise than in nftables: rewritten, or refused. */
int nft_field_settle(struct nft_rule *rule, const struct nft_payload *payload,
		     char out[NFT_FIELD_MAX]);

/* All sets in @objects, the first of each name. -ENOMEM. */
int nft_sets_collect(struct json_object *objects, struct nft_sets *sets);
void nft_sets_free(struct nft_sets *sets);

/* The one called @name in the table that @object is in; NULL: none. */
struct nft_set *nft_sets_find(const struct nft_sets *sets, struct json_object *object,
			      const char *name);

/* A set of addresses becomes one of ours; others are written out where rules name them. */
void nft_set_write(struct nft_set *set, FILE *out);

/* Read @text as rules; what is wrong with it nobody is told. */
int nft_parse(const char *text, struct fw_ruleset *ruleset);

#endif
