/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What reads rules: files, the scanner, the grammar, and what it does with them. */
#ifndef XDP_FW_RULES_PARSER_H
#define XDP_FW_RULES_PARSER_H

#include <stdio.h>
#include <sys/types.h>

#include "rules.h"

#define FW_INCLUDE_DEPTH 16
/* Files that a ruleset is made of. */
#define FW_FILES_MAX 1000
/* Sets of a ruleset; each name is compared with all before it. */
#define FW_SETS_MAX 8000
/* Errors that are told; of more, the number is. */
#define FW_ERRORS_MAX 20
/* Octets of a file of rules, whose lines are kept. */
#define FW_TEXT_MAX (64U << 20)

struct fw_word {
	const char *text;
	size_t length;
};

struct fw_place {
	int first_line;
	int first_column;
	int last_line;
	int last_column;
};

/* Which options a rule has, each at most once. */
enum fw_option {
	FW_OPTION_PACKET = 1 << 0,
	FW_OPTION_IP = 1 << 1,
	FW_OPTION_PROTOCOL = 1 << 2,
	FW_OPTION_NAME = 1 << 3,
	FW_OPTION_ACTION = 1 << 4,
	FW_OPTION_FRAGMENT = 1 << 5,
	FW_OPTION_VLAN = 1 << 6,
	FW_OPTION_BURST = 1 << 7,
	FW_OPTION_SOURCE = 1 << 8,
};

/**
 * struct fw_parser - a file being read
 * @out: where errors go
 * @within: what includes it, or NULL
 * @device, @inode: which file it is
 * @errors: how many there were, in files that it includes too
 * @notes: how often something was put right
 * @rule: the one that the current line is about, with the @options seen in it
 * @numbers, @addresses: the list that is being read, with its largest number as it is written
 */
struct fw_parser {
	struct fw_ruleset *ruleset;
	FILE *out;
	const char *file;
	const struct fw_parser *within;
	dev_t device;
	ino_t inode;
	unsigned int depth;
	unsigned int errors;
	unsigned int notes;
	int failed;
	struct fw_rule rule;
	unsigned int options;
	int protocol;
	struct fw_place protocol_place;
	struct fw_numbers numbers;
	uint32_t largest;
	struct fw_word largest_word;
	struct fw_place largest_place;
	struct fw_addresses addresses;
	struct fw_set set;
	struct {
		const char *source;
		size_t size;
		size_t at;
		size_t next;
		int line;
		int column;
		unsigned int depth;
		bool in_set;
		bool ended;
	} lex;
};

/* Octets that a message shows of a word of @length. */
static inline int fw_shown(size_t length)
{
	return length < 60 ? length : 60;
}

/* Of the @octets of a character, or none of them: C0, DEL or C1. */
bool fw_is_control(const char *at, size_t octets);

void fw_error(struct fw_parser *parser, const struct fw_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same of what is taken nevertheless: one line. */
void fw_note(struct fw_parser *parser, const struct fw_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The syntax error that a token is, and what could stand there. */
void fw_error_syntax(struct fw_parser *parser, const struct fw_place *place, const char *found,
		     const char *const *expected, size_t count);

void fw_line_begin(struct fw_parser *parser);
void fw_line_drop(struct fw_parser *parser);
/* False: there is no room for more, as was said. */
bool fw_rule_end(struct fw_parser *parser, const struct fw_place *place);
void fw_option(struct fw_parser *parser, const struct fw_place *place, enum fw_option option,
	       const char *name);
void fw_option_family(struct fw_parser *parser, const struct fw_place *place, unsigned int family);
void fw_option_protocol(struct fw_parser *parser, const struct fw_place *place, int protocol,
			const char *name);
void fw_option_numbers(struct fw_parser *parser, const struct fw_place *place,
		       enum fw_number number);
void fw_option_addresses(struct fw_parser *parser, struct fw_addresses *target);
void fw_option_flags(struct fw_parser *parser, const struct fw_place *place, bool negated,
		     int flags, int mask);
void fw_option_name(struct fw_parser *parser, const struct fw_place *place, struct fw_word word);

uint64_t fw_word_number(struct fw_parser *parser, const struct fw_place *place, struct fw_word word,
			uint64_t max, const char *what);
int fw_word_flag(struct fw_parser *parser, const struct fw_place *place, struct fw_word word);
void fw_numbers_add(struct fw_parser *parser, const struct fw_place *first_place,
		    struct fw_word first, const struct fw_place *last_place, struct fw_word last);
void fw_addresses_prefix(struct fw_parser *parser, const struct fw_place *place,
			 struct fw_word word);
void fw_addresses_set(struct fw_parser *parser, const struct fw_place *place, struct fw_word word);
void fw_rate(struct fw_parser *parser, const struct fw_place *place, uint64_t per_second);
void fw_burst(struct fw_parser *parser, const struct fw_place *place, struct fw_word word);

void fw_order(struct fw_parser *parser, const struct fw_place *place);
/* False: there is no room for more, as was said. */
bool fw_set_begin(struct fw_parser *parser, const struct fw_place *place, struct fw_word name);
void fw_set_prefix(struct fw_parser *parser, const struct fw_place *place, struct fw_word word);
void fw_set_end(struct fw_parser *parser);
void fw_set_file(struct fw_parser *parser, const struct fw_place *place, struct fw_word path);
void fw_include(struct fw_parser *parser, const struct fw_place *place, struct fw_word path);
void fw_test_add(struct fw_parser *parser, const struct fw_place *digest_place,
		 struct fw_word digest, const struct fw_place *action_place, struct fw_word action);

#endif
