// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is wrong with a ruleset, where, and in which words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules_parser.h"
#include "rules_text.h"

#define GOOD  "ip from any to any tcp"
#define GLUED "unexpected number or prefix with letters right behind it where this could stand: "

/* @said: the first line, without the name of the file. */
struct mistake {
	const char *text;
	const char *said;
};

static const struct mistake mistakes[] = {
	{ "ip from any to any", "1:1: a rule needs one of tcp, udp, icmp, icmp6, proto" },
	{ "tcp dport 80", "1:1: a rule needs one of ip, ip6" },
	{ "name \"x\"", "1:1: a rule needs one of ip, ip6" },
	{ "ip from any to any icmp6", "1:20: icmp6 goes with ip6; with ip there is icmp" },
	{ "ip6 from any to any icmp", "1:21: icmp goes with ip; with ip6 there is icmp6" },
	{ "icmp6 ip from any to any", "1:1: icmp6 goes with ip6; with ip there is icmp" },
	{ GOOD " ip6 from any to any", "1:24: a rule has one of ip, ip6; write another rule" },
	{ GOOD " udp", "1:24: a rule has one of tcp, udp, icmp, icmp6, proto; write another rule" },
	{ GOOD " name \"a\" name \"b\"",
	  "1:33: 'name' stands here a second time; a rule has it once" },
	{ GOOD " action drop action pass",
	  "1:36: 'action' stands here a second time; a rule has it once" },
	{ GOOD " packet packet", "1:31: 'packet' stands here a second time; a rule has it once" },
	{ GOOD " vlan 1 vlan 2", "1:31: 'vlan' stands here a second time; a rule has it once" },
	{ GOOD " fragment not fragment",
	  "1:33: 'fragment' stands here a second time; a rule has it once" },
	{ GOOD " sport 1 sport 2", "1:38: 'sport' stands here a second time; a rule has it once" },
	{ GOOD " flags { syn } flags { ack }",
	  "1:38: 'flags' stands here a second time; a rule has it once" },
	{ GOOD " flags { syn, foo }",
	  "1:37: 'foo' is no TCP flag; there are cwr, ece, urg, ack, psh, rst, syn, fin" },
	{ "ip from 10.0.0.0/33 to any tcp",
	  "1:9: '10.0.0.0/33' is no prefix; write 192.0.2.0/24 or 2001:db8::/32" },
	{ "ip from { 10.0.0.0/8, 1.2.3 } to any tcp",
	  "1:23: '1.2.3' is no prefix; write 192.0.2.0/24 or 2001:db8::/32" },
	{ "ip6 from 10.0.0.0/8 to any tcp",
	  "1:10: 10.0.0.0/8 is an IPv4 prefix in a rule for IPv6" },
	{ "ip from any to ::1 tcp", "1:16: ::1 is an IPv6 prefix in a rule for IPv4" },
	{ "ip from bad to any tcp", "1:9: no set 'bad' above this line" },
	{ "ip from any to { @bad } tcp", "1:19: no set 'bad' above this line" },
	{ GOOD " dport 65536", "1:30: dport: 65536 is more than 65535" },
	{ GOOD " sport { 1, 70000-70001, 2 }", "1:41: sport: 70001 is more than 65535" },
	{ GOOD " dport 5000000000", "1:30: dport: 5000000000 is more than 65535" },
	{ GOOD " sport { 80, 1-99999999999999999999 }",
	  "1:38: sport: 99999999999999999999 is more than 65535" },
	{ "ip from any to any ttl 1-256 udp", "1:26: ttl: 256 is more than 255" },
	{ GOOD " dport 5000000000-4", "1:30: range 5000000000-4 runs backwards" },
	{ GOOD " dport 5-4", "1:30: range 5-4 runs backwards" },
	{ GOOD " window 65536", "1:31: window: 65536 is more than 65535" },
	{ "ip from any to any icmp type 256", "1:30: type: 256 is more than 255" },
	{ "ip from any to any icmp code 256", "1:30: code: 256 is more than 255" },
	{ "ip from any to any ttl 256 udp", "1:24: ttl: 256 is more than 255" },
	{ "ip from any to any proto 256", "1:26: proto: 256 is more than 255" },
	{ GOOD " vlan 4096", "1:29: vlan: 4096 is more than 4095" },
	{ GOOD " packet length 65536", "1:38: length: 65536 is more than 65535" },
	{ GOOD " name \"\"", "1:29: name: 1 to 63 octets, not 0" },
	{ GOOD " name \"0123456789012345678901234567890123456789012345678901234567890123\"",
	  "1:29: name: 1 to 63 octets, not 64" },
	{ GOOD " name \"a\tb\"", "1:29: name: control characters have no place in it" },
	{ GOOD " name \"a\x7f\"", "1:29: name: control characters have no place in it" },
	{ GOOD " name \"\xc2\x9b\"", "1:29: name: control characters have no place in it" },
	{ GOOD " name \"\xc3\xbc\xc2\x80\"", "1:29: name: control characters have no place in it" },
	{ GOOD " name \"\xff\"", "1:29: name: not UTF-8" },
	{ GOOD " name \"a",
	  "1:29: unexpected text without its closing quote where this could stand: text in quotes" },
	{ GOOD " action limit 0/second",
	  "1:37: limit: at least 1/second; write 'action drop' for none" },
	{ GOOD " action limit 10000001/second", "1:37: limit: 10000001 is more than 10000000" },
	{ GOOD " action limit 5/second burst 0", "1:52: burst: at least 1" },
	{ GOOD " action limit 5/second per source burst 2 per source",
	  "1:65: 'per source' stands here a second time; a rule has it once" },
	{ GOOD " action limit 5/second burst 2 burst 3",
	  "1:54: 'burst' stands here a second time; a rule has it once" },
	{ GOOD " action limit 5/second burst 4294967296",
	  "1:52: burst: 4294967296 is more than 4294967295" },
	{ GOOD " action limit 5/minute", "1:39: unexpected word where this could stand: second" },
	{ GOOD " action jump",
	  "1:31: unexpected word where this could stand: count, drop, limit or pass" },
	{ "ip from any tcp", "1:13: unexpected tcp where this could stand: to" },
	{ "ip to any", "1:4: unexpected to where this could stand: from" },
	{ "ip from any to any ttl", "1:23: unexpected end of line where this could stand: any, "
				    "not, number or '{'" },
	{ GOOD " dport {}", "1:31: unexpected '}' where this could stand: number" },
	{ GOOD " dport { 80 443 }",
	  "1:35: unexpected number where this could stand: '}', ',' or '-'" },
	{ GOOD " sport 80dport 90", "1:30: " GLUED "any, not, number or '{'" },
	{ GOOD " dport 80-90_ udp", "1:33: " GLUED "number" },
	{ "ip from 10.0.0.1to any tcp", "1:9: " GLUED "any, not, prefix, word, '{' or '@'" },
	{ "ip6 from ::1to any tcp", "1:10: " GLUED "any, not, prefix, word, '{' or '@'" },
	{ GOOD " action limit 5/second burst 7per source", "1:52: " GLUED "number" },
	{ GOOD " $", "1:24: unexpected a character that means nothing" },
	{ "foo", "1:1: unexpected word" },
	{ GOOD "\n\norder first-match\n",
	  "3:1: 'order' stands at the top of a ruleset, before its rules" },
	{ "set a { 10.0.0.0/8,\n x }",
	  "2:2: unexpected word where this could stand: prefix or '}'" },
	{ "set a { 10.0.0.0/40 }",
	  "1:9: '10.0.0.0/40' is no prefix; write 192.0.2.0/24 or 2001:db8::/32" },
	{ "set a { ::1 }\nset a { ::2 }", "2:5: set 'a' is there already" },
	{ "set tcp { ::1 }", "1:5: unexpected tcp where this could stand: word" },
	{ "set a file \"/nowhere/at/all\"",
	  "1:12: set: /nowhere/at/all: No such file or directory" },
	{ "include \"/nowhere/at/all\"",
	  "1:9: include: /nowhere/at/all: No such file or directory" },
	{ "test sha1 abc xdp_action XDP_DROP", "1:11: sha1: 40 hexadecimal digits, not 'abc'" },
	{ "test sha1 da39a3ee5e6b4b0d3255bfef95601890afd8070x xdp_action XDP_DROP",
	  "1:11: sha1: 40 hexadecimal digits, not 'da39a3ee5e6b4b0d3255bfef95601890afd8070x'" },
	{ "test sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709 xdp_action XDP_TX",
	  "1:63: xdp_action: XDP_PASS, XDP_DROP or XDP_ABORTED, not 'XDP_TX'" },
};

