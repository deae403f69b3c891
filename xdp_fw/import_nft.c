// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rules of nftables in words of ours. */
#include "import_nft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include <ecbpf/ecbpf.h>

#include "import_nft_meet.h"
#include "import_nft_rule.h"
#include "rules.h"

#define ANOTHER_CHAIN "in another chain than the first filter for what comes in"

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

static bool is_expressible(const struct import *import, struct json_object *rule)
{
	struct fw_ruleset ruleset = {};
	bool good = !nft_rule_parse(import->objects, rule, &ruleset);

	fw_ruleset_free(&ruleset);
	return good;
}

static void import_rule(struct import *import, size_t index, struct json_object *rule)
{
	char what[64], why[NFT_REASON_MAX] = "";

	snprintf(what, sizeof(what), "rule with handle %s", nft_text(rule, "handle"));
	if (!is_in_chain(import, rule))
		refuse(import, rule, what, ANOTHER_CHAIN);
	else if (nft_rule_has(rule, "limit") && is_expressible(import, rule) &&
		 drops_behind(import, index, rule))
		refuse(import, rule, what, "a limit before what drops");
	else if (nft_rule_write(import->objects, rule, import->out, why))
		refuse(import, rule, what, why);
}

/* Whether a chain decides about packets that come in, as IP. */
static bool is_for_us(struct json_object *chain)
{
	static const char *const hooks[] = { "ingress", "prerouting", "input", "forward" };
	const char *hook = nft_text(chain, "hook");
	size_t i;

	if (strcmp(nft_text(chain, "type"), "filter") != 0 ||
	    !strcmp(nft_text(chain, "family"), "arp"))
		return false;
	for (i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (!strcmp(hook, hooks[i]))
			return true;
	return false;
}

static struct json_object *find_chain(struct json_object *objects)
{
	struct json_object *chain;
	size_t i;

	for (i = 0; i < nft_count(objects); i++) {
		chain = nft_member(nft_item(objects, i), "chain");
		if (chain && is_for_us(chain))
			return chain;
	}
	return NULL;
}

/* A chain without rules may drop all the same. */
static void refuse_policy(struct import *import, struct json_object *chain)
{
	if (chain == import->chain || strcmp(nft_text(chain, "policy"), "drop") != 0)
		return;
	import->refused++;
	ecbpf_log(ECBPF_LOG_WARNING, "%s %s %s, policy drop: " ANOTHER_CHAIN,
		  nft_text(chain, "family"), nft_text(chain, "table"), nft_text(chain, "name"));
}

static void write_policy(const struct import *import)
{
	const char *family = nft_text(import->chain, "family");

	if (strcmp(nft_text(import->chain, "policy"), "drop") != 0)
		return;
	if (strcmp(family, "ip6") != 0)
		fprintf(import->out, "ip from any to any proto any name \"policy\"\n");
	if (strcmp(family, "ip") != 0)
		fprintf(import->out, "ip6 from any to any proto any name \"policy\"\n");
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
		object = nft_item(import->objects, i);
		rule = nft_member(object, "rule");
		if (rule)
			import_rule(import, i, rule);
		else if (nft_member(object, "chain"))
			refuse_policy(import, nft_member(object, "chain"));
	}
	write_policy(import);
}

int fw_import_nft_json(struct json_object *document, const char *name, FILE *out)
{
	struct import import = { .objects = nft_member(document, "nftables"), .out = out };

	if (!json_object_is_type(import.objects, json_type_array))
		return ecbpf_fail(-EBADMSG, "%s: not what 'nft -j list ruleset' prints", name);
	import.chain = find_chain(import.objects);
	if (!import.chain)
		return ecbpf_fail(-EBADMSG,
				  "%s: no chain of type filter at the hook ingress, prerouting, "
				  "input or forward",
				  name);
	import_all(&import);
	if (import.refused)
		return ecbpf_fail(-EBADMSG, "%s: %u rules could not be expressed", name,
				  import.refused);
	return 0;
}

int fw_import_nft(const char *path)
{
	bool standard = !strcmp(path, "-");
	int file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), err;
	struct json_object *document;

	if (file < 0)
		return ecbpf_fail(-ENODEV, "%s: %s", path, strerror(errno));
	document = json_object_from_fd(file);
	if (!standard)
		close(file);
	err = fw_import_nft_json(document, standard ? "stdin" : path, stdout);
	json_object_put(document);
	return err;
}
