// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which connections --flow names. */
#include "flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* What @text begins with, up to @end; -EINVAL if that isn't there or is too long. */
static int cut(const char **text, char end, char *part, size_t size)
{
	const char *at = strchr(*text, end);

	if (!at || (size_t)(at - *text) >= size)
		return -EINVAL;
	memcpy(part, *text, at - *text);
	part[at - *text] = '\0';
	*text = at + 1;
	return 0;
}

/* What is mapped is IPv4, as in samples. */
static int parse_address(const char *text, struct stats_end *end)
{
	struct in6_addr address;

	if (!*text)
		return 0;
	end->family = 4;
	if (inet_pton(AF_INET, text, end->address) == 1)
		return 0;
	if (inet_pton(AF_INET6, text, &address) != 1)
		return -EINVAL;
	if (IN6_IS_ADDR_V4MAPPED(&address)) {
		memcpy(end->address, address.s6_addr + 12, 4);
		return 0;
	}
	end->family = 6;
	memcpy(end->address, &address, sizeof(address));
	return 0;
}

static int parse_port(const char *text, struct stats_end *end)
{
	unsigned long port;
	char *rest;

	if (!strcmp(text, "*"))
		return 0;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	port = strtoul(text, &rest, 10);
	if (*rest || !port || port > UINT16_MAX)
		return -EINVAL;
	end->port = port;
	return 0;
}

/* "[ADDRESS]:PORT" or "ADDRESS:PORT", where only one of IPv4 goes without brackets. */
static int parse_end(const char *text, struct stats_end *end)
{
	char address[INET6_ADDRSTRLEN];
	int err;

	if (*text == '[') {
		text++;
		err = cut(&text, ']', address, sizeof(address));
		if (!err && *text++ != ':')
			err = -EINVAL;
	} else {
		err = cut(&text, ':', address, sizeof(address));
	}
	if (!err)
		err = parse_address(address, end);
	return err ? err : parse_port(text, end);
}

static int parse_flow(const char *term, struct stats_flow *flow)
{
	char local[64];
	int err;

	memset(flow, 0, sizeof(*flow));
	err = cut(&term, '-', local, sizeof(local));
	if (!err)
		err = parse_end(local, &flow->local);
	if (!err)
		err = parse_end(term, &flow->remote);
	/* No flow has ends of two. */
	if (!err && flow->local.family && flow->remote.family &&
	    flow->local.family != flow->remote.family)
		err = -EINVAL;
	return err;
}

int flows_parse(const struct ecbpf_strings *terms, struct stats_flow *flows)
{
	size_t i;

	if (terms->count > STATS_FLOWS_MAX)
		return ecbpf_fail(-EINVAL, "--flow: at most %d", STATS_FLOWS_MAX);
	for (i = 0; i < terms->count; i++)
		if (parse_flow(terms->items[i], &flows[i]))
			return ecbpf_fail(-EINVAL,
					  "--flow '%s': write [ADDRESS]:PORT-[ADDRESS]:PORT, local "
					  "end first; addresses may be empty, ports '*'",
					  terms->items[i]);
	return terms->count;
}

static bool end_matches(const struct stats_end *end, const __u8 *address, __u8 family, __u16 port)
{
	if (end->port && end->port != port)
		return false;
	return !end->family || (end->family == family && !memcmp(end->address, address, 16));
}

bool flows_match(const struct stats_flow *flows, size_t count, const struct stats_sample *sample)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (end_matches(&flows[i].local, sample->local, sample->family,
				sample->local_port) &&
		    end_matches(&flows[i].remote, sample->remote, sample->family,
				sample->remote_port))
			return true;
	return !count;
}