/* What parsing @size octets says; free() it. */
static char *errors_of(const char *text, size_t size, struct fw_ruleset *ruleset, int *err)
{
	char *said = NULL;
	size_t length;
	FILE *out = open_memstream(&said, &length);

	*err = fw_rules_parse("my.rules", text, size, out, ruleset);
	fclose(out);
	return said;
}

static void each_mistake(void **state)
{
	struct fw_ruleset ruleset = {};
	char *said, expected[512];
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		said = errors_of(mistakes[i].text, strlen(mistakes[i].text), &ruleset, &err);
		assert_int_equal(err, -EBADMSG);
		snprintf(expected, sizeof(expected), "my.rules:%s", mistakes[i].said);
		said[strcspn(said, "\n")] = '\0';
		assert_string_equal(said, expected);
		free(said);
	}
}

/* The line as it stands, and a caret below the place. */
static void line_and_caret(void **state)
{
	const char *text = GOOD "\n\t" GOOD " dport 99999 # why\n" GOOD "\n";
	struct fw_ruleset ruleset = {};
	char *said;
	int err;

	(void)state;
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_string_equal(said, "my.rules:2:31: dport: 99999 is more than 65535\n"
				  "    \t" GOOD " dport 99999 # why\n"
				  "    \t                             ^\n");
	free(said);
}

