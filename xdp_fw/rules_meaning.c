// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the lines of a ruleset mean, and what they can't. */
#include "rules_parser.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "utf8.h"

#define PROTOCOL_GIVEN (-1)

static int shown(struct fw_word word)
{
	return fw_shown(word.length);
}

static void no_memory(struct fw_parser *parser, const struct fw_place *place)
{
	fw_error(parser, place, "%s", strerror(ENOMEM));
}

void fw_line_begin(struct fw_parser *parser)
{
	memset(&parser->rule, 0, sizeof(parser->rule));
	parser->options = 0;
	parser->failed = 0;
}

void fw_line_drop(struct fw_parser *parser)
{
	fw_rule_free(&parser->rule);
	free(parser->numbers.items);
	free(parser->addresses.items);
	free(parser->addresses.sets);
	memset(&parser->numbers, 0, sizeof(parser->numbers));
	memset(&parser->addresses, 0, sizeof(parser->addresses));
	parser->set.count = 0;
	fw_line_begin(parser);
}

/* Of one above @max, a number above it. */
static uint64_t number_of(struct fw_word word, uint64_t max)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < word.length && value <= max; i++)
		value = value * 10 + (word.text[i] - '0');
	return value;
}

uint64_t fw_word_number(struct fw_parser *parser, const struct fw_place *place, struct fw_word word,
			uint64_t max, const char *what)
{
	uint64_t value = number_of(word, max);

	if (value <= max)
		return value;
	fw_error(parser, place, "%s: %.*s is more than %llu", what, shown(word), word.text,
		 (unsigned long long)max);
	return 0;
}

/* Above the bound of any field, too. */
static uint32_t number_within(struct fw_word word)
{
	uint64_t value = number_of(word, UINT32_MAX);

	return value < UINT32_MAX ? value : UINT32_MAX;
}

/* Bounds are checked once it is known what the numbers are of. */
void fw_numbers_add(struct fw_parser *parser, const struct fw_place *first_place,
		    struct fw_word first, const struct fw_place *last_place, struct fw_word last)
{
	struct fw_range range = { .first = number_within(first), .last = number_within(last) };

	if (!parser->numbers.count || range.last > parser->largest) {
		parser->largest = range.last;
		parser->largest_word = last;
		parser->largest_place = *last_place;
	}
	if (range.first > range.last && !parser->failed)
		fw_error(parser, first_place, "range %.*s-%.*s runs backwards", shown(first),
			 first.text, shown(last), last.text);
	if (fw_grow(&parser->numbers.items, parser->numbers.count, sizeof(range)))
		no_memory(parser, first_place);
	else
		parser->numbers.items[parser->numbers.count++] = range;
}

void fw_option(struct fw_parser *parser, const struct fw_place *place, enum fw_option option,
	       const char *name)
{
	if (parser->options & option)
		fw_error(parser, place, "'%s' stands here a second time; a rule has it once", name);
	parser->options |= option;
}

void fw_option_family(struct fw_parser *parser, const struct fw_place *place, unsigned int family)
{
	if (parser->options & FW_OPTION_IP)
		fw_error(parser, place, "a rule has one of ip, ip6; write another rule");
	parser->options |= FW_OPTION_IP;
	parser->rule.family = family;
}

void fw_option_protocol(struct fw_parser *parser, const struct fw_place *place, int protocol,
			const char *name)
{
	struct fw_numbers *numbers = &parser->rule.numbers[FW_PROTOCOL];

	(void)name;
	if (parser->options & FW_OPTION_PROTOCOL)
		fw_error(parser, place,
			 "a rule has one of tcp, udp, icmp, icmp6, proto; write another rule");
	parser->options |= FW_OPTION_PROTOCOL;
	parser->protocol = protocol;
	parser->protocol_place = *place;
	if (protocol == PROTOCOL_GIVEN || numbers->given)
		return;
	if (fw_grow(&numbers->items, 0, sizeof(*numbers->items))) {
		no_memory(parser, place);
		return;
	}
	numbers->given = true;
	numbers->items[0] = (struct fw_range){ protocol, protocol };
	numbers->count = 1;
}

