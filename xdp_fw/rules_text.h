/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading rules from text. */
#ifndef XDP_FW_RULES_TEXT_H
#define XDP_FW_RULES_TEXT_H

#include <stdio.h>

#include "rules.h"

/**
 * fw_rules_read() - read a file of rules, and those that it includes
 * @path: "-": standard input
 * @out: where each error goes: file:line:column: message, the line, and a caret
 *
 * Return: -EBADMSG: errors were told; -ENODEV: a file can't be read.
 */
int fw_rules_read(const char *path, FILE *out, struct fw_ruleset *ruleset);

/* The same of @size octets at @text, called @name. */
int fw_rules_parse(const char *name, const char *text, size_t size, FILE *out,
		   struct fw_ruleset *ruleset);

#endif