/* Of a line that is too long for a terminal, what is around the caret. */
static void very_long_lines(void **state)
{
	char text[1000] = "ip from { ", *said;
	struct fw_ruleset ruleset = {};
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < 60; i++)
		strcat(text, i == 30 ? "$ \xc3\xbc " : "10.20.30.40, ");
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_int_equal(strncmp(said, "my.rules:1:401: unexpected a character", 38), 0);
	snprintf(text, sizeof(text),
		 "\n    ..., 10.20.30.40, 10.20.30.40, 10.20.30.40, 10.20.30.40, 10.20.30.40, "
		 "10.20.30.40, $ \xc3\xbc 10.20.30.40, 10.20.30.40, 10.20.30.40, 10.20.30.40, 10..."
		 ".\n    %84s\n",
		 "^");
	assert_string_equal(strchr(said, '\n'), text);
	free(said);
}

/* What no terminal should meet, and octets that are no characters, are a place each. */
static void control_characters(void **state)
{
	const char *text = "ip \x1b[31m\x9b \x80\x80 \xc2\x9b $ \x7f $";
	struct fw_ruleset ruleset = {};
	char *said;
	int err;

	(void)state;
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_string_equal(said, "my.rules:1:4: unexpected a character that means nothing where "
				  "this could stand: from\n"
				  "    ip ?[31m? ?? ? $ ? $\n"
				  "       ^\n");
	free(said);
	text = GOOD " name \"\x80\x80\xc3\" action \x9b";
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_non_null(strstr(said, "my.rules:1:42: unexpected a character"));
	assert_non_null(strstr(said, "\n    " GOOD " name \"???\" action ?\n"
				     "                                             ^\n"));
	free(said);
	text = "test sha1 \x1b[31m xdp_action XDP_DROP";
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_non_null(strstr(said, ":1:11: sha1: 40 hexadecimal digits, not '?[31m'\n"));
	free(said);
}

