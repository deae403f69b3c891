// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Floods a server with frames that it must drop, mixed with numbered ones that it must get, and
 * counts both at its sockets: flood INTERFACE SERVER-NETNS GOOD-PORT BAD-PORT... <FRAMES
 *
 * FRAMES are lines of hex: the good frame, then bad ones. Each is a UDP datagram that ends in 8
 * octets of 0 and 8 of 0xff, where the number and its complement go: so the checksum stays right.
 *
 * Frames keep their order, and a round isn't sent before the last good frame of the one before
 * has arrived: however slow the machine, no queue on the way overflows. A good frame that hasn't
 * arrived in the end is a lost one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES_MAX 256
#define FRAME_MAX  2048
#define TAIL	   16
/* Bad and good frames in turn; queues of veth hold 256. */
#define ROUND_PAIRS 32
/* Good frames that are kept apart by number. */
#define NUMBERS_MAX (1U << 27)
/* Until a round goes on without an answer, and until what is missing in the end is lost. */
#define ROUND_MS 500
#define LOST_MS	 5000
#define BAD_MAX	 4
#define ALARM_S	 900

struct frame {
	size_t length;
	uint8_t octets[FRAME_MAX];
};

static struct {
	struct frame frames[FRAMES_MAX];
	size_t count;
	int link, good, bad[BAD_MAX], bad_count;
	uint8_t *seen;
	uint64_t good_sent, good_received, duplicates;
	uint64_t bad_sent, bad_received;
	char bad_first[INET6_ADDRSTRLEN];
} flood;

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void refuse(const char *why)
{
	fprintf(stderr, "flood: %s\n", why);
	exit(EXIT_FAILURE);
}

static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void read_frames(void)
{
	char line[2 * FRAME_MAX + 2];

	while (flood.count < FRAMES_MAX && fgets(line, sizeof(line), stdin)) {
		struct frame *frame = &flood.frames[flood.count++];
		unsigned int octet;

		for (const char *at = line; sscanf(at, "%2x", &octet) == 1; at += 2)
			frame->octets[frame->length++] = octet;
		if (frame->length < TAIL)
			refuse("a frame is too short");
	}
	if (flood.count < 2)
		refuse("no frames on stdin");
}

static int open_link(const char *interface)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(interface),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		die(interface);
	return fd;
}

static int open_receiver(const char *port)
{
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(atoi(port)),
	};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), off = 0;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		die(port);
	return fd;
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(netns);
	close(fd);
}

static uint64_t number_of(const uint8_t *tail)
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | tail[i];
	return number;
}

static void set_number(struct frame *frame, uint8_t *copy, uint64_t number)
{
	uint8_t *tail = copy + frame->length - TAIL;

	memcpy(copy, frame->octets, frame->length);
	for (int i = 7; i >= 0; i--, number >>= 8) {
		tail[i] = number;
		tail[i + 8] = ~number;
	}
}

static void send_round(void)
{
	static uint8_t copies[2 * ROUND_PAIRS][FRAME_MAX];
	struct mmsghdr messages[2 * ROUND_PAIRS] = {};
	struct iovec vectors[2 * ROUND_PAIRS];
	int i, sent, done = 0;

	for (i = 0; i < 2 * ROUND_PAIRS; i++) {
		bool good = i % 2;
		uint64_t number = good ? flood.good_sent++ : flood.bad_sent++;
		struct frame *frame = &flood.frames[good ? 0 : 1 + number % (flood.count - 1)];

		set_number(frame, copies[i], number);
		vectors[i] = (struct iovec){ copies[i], frame->length };
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < i) {
		sent = sendmmsg(flood.link, messages + done, i - done, 0);
		if (sent > 0)
			done += sent;
		else if (errno != EINTR && errno != ENOBUFS && errno != EAGAIN)
			die("sending");
	}
}

/* Whether a datagram was there. */
static bool receive_good(void)
{
	uint8_t datagram[FRAME_MAX];
	ssize_t length = recv(flood.good, datagram, sizeof(datagram), 0);
	uint64_t number;

	if (length < TAIL)
		return false;
	number = number_of(datagram + length - TAIL);
	if (number >= NUMBERS_MAX)
		return true;
	if (flood.seen[number / 8] & 1 << number % 8)
		flood.duplicates++;
	else
		flood.good_received++;
	flood.seen[number / 8] |= 1 << number % 8;
	return true;
}

static void receive_bad(int fd)
{
	uint8_t datagram[FRAME_MAX];
	struct sockaddr_in6 from;
	socklen_t length;

	for (;;) {
		length = sizeof(from);
		if (recvfrom(fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &length) <
		    0)
			return;
		if (!flood.bad_received++)
			inet_ntop(AF_INET6, &from.sin6_addr, flood.bad_first,
				  sizeof(flood.bad_first));
	}
}

static bool arrived(uint64_t number)
{
	return flood.seen[number / 8] & 1 << number % 8;
}

/* A signal doesn't end the wait: what is on its way still counts. */
static bool wait_good(int milliseconds)
{
	struct pollfd wait = { .fd = flood.good, .events = POLLIN };
	int ready;

	do {
		ready = poll(&wait, 1, milliseconds);
		if (ready < 0 && errno != EINTR)
			die("waiting");
	} while (ready < 0);
	return ready;
}

static void receive_round(void)
{
	while (!arrived(flood.good_sent - 1))
		if (!receive_good() && !wait_good(ROUND_MS))
			break;
	for (int i = 0; i < flood.bad_count; i++)
		receive_bad(flood.bad[i]);
}

static void receive_late(void)
{
	while (flood.good_received < flood.good_sent)
		if (!receive_good() && !wait_good(LOST_MS))
			break;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };

	if (argc < 5 || argc > 4 + BAD_MAX)
		refuse("give INTERFACE SERVER-NETNS GOOD-PORT BAD-PORT...");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(ALARM_S);
	sigaction(SIGTERM, &action, NULL);
	read_frames();
	flood.seen = calloc(NUMBERS_MAX / 8, 1);
	if (!flood.seen)
		die("memory");
	flood.link = open_link(argv[1]);
	enter(argv[2]);
	flood.good = open_receiver(argv[3]);
	for (int i = 4; i < argc; i++)
		flood.bad[flood.bad_count++] = open_receiver(argv[i]);

	while (!stopped && flood.good_sent < NUMBERS_MAX - ROUND_PAIRS) {
		send_round();
		receive_round();
		if (flood.good_sent == ROUND_PAIRS) {
			puts("ready");
			fflush(stdout);
		}
	}
	receive_late();
	printf("{\"good_sent\": %" PRIu64 ", \"good_lost\": %" PRIu64 ", \"duplicates\": %" PRIu64,
	       flood.good_sent, flood.good_sent - flood.good_received, flood.duplicates);
	printf(", \"bad_sent\": %" PRIu64 ", \"bad_received\": %" PRIu64
	       ", \"bad_first\": \"%s\"}\n",
	       flood.bad_sent, flood.bad_received, flood.bad_first);
	return EXIT_SUCCESS;
}
