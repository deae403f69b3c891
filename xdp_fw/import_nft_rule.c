// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "import_nft_rule.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "import_nft_names.h"
#include "import_nft_values.h"
#include "rules_text.h"

static const struct nft_payload payloads[] = {
	{ "ip", "saddr", NFT_FIELD_FROM, 4, 0, 0, NULL },
	{ "ip", "daddr", NFT_FIELD_TO, 4, 0, 0, NULL },
	{ "ip6", "saddr", NFT_FIELD_FROM, 6, 0, 0, NULL },
	{ "ip6", "daddr", NFT_FIELD_TO, 6, 0, 0, NULL },
	{ "ip", "ttl", NFT_FIELD_TTL, 4, 0, 255, NULL },
	{ "ip6", "hoplimit", NFT_FIELD_TTL, 6, 0, 255, NULL },
	{ "ip", "protocol", NFT_FIELD_PROTO, 4, 0, 255, nft_protocols },
	{ "ip6", "nexthdr", NFT_FIELD_PROTO, 6, 0, 255, nft_protocols },
	{ "tcp", "sport", NFT_FIELD_SPORT, 0, 6, 65535, NULL },
	{ "tcp", "dport", NFT_FIELD_DPORT, 0, 6, 65535, NULL },
	{ "udp", "sport", NFT_FIELD_SPORT, 0, 17, 65535, NULL },
	{ "udp", "dport", NFT_FIELD_DPORT, 0, 17, 65535, NULL },
	{ "tcp", "window", NFT_FIELD_WINDOW, 0, 6, 65535, NULL },
	{ "icmp", "type", NFT_FIELD_TYPE, 4, 1, 255, nft_types },
	{ "icmp", "code", NFT_FIELD_CODE, 4, 1, 255, nft_codes },
	{ "icmpv6", "type", NFT_FIELD_TYPE, 6, 58, 255, nft_types6 },
	{ "icmpv6", "code", NFT_FIELD_CODE, 6, 58, 255, nft_codes6 },
	{ "vlan", "id", NFT_FIELD_VLAN, 0, 0, 4095, NULL },
};

/* <, > and the like as a range. */
static int add_order(struct nft_rule *rule, const struct nft_payload *payload, const char *op,
		     struct json_object *right, char out[NFT_FIELD_MAX])
{
	int64_t value = json_object_get_int64(right), first = 0, last = payload->max;
	char text[64];

	if (!json_object_is_type(right, json_type_int) || !payload->max)
		return nft_refuse(rule, "a comparison", op);
	if (value < 0 || value > payload->max)
		return nft_refuse(rule, "a value", json_object_get_string(right));
	if (op[0] == '<')
		last = op[1] ? value : value - 1;
	else
		first = op[1] ? value : value + 1;
	if (first > last || last > payload->max)
		return nft_refuse(rule, "a comparison that never matches", op);
	snprintf(text, sizeof(text), "%lld-%lld", (long long)first, (long long)last);
	return nft_field_add(out, text);
}

/* One of @ops, which are words with blanks around them. */
static bool is_op(const char *op, const char *ops)
{
	char word[8];
	int length = snprintf(word, sizeof(word), " %s ", op);

	return length > 2 && length < (int)sizeof(word) && !strchr(op, ' ') && strstr(ops, word);
}

static int add_values(struct nft_rule *rule, const struct nft_payload *payload,
		      struct json_object *right, char out[NFT_FIELD_MAX])
{
	const char *word = json_object_get_string(right);
	int err;

	nft_field_add(out, "{ ");
	if (nft_member(right, "set"))
		err = nft_field_values(rule, payload, nft_member(right, "set"), out);
	else if (json_object_is_type(right, json_type_string) && word[0] == '@')
		err = nft_field_set(rule, payload, word + 1, out);
	else
		err = nft_field_value(rule, payload, right, out);
	if (!err && nft_field_add(out, " }"))
		return nft_refuse(rule, "too many values", "");
	return err;
}

