// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Values of fields, and the sets that they may be in. */
#define _GNU_SOURCE
#include "import_nft_values.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <json-c/json.h>

#include "import_nft_json.h"
#include "import_nft_names.h"
#include "import_nft_range.h"
#include "rules_text.h"

int nft_refuse(struct nft_rule *rule, const char *what, const char *detail)
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

static struct json_object *find_set(const struct nft_rule *rule, const char *name)
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

int nft_field_add(char field[NFT_FIELD_MAX], const char *text)
{
	size_t used = strlen(field);

	if (used + strlen(text) >= NFT_FIELD_MAX)
		return -E2BIG;
	strcpy(field + used, text);
	return 0;
}

/* A protocol that the lists here don't have: nft prints the words of this machine's. */
static int protocol_number(const char *word)
{
	const struct protoent *entry = getprotobyname(word);

	return entry ? entry->p_proto : -1;
}

static int value_text(const struct nft_named *names, struct json_object *value, char text[64])
{
	const char *word = json_object_get_string(value);
	int number;

	if (!word)
		return -EINVAL;
	if (json_object_is_type(value, json_type_string)) {
		number = names == nft_protocols ? protocol_number(word) : -1;
		for (; names && names->name; names++)
			if (!strcmp(names->name, word))
				number = names->value;
		if (number >= 0) {
			snprintf(text, 64, "%d", number);
			return 0;
		}
	}
	return snprintf(text, 64, "%s", word) < 64 ? 0 : -E2BIG;
}

static int add_range(struct nft_rule *rule, struct json_object *range, char out[NFT_FIELD_MAX])
{
	const char *first = json_object_get_string(nft_item(range, 0));
	const char *last = json_object_get_string(nft_item(range, 1));

	if (first && last && !nft_range_prefixes(first, last, out, NFT_FIELD_MAX))
		return 0;
	return nft_refuse(rule, "a range of addresses", json_object_get_string(range));
}

/* One value: an address, a number, a prefix, a range of numbers. */
int nft_field_value(struct nft_rule *rule, const struct nft_payload *payload,
		    struct json_object *value, char out[NFT_FIELD_MAX])
{
	struct json_object *prefix = nft_member(value, "prefix"),
			   *range = nft_member(value, "range");
	char first[64], last[64], text[160];

	if (nft_member(value, "elem"))
		return nft_field_value(rule, payload, nft_member(nft_member(value, "elem"), "val"),
				       out);
	if (prefix) {
		snprintf(text, sizeof(text), "%s/%s", nft_text(prefix, "addr"),
			 nft_text(prefix, "len"));
	} else if (range) {
		if (payload->field == NFT_FIELD_FROM || payload->field == NFT_FIELD_TO)
			return add_range(rule, range, out);
		if (value_text(payload->names, nft_item(range, 0), first) ||
		    value_text(payload->names, nft_item(range, 1), last))
			return nft_refuse(rule, "a value", json_object_get_string(value) ?: "null");
		snprintf(text, sizeof(text), "%s-%s", first, last);
	} else {
		if (json_object_is_type(value, json_type_object) ||
		    json_object_is_type(value, json_type_array) ||
		    value_text(payload->names, value, text))
			return nft_refuse(rule, "a value", json_object_get_string(value) ?: "null");
		if (payload->field > NFT_FIELD_TO && text[strspn(text, "0123456789")])
			return nft_refuse(rule, "a value", text);
	}
	return nft_field_add(out, text) ? nft_refuse(rule, "too many values", "") : 0;
}

int nft_field_values(struct nft_rule *rule, const struct nft_payload *payload,
		     struct json_object *values, char out[NFT_FIELD_MAX])
{
	size_t i;
	int err = 0;

	for (i = 0; i < nft_count(values) && !err; i++) {
		if (i && nft_field_add(out, ", "))
			return nft_refuse(rule, "too many values", "");
		err = nft_field_value(rule, payload, nft_item(values, i), out);
	}
	return err;
}

static int set_value(struct json_object *value, char text[NFT_FIELD_MAX])
{
	const struct nft_payload address = { .field = NFT_FIELD_FROM };
	char why[NFT_REASON_MAX];
	struct nft_rule rule = { .why = why };

	return nft_field_value(&rule, &address, value, text);
}

/* What the parser has to say goes nowhere. */
int nft_parse(const char *text, struct fw_ruleset *ruleset)
{
	char *said = NULL;
	size_t size;
	FILE *out = open_memstream(&said, &size);
	int err;

	if (!out)
		return -ENOMEM;
	err = fw_rules_parse("nft", text, strlen(text), out, ruleset);
	fclose(out);
	free(said);
	return err;
}

/* Whether the parser takes @text. */
static bool is_language(const char *text)
{
	struct fw_ruleset ruleset = {};
	bool good = !nft_parse(text, &ruleset);

	fw_ruleset_free(&ruleset);
	return good;
}

