// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rules of nftables in words of ours. */
#include "import_nft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include <ecbpf/ecbpf.h>

#include "import_nft_rule.h"

struct import {
	struct json_object *objects;
	struct json_object *chain;
	FILE *out;
	unsigned int refused;
};

static bool same_place(struct json_object *left, struct json_object *right)
{
	return !strcmp(nft_text(left, "family"), nft_text(right, "family")) &&
	       !strcmp(nft_text(left, "table"), nft_text(right, "table"));
}

static void refuse(struct import *import, struct json_object *object, const char *what,
		   const char *why)
{
	import->refused++;
	ecbpf_log(ECBPF_LOG_WARNING, "%s %s %s, %s: %s", nft_text(object, "family"),
		  nft_text(object, "table"), nft_text(object, "chain"), what, why);
}

static bool is_in_chain(const struct import *import, struct json_object *rule)
{
	return same_place(rule, import->chain) &&
	       !strcmp(nft_text(rule, "chain"), nft_text(import->chain, "name"));
}

/*
 * What a limit has room for goes on to the rules behind it in nftables, and passes here: the same
 * only if none of them drops it.
 */
static bool drops_behind(const struct import *import, size_t index, struct json_object *limit)
{
	struct json_object *rule;
	size_t i;

	for (i = index + 1; i < nft_count(import->objects); i++) {
		rule = nft_member(nft_item(import->objects, i), "rule");
		if (rule && is_in_chain(import, rule) && !nft_rule_has(rule, "accept") &&
		    nft_rules_meet(import->objects, limit, rule) &&
		    (nft_rule_has(rule, "drop") || nft_rule_has(rule, "reject") ||
		     nft_rule_has(rule, "jump") || nft_rule_has(rule, "goto") ||
		     nft_rule_has(rule, "vmap")))
			return true;
	}
	return !strcmp(nft_text(import->chain, "policy"), "drop");
}

static void import_rule(struct import *import, size_t index, struct json_object *rule)
{
	char what[64], why[NFT_REASON_MAX] = "";

	snprintf(what, sizeof(what), "rule with handle %s", nft_text(rule, "handle"));
	if (!is_in_chain(import, rule))
		refuse(import, rule, what, "in another chain than the first that has a hook");
	else if (nft_rule_has(rule, "limit") && drops_behind(import, index, rule))
		refuse(import, rule, what, "a limit before what drops");
	else if (nft_rule_write(import->objects, rule, import->out, why))
		refuse(import, rule, what, why);
}

static struct json_object *find_chain(struct json_object *objects)
{
	struct json_object *chain;
	size_t i;

	for (i = 0; i < nft_count(objects); i++) {
		chain = nft_member(nft_item(objects, i), "chain");
		if (chain && nft_member(chain, "hook"))
			return chain;
	}
	return NULL;
}

/* Sets of the chain's table are those that its rules can name. */
static bool is_first_set(const struct import *import, struct json_object *set)
{
	struct json_object *other;
	size_t i;

	if (!set || !same_place(set, import->chain))
		return false;
	for (i = 0; i < nft_count(import->objects); i++) {
		other = nft_member(nft_item(import->objects, i), "set");
		if (other && same_place(other, set) &&
		    !strcmp(nft_text(other, "name"), nft_text(set, "name")))
			return other == set;
	}
	return true;
}

static void import_all(struct import *import)
{
	struct json_object *object, *rule;
	size_t i;

	fprintf(import->out, "order first-match\n");
	for (i = 0; i < nft_count(import->objects); i++) {
		object = nft_item(import->objects, i);
		if (is_first_set(import, nft_member(object, "set")))
			nft_set_write(nft_member(object, "set"), import->out);
	}
	for (i = 0; i < nft_count(import->objects); i++) {
		rule = nft_member(nft_item(import->objects, i), "rule");
		if (rule)
			import_rule(import, i, rule);
	}
	if (!strcmp(nft_text(import->chain, "policy"), "drop"))
		fprintf(import->out, "ip from any to any proto any name \"policy\"\n"
				     "ip6 from any to any proto any name \"policy\"\n");
}

int fw_import_nft_json(struct json_object *document, const char *name, FILE *out)
{
	struct import import = { .objects = nft_member(document, "nftables"), .out = out };

	if (!json_object_is_type(import.objects, json_type_array))
		return ecbpf_fail(-EBADMSG, "%s: not what 'nft -j list ruleset' prints", name);
	import.chain = find_chain(import.objects);
	if (!import.chain)
		return ecbpf_fail(-EBADMSG, "%s: no chain with a hook", name);
	import_all(&import);
	if (import.refused)
		return ecbpf_fail(-EBADMSG, "%s: %u rules could not be expressed", name,
				  import.refused);
	return 0;
}

int fw_import_nft(const char *path)
{
	struct json_object *document =
		json_object_from_file(!strcmp(path, "-") ? "/dev/stdin" : path);
	int err = fw_import_nft_json(document, path, stdout);

	json_object_put(document);
	return err;
}