static int match_field(struct nft_rule *rule, const struct nft_payload *payload, const char *op,
		       struct json_object *right)
{
	char *out = rule->fields[payload->field];

	if (*out)
		return nft_refuse(rule, "a field that is matched twice", payload->name);
	if (is_op(op, " < > <= >= "))
		return add_order(rule, payload, op, right, out) ?:
			       nft_field_settle(rule, payload, out);
	if (!is_op(op, " == != in "))
		return nft_refuse(rule, "a comparison", op);
	if (op[0] == '!')
		nft_field_add(out, "not ");
	return add_values(rule, payload, right, out) ?: nft_field_settle(rule, payload, out);
}

static int set_family(struct nft_rule *rule, unsigned int family)
{
	if (family && rule->family && rule->family != family)
		return nft_refuse(rule, "both IP versions", "");
	rule->family = family ? family : rule->family;
	return 0;
}

static int set_protocol(struct nft_rule *rule, int protocol)
{
	if (protocol && rule->protocol && rule->protocol != protocol)
		return nft_refuse(rule, "two protocols", "");
	rule->protocol = protocol ? protocol : rule->protocol;
	return 0;
}

static int match_payload(struct nft_rule *rule, struct json_object *left, const char *op,
			 struct json_object *right)
{
	const char *protocol = nft_text(left, "protocol"), *name = nft_text(left, "field");
	size_t i;

	for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		const struct nft_payload *payload = &payloads[i];

		if (strcmp(payload->protocol, protocol) != 0 || strcmp(payload->name, name) != 0)
			continue;
		return set_family(rule, payload->family)       ?:
			       set_protocol(rule, payload->is) ?:
			       match_field(rule, payload, op, right);
	}
	return nft_refuse(rule, protocol, name);
}

static int match_meta(struct nft_rule *rule, const char *key, const char *op,
		      struct json_object *right)
{
	static const struct nft_payload proto = { "", "l4proto", NFT_FIELD_PROTO, 0,
						  0,  255,	 nft_protocols };
	const char *word = json_object_get_string(right);

	if (!strcmp(key, "l4proto"))
		return match_field(rule, &proto, op, right);
	if ((!strcmp(key, "protocol") || !strcmp(key, "nfproto")) && is_op(op, " == in ")) {
		if (!strcmp(word, "ip") || !strcmp(word, "ipv4"))
			return set_family(rule, 4);
		if (!strcmp(word, "ip6") || !strcmp(word, "ipv6"))
			return set_family(rule, 6);
	}
	return nft_refuse(rule, "meta", key);
}

/* A flag, or several: in an array, or joined by |. */
static int add_flag_names(struct nft_rule *rule, struct json_object *value, char out[NFT_FIELD_MAX])
{
	struct json_object *joined = nft_member(value, "|") ?: value;
	size_t i;
	int err = 0;

	if (json_object_is_type(joined, json_type_string)) {
		if (out[strlen(out) - 1] != ' ' && nft_field_add(out, ", "))
			return nft_refuse(rule, "flags", "");
		return nft_field_add(out, json_object_get_string(joined));
	}
	if (!json_object_is_type(joined, json_type_array))
		return nft_refuse(rule, "flags", json_object_get_string(value) ?: "null");
	for (i = 0; i < nft_count(joined) && !err; i++)
		err = add_flag_names(rule, nft_item(joined, i), out);
	return err;
}

static int add_flags(struct nft_rule *rule, struct json_object *value, char out[NFT_FIELD_MAX])
{
	return nft_field_add(out, "{ ")			?:
		       add_flag_names(rule, value, out) ?:
							  nft_field_add(out, " }");
}