/* The numbers of the field that @option begins; NULL: none. fw_ruleset_free() in any case. */
static const struct fw_numbers *read_numbers(const char *option, const char *text,
					     enum fw_number number, struct fw_ruleset *ruleset)
{
	char *line;
	int err;

	if (asprintf(&line, "ip from any to any %s %s\n", option, text) < 0)
		return NULL;
	err = nft_parse(line, ruleset);
	free(line);
	return !err && ruleset->count == 1 ? &ruleset->rules[0].numbers[number] : NULL;
}

/* As ranges, such as a frame without a tag isn't in. */
static int add_vlans(struct nft_rule *rule, const struct fw_numbers *vlans, char out[NFT_FIELD_MAX])
{
	uint32_t first, last, max = fw_number_max(FW_VLAN);
	char text[32];
	int err = 0;

	strcpy(out, "{ ");
	for (first = 0; first <= max && !err; first = last + 1) {
		last = first;
		if (!fw_numbers_contain(vlans, first))
			continue;
		while (last < max && fw_numbers_contain(vlans, last + 1))
			last++;
		snprintf(text, sizeof(text), last > first ? "%s%u-%u" : "%s%u", out[2] ? ", " : "",
			 first, last);
		err = nft_field_add(out, text);
	}
	if (!out[2])
		return nft_refuse(rule, "a comparison that never matches", "!=");
	return err || nft_field_add(out, " }") ? nft_refuse(rule, "too many values", "") : 0;
}

/* A packet's protocol is never one of these: it is what is behind them. */
static bool has_extension(const struct fw_numbers *numbers)
{
	static const uint8_t extensions[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
					      IPPROTO_AH, IPPROTO_DSTOPTS };
	size_t i;

	for (i = 0; i < sizeof(extensions); i++)
		if (fw_numbers_contain(numbers, extensions[i]) != numbers->negated)
			return true;
	return false;
}

int nft_field_settle(struct nft_rule *rule, const struct nft_payload *payload,
		     char out[NFT_FIELD_MAX])
{
	bool vlan = payload->field == NFT_FIELD_VLAN && !strncmp(out, "not ", 4);
	const struct fw_numbers *numbers;
	struct fw_ruleset ruleset = {};
	int err = 0;

	if (!vlan && strcmp(payload->name, "nexthdr") != 0)
		return 0;
	numbers = vlan ? read_numbers("proto any vlan", out, FW_VLAN, &ruleset) :
			 read_numbers("proto", out, FW_PROTOCOL, &ruleset);
	if (!numbers)
		err = nft_refuse(rule, "a value that rules can't have", "");
	else if (vlan)
		err = add_vlans(rule, numbers, out);
	else if (has_extension(numbers))
		err = nft_refuse(rule, "an extension header as protocol", "");
	fw_ruleset_free(&ruleset);
	return err;
}

/* The set in our words; NULL: it has none, or not only prefixes. free() it. */
static char *set_text(struct json_object *set)
{
	struct json_object *values = nft_member(set, "elem");
	char value[NFT_FIELD_MAX], *text = NULL;
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

/* Entries with a timeout, and such as rules add. */
static bool set_changes(struct json_object *set)
{
	struct json_object *flags = nft_member(set, "flags");
	const char *words = flags ? json_object_get_string(flags) : "";

	return nft_member(set, "timeout") || strstr(words, "timeout") || strstr(words, "dynamic");
}

static bool set_is_writable(struct json_object *set)
{
	char *text = set_text(set);
	bool writable = text != NULL;

	free(text);
	return writable;
}

int nft_field_set(struct nft_rule *rule, const struct nft_payload *payload, const char *name,
		  char out[NFT_FIELD_MAX])
{
	struct json_object *set = find_set(rule, name), *values = nft_member(set, "elem");

	if (!set || !is_name(name))
		return nft_refuse(rule, "a set", name);
	if (set_changes(set))
		return nft_refuse(rule, "a set whose entries come and go", name);
	if (!values)
		return nft_refuse(rule, "an empty set", name);
	if (is_of_addresses(set) && !set_is_writable(set))
		return nft_refuse(rule, "a set with something else than prefixes", name);
	if (is_of_addresses(set))
		return nft_field_add(out, "@nft_") || nft_field_add(out, name) ?
			       nft_refuse(rule, "a set", name) :
			       0;
	return nft_field_values(rule, payload, values, out);
}

bool nft_set_is_ours(const struct nft_rule *rule, struct json_object *set)
{
	const char *name = nft_text(set, "name");

	return find_set(rule, name) == set && is_of_addresses(set) && is_name(name);
}

void nft_set_write(struct json_object *set, FILE *out)
{
	char *text = is_of_addresses(set) ? set_text(set) : NULL;

	if (text)
		fputs(text, out);
	free(text);
}
