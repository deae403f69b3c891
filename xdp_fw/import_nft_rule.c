// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "import_nft_rule.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "import_nft_names.h"
#include "import_nft_range.h"
#include "rules_text.h"

#define FIELD_MAX 4096

enum field {
	FIELD_FROM,
	FIELD_TO,
	FIELD_TTL,
	FIELD_SPORT,
	FIELD_DPORT,
	FIELD_WINDOW,
	FIELD_FLAGS,
	FIELD_TYPE,
	FIELD_CODE,
	FIELD_PROTO,
	FIELD_VLAN,
	FIELD_ACTION,
	FIELDS,
};

/* @protocol: 0: any; @family: 0: both. */
struct rule {
	struct json_object *objects;
	struct json_object *json;
	char *why;
	unsigned int family;
	int protocol;
	const char *fragment;
	bool limited;
	char fields[FIELDS][FIELD_MAX];
};

/* What `payload` calls a field; @names: of its values, or NULL. */
static const struct payload {
	const char *protocol;
	const char *name;
	enum field field;
	unsigned int family;
	int is;
	unsigned int max;
	const struct nft_named *names;
} payloads[] = {
	{ "ip", "saddr", FIELD_FROM, 4, 0, 0, NULL },
	{ "ip", "daddr", FIELD_TO, 4, 0, 0, NULL },
	{ "ip6", "saddr", FIELD_FROM, 6, 0, 0, NULL },
	{ "ip6", "daddr", FIELD_TO, 6, 0, 0, NULL },
	{ "ip", "ttl", FIELD_TTL, 4, 0, 255, NULL },
	{ "ip6", "hoplimit", FIELD_TTL, 6, 0, 255, NULL },
	{ "ip", "protocol", FIELD_PROTO, 4, 0, 255, nft_protocols },
	{ "ip6", "nexthdr", FIELD_PROTO, 6, 0, 255, nft_protocols },
	{ "tcp", "sport", FIELD_SPORT, 0, 6, 65535, NULL },
	{ "tcp", "dport", FIELD_DPORT, 0, 6, 65535, NULL },
	{ "udp", "sport", FIELD_SPORT, 0, 17, 65535, NULL },
	{ "udp", "dport", FIELD_DPORT, 0, 17, 65535, NULL },
	{ "tcp", "window", FIELD_WINDOW, 0, 6, 65535, NULL },
	{ "icmp", "type", FIELD_TYPE, 4, 1, 255, nft_types },
	{ "icmp", "code", FIELD_CODE, 4, 1, 255, nft_codes },
	{ "icmpv6", "type", FIELD_TYPE, 6, 58, 255, nft_types6 },
	{ "icmpv6", "code", FIELD_CODE, 6, 58, 255, nft_codes6 },
	{ "vlan", "id", FIELD_VLAN, 0, 0, 4095, NULL },
};

struct json_object *nft_member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object))
		return NULL;
	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

const char *nft_text(struct json_object *object, const char *key)
{
	struct json_object *value = nft_member(object, key);

	return value ? json_object_get_string(value) : "";
}

