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

#define ANOTHER_CHAIN "in another chain than the first filter for what comes in"

#define MORE_THAN_IP "drops what isn't IP too, which rules can't"

/* @rules: those of the chain. */
struct import {
	struct json_object *objects;
	struct json_object *chain;
	struct nft_sets sets;
	struct nft_lines *rules;
	size_t count;
	FILE *out;
	unsigned int refused;
};

static bool same_place(struct json_object *left, struct json_object *right)
{
	return !strcmp(nft_text(left, "family"), nft_text(right, "family")) &&
	       !strcmp(nft_text(left, "table"), nft_text(right, "table"));
}

static void refuse_rule(struct import *import, struct json_object *rule, const char *why)
{
	import->refused++;
	ecbpf_log(ECBPF_LOG_WARNING, "%s %s %s, rule with handle %s: %s", nft_text(rule, "family"),
		  nft_text(rule, "table"), nft_text(rule, "chain"), nft_text(rule, "handle"), why);
}

/* ARP and the like come to these chains too. */
static bool sees_more_than_ip(const struct import *import)
{
	const char *family = nft_text(import->chain, "family");

	return !strcmp(family, "netdev") || !strcmp(family, "bridge");
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
static bool drops_behind(const struct import *import, size_t index)
{
	const struct nft_lines *limit = &import->rules[index];
	size_t i;

	for (i = index + 1; i < import->count; i++)
		if (import->rules[i].stops && nft_rules_meet(limit, &import->rules[i]))
			return true;
	return !strcmp(nft_text(import->chain, "policy"), "drop");
}

static void import_rule(struct import *import, size_t index, struct json_object *rule)
{
	const struct nft_lines *lines = &import->rules[index];

	if (lines->err)
		refuse_rule(import, rule, lines->why);
	else if (lines->limits && drops_behind(import, index))
		refuse_rule(import, rule, "a limit before what drops");
	else
		fputs(lines->text, import->out);
	if (!lines->err && lines->stops_all && sees_more_than_ip(import))
		refuse_rule(import, rule, MORE_THAN_IP);
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

static void refuse_policy(struct import *import, struct json_object *chain, const char *why)
{
	import->refused++;
	ecbpf_log(ECBPF_LOG_WARNING, "%s %s %s, policy drop: %s", nft_text(chain, "family"),
		  nft_text(chain, "table"), nft_text(chain, "name"), why);
}

/* A chain without rules may drop all the same. */
static void judge_policy(struct import *import, struct json_object *chain)
{
	if (!chain || strcmp(nft_text(chain, "policy"), "drop") != 0)
		return;
	if (chain != import->chain)
		refuse_policy(import, chain, ANOTHER_CHAIN);
	else if (sees_more_than_ip(import))
		refuse_policy(import, chain, MORE_THAN_IP);
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
static void write_set(const struct import *import, struct json_object *json)
{
	struct nft_set *set = nft_sets_find(&import->sets, json, nft_text(json, "name"));

	if (set && set->json == json && same_place(json, import->chain))
		nft_set_write(set, import->out);
}

static int read_all(struct import *import)
{
	size_t i;

	import->rules = calloc(nft_count(import->objects) + 1, sizeof(*import->rules));
	if (!import->rules || nft_sets_collect(import->objects, &import->sets))
		return ecbpf_fail(-ENOMEM, "rules of nftables: %s", strerror(ENOMEM));
	for (i = 0; i < nft_count(import->objects); i++) {
		struct json_object *rule = nft_member(nft_item(import->objects, i), "rule");

		if (!rule || !is_in_chain(import, rule))
			continue;
		nft_rule_read(&import->sets, rule, &import->rules[import->count]);
		nft_lines_sort(&import->rules[import->count++]);
	}
	return 0;
}

static void write_all(struct import *import)
{
	size_t i, index = 0;

	fprintf(import->out, "order first-match\n");
	for (i = 0; i < nft_count(import->objects); i++)
		write_set(import, nft_member(nft_item(import->objects, i), "set"));
	for (i = 0; i < nft_count(import->objects); i++) {
		struct json_object *object = nft_item(import->objects, i);
		struct json_object *rule = nft_member(object, "rule");

		if (rule && is_in_chain(import, rule))
			import_rule(import, index++, rule);
		else if (rule)
			refuse_rule(import, rule, ANOTHER_CHAIN);
		else
			judge_policy(import, nft_member(object, "chain"));
	}
	write_policy(import);
}

static void free_all(struct import *import)
{
	size_t i;

	for (i = 0; i < import->count; i++)
		nft_lines_free(&import->rules[i]);
	free(import->rules);
	nft_sets_free(&import->sets);
}

int fw_import_nft_json(struct json_object *document, const char *name, FILE *out)
{
	struct import import = { .objects = nft_member(document, "nftables"), .out = out };
	int err;

	if (!json_object_is_type(import.objects, json_type_array))
		return ecbpf_fail(-EBADMSG, "%s: not what 'nft -j list ruleset' prints", name);
	import.chain = find_chain(import.objects);
	if (!import.chain)
		return ecbpf_fail(-EBADMSG,
				  "%s: no chain of type filter at the hook ingress, prerouting, "
				  "input or forward",
				  name);
	err = read_all(&import);
	if (!err)
		write_all(&import);
	free_all(&import);
	if (err)
		return err;
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
