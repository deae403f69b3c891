// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Files of prefixes. */
#include "list_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <ecbpf/tool.h>

#include "utf8.h"

#define BLANKS " \t"

/* A newline, or one behind a carriage return, off the end. */
static void cut_end(char *line)
{
	size_t length = strcspn(line, "\n");

	if (length && line[length - 1] == '\r')
		length--;
	line[length] = '\0';
}

/* The next word of @cursor, or NULL at the end or a comment. */
static char *next_word(char **cursor)
{
	char *word = *cursor + strspn(*cursor, BLANKS);

	if (!*word || *word == '#')
		return NULL;
	*cursor = word + strcspn(word, BLANKS);
	if (**cursor)
		*(*cursor)++ = '\0';
	return word;
}

/* Blanks and a comment off the end; what begins there stays one string. */
static char *rest_of_line(char *cursor)
{
	char *text = cursor + strspn(cursor, BLANKS), *end;

	if (*text == '#')
		*text = '\0';
	for (end = text; *end; end++) {
		if (*end == '#' && strchr(BLANKS, end[-1])) {
			*end = '\0';
			break;
		}
	}
	while (end > text && strchr(BLANKS, end[-1]))
		*--end = '\0';
	return text;
}

bool list_tag_is_valid(const char *tag)
{
	size_t length = strlen(tag), i;

	if (!utf8_is_valid(tag) || length >= FILTER_TAG_MAX ||
	    (length && (tag[0] == ' ' || tag[length - 1] == ' ')))
		return false;
	for (i = 0; i < length; i++)
		if ((unsigned char)tag[i] < ' ' || tag[i] == 0x7f ||
		    (tag[i] == '#' && (!i || tag[i - 1] == ' ')))
			return false;
	return true;
}

int list_line_parse(char *line, struct filter_item *item, const char **tag, bool *host_bits)
{
	struct filter_item parsed = { .action = FILTER_DROP };
	char *word;

	cut_end(line);
	/* One in the midst is the end of a line to whoever wrote it, in a comment too. */
	if (strchr(line, '\r'))
		return -EINVAL;
	word = next_word(&line);
	if (!word)
		return 0;
	if (!strcmp(word, "allow") || !strcmp(word, "drop")) {
		parsed.action = *word == 'a' ? FILTER_ALLOW : FILTER_DROP;
		word = next_word(&line);
		if (!word)
			return -EINVAL;
	}
	if (prefix_parse(word, &parsed.prefix, host_bits))
		return -EINVAL;
	*tag = rest_of_line(line);
	if (!list_tag_is_valid(*tag))
		return -EINVAL;
	*item = parsed;
	return 1;
}

struct reader {
	const char *name;
	unsigned long line;
	uint32_t expires;
	uint32_t now;
	size_t normalised;
	unsigned long first_normalised;
};

static int read_line(struct reader *reader, char *text, struct filter_list *list)
{
	char shown[LIST_LINE_MAX];
	struct filter_item item;
	bool host_bits = false;
	const char *tag;
	int err;

	snprintf(shown, sizeof(shown), "%s", text);
	cut_end(shown);
	err = list_line_parse(text, &item, &tag, &host_bits);
	if (err < 0)
		return ecbpf_fail(
			-EBADMSG,
			"%s:%lu: '%.80s' is not '[drop|allow] PREFIX [TAG]' with a tag of "
			"at most %d octets; nothing changed",
			reader->name, reader->line, shown, FILTER_TAG_MAX - 1);
	if (!err)
		return 0;
	if (host_bits && !reader->normalised++)
		reader->first_normalised = reader->line;
	item.expires = reader->expires;
	item.added = reader->now;
	err = filter_list_tag(list, tag, &item.tag) ?: filter_list_append(list, &item);
	if (err == -E2BIG)
		return ecbpf_fail(err, "%s:%lu: more than %d prefixes; nothing changed",
				  reader->name, reader->line, FILTER_ENTRIES_MAX);
	return err ? ecbpf_fail(err, "%s: %s", reader->name, strerror(-err)) : 0;
}

/* fgets() that gives the number of octets read, NULs included; 0 at the end. */
static size_t get_line(char text[LIST_LINE_MAX], FILE *file)
{
	size_t length = LIST_LINE_MAX;

	/* The last NUL is then the one that fgets() wrote. */
	memset(text, '\n', LIST_LINE_MAX);
	if (!fgets(text, LIST_LINE_MAX, file))
		return 0;
	while (text[--length])
		;
	return length;
}

static int read_lines(struct reader *reader, FILE *file, struct filter_list *list)
{
	char text[LIST_LINE_MAX];
	size_t length;
	int err;

	while ((length = get_line(text, file))) {
		reader->line++;
		if (strlen(text) < length)
			return ecbpf_fail(-EBADMSG, "%s:%lu: line holds a NUL; nothing changed",
					  reader->name, reader->line);
		if (length == sizeof(text) - 1 && text[length - 1] != '\n')
			return ecbpf_fail(-EBADMSG,
					  "%s:%lu: line is longer than %d octets; nothing changed",
					  reader->name, reader->line, LIST_LINE_MAX - 2);
		err = read_line(reader, text, list);
		if (err)
			return err;
	}
	return ferror(file) ?
		       ecbpf_fail(-EIO, "%s: reading failed: %m; nothing changed", reader->name) :
		       0;
}

int list_file_read(const char *path, uint32_t expires, struct filter_list *list)
{
	bool standard = !strcmp(path, "-");
	struct reader reader = {
		.name = standard ? "stdin" : path,
		.expires = expires,
		.now = time(NULL),
	};
	FILE *file = standard ? stdin : fopen(path, "re");
	size_t duplicates;
	int err;

	if (!file)
		return ecbpf_fail(-ENODEV, "%s: %s", path, strerror(errno));
	err = read_lines(&reader, file, list);
	if (!standard)
		fclose(file);
	if (!err)
		err = filter_list_sort(list, &duplicates);
	if (err)
		return err;
	if (reader.normalised)
		ecbpf_log(ECBPF_LOG_INFO, "%s: host bits cleared on %zu line%s, the first is %lu",
			  reader.name, reader.normalised, reader.normalised > 1 ? "s" : "",
			  reader.first_normalised);
	if (duplicates)
		ecbpf_log(ECBPF_LOG_INFO, "%s: %zu line%s a prefix of another; the last one counts",
			  reader.name, duplicates, duplicates > 1 ? "s repeat" : " repeats");
	return 0;
}