size_t nft_count(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

struct json_object *nft_item(struct json_object *array, size_t index)
{
	return index < nft_count(array) ? json_object_array_get_idx(array, index) : NULL;
}

static int refuse(struct rule *rule, const char *what, const char *detail)
{
	snprintf(rule->why, NFT_REASON_MAX, "%.60s%s%.60s", what, *detail ? ": " : "", detail);
	return -ENOTSUP;
}

static bool is_of_addresses(struct json_object *set)
{
	const char *type = nft_text(set, "type");

	return !strcmp(type, "ipv4_addr") || !strcmp(type, "ipv6_addr");
}

static bool is_name(const char *text)
{
	return text[strspn(text,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-0123456789")] ==
	       '\0';
}

static struct json_object *find_set(const struct rule *rule, const char *name)
{
	struct json_object *set;
	size_t i;

	for (i = 0; i < nft_count(rule->objects); i++) {
		set = nft_member(nft_item(rule->objects, i), "set");
		if (set && !strcmp(nft_text(set, "name"), name) &&
		    !strcmp(nft_text(set, "table"), nft_text(rule->json, "table")) &&
		    !strcmp(nft_text(set, "family"), nft_text(rule->json, "family")))
			return set;
	}
	return NULL;
}

static int add(char field[FIELD_MAX], const char *text)
{
	size_t used = strlen(field);

	if (used + strlen(text) >= FIELD_MAX)
		return -E2BIG;
	strcpy(field + used, text);
	return 0;
}

static int value_text(const struct nft_named *names, struct json_object *value, char text[64])
{
	const char *word = json_object_get_string(value);

	if (!word)
		return -EINVAL;
	if (json_object_is_type(value, json_type_string))
		for (; names && names->name; names++)
			if (!strcmp(names->name, word)) {
				snprintf(text, 64, "%d", names->value);
				return 0;
			}
	return snprintf(text, 64, "%s", word) < 64 ? 0 : -E2BIG;
}

static int add_range(struct rule *rule, struct json_object *range, char out[FIELD_MAX])
{
	const char *first = json_object_get_string(nft_item(range, 0));
	const char *last = json_object_get_string(nft_item(range, 1));

	if (first && last && !nft_range_prefixes(first, last, out, FIELD_MAX))
		return 0;
	return refuse(rule, "a range of addresses", json_object_get_string(range));
}

/* One value: an address, a number, a prefix, a range of numbers. */
static int add_value(struct rule *rule, const struct payload *payload, struct json_object *value,
		     char out[FIELD_MAX])
{
	struct json_object *prefix = nft_member(value, "prefix"),
			   *range = nft_member(value, "range");
	char first[64], last[64], text[160];

	if (nft_member(value, "elem"))
		return add_value(rule, payload, nft_member(nft_member(value, "elem"), "val"), out);
	if (prefix) {
		snprintf(text, sizeof(text), "%s/%s", nft_text(prefix, "addr"),
			 nft_text(prefix, "len"));
	} else if (range) {
		if (payload->field == FIELD_FROM || payload->field == FIELD_TO)
			return add_range(rule, range, out);
		if (value_text(payload->names, nft_item(range, 0), first) ||
		    value_text(payload->names, nft_item(range, 1), last))
			return refuse(rule, "a value", json_object_get_string(value) ?: "null");
		snprintf(text, sizeof(text), "%s-%s", first, last);
	} else {
		if (json_object_is_type(value, json_type_object) ||
		    json_object_is_type(value, json_type_array) ||
		    value_text(payload->names, value, text))
			return refuse(rule, "a value", json_object_get_string(value) ?: "null");
		if (payload->field > FIELD_TO && text[strspn(text, "0123456789")])
			return refuse(rule, "a value", text);
	}
	return add(out, text) ? refuse(rule, "too many values", "") : 0;
}

static int add_values(struct rule *rule, const struct payload *payload, struct json_object *values,
		      char out[FIELD_MAX])
{
	size_t i;
	int err = 0;

	for (i = 0; i < nft_count(values) && !err; i++) {
		if (i && add(out, ", "))
			return refuse(rule, "too many values", "");
		err = add_value(rule, payload, nft_item(values, i), out);
	}
	return err;
}

static int set_value(struct json_object *value, char text[FIELD_MAX])
{
	const struct payload address = { .field = FIELD_FROM };
	char why[NFT_REASON_MAX];
	struct rule rule = { .why = why };

	return add_value(&rule, &address, value, text);
}

/* Whether the parser takes @text; what it has to say goes nowhere. */
static bool is_language(const char *text)
{
	struct fw_ruleset ruleset = {};
	char *said = NULL;
	size_t size;
	FILE *out = open_memstream(&said, &size);
	bool good;

	if (!out)
		return false;
	good = !fw_rules_parse("nft", text, strlen(text), out, &ruleset);
	fw_ruleset_free(&ruleset);
	fclose(out);
	free(said);
	return good;
}

/* The set in our words; NULL: it has none, or not only prefixes. free() it. */
static char *set_text(struct json_object *set)
{
	struct json_object *values = nft_member(set, "elem");
	char value[FIELD_MAX], *text = NULL;
	size_t i, size;
	int err = 0;
	FILE *out;

	if (!json_object_is_type(values, json_type_array) || !nft_count(values) ||
	    !is_name(nft_text(set, "name")))
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	fprintf(out, "set nft_%s {", nft_text(set, "name"));
	for (i = 0; i < nft_count(values) && !err; i++) {
		value[0] = '\0';
		err = set_value(nft_item(values, i), value);
		fprintf(out, "%s\n\t%s", i ? "," : "", value);
	}
	fprintf(out, "\n}\n");
	fclose(out);
	if (!err && is_language(text))
		return text;
	free(text);
	return NULL;
}

static bool set_is_writable(struct json_object *set)
{
	char *text = set_text(set);
	bool writable = text != NULL;

	free(text);
	return writable;
}

static int add_set(struct rule *rule, const struct payload *payload, const char *name,
		   char out[FIELD_MAX])
{
	struct json_object *set = find_set(rule, name), *values = nft_member(set, "elem");

	if (!set || !is_name(name))
		return refuse(rule, "a set", name);
	if (is_of_addresses(set) && !set_is_writable(set))
		return refuse(rule, "a set with something else than prefixes", name);
	if (is_of_addresses(set))
		return add(out, "@nft_") || add(out, name) ? refuse(rule, "a set", name) : 0;
	if (!values)
		return refuse(rule, "an empty set", name);
	return add_values(rule, payload, values, out);
}

/* <, > and the like as a range. */
static int add_order(struct rule *rule, const struct payload *payload, const char *op,
		     struct json_object *right, char out[FIELD_MAX])
{
	int64_t value = json_object_get_int64(right), first = 0, last = payload->max;
	char text[64];

	if (!json_object_is_type(right, json_type_int) || !payload->max)
		return refuse(rule, "a comparison", op);
	if (op[0] == '<')
		last = op[1] ? value : value - 1;
	else
		first = op[1] ? value : value + 1;
	if (first > last || last > payload->max)
		return refuse(rule, "a comparison that never matches", op);
	snprintf(text, sizeof(text), "%lld-%lld", (long long)first, (long long)last);
	return add(out, text);
}

static int match_field(struct rule *rule, const struct payload *payload, const char *op,
		       struct json_object *right)
{
	char *out = rule->fields[payload->field];
	const char *word = json_object_get_string(right);
	int err;

	if (*out)
		return refuse(rule, "a field that is matched twice", payload->name);
	if (!strcmp(op, "!="))
		add(out, "not ");
	else if (op[0] == '<' || op[0] == '>')
		return add_order(rule, payload, op, right, out);
	add(out, "{ ");
	if (nft_member(right, "set"))
		err = add_values(rule, payload, nft_member(right, "set"), out);
	else if (json_object_is_type(right, json_type_string) && word[0] == '@')
		err = add_set(rule, payload, word + 1, out);
	else
		err = add_value(rule, payload, right, out);
	if (!err && add(out, " }"))
		return refuse(rule, "too many values", "");
	return err;
}

static int set_family(struct rule *rule, unsigned int family)
{
	if (family && rule->family && rule->family != family)
		return refuse(rule, "both IP versions", "");
	rule->family = family ? family : rule->family;
	return 0;
}

static int set_protocol(struct rule *rule, int protocol)
{
	if (protocol && rule->protocol && rule->protocol != protocol)
		return refuse(rule, "two protocols", "");
	rule->protocol = protocol ? protocol : rule->protocol;
	return 0;
}

static int match_payload(struct rule *rule, struct json_object *left, const char *op,
			 struct json_object *right)
{
	const char *protocol = nft_text(left, "protocol"), *name = nft_text(left, "field");
	size_t i;

	for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		const struct payload *payload = &payloads[i];

		if (strcmp(payload->protocol, protocol) != 0 || strcmp(payload->name, name) != 0)
			continue;
		return set_family(rule, payload->family)       ?:
			       set_protocol(rule, payload->is) ?:
			       match_field(rule, payload, op, right);
	}
	return refuse(rule, protocol, name);
}

static int match_meta(struct rule *rule, const char *key, const char *op, struct json_object *right)
{
	static const struct payload proto = { "", "l4proto", FIELD_PROTO, 0, 0, 255, nft_protocols };
	const char *word = json_object_get_string(right);

	if (!strcmp(key, "l4proto"))
		return match_field(rule, &proto, op, right);
	if ((!strcmp(key, "protocol") || !strcmp(key, "nfproto")) && !strcmp(op, "==")) {
		if (!strcmp(word, "ip") || !strcmp(word, "ipv4"))
			return set_family(rule, 4);
		if (!strcmp(word, "ip6") || !strcmp(word, "ipv6"))
			return set_family(rule, 6);
	}
	return refuse(rule, "meta", key);
}

/* A flag, or several: in an array, or joined by |. */
static int add_flag_names(struct rule *rule, struct json_object *value, char out[FIELD_MAX])
{
	struct json_object *joined = nft_member(value, "|") ?: value;
	size_t i;
	int err = 0;

	if (json_object_is_type(joined, json_type_string)) {
		if (out[strlen(out) - 1] != ' ' && add(out, ", "))
			return refuse(rule, "flags", "");
		return add(out, json_object_get_string(joined));
	}
	if (!json_object_is_type(joined, json_type_array))
		return refuse(rule, "flags", json_object_get_string(value) ?: "null");
	for (i = 0; i < nft_count(joined) && !err; i++)
		err = add_flag_names(rule, nft_item(joined, i), out);
	return err;
}

static int add_flags(struct rule *rule, struct json_object *value, char out[FIELD_MAX])
{
	return add(out, "{ ") ?: add_flag_names(rule, value, out) ?: add(out, " }");
}

/* All flags, or with "in" and "!" just the one that is named. */
static int match_flags(struct rule *rule, const char *op, struct json_object *right)
{
	char *out = rule->fields[FIELD_FLAGS];
	bool whole = !strcmp(op, "==") || !strcmp(op, "!=");

	if (*out)
		return refuse(rule, "a field that is matched twice", "flags");
	if (!whole && !json_object_is_type(right, json_type_string))
		return refuse(rule, "any of several flags", json_object_get_string(right));
	if (op[0] == '!')
		add(out, "not ");
	return set_protocol(rule, 6)		   ?:
		       add_flags(rule, right, out) ?:
		       whole ? add(out, " mask { cwr, ece, urg, ack, psh, rst, syn, fin }") :
			       0;
}

/* payload & mask */
static int match_masked(struct rule *rule, struct json_object *left, const char *op,
			struct json_object *right)
{
	struct json_object *payload = nft_member(nft_item(left, 0), "payload");
	struct json_object *mask = nft_item(left, 1);
	char *out = rule->fields[FIELD_FLAGS];

	if (!strcmp(nft_text(payload, "field"), "frag-off") && !strcmp(op, "!=") &&
	    !json_object_get_int(right) && json_object_get_int(mask) == 0x3fff) {
		rule->fragment = "fragment";
		return set_family(rule, 4);
	}
	if (strcmp(nft_text(payload, "field"), "flags") != 0 || *out)
		return refuse(rule, "a mask on", nft_text(payload, "field"));
	if (!strcmp(op, "!="))
		add(out, "not ");
	return set_protocol(rule, 6)		   ?:
		       add_flags(rule, right, out) ?:
		       add(out, " mask ")	   ?:
						     add_flags(rule, mask, out);
}

static int match(struct rule *rule, struct json_object *json)
{
	struct json_object *left = nft_member(json, "left"), *right = nft_member(json, "right");
	const char *op = nft_text(json, "op");

	if (!right || !left)
		return refuse(rule, "a match", "");
	if (!strcmp(nft_text(nft_member(left, "payload"), "field"), "flags") &&
	    !strcmp(nft_text(nft_member(left, "payload"), "protocol"), "tcp"))
		return match_flags(rule, op, right);
	if (!strcmp(op, "in"))
		op = "==";
	if (nft_member(left, "payload"))
		return match_payload(rule, nft_member(left, "payload"), op, right);
	if (nft_member(left, "meta"))
		return match_meta(rule, nft_text(nft_member(left, "meta"), "key"), op, right);
	if (json_object_is_type(nft_member(left, "&"), json_type_array))
		return match_masked(rule, nft_member(left, "&"), op, right);
	return refuse(rule, "a match of", json_object_get_string(left));
}

static int limit(struct rule *rule, struct json_object *json)
{
	struct json_object *burst = nft_member(json, "burst");
	char text[96];

	if (strcmp(nft_text(json, "per"), "second") != 0 || nft_member(json, "rate_unit") ||
	    !json_object_get_boolean(nft_member(json, "inv")))
		return refuse(rule, "a limit that isn't 'over' so many packets a second", "");
	snprintf(text, sizeof(text), "limit %s/second", nft_text(json, "rate"));
	rule->limited = true;
	add(rule->fields[FIELD_ACTION], text);
	if (burst && json_object_get_int(burst) > 0) {
		snprintf(text, sizeof(text), " burst %d", json_object_get_int(burst));
		add(rule->fields[FIELD_ACTION], text);
	}
	return 0;
}

static int verdict(struct rule *rule, const char *word)
{
	if (rule->limited)
		return !strcmp(word, "drop") ? 0 : refuse(rule, "a limit with", word);
	return add(rule->fields[FIELD_ACTION], word);
}

static int statement(struct rule *rule, struct json_object *json)
{
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
		return refuse(rule, "statement", key);
	}
	return refuse(rule, "an empty statement", "");
}

static void write_field(FILE *out, const char *before, const char *text)
{
	if (*text)
		fprintf(out, " %s %s", before, text);
}

static void write_protocol(const struct rule *rule, FILE *out)
{
	const char *name = rule->protocol == 6	? "tcp" :
			   rule->protocol == 17 ? "udp" :
			   rule->protocol == 1	? "icmp" :
						  "icmp6";

	if (!rule->protocol) {
		fprintf(out, " proto %s",
			rule->fields[FIELD_PROTO][0] ? rule->fields[FIELD_PROTO] : "any");
		return;
	}
	fprintf(out, " %s", name);
	write_field(out, "sport", rule->fields[FIELD_SPORT]);
	write_field(out, "dport", rule->fields[FIELD_DPORT]);
	write_field(out, "window", rule->fields[FIELD_WINDOW]);
	write_field(out, "flags", rule->fields[FIELD_FLAGS]);
	write_field(out, "type", rule->fields[FIELD_TYPE]);
	write_field(out, "code", rule->fields[FIELD_CODE]);
}

static void write_rule(const struct rule *rule, unsigned int family, FILE *out)
{
	const char *from = rule->fields[FIELD_FROM], *to = rule->fields[FIELD_TO];
	const char *comment = nft_text(rule->json, "comment");

	fprintf(out, "%s from %s to %s", family == 4 ? "ip" : "ip6", *from ? from : "any",
		*to ? to : "any");
	write_field(out, "ttl", rule->fields[FIELD_TTL]);
	write_protocol(rule, out);
	if (rule->fragment)
		fprintf(out, " %s", rule->fragment);
	write_field(out, "vlan", rule->fields[FIELD_VLAN]);
	fprintf(out, " action %s",
		rule->fields[FIELD_ACTION][0] ? rule->fields[FIELD_ACTION] : "count");
	if (*comment && strlen(comment) < 64 && !strpbrk(comment, "\"\n"))
		fprintf(out, " name \"%s\"", comment);
	fputc('\n', out);
}

/* What the statements together can't be. */
static int check(struct rule *rule)
{
	static const char *const tables[] = { "ip", "ip6" };
	const char *family = nft_text(rule->json, "family"), *proto = rule->fields[FIELD_PROTO];
	char wanted[16];
	size_t i;

	for (i = 0; i < 2; i++)
		if (!strcmp(family, tables[i]) && set_family(rule, i ? 6 : 4))
			return -ENOTSUP;
	if (rule->limited && !rule->family)
		return refuse(rule, "a limit that both IP versions share", "");
	snprintf(wanted, sizeof(wanted), "{ %d }", rule->protocol);
	if (rule->protocol && *proto && strcmp(proto, wanted) != 0)
		return refuse(rule, "two protocols", "");
	return 0;
}

/* Read as far as it can be expressed; NULL: no memory. */
static struct rule *read_rule(struct json_object *objects, struct json_object *json,
			      char why[NFT_REASON_MAX], int *err)
{
	struct rule *rule = calloc(1, sizeof(*rule));
	struct json_object *statements = nft_member(json, "expr");
	size_t i;

	*err = rule ? 0 : -ENOMEM;
	if (!rule)
		return NULL;
	*rule = (struct rule){ .objects = objects, .json = json, .why = why };
	if (!json_object_is_type(statements, json_type_array))
		*err = -ENOTSUP;
	for (i = 0; !*err && i < nft_count(statements); i++)
		*err = statement(rule, nft_item(statements, i));
	return rule;
}

/* What nft printed may be anything: only what is read again as rules is written. */
static int write_checked(struct rule *rule, FILE *out)
{
	char *text = NULL;
	size_t size, i, before;
	FILE *lines = open_memstream(&text, &size);
	int err = 0;

	if (!lines)
		return -ENOMEM;
	for (i = 0; i < nft_count(rule->objects); i++) {
		struct json_object *set = nft_member(nft_item(rule->objects, i), "set");

		if (set && find_set(rule, nft_text(set, "name")) == set && is_of_addresses(set) &&
		    is_name(nft_text(set, "name")))
			fprintf(lines, "set nft_%s { }\n", nft_text(set, "name"));
	}
	fflush(lines);
	before = size;
	if (rule->family != 6)
		write_rule(rule, 4, lines);
	if (rule->family != 4)
		write_rule(rule, 6, lines);
	fclose(lines);
	if (is_language(text))
		fputs(text + before, out);
	else
		err = refuse(rule, "a value that rules can't have", "");
	free(text);
	return err;
}

int nft_rule_write(struct json_object *objects, struct json_object *json, FILE *out,
		   char why[NFT_REASON_MAX])
{
	int err;
	struct rule *rule = read_rule(objects, json, why, &err);

	if (!err)
		err = check(rule) ?: write_checked(rule, out);
	free(rule);
	return err;
}

bool nft_rule_has(struct json_object *json, const char *statement)
{
	struct json_object *statements = nft_member(json, "expr");
	size_t i;

	if (!json_object_is_type(statements, json_type_array))
		return false;
	for (i = 0; i < nft_count(statements); i++)
		if (json_object_object_get_ex(nft_item(statements, i), statement, NULL))
			return true;
	return false;
}

bool nft_rules_meet(struct json_object *objects, struct json_object *one, struct json_object *other)
{
	char why[NFT_REASON_MAX];
	int ignored;
	struct rule *first = read_rule(objects, one, why, &ignored);
	struct rule *second = read_rule(objects, other, why, &ignored);
	bool meet = true;

	if (first && second)
		meet = (!first->family || !second->family || first->family == second->family) &&
		       (!first->protocol || !second->protocol ||
			first->protocol == second->protocol);
	free(first);
	free(second);
	return meet;
}

void nft_set_write(struct json_object *set, FILE *out)
{
	char *text = is_of_addresses(set) ? set_text(set) : NULL;

	if (text)
		fputs(text, out);
	free(text);
}
