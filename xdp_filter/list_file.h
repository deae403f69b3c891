/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files of prefixes, one a line: [drop|allow] PREFIX [TAG...], with comments after '#' where a
 * word could begin.
 */
#ifndef XDP_FILTER_LIST_FILE_H
#define XDP_FILTER_LIST_FILE_H

#include "list.h"

/* Octets of a line, its newline included. */
#define LIST_LINE_MAX 512

/**
 * list_line_parse() - what one line says
 * @line: is written to; ends with NUL
 * @item: out: prefix and action
 * @tag: out: points into @line, "" if there is none
 * @host_bits: out: the prefix had bits behind its length
 *
 * Return: 1: an entry; 0: nothing on that line; -EINVAL.
 */
int list_line_parse(char *line, struct filter_item *item, const char **tag, bool *host_bits);

/* Whether @tag could stand in a file: UTF-8 without control characters, short enough, no word begins with '#'. */
bool list_tag_is_valid(const char *tag);

/**
 * list_file_read() - append the entries of a file to @list, sorted afterwards
 * @path: "-" is stdin
 * @expires: for all entries, as in struct filter_item
 *
 * Return: -EBADMSG: a line is wrong, -E2BIG: too many entries, or why reading failed; said with
 * file and line.
 */
int list_file_read(const char *path, uint32_t expires, struct filter_list *list);

#endif