void fw_option_numbers(struct fw_parser *parser, const struct fw_place *place,
		       enum fw_number number)
{
	struct fw_numbers *target = &parser->rule.numbers[number], *read = &parser->numbers;
	unsigned int bit = 1U << (16 + number);

	/* The options that have a field of their own are checked by fw_option(). */
	if (parser->options & bit && !parser->failed)
		fw_error(parser, place, "'%s' stands here a second time; a rule has it once",
			 fw_number_name(number));
	parser->options |= bit;
	if (read->count && parser->largest > fw_number_max(number) && !parser->failed)
		fw_error(parser, &parser->largest_place, "%s: %.*s is more than %u",
			 fw_number_name(number), shown(parser->largest_word),
			 parser->largest_word.text, fw_number_max(number));
	free(target->items);
	*target = *read;
	memset(read, 0, sizeof(*read));
}

/* False: it is none, as was said. */
static bool read_prefix(struct fw_parser *parser, const struct fw_place *place, struct fw_word word,
			struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];
	bool host_bits;

	snprintf(text, sizeof(text), "%.*s", shown(word), word.text);
	if (word.length >= sizeof(text) || prefix_parse_as_written(text, prefix, &host_bits)) {
		fw_error(parser, place, "'%.*s' is no prefix; write 192.0.2.0/24 or 2001:db8::/32",
			 shown(word), word.text);
		return false;
	}
	if (host_bits)
		fw_note(parser, place, "%.*s: taken as %s (host bits cleared)", shown(word),
			word.text, prefix_format(prefix, text));
	return true;
}

void fw_addresses_prefix(struct fw_parser *parser, const struct fw_place *place,
			 struct fw_word word)
{
	struct fw_addresses *read = &parser->addresses;
	struct prefix prefix;

	if (!read_prefix(parser, place, word, &prefix))
		return;
	if (prefix.family != parser->rule.family)
		fw_error(parser, place, "%.*s is an IPv%u prefix in a rule for IPv%u", shown(word),
			 word.text, prefix.family, parser->rule.family);
	if (fw_grow(&read->items, read->count, sizeof(prefix)))
		no_memory(parser, place);
	else
		read->items[read->count++] = prefix;
}

static bool same(const char *text, struct fw_word word)
{
	return strlen(text) == word.length && !memcmp(text, word.text, word.length);
}

static size_t find_set(const struct fw_ruleset *ruleset, struct fw_word name)
{
	size_t i;

	for (i = 0; i < ruleset->set_count; i++)
		if (same(ruleset->sets[i].name, name))
			break;
	return i;
}

void fw_addresses_set(struct fw_parser *parser, const struct fw_place *place, struct fw_word word)
{
	struct fw_addresses *read = &parser->addresses;
	size_t set = find_set(parser->ruleset, word);

	if (set == parser->ruleset->set_count)
		fw_error(parser, place, "no set '%.*s' above this line", shown(word), word.text);
	else if (fw_grow(&read->sets, read->set_count, sizeof(set)))
		no_memory(parser, place);
	else
		read->sets[read->set_count++] = set;
}

void fw_option_addresses(struct fw_parser *parser, struct fw_addresses *target)
{
	free(target->items);
	free(target->sets);
	*target = parser->addresses;
	memset(&parser->addresses, 0, sizeof(parser->addresses));
}

