// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which flows are wanted: from the command line into the programs' configuration and maps. */
#include "filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include <ecbpf/host.h>

/* Octets of ::ffff:0:0/96, below which IPv4 is mapped. */
#define MAPPED_OCTETS 12

static int add(void **items, size_t *count, size_t size, const void *item)
{
	void *grown = realloc(*items, (*count + 1) * size);

	if (!grown)
		return ecbpf_fail(-ENOMEM, "out of memory");
	*items = grown;
	memcpy((char *)grown + *count * size, item, size);
	(*count)++;
	return 0;
}

static int refuse(const char *term)
{
	return ecbpf_fail(-EINVAL,
			  "--filter '%s': give ADDRESS[/LENGTH], PORT[-PORT] or cgroup=FOLDER",
			  term);
}

/* Bits behind the length are cleared: the trie would not mind, but equal networks are one entry. */
static void clear_host_bits(struct monitor_prefix *prefix)
{
	unsigned int bit = prefix->length - MONITOR_PREFIX_FAMILY_BITS;

	for (; bit < 128; bit++)
		prefix->address[bit / 8] &= ~(0x80 >> bit % 8);
}

static bool is_mapped(const struct monitor_prefix *prefix, unsigned long bits)
{
	static const uint8_t below[MAPPED_OCTETS] = { [10] = 0xff, [11] = 0xff };

	return prefix->family == 6 && bits >= 8 * MAPPED_OCTETS &&
	       !memcmp(prefix->address, below, sizeof(below));
}

static int parse_prefix(const char *text, struct monitor_prefix *prefix)
{
	char address[INET6_ADDRSTRLEN], *end = NULL;
	size_t length = strcspn(text, "/");
	unsigned long bits, most;

	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	memset(prefix, 0, sizeof(*prefix));
	prefix->family = inet_pton(AF_INET, address, prefix->address) == 1 ? 4 : 6;
	if (prefix->family == 6 && inet_pton(AF_INET6, address, prefix->address) != 1)
		return -EINVAL;
	most = prefix->family == 4 ? 32 : 128;
	bits = most;
	if (text[length] == '/') {
		text += length + 1;
		if (*text < '0' || *text > '9')
			return -EINVAL;
		bits = strtoul(text, &end, 10);
		if (*end || bits > most)
			return -EINVAL;
	}
	if (is_mapped(prefix, bits)) {
		memmove(prefix->address, prefix->address + MAPPED_OCTETS, 4);
		memset(prefix->address + 4, 0, MAPPED_OCTETS);
		prefix->family = 4;
		bits -= 8 * MAPPED_OCTETS;
	}
	prefix->length = MONITOR_PREFIX_FAMILY_BITS + bits;
	clear_host_bits(prefix);
	return 0;
}

static int parse_port(const char *text, char **end, unsigned long *port)
{
	if (*text < '0' || *text > '9')
		return -EINVAL;
	*port = strtoul(text, end, 10);
	return *port > UINT16_MAX ? -EINVAL : 0;
}

static int parse_ports(const char *text, struct filter *filter)
{
	unsigned long first, last;
	char *end;

	if (parse_port(text, &end, &first))
		return -EINVAL;
	last = first;
	if (*end == '-' && parse_port(end + 1, &end, &last))
		return -EINVAL;
	if (*end || first > last)
		return -EINVAL;
	for (; first <= last; first++)
		filter->ports[first / 64] |= 1ULL << first % 64;
	filter->by_port = true;
	return 0;
}

static int parse_cgroup(const char *path, struct filter *filter)
{
	uint64_t id;
	int fd = *path ? ecbpf_cgroup_open(path, &id) : refuse("cgroup=");

	if (fd < 0)
		return fd;
	close(fd);
	return add((void **)&filter->cgroups, &filter->cgroup_count, sizeof(id), &id);
}

static int parse_term(const char *term, struct filter *filter)
{
	static const char address[] = "address=", port[] = "port=", cgroup[] = "cgroup=";
	struct monitor_prefix prefix;

	if (!strncmp(term, cgroup, strlen(cgroup)))
		return parse_cgroup(term + strlen(cgroup), filter);
	if (!strncmp(term, port, strlen(port)))
		return parse_ports(term + strlen(port), filter) ? refuse(term) : 0;
	if (!strncmp(term, address, strlen(address))) {
		if (parse_prefix(term + strlen(address), &prefix))
			return refuse(term);
	} else if (!parse_ports(term, filter)) {
		return 0;
	} else if (parse_prefix(term, &prefix)) {
		return refuse(term);
	}
	return add((void **)&filter->prefixes, &filter->prefix_count, sizeof(prefix), &prefix);
}

int filter_parse(const struct ecbpf_strings *terms, const struct ecbpf_strings *netns,
		 struct filter *filter)
{
	uint32_t inode;
	size_t i;
	int err = 0;

	memset(filter, 0, sizeof(*filter));
	for (i = 0; i < terms->count && !err; i++)
		err = parse_term(terms->items[i], filter);
	for (i = 0; i < netns->count && !err; i++) {
		err = ecbpf_netns_find(netns->items[i], &inode);
		if (!err)
			err = add((void **)&filter->namespaces, &filter->namespace_count,
				  sizeof(inode), &inode);
	}
	return err;
}

void filter_free(struct filter *filter)
{
	free(filter->prefixes);
	free(filter->cgroups);
	free(filter->namespaces);
}

void filter_configure(const struct filter *filter, struct monitor_config *config)
{
	config->by_address = filter->prefix_count > 0;
	config->by_port = filter->by_port;
	config->by_cgroup = filter->cgroup_count > 0;
	config->by_netns = filter->namespace_count > 0;
	config->filtered = config->by_address || config->by_port || config->by_cgroup ||
			   config->by_netns || config->min_bytes || config->min_duration;
}

static int fill(int map, const void *keys, size_t count, size_t size, const char *what)
{
	const uint8_t one = 1;
	size_t i;
	int err;

	for (i = 0; i < count; i++) {
		err = bpf_map_update_elem(map, (const char *)keys + i * size, &one, BPF_ANY);
		if (err)
			return ecbpf_fail(-E2BIG, "--filter: too many %s: at most %zu", what, i);
	}
	return 0;
}

int filter_fill(const struct filter *filter, int addresses, int cgroups, int namespaces)
{
	int err = fill(addresses, filter->prefixes, filter->prefix_count, sizeof(*filter->prefixes),
		       "addresses");

	if (!err)
		err = fill(cgroups, filter->cgroups, filter->cgroup_count, sizeof(*filter->cgroups),
			   "control groups");
	if (!err)
		err = fill(namespaces, filter->namespaces, filter->namespace_count,
			   sizeof(*filter->namespaces), "network namespaces");
	return err;
}