/* A set whose prefixes are wrong is a set nevertheless, and a number too large one number. */
static void one_mistake_one_error(void **state)
{
	static const char *const texts[] = {
		GOOD " sport 4294967296",
		GOOD " dport { 4294967296-4294967297, 5000000000 }",
		"set a { 10.0.0.0/40 }\nip from a to any tcp",
		"set a { 10.0.0.0/8 x }\nip from a to any tcp",
		"set a { 10.0.0.0/8,\n{ }\nip from a to any tcp",
		"set a file \"/nowhere/at/all\"\nip from any to { @a, 10.0.0.0/8 } udp",
		"set a file 5\nip6 from not a to a proto any",
		"set a 10.0.0.0/8\nip6 from not a to a proto any",
		"set a { ::1 }\nset a { ::2 }\nip6 from a to any tcp",
		GOOD "\nset a { ::1, ::2 },\nip6 from a to any tcp",
	};
	struct fw_ruleset ruleset = {};
	size_t i, lines;
	char *said, *at;
	int err;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		said = errors_of(texts[i], strlen(texts[i]), &ruleset, &err);
		assert_int_equal(err, -EBADMSG);
		for (lines = 0, at = said; (at = strchr(at, '\n')); at++)
			lines++;
		if (lines != 3)
			fail_msg("%s: %s", texts[i], said);
		free(said);
	}
}

static void host_bits(void **state)
{
	const char *text = "set a { 10.1.2.3/8,\n 2001:db8::1/32, 10.0.0.0/8 }\n"
			   "ip from { a, 192.0.2.1/24 } to any tcp\n";
	struct fw_ruleset ruleset = {};
	char *said;
	int err;

	(void)state;
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_int_equal(err, 0);
	assert_string_equal(
		said, "my.rules:1:9: 10.1.2.3/8: taken as 10.0.0.0/8 (host bits cleared)\n"
		      "my.rules:2:2: 2001:db8::1/32: taken as 2001:db8::/32 (host bits cleared)\n"
		      "my.rules:3:14: 192.0.2.1/24: taken as 192.0.2.0/24 (host bits cleared)\n");
	free(said);
	fw_ruleset_free(&ruleset);
}

/* Octets count as columns, characters as places. */
static void caret_below_words_that_are_not_ascii(void **state)
{
	const char *text = GOOD " name \"gr\xc3\xbc\xc3\x9f\" dport 1 dport 2";
	struct fw_ruleset ruleset = {};
	char *said;
	int err;

	(void)state;
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_string_equal(said, "my.rules:1:38: unexpected dport\n"
				  "    " GOOD " name \"gr\xc3\xbc\xc3\x9f\" dport 1 dport 2\n"
				  "                                       ^\n");
	free(said);
}

/* What comes after it is read on. */
static void a_folder_is_no_file(void **state)
{
	const char *text = "include \"/\"\n" GOOD " dport 70000";
	struct fw_ruleset ruleset = {};
	char *said;
	int err;

	(void)state;
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_non_null(strstr(said, "my.rules:1:9: include: /: Is a directory\n"));
	assert_non_null(strstr(said, "my.rules:2:30: dport: 70000 is more than 65535\n"));
	free(said);
}

static void every_error_is_told(void **state)
{
	struct fw_ruleset ruleset = {};
	char text[64 * 30] = "", *said, *at;
	int err, i, lines = 0;

	(void)state;
	for (i = 0; i < 30; i++)
		strcat(text, i == 3 ? GOOD "\n" : "ip from any to any tcp dport 70000\n");
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_int_equal(err, -EBADMSG);
	for (at = said; (at = strstr(at, "dport: 70000")); at++)
		lines++;
	assert_int_equal(lines, FW_ERRORS_MAX);
	assert_non_null(strstr(said, "and 9 more errors\n"));
	free(said);
}

/* The ones that are only counted are counted once each, too. */
static void errors_are_counted(void **state)
{
	struct fw_ruleset ruleset = {};
	char text[32 * 30] = "", *said;
	int err, i;

	(void)state;
	for (i = 0; i < 30; i++)
		strcat(text, "ip from 10.0.0.0/33 to any\n");
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_non_null(strstr(said, "and 10 more errors\n"));
	free(said);
}

static void nul(void **state)
{
	static const char text[] = GOOD "\nip\0";
	struct fw_ruleset ruleset = {};
	char *said;
	int err;

	(void)state;
	said = errors_of(text, sizeof(text) - 1, &ruleset, &err);
	assert_int_equal(strncmp(said, "my.rules:2:3: a NUL is no part of a text\n", 40), 0);
	free(said);
}

