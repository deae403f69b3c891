/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rule language. What lines mean is in rules_meaning.c. */
%require "3.7"
%define api.pure full
%define api.prefix {fw_parse_}
%define api.location.type {struct fw_place}
%define parse.error custom
%define parse.lac full
%locations
%param { void *scanner }
%parse-param { struct fw_parser *parser }

%code requires {
#include "rules_parser.h"
}

%code {
#include <string.h>

int fw_lex_lex(FW_PARSE_STYPE *value, struct fw_place *place, void *scanner);

static int fw_parse_lex(FW_PARSE_STYPE *value, struct fw_place *place, void *scanner)
{
	return fw_lex_lex(value, place, scanner);
}

static void fw_parse_error(struct fw_place *place, void *scanner, struct fw_parser *parser,
			   const char *message)
{
	(void)scanner;
	fw_error(parser, place, "%s", message);
}
}

%union {
	struct fw_word word;
	int number;
	uint64_t count;
}

%token NEWLINE "end of line"
%token END 0 "end of file"
%token ACTION "action" ANY "any" BURST "burst" CODE "code" COUNT "count" DPORT "dport" DROP "drop"
%token FILE_ "file" FIRST_MATCH "first-match" FLAGS "flags" FRAGMENT "fragment" FROM "from"
%token ICMP "icmp" ICMP6 "icmp6" INCLUDE "include" IP "ip" IP6 "ip6" LENGTH "length" LIMIT "limit"
%token MASK "mask" NAME "name" NOT "not" ORDER "order" PACKET "packet" PASS "pass" PER "per"
%token PROTO "proto" SECOND "second" SET "set" SHA1 "sha1" SOURCE "source" SPORT "sport" TCP "tcp"
%token TEST "test" TO "to" TTL "ttl" TYPE "type" UDP "udp" VLAN "vlan" WINDOW "window"
%token XDP_ACTION "xdp_action"
%token <word> NUMBER "number" PREFIX "prefix" WORD "word" STRING "text in quotes"
%token <word> GLUED "number or prefix with letters right behind it"
%token <word> UNTERMINATED "text without its closing quote" STRANGE "a character that means nothing"

%type <number> family flag flags_braced mask negation
%type <count> rate

%%

file:
	%empty
	| file line
	;

line:
	NEWLINE
	| rule NEWLINE			{ if (!fw_rule_end(parser, &@1))
						YYABORT; }
	| directive NEWLINE		{ fw_line_drop(parser); }
	| error NEWLINE			{ fw_line_drop(parser); yyerrok; }
	;

rule:
	option
	| rule option
	;

option:
	PACKET				{ fw_option(parser, &@1, FW_OPTION_PACKET, "packet"); }
	  packet
	| family			{ fw_option_family(parser, &@1, $1); }
	  FROM addresses		{ fw_option_addresses(parser, &parser->rule.from); }
	  TO addresses			{ fw_option_addresses(parser, &parser->rule.to); }
	  ttl
	| TCP				{ fw_option_protocol(parser, &@1, 6, "tcp"); }
	  tcp_fields
	| UDP				{ fw_option_protocol(parser, &@1, 17, "udp"); }
	  udp_fields
	| ICMP				{ fw_option_protocol(parser, &@1, 1, "icmp"); }
	  icmp_fields
	| ICMP6				{ fw_option_protocol(parser, &@1, 58, "icmp6"); }
	  icmp_fields
	| PROTO				{ fw_option_protocol(parser, &@1, -1, "proto"); }
	  numbers			{ fw_option_numbers(parser, &@3, FW_PROTOCOL); }
	| FRAGMENT			{ fw_option(parser, &@1, FW_OPTION_FRAGMENT, "fragment");
					  parser->rule.fragment = FW_FRAGMENT_YES; }
	| NOT FRAGMENT			{ fw_option(parser, &@1, FW_OPTION_FRAGMENT, "fragment");
					  parser->rule.fragment = FW_FRAGMENT_NO; }
	| VLAN				{ fw_option(parser, &@1, FW_OPTION_VLAN, "vlan"); }
	  numbers			{ fw_option_numbers(parser, &@3, FW_VLAN); }
	| NAME STRING			{ fw_option(parser, &@1, FW_OPTION_NAME, "name");
					  fw_option_name(parser, &@2, $2); }
	| ACTION			{ fw_option(parser, &@1, FW_OPTION_ACTION, "action"); }
	  action
	;

packet:
	%empty
	| LENGTH numbers		{ fw_option_numbers(parser, &@2, FW_LENGTH); }
	;

family:
	IP				{ $$ = 4; }
	| IP6				{ $$ = 6; }
	;

ttl:
	%empty
	| TTL numbers			{ fw_option_numbers(parser, &@2, FW_TTL); }
	;

tcp_fields:
	%empty
	| tcp_fields tcp_field
	;