/* All flags, or with "in" and "!" just the one that is named. */
static int match_flags(struct nft_rule *rule, const char *op, struct json_object *right)
{
	char *out = rule->fields[NFT_FIELD_FLAGS];
	bool whole = !strcmp(op, "==") || !strcmp(op, "!=");

	if (*out)
		return nft_refuse(rule, "a field that is matched twice", "flags");
	if (!is_op(op, " == != in ! "))
		return nft_refuse(rule, "a comparison", op);
	if (!whole && !json_object_is_type(right, json_type_string))
		return nft_refuse(rule, "any of several flags", json_object_get_string(right));
	if (op[0] == '!')
		nft_field_add(out, "not ");
	return set_protocol(rule, 6)		   ?:
		       add_flags(rule, right, out) ?:
		       whole ?
		       nft_field_add(out, " mask { cwr, ece, urg, ack, psh, rst, syn, fin }") :
		       0;
}

/* Other bits than "don't fragment" are those of fragments. */
static int match_fragment(struct nft_rule *rule, const char *op)
{
	if (!is_op(op, " == != > "))
		return nft_refuse(rule, "a comparison", op);
	rule->fragment = op[0] == '=' ? "not fragment" : "fragment";
	return set_family(rule, 4);
}

/* payload & mask */
static int match_masked(struct nft_rule *rule, struct json_object *left, const char *op,
			struct json_object *right)
{
	struct json_object *payload = nft_member(nft_item(left, 0), "payload");
	struct json_object *mask = nft_item(left, 1);
	char *out = rule->fields[NFT_FIELD_FLAGS];

	if (!strcmp(nft_text(payload, "field"), "frag-off") &&
	    !strcmp(nft_text(payload, "protocol"), "ip") && !rule->fragment &&
	    json_object_is_type(right, json_type_int) && !json_object_get_int64(right) &&
	    json_object_get_int64(mask) == 0x3fff)
		return match_fragment(rule, op);
	if (strcmp(nft_text(payload, "field"), "flags") != 0 ||
	    strcmp(nft_text(payload, "protocol"), "tcp") != 0 || *out)
		return nft_refuse(rule, "a mask on", nft_text(payload, "field"));
	if (!is_op(op, " == != "))
		return nft_refuse(rule, "a comparison", op);
	if (op[0] == '!')
		nft_field_add(out, "not ");
	return set_protocol(rule, 6)		    ?:
		       add_flags(rule, right, out)  ?:
		       nft_field_add(out, " mask ") ?:
						      add_flags(rule, mask, out);
}

static int match(struct nft_rule *rule, struct json_object *json)
{
	struct json_object *left = nft_member(json, "left"), *right = nft_member(json, "right");
	const char *op = nft_text(json, "op");

	if (!right || !left)
		return nft_refuse(rule, "a match", "");
	if (rule->limited)
		return nft_refuse(rule, "a limit that others count against", "");
	if (!strcmp(nft_text(nft_member(left, "payload"), "field"), "flags") &&
	    !strcmp(nft_text(nft_member(left, "payload"), "protocol"), "tcp"))
		return match_flags(rule, op, right);
	if (nft_member(left, "payload"))
		return match_payload(rule, nft_member(left, "payload"), op, right);
	if (nft_member(left, "meta"))
		return match_meta(rule, nft_text(nft_member(left, "meta"), "key"), op, right);
	if (json_object_is_type(nft_member(left, "&"), json_type_array))
		return match_masked(rule, nft_member(left, "&"), op, right);
	return nft_refuse(rule, "a match of", json_object_get_string(left));
}

static int limit(struct nft_rule *rule, struct json_object *json)
{
	struct json_object *burst = nft_member(json, "burst");
	char text[96];

	if (strcmp(nft_text(json, "per"), "second") != 0 || nft_member(json, "rate_unit") ||
	    !json_object_get_boolean(nft_member(json, "inv")))
		return nft_refuse(rule, "a limit that isn't 'over' so many packets a second", "");
	snprintf(text, sizeof(text), "limit %s/second", nft_text(json, "rate"));
	rule->limited = true;
	nft_field_add(rule->fields[NFT_FIELD_ACTION], text);
	if (burst && json_object_get_int(burst) > 0) {
		snprintf(text, sizeof(text), " burst %d", json_object_get_int(burst));
		nft_field_add(rule->fields[NFT_FIELD_ACTION], text);
	}
	return 0;
}

