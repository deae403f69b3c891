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

/* 4 or 6; 0: a set of something else. */
static unsigned int set_family(struct json_object *set)
{
	const char *type = nft_text(set, "type");

	if (!strcmp(type, "ipv4_addr"))
		return 4;
	return strcmp(type, "ipv6_addr") ? 0 : 6;
}

static bool is_name(const char *text)
{
	return text[strspn(text,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-0123456789")] ==
	       '\0';
}

static int compare_names(struct json_object *one, const char *one_name, struct json_object *other,
			 const char *other_name)
{
	return strcmp(nft_text(one, "family"), nft_text(other, "family"))	?:
		       strcmp(nft_text(one, "table"), nft_text(other, "table")) ?:
		       strcmp(one_name, other_name);
}

static int compare_sets(const void *one, const void *other)
{
	const struct nft_set *left = one, *right = other;
	int order = compare_names(left->json, nft_text(left->json, "name"), right->json,
				  nft_text(right->json, "name"));

	return order ?: (left->position > right->position) - (left->position < right->position);
}

struct nft_set *nft_sets_find(const struct nft_sets *sets, struct json_object *object,
			      const char *name)
{
	size_t begin = 0, end = sets->count;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;
		struct nft_set *set = &sets->items[middle];
		int order = compare_names(object, name, set->json, nft_text(set->json, "name"));

		if (!order)
			return set;
		if (order < 0)
			end = middle;
		else
			begin = middle + 1;
	}
	return NULL;
}

int nft_sets_collect(struct json_object *objects, struct nft_sets *sets)
{
	size_t i, found = 0;

	*sets = (struct nft_sets){ .items = calloc(nft_count(objects) + 1, sizeof(*sets->items)) };
	if (!sets->items)
		return -ENOMEM;
	for (i = 0; i < nft_count(objects); i++) {
		struct json_object *set = nft_member(nft_item(objects, i), "set");

		if (set)
			sets->items[found++] = (struct nft_set){ .json = set, .position = i };
	}
	qsort(sets->items, found, sizeof(*sets->items), compare_sets);
	for (i = 0; i < found; i++)
		if (!nft_sets_find(sets, sets->items[i].json,
				   nft_text(sets->items[i].json, "name")))
			sets->items[sets->count++] = sets->items[i];
	return 0;
}

void nft_sets_free(struct nft_sets *sets)
{
	size_t i;

	for (i = 0; i < sets->count; i++)
		free(sets->items[i].text);
	free(sets->items);
	*sets = (struct nft_sets){};
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
	char value[NFT_FIELD_MAX];
	size_t i, used = strlen(out);
	int err = 0;

	for (i = 0; i < nft_count(values) && !err; i++) {
		value[0] = '\0';
		err = nft_field_value(rule, payload, nft_item(values, i), value);
		if (!err && used + strlen(value) + 2 >= NFT_FIELD_MAX)
			return nft_refuse(rule, "too many values", "");
		if (!err)
			used += snprintf(out + used, NFT_FIELD_MAX - used, "%s%s", i ? ", " : "",
					 value);
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

/* Whether the parser takes @text as a set of prefixes of that family. */
static bool is_set(const char *text, unsigned int family)
{
	struct fw_ruleset ruleset = {};
	bool good = !nft_parse(text, &ruleset) && ruleset.set_count == 1;
	size_t i;

	for (i = 0; good && i < ruleset.sets[0].count; i++)
		good = ruleset.sets[0].items[i].family == family;
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

/* NULL: there are no words of ours for it. free() it. */
static char *render_set(struct json_object *set)
{
	struct json_object *values = nft_member(set, "elem");
	char value[NFT_FIELD_MAX], *text = NULL;
	size_t i, size;
	int err = 0;
	FILE *out;

	if (!set_family(set) || !nft_count(values) || !is_name(nft_text(set, "name")))
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
	if (!err && is_set(text, set_family(set)))
		return text;
	free(text);
	return NULL;
}

static const char *set_text(struct nft_set *set)
{
	if (!set->judged)
		set->text = render_set(set->json);
	set->judged = true;
	return set->text;
}

/* Entries with a timeout, and such as rules add. */
static bool set_changes(struct json_object *set)
{
	struct json_object *flags = nft_member(set, "flags");
	const char *words = flags ? json_object_get_string(flags) : "";

	return nft_member(set, "timeout") || strstr(words, "timeout") || strstr(words, "dynamic");
}

int nft_field_set(struct nft_rule *rule, const struct nft_payload *payload, const char *name,
		  char out[NFT_FIELD_MAX])
{
	struct nft_set *set = nft_sets_find(rule->sets, rule->json, name);
	struct json_object *values = set ? nft_member(set->json, "elem") : NULL;

	if (!set || !is_name(name))
		return nft_refuse(rule, "a set", name);
	if (set_changes(set->json))
		return nft_refuse(rule, "a set whose entries come and go", name);
	if (!values)
		return nft_refuse(rule, "an empty set", name);
	if (!set_family(set->json))
		return nft_field_values(rule, payload, values, out);
	if (!set_text(set))
		return nft_refuse(rule, "a set with something else than prefixes", name);
	if (payload->field > NFT_FIELD_TO || nft_field_add(out, "@nft_") ||
	    nft_field_add(out, name))
		return nft_refuse(rule, "a set", name);
	rule->named[payload->field] = set;
	return 0;
}

void nft_set_write(struct nft_set *set, FILE *out)
{
	const char *text = set_text(set);

	if (text)
		fputs(text, out);
}
