/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What sock_diag answers, taken apart. */
#ifndef TCP_STATS_DIAG_H
#define TCP_STATS_DIAG_H

#include <stddef.h>

#include "tcp_stats.h"

/**
 * diag_each() - call @take for each connection in a datagram from sock_diag
 * @buffer: aligned as struct nlmsghdr is
 * @take: gets what the answer has: addresses, ports, tcp_info with its length, congestion control;
 *	what it returns, unless 0, ends this
 *
 * Return: 1: there is more to come; 0: that was all; or -errno, the kernel's, or -EBADMSG.
 */
int diag_each(const void *buffer, size_t length,
	      int (*take)(struct stats_sample *sample, void *context), void *context);

#endif