static int verdict(struct nft_rule *rule, const char *word)
{
	rule->drops = !strcmp(word, "drop");
	if (rule->limited)
		return rule->drops ? 0 : nft_refuse(rule, "a limit with", word);
	return nft_field_add(rule->fields[NFT_FIELD_ACTION], word);
}

static int statement(struct nft_rule *rule, struct json_object *json)
{
	if (!json_object_is_type(json, json_type_object))
		return nft_refuse(rule, "a statement", json_object_get_string(json) ?: "null");
	if (json_object_object_length(json) > 1)
		return nft_refuse(rule, "several statements in one", json_object_get_string(json));
	if (nft_member(json, "match"))
		return match(rule, nft_member(json, "match"));
	if (nft_member(json, "limit"))
		return limit(rule, nft_member(json, "limit"));
	if (json_object_object_get_ex(json, "counter", NULL))
		return 0;
	if (json_object_object_get_ex(json, "drop", NULL))
		return verdict(rule, "drop");
	if (json_object_object_get_ex(json, "accept", NULL))
		return verdict(rule, "pass");
	json_object_object_foreach(json, key, value) {
		(void)value;
		return nft_refuse(rule, "statement", key);
	}
	return nft_refuse(rule, "an empty statement", "");
}

static void write_field(FILE *out, const char *before, const char *text)
{
	if (*text)
		fprintf(out, " %s %s", before, text);
}

static void write_protocol(const struct nft_rule *rule, FILE *out)
{
	const char *name = rule->protocol == 6	? "tcp" :
			   rule->protocol == 17 ? "udp" :
			   rule->protocol == 1	? "icmp" :
						  "icmp6";

	if (!rule->protocol) {
		fprintf(out, " proto %s",
			rule->fields[NFT_FIELD_PROTO][0] ? rule->fields[NFT_FIELD_PROTO] : "any");
		return;
	}
	fprintf(out, " %s", name);
	write_field(out, "sport", rule->fields[NFT_FIELD_SPORT]);
	write_field(out, "dport", rule->fields[NFT_FIELD_DPORT]);
	write_field(out, "window", rule->fields[NFT_FIELD_WINDOW]);
	write_field(out, "flags", rule->fields[NFT_FIELD_FLAGS]);
	write_field(out, "type", rule->fields[NFT_FIELD_TYPE]);
	write_field(out, "code", rule->fields[NFT_FIELD_CODE]);
}

static void write_rule(const struct nft_rule *rule, unsigned int family, FILE *out)
{
	const char *from = rule->fields[NFT_FIELD_FROM], *to = rule->fields[NFT_FIELD_TO];
	const char *comment = nft_text(rule->json, "comment");

	fprintf(out, "%s from %s to %s", family == 4 ? "ip" : "ip6", *from ? from : "any",
		*to ? to : "any");
	write_field(out, "ttl", rule->fields[NFT_FIELD_TTL]);
	write_protocol(rule, out);
	if (rule->fragment)
		fprintf(out, " %s", rule->fragment);
	write_field(out, "vlan", rule->fields[NFT_FIELD_VLAN]);
	fprintf(out, " action %s",
		rule->fields[NFT_FIELD_ACTION][0] ? rule->fields[NFT_FIELD_ACTION] : "count");
	if (*comment && strlen(comment) < 64 && !strpbrk(comment, "\"\n"))
		fprintf(out, " name \"%s\"", comment);
	fputc('\n', out);
}

