// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Device settings that XDP depends on, by ioctl. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "internal.h"

static int device_ioctl(const char *interface, unsigned long request, struct ifreq *ifr)
{
	CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", interface);
	return ioctl(fd, request, ifr) ? -errno : 0;
}

static int flags_ioctl(const char *interface, uint32_t command, uint32_t *flags)
{
	struct ethtool_value value = { .cmd = command, .data = *flags };
	struct ifreq ifr = { .ifr_data = (void *)&value };
	int err = device_ioctl(interface, SIOCETHTOOL, &ifr);

	if (!err)
		*flags = value.data;
	return err;
}

int ecbpf_rxvlan_get(const char *interface, bool *on)
{
	uint32_t flags = 0;
	int err = flags_ioctl(interface, ETHTOOL_GFLAGS, &flags);

	if (!err)
		*on = flags & ETH_FLAG_RXVLAN;
	return err;
}

int ecbpf_rxvlan_set(const char *interface, bool on)
{
	uint32_t flags = 0;
	bool now;
	int err;

	err = flags_ioctl(interface, ETHTOOL_GFLAGS, &flags);
	if (err)
		return err;
	flags = on ? flags | ETH_FLAG_RXVLAN : flags & ~ETH_FLAG_RXVLAN;
	err = flags_ioctl(interface, ETHTOOL_SFLAGS, &flags);
	if (!err)
		err = ecbpf_rxvlan_get(interface, &now);
	/* A device with the offload fixed takes the call and does nothing. */
	return err ? err : now == on ? 0 : -EOPNOTSUPP;
}

int ecbpf_mtu(const char *interface)
{
	struct ifreq ifr = {};
	int err = device_ioctl(interface, SIOCGIFMTU, &ifr);

	return err ? err : ifr.ifr_mtu;
}
