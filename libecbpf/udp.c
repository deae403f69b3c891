// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sockets for what is sent and never answered. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <ecbpf/host.h>

#include "internal.h"

/* The first address that a socket can be connected to; -1: none. */
static int connect_any(const struct addrinfo *addresses)
{
	int fd;

	for (; addresses; addresses = addresses->ai_next) {
		fd = socket(addresses->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		if (connect(fd, addresses->ai_addr, addresses->ai_addrlen) == 0)
			return fd;
		close(fd);
	}
	return -1;
}

int ecbpf_udp_open(const char *what, const char *host, uint16_t port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *addresses;
	char service[8];
	int err, fd;

	snprintf(service, sizeof(service), "%u", port);
	err = getaddrinfo(host, service, &hints, &addresses);
	if (err)
		return ecbpf_fail(-EHOSTUNREACH, "%s %s: %s; check the name", what, host,
				  err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
	fd = connect_any(addresses);
	freeaddrinfo(addresses);
	if (fd < 0)
		return ecbpf_fail(-EHOSTUNREACH, "%s %s: %m; check the routes to it", what, host);
	return fd;
}