/* What the statements together can't be. */
static int check(struct nft_rule *rule)
{
	static const char *const tables[] = { "ip", "ip6" };
	const char *family = nft_text(rule->json, "family"), *proto = rule->fields[NFT_FIELD_PROTO];
	char wanted[16];
	size_t i;

	for (i = 0; i < 2; i++)
		if (!strcmp(family, tables[i]) && set_family(rule, i ? 6 : 4))
			return -ENOTSUP;
	if (rule->limited && !rule->drops)
		return nft_refuse(rule, "a limit that doesn't drop", "");
	if (rule->limited && !rule->family)
		return nft_refuse(rule, "a limit that both IP versions share", "");
	snprintf(wanted, sizeof(wanted), "{ %d }", rule->protocol);
	if (rule->protocol && *proto && strcmp(proto, wanted) != 0)
		return nft_refuse(rule, "two protocols", "");
	return 0;
}

static int read_statements(struct nft_rule *rule)
{
	struct json_object *statements = nft_member(rule->json, "expr");
	size_t i;
	int err = 0;

	if (!json_object_is_type(statements, json_type_array))
		return nft_refuse(rule, "no statements", "");
	for (i = 0; !err && i < nft_count(statements); i++)
		err = statement(rule, nft_item(statements, i));
	return err;
}

/* The rule's lines, behind the sets that it names; *@before: where they begin. free() it. */
static char *rule_text(const struct nft_rule *rule, size_t *before)
{
	struct nft_set *from = rule->named[NFT_FIELD_FROM], *to = rule->named[NFT_FIELD_TO];
	char *text = NULL;
	size_t size;
	FILE *lines = open_memstream(&text, &size);

	if (!lines)
		return NULL;
	if (from)
		fprintf(lines, "set nft_%s { }\n", nft_text(from->json, "name"));
	if (to && to != from)
		fprintf(lines, "set nft_%s { }\n", nft_text(to->json, "name"));
	fflush(lines);
	*before = size;
	if (rule->family != 6)
		write_rule(rule, 4, lines);
	if (rule->family != 4)
		write_rule(rule, 6, lines);
	return fclose(lines) ? NULL : text;
}

/* What nft printed may be anything: only what is read again as rules is written. */
static int make_lines(struct nft_rule *rule, struct nft_lines *lines)
{
	size_t before;
	char *text = rule_text(rule, &before);
	int err = text ? nft_parse(text, &lines->ruleset) : -ENOMEM;

	if (!err)
		lines->text = strdup(text + before);
	else if (text)
		err = nft_refuse(rule, "a value that rules can't have", "");
	free(text);
	return err || lines->text ? err : -ENOMEM;
}

static bool has_any(struct json_object *json, const char *const *names)
{
	struct json_object *statements = nft_member(json, "expr");
	size_t i;

	for (; *names; names++)
		for (i = 0; i < nft_count(statements); i++)
			if (json_object_object_get_ex(nft_item(statements, i), *names, NULL))
				return true;
	return false;
}

void nft_rule_read(struct nft_sets *sets, struct json_object *json, struct nft_lines *lines)
{
	static const char *const limits[] = { "limit", NULL }, *const passes[] = { "accept", NULL };
	static const char *const stops[] = { "drop", "reject", "jump", "goto", "vmap", NULL };
	struct nft_rule *rule = calloc(1, sizeof(*rule));

	*lines = (struct nft_lines){ .limits = has_any(json, limits) };
	lines->stops = !has_any(json, passes) && has_any(json, stops);
	lines->err = -ENOMEM;
	snprintf(lines->why, sizeof(lines->why), "%s", strerror(ENOMEM));
	if (!rule)
		return;
	rule->sets = sets;
	rule->json = json;
	rule->why = lines->why;
	lines->err = read_statements(rule) ?: check(rule) ?: make_lines(rule, lines);
	lines->family = rule->family;
	lines->protocol = rule->protocol;
	lines->stops_all = rule->drops && !rule->family && !rule->protocol &&
			   !rule->fields[NFT_FIELD_PROTO][0];
	free(rule);
}

void nft_lines_free(struct nft_lines *lines)
{
	fw_ruleset_free(&lines->ruleset);
	free(lines->text);
}