static void too_many_rules(void **state)
{
	size_t size = (FW_RULES_MAX + 50) * sizeof(GOOD), i;
	char *text = malloc(size + 1), *said;
	struct fw_ruleset ruleset = {};
	int err;

	(void)state;
	for (i = 0; i < FW_RULES_MAX + 50; i++)
		memcpy(text + i * sizeof(GOOD), GOOD "\n", sizeof(GOOD));
	said = errors_of(text, size, &ruleset, &err);
	assert_string_equal(said, "my.rules:8001:1: more than 8000 rules\n    " GOOD "\n    ^\n");
	free(said);
	said = errors_of(text, FW_RULES_MAX * sizeof(GOOD), &ruleset, &err);
	assert_int_equal(err, 0);
	assert_int_equal(ruleset.count, FW_RULES_MAX);
	fw_ruleset_free(&ruleset);
	free(said);
	free(text);
}

static void too_many_sets(void **state)
{
	struct fw_ruleset ruleset = {};
	size_t size, i;
	char *text, *said;
	FILE *out = open_memstream(&text, &size);
	int err;

	(void)state;
	for (i = 0; i < FW_SETS_MAX; i++)
		fprintf(out, "set s%05zu { }\n", i);
	fflush(out);
	said = errors_of(text, size, &ruleset, &err);
	assert_int_equal(err, 0);
	assert_int_equal(ruleset.set_count, FW_SETS_MAX);
	fw_ruleset_free(&ruleset);
	free(said);
	fputs("set more { }\nset most { }\nip from most to any tcp\n", out);
	fclose(out);
	said = errors_of(text, size, &ruleset, &err);
	assert_string_equal(said, "my.rules:8001:5: more than 8000 sets\n    set more { }\n"
				  "        ^\n");
	free(said);
	free(text);
}

/* A file that includes itself. */
static void include_without_end(void **state)
{
	char path[] = "/tmp/ecbpf-unit-XXXXXX", text[128], *said = NULL;
	struct fw_ruleset ruleset = {};
	int fd = mkstemp(path);
	size_t length;
	FILE *out;

	(void)state;
	assert_true(fd >= 0);
	snprintf(text, sizeof(text), "include \"%s\"\ninclude \"%s\"\n", path, path);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	out = open_memstream(&said, &length);
	assert_int_equal(fw_rules_read(path, out, &ruleset), -EBADMSG);
	fclose(out);
	unlink(path);
	snprintf(text, sizeof(text), "%s:1:9: include: %s includes itself\n", path, path);
	assert_int_equal(strncmp(said, text, strlen(text)), 0);
	snprintf(text, sizeof(text), "\n%s:2:9: include: %s includes itself\n", path, path);
	assert_non_null(strstr(said, text));
	free(said);
}

/* Files that include more files than anybody needs, without a circle. */
static void too_many_files(void **state)
{
	char folder[] = "/tmp/ecbpf-unit-XXXXXX", path[64], *said = NULL;
	struct fw_ruleset ruleset = {};
	size_t length;
	FILE *out;
	int i, j;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%d", folder, i);
		out = fopen(path, "w");
		assert_non_null(out);
		for (j = 0; i < 4 && j < 8; j++)
			fprintf(out, "include \"%d\"\n", i + 1);
		fclose(out);
	}
	snprintf(path, sizeof(path), "%s/0", folder);
	out = open_memstream(&said, &length);
	assert_int_equal(fw_rules_read(path, out, &ruleset), -EBADMSG);
	fclose(out);
	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%d", folder, i);
		unlink(path);
	}
	rmdir(folder);
	assert_non_null(strstr(said, ": include: more than 1000 files\n"));
	free(said);
}

/* "-" is a name like any other there. */
static void only_the_first_file_is_stdin(void **state)
{
	const char *text = "include \"-\"\n";
	struct fw_ruleset ruleset = {};
	char *said;
	int err;

	(void)state;
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_int_equal(strncmp(said, "my.rules:1:9: include: -: No such file or directory\n", 52),
			 0);
	free(said);
}