tcp_field:
	ports
	| WINDOW numbers		{ fw_option_numbers(parser, &@2, FW_WINDOW); }
	| FLAGS negation flags_braced mask
					{ fw_option_flags(parser, &@1, $2, $3, $4); }
	;

udp_fields:
	%empty
	| udp_fields ports
	;

ports:
	SPORT numbers			{ fw_option_numbers(parser, &@2, FW_SPORT); }
	| DPORT numbers			{ fw_option_numbers(parser, &@2, FW_DPORT); }
	;

icmp_fields:
	%empty
	| icmp_fields TYPE numbers	{ fw_option_numbers(parser, &@3, FW_TYPE); }
	| icmp_fields CODE numbers	{ fw_option_numbers(parser, &@3, FW_CODE); }
	;

negation:
	%empty				{ $$ = 0; }
	| NOT				{ $$ = 1; }
	;

flags_braced:
	'{' flag '}'			{ $$ = $2; }
	;

flag:
	WORD				{ $$ = fw_word_flag(parser, &@1, $1); }
	| flag ',' WORD			{ $$ = $1 | fw_word_flag(parser, &@3, $3); }
	;

mask:
	%empty				{ $$ = -1; }
	| MASK flags_braced		{ $$ = $2; }
	;

action:
	DROP				{ parser->rule.action = FW_DROP; }
	| PASS				{ parser->rule.action = FW_PASS; }
	| COUNT				{ parser->rule.action = FW_COUNT; }
	| LIMIT rate			{ fw_rate(parser, &@2, $2); }
	  limit_options
	;

rate:
	NUMBER '/' SECOND		{ $$ = fw_word_number(parser, &@1, $1, FW_PER_SECOND_MAX,
							      "limit"); }
	;

limit_options:
	%empty
	| limit_options BURST NUMBER	{ fw_option(parser, &@2, FW_OPTION_BURST, "burst");
					  fw_burst(parser, &@3, $3); }
	| limit_options PER SOURCE	{ fw_option(parser, &@2, FW_OPTION_SOURCE, "per source");
					  parser->rule.rate.per_source = true; }
	;

numbers:
	ANY				{ parser->numbers.given = false; }
	| number_list			{ parser->numbers.given = true; }
	| NOT number_list		{ parser->numbers.given = true;
					  parser->numbers.negated = true; }
	;

number_list:
	number
	| '{' numbers_inside '}'
	;

numbers_inside:
	number
	| numbers_inside ',' number
	;

number:
	NUMBER				{ fw_numbers_add(parser, &@1, $1, &@1, $1); }
	| NUMBER '-' NUMBER		{ fw_numbers_add(parser, &@1, $1, &@3, $3); }
	;

addresses:
	ANY				{ parser->addresses.given = false; }
	| address_list			{ parser->addresses.given = true; }
	| NOT address_list		{ parser->addresses.given = true;
					  parser->addresses.negated = true; }
	;

address_list:
	address
	| '{' addresses_inside '}'
	;

addresses_inside:
	address
	| addresses_inside ',' address
	;

address:
	PREFIX				{ fw_addresses_prefix(parser, &@1, $1); }
	| WORD				{ fw_addresses_set(parser, &@1, $1); }
	| '@' WORD			{ fw_addresses_set(parser, &@2, $2); }
	;

directive:
	ORDER FIRST_MATCH		{ fw_order(parser, &@$); }
	| INCLUDE STRING		{ fw_include(parser, &@2, $2); }
	| SET WORD			{ if (!fw_set_begin(parser, &@2, $2))
						YYABORT; }
	  set				{ fw_set_end(parser); }
	| TEST SHA1 WORD XDP_ACTION WORD	{ fw_test_add(parser, &@3, $3, &@5, $5); }
	;

set:
	'{' '}'
	| '{' prefixes '}'
	| '{' prefixes ',' '}'
	| FILE_ STRING			{ fw_set_file(parser, &@2, $2); }
	;

prefixes:
	PREFIX				{ fw_set_prefix(parser, &@1, $1); }
	| prefixes ',' PREFIX		{ fw_set_prefix(parser, &@3, $3); }
	;

%%

#define EXPECTED_MAX 6

static int yyreport_syntax_error(const yypcontext_t *context, void *scanner,
				 struct fw_parser *parser)
{
	yysymbol_kind_t expected[EXPECTED_MAX], found = yypcontext_token(context);
	const char *names[EXPECTED_MAX];
	int count, i;

	(void)scanner;
	count = yypcontext_expected_tokens(context, expected, EXPECTED_MAX);
	for (i = 0; i < count; i++)
		names[i] = yysymbol_name(expected[i]);
	fw_error_syntax(parser, yypcontext_location(context),
			found == YYSYMBOL_YYEMPTY ? "nothing" : yysymbol_name(found), names,
			count > 0 ? count : 0);
	return 0;
}
