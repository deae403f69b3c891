/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A ruleset as it was written: what the parser makes, and everything else reads. */
#ifndef XDP_FW_RULES_H
#define XDP_FW_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prefix.h"
#include "xdp_fw.h"

/* Fields that are numbers; each has a largest value. */
enum fw_number {
	FW_LENGTH,
	FW_TTL,
	FW_SPORT,
	FW_DPORT,
	FW_WINDOW,
	FW_TYPE,
	FW_CODE,
	FW_VLAN,
	FW_PROTOCOL,
	FW_NUMBERS,
};

/* What FW_VLAN is of a frame without a tag: no VLAN's number. */
#define FW_VLAN_NONE 4096

struct fw_range {
	uint32_t first;
	uint32_t last;
};

/* @given: false: any value, even none at all. */
struct fw_numbers {
	bool given;
	bool negated;
	struct fw_range *items;
	size_t count;
};

/* @sets: indexes in struct fw_ruleset. */
struct fw_addresses {
	bool given;
	bool negated;
	struct prefix *items;
	size_t count;
	size_t *sets;
	size_t set_count;
};

enum fw_fragment {
	FW_FRAGMENT_ANY,
	FW_FRAGMENT_YES,
	FW_FRAGMENT_NO,
};

/* @flags: the TCP flags under @mask must be these, or with @negated must not. */
struct fw_flags {
	bool given;
	bool negated;
	uint8_t flags;
	uint8_t mask;
};

/* @burst: packets that may come at once. */
struct fw_rate {
	uint64_t per_second;
	uint64_t burst;
	bool per_source;
};

/**
 * struct fw_rule - one line
 * @name: NULL: none
 * @text: the line without comment and blanks around it
 * @file: where it stands, line @line
 */
struct fw_rule {
	char *name;
	char *text;
	const char *file;
	unsigned int line;
	unsigned int family;
	enum fw_action action;
	struct fw_rate rate;
	struct fw_addresses from;
	struct fw_addresses to;
	struct fw_numbers numbers[FW_NUMBERS];
	struct fw_flags flags;
	enum fw_fragment fragment;
};

/* Sorted by prefix_compare(), without duplicates. */
struct fw_set {
	char *name;
	struct prefix *items;
	size_t count;
};

/* @action: enum xdp_action that the packet with this SHA-1 must meet. */
struct fw_test {
	uint8_t sha1[20];
	int action;
	const char *file;
	unsigned int line;
};

/* @files: the first is the one that was asked for. */
struct fw_ruleset {
	bool first_match;
	struct fw_rule *rules;
	size_t count;
	struct fw_set *sets;
	size_t set_count;
	struct fw_test *tests;
	size_t test_count;
	char **files;
	size_t file_count;
};

/* Zero-initialised ones too. */
void fw_ruleset_free(struct fw_ruleset *ruleset);
void fw_rule_free(struct fw_rule *rule);

/* Room for one more of @size octets in an array of @count; *@array moves. -ENOMEM. */
int fw_grow(void *array, size_t count, size_t size);

/* Sort and remove what is there twice. */
void fw_set_sort(struct fw_set *set);

/* Whether an entry of the sorted set covers @address, a /32 or /128. */
bool fw_set_covers(const struct fw_set *set, const struct prefix *address);

const char *fw_number_name(enum fw_number number);
uint32_t fw_number_max(enum fw_number number);
bool fw_numbers_contain(const struct fw_numbers *numbers, uint32_t value);

const char *fw_action_name(enum fw_action action);

#endif