/* What reading a set from a file of these octets says, without the name of the rules' file. */
static char *said_of_set(const char *octets, size_t size, char path[32], int *err)
{
	struct fw_ruleset ruleset = {};
	char text[128], *said;
	int fd;

	strcpy(path, "/tmp/ecbpf-unit-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, octets, size), size);
	close(fd);
	snprintf(text, sizeof(text), "set a file \"%s\"", path);
	said = errors_of(text, strlen(text), &ruleset, err);
	fw_ruleset_free(&ruleset);
	unlink(path);
	return said;
}

static void set_file_mistakes(void **state)
{
	static const struct {
		const char *octets;
		size_t size;
		const char *said;
	} files[] = {
		{ "10.0.0.0/8\n  10.0.0.0/8 x\n10.0.0.0/99\n", 38, "2:3: '10.0.0.0/8 x'" },
		{ "\n10.0.0.0/40\r\n", 14, "2:1: '10.0.0.0/40'" },
		{ "10.0.0.0/8\n\x1b[31m", 16, "2:1: '?[31m'" },
		{ "10.0.0.0/8\0x\n", 13, "1:1: '10.0.0.0/8'" },
	};
	char path[32], expected[160], *said;
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		said = said_of_set(files[i].octets, files[i].size, path, &err);
		assert_int_equal(err, -EBADMSG);
		snprintf(expected, sizeof(expected),
			 "my.rules:1:12: %s:%s is no prefix; write one on each line\n", path,
			 files[i].said);
		said[strcspn(said, "\n") + 1] = '\0';
		assert_string_equal(said, expected);
		free(said);
	}
	said = said_of_set("10.0.0.1/8\n::1/128 #\r\n192.0.2.1/24", 34, path, &err);
	assert_int_equal(err, 0);
	snprintf(expected, sizeof(expected), "my.rules:1:12: %s: host bits cleared on 2 lines\n",
		 path);
	assert_string_equal(said, expected);
	free(said);
}

/* Whatever comes after them, and however long they go on. */
static void lines_without_end(void **state)
{
	char octets[5000], path[32], expected[160], *said;
	const char *text = "set a file \"/dev/zero\"";
	struct fw_ruleset ruleset = {};
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < 3; i++) {
		memset(octets, "x# "[i], sizeof(octets));
		memcpy(octets, "::1\n", 4);
		memcpy(octets + sizeof(octets) - 6, "\n::2\n", 5);
		said = said_of_set(octets, sizeof(octets) - 1, path, &err);
		snprintf(expected, sizeof(expected),
			 "my.rules:1:12: %s:2: a line of more than 4096 octets is no prefix; write "
			 "one on each line\n",
			 path);
		assert_int_equal(err, -EBADMSG);
		assert_memory_equal(said, expected, strlen(expected));
		free(said);
	}
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_int_equal(err, -EBADMSG);
	assert_non_null(strstr(said, "my.rules:1:12: /dev/zero:1: a line of more than 4096 "));
	free(said);
	text = "set a file \"/\"";
	said = errors_of(text, strlen(text), &ruleset, &err);
	assert_int_equal(err, -EBADMSG);
	assert_non_null(strstr(said, "my.rules:1:12: set: /: Is a directory\n"));
	free(said);
}

/* The longest line, and one without an end. */
static void longest_line_of_a_set(void **state)
{
	char octets[4096 + 12], path[32], *said;
	int err;

	(void)state;
	memset(octets, ' ', sizeof(octets));
	memcpy(octets, "10.0.0.0/8", 10);
	memcpy(octets + 4096, "\n10.0.1.0/24", 12);
	said = said_of_set(octets, sizeof(octets), path, &err);
	assert_int_equal(err, 0);
	assert_string_equal(said, "");
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mistake),
		cmocka_unit_test(line_and_caret),
		cmocka_unit_test(every_error_is_told),
		cmocka_unit_test(nul),
		cmocka_unit_test(too_many_rules),
		cmocka_unit_test(too_many_sets),
		cmocka_unit_test(include_without_end),
		cmocka_unit_test(too_many_files),
		cmocka_unit_test(only_the_first_file_is_stdin),
		cmocka_unit_test(errors_are_counted),
		cmocka_unit_test(very_long_lines),
		cmocka_unit_test(control_characters),
		cmocka_unit_test(one_mistake_one_error),
		cmocka_unit_test(host_bits),
		cmocka_unit_test(set_file_mistakes),
		cmocka_unit_test(lines_without_end),
		cmocka_unit_test(longest_line_of_a_set),
		cmocka_unit_test(caret_below_words_that_are_not_ascii),
		cmocka_unit_test(a_folder_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