int fw_word_flag(struct fw_parser *parser, const struct fw_place *place, struct fw_word word)
{
	static const char *const names[] = {
		"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (same(names[i], word))
			return 1 << i;
	fw_error(parser, place,
		 "'%.*s' is no TCP flag; there are cwr, ece, urg, ack, psh, rst, syn, fin",
		 shown(word), word.text);
	return 0;
}

void fw_option_flags(struct fw_parser *parser, const struct fw_place *place, bool negated,
		     int flags, int mask)
{
	struct fw_flags *target = &parser->rule.flags;

	if (target->given)
		fw_error(parser, place, "'flags' stands here a second time; a rule has it once");
	*target = (struct fw_flags){ .given = true, .negated = negated, .flags = flags };
	target->mask = mask < 0 ? flags : mask;
}

void fw_option_name(struct fw_parser *parser, const struct fw_place *place, struct fw_word word)
{
	size_t i, octets;

	if (!word.length || word.length >= FW_NAME_MAX)
		fw_error(parser, place, "name: 1 to %d octets, not %zu", FW_NAME_MAX - 1,
			 word.length);
	for (i = 0; i < word.length; i += octets ?: 1) {
		octets = utf8_octets(word.text + i, word.length - i);
		if (fw_is_control(word.text + i, octets)) {
			fw_error(parser, place, "name: control characters have no place in it");
			break;
		}
	}
	free(parser->rule.name);
	parser->rule.name = strndup(word.text, word.length);
	if (!parser->rule.name)
		no_memory(parser, place);
	else if (!utf8_is_valid(parser->rule.name))
		fw_error(parser, place, "name: not UTF-8");
}

void fw_rate(struct fw_parser *parser, const struct fw_place *place, uint64_t per_second)
{
	if (!per_second && !parser->failed)
		fw_error(parser, place, "limit: at least 1/second; write 'action drop' for none");
	parser->rule.action = FW_LIMIT;
	parser->rule.rate = (struct fw_rate){ .per_second = per_second };
}

void fw_burst(struct fw_parser *parser, const struct fw_place *place, struct fw_word word)
{
	uint64_t burst = fw_word_number(parser, place, word, UINT32_MAX, "burst");

	if (!burst && !parser->failed)
		fw_error(parser, place, "burst: at least 1");
	parser->rule.rate.burst = burst;
}

static void check_rule(struct fw_parser *parser, const struct fw_place *place)
{
	const struct fw_rule *rule = &parser->rule;

	if (!(parser->options & FW_OPTION_IP))
		fw_error(parser, place, "a rule needs one of ip, ip6");
	else if (!(parser->options & FW_OPTION_PROTOCOL))
		fw_error(parser, place, "a rule needs one of tcp, udp, icmp, icmp6, proto");
	else if (rule->family == 4 && parser->protocol == 58)
		fw_error(parser, &parser->protocol_place,
			 "icmp6 goes with ip6; with ip there is icmp");
	else if (rule->family == 6 && parser->protocol == 1)
		fw_error(parser, &parser->protocol_place,
			 "icmp goes with ip; with ip6 there is icmp6");
}

/* The line without comment and blanks around it; '#' inside quotes is text. */
static char *line_text(const struct fw_parser *parser, const struct fw_place *place)
{
	const char *end = parser->lex.source + parser->lex.at, *start, *last;
	bool quoted = false;

	(void)place;
	if (parser->lex.at >= parser->lex.size)
		end = parser->lex.source + parser->lex.size;
	start = end;
	while (start > parser->lex.source && start[-1] != '\n')
		start--;
	while (start < end && isspace((unsigned char)*start))
		start++;
	for (last = start; last < end && (quoted || *last != '#'); last++)
		quoted ^= *last == '"';
	while (last > start && isspace((unsigned char)last[-1]))
		last--;
	return strndup(start, last - start);
}

/*
 * So that a second is no more than 5 % beyond the limit, and that packets which come a little
 * faster than the limit, evenly, aren't each one too early for the one before.
 */
static uint64_t default_burst(uint64_t per_second)
{
	return per_second / 20 > 2 ? per_second / 20 : 2;
}

bool fw_rule_end(struct fw_parser *parser, const struct fw_place *place)
{
	struct fw_ruleset *ruleset = parser->ruleset;
	struct fw_rule *rule = &parser->rule;

	if (!parser->failed)
		check_rule(parser, place);
	if (!parser->failed && ruleset->count >= FW_RULES_MAX) {
		fw_error(parser, place, "more than %d rules", FW_RULES_MAX);
		return false;
	}
	if (parser->failed) {
		fw_line_drop(parser);
		return true;
	}
	rule->file = parser->file;
	rule->line = place->first_line;
	rule->text = line_text(parser, place);
	if (rule->action == FW_LIMIT && !rule->rate.burst)
		rule->rate.burst = default_burst(rule->rate.per_second);
	if (!rule->text || fw_grow(&ruleset->rules, ruleset->count, sizeof(*rule))) {
		no_memory(parser, place);
		return false;
	}
	ruleset->rules[ruleset->count++] = *rule;
	fw_line_begin(parser);
	fw_line_drop(parser);
	return true;
}

void fw_order(struct fw_parser *parser, const struct fw_place *place)
{
	if (parser->depth || parser->ruleset->count)
		fw_error(parser, place, "'order' stands at the top of a ruleset, before its rules");
	parser->ruleset->first_match = true;
}

void fw_set_prefix(struct fw_parser *parser, const struct fw_place *place, struct fw_word word)
{
	struct prefix prefix;

	/* Once for each set is enough. */
	if (!read_prefix(parser, place, word, &prefix) || parser->failed)
		return;
	if (parser->set.count >= FW_SET_MAX)
		fw_error(parser, place, "more than %d prefixes in a set", FW_SET_MAX);
	else if (fw_grow(&parser->set.items, parser->set.count, sizeof(prefix)))
		no_memory(parser, place);
	else
		parser->set.items[parser->set.count++] = prefix;
}

/* From here on rules can name it: what is wrong with its prefixes is no mistake of theirs. */
bool fw_set_begin(struct fw_parser *parser, const struct fw_place *place, struct fw_word name)
{
	struct fw_ruleset *ruleset = parser->ruleset;
	struct fw_set set = {};

	if (ruleset->set_count >= FW_SETS_MAX) {
		fw_error(parser, place, "more than %d sets", FW_SETS_MAX);
		return false;
	}
	if (find_set(ruleset, name) != ruleset->set_count) {
		fw_error(parser, place, "set '%.*s' is there already", shown(name), name.text);
		return true;
	}
	set.name = strndup(name.text, name.length);
	if (!set.name || fw_grow(&ruleset->sets, ruleset->set_count, sizeof(set))) {
		free(set.name);
		no_memory(parser, place);
		return false;
	}
	ruleset->sets[ruleset->set_count++] = set;
	return true;
}

void fw_set_end(struct fw_parser *parser)
{
	struct fw_set *read = &parser->set, *set;

	if (parser->failed)
		return;
	set = &parser->ruleset->sets[parser->ruleset->set_count - 1];
	fw_set_sort(read);
	set->items = read->items;
	set->count = read->count;
	memset(read, 0, sizeof(*read));
}

static int hex_digit(int digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = tolower(digit);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static int action_number(struct fw_word word)
{
	if (same("XDP_ABORTED", word))
		return XDP_ABORTED;
	if (same("XDP_DROP", word))
		return XDP_DROP;
	return same("XDP_PASS", word) ? XDP_PASS : -1;
}

void fw_test_add(struct fw_parser *parser, const struct fw_place *digest_place,
		 struct fw_word digest, const struct fw_place *action_place, struct fw_word action)
{
	struct fw_ruleset *ruleset = parser->ruleset;
	struct fw_test test = {
		.action = action_number(action),
		.file = parser->file,
		.line = digest_place->first_line,
	};
	bool good = digest.length == 2 * sizeof(test.sha1);
	size_t i;

	for (i = 0; good && i < digest.length; i++) {
		int digit = hex_digit((unsigned char)digest.text[i]);

		good = digit >= 0;
		test.sha1[i / 2] = test.sha1[i / 2] << 4 | (digit & 15);
	}
	if (!good)
		fw_error(parser, digest_place, "sha1: 40 hexadecimal digits, not '%.*s'",
			 shown(digest), digest.text);
	if (test.action < 0)
		fw_error(parser, action_place,
			 "xdp_action: XDP_PASS, XDP_DROP or XDP_ABORTED, not '%.*s'", shown(action),
			 action.text);
	if (parser->failed)
		return;
	if (fw_grow(&ruleset->tests, ruleset->test_count, sizeof(test)))
		no_memory(parser, digest_place);
	else
		ruleset->tests[ruleset->test_count++] = test;
}
