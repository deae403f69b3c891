// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* pcapng files, as xdp_sampler_to_pcap reads them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ecbpf/ecbpf.h>

#include "convert.h"
#include "pcapng_read.h"
#include "target.h"

static void say_nothing(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)context;
	REQUIRE(!strchr(message, '\n'));
}

static unsigned int sum(const uint8_t *data, size_t octets)
{
	unsigned int sum = 0;

	while (octets--)
		sum += data[octets];
	return sum;
}

/* The whole of the tool: it ends as @wanted. */
static void check_conversion(const uint8_t *data, size_t size, int wanted)
{
	static int file = -1;
	char path[32];

	if (file < 0)
		file = memfd_create("input", 0);
	REQUIRE(file >= 0 && !ftruncate(file, 0));
	REQUIRE(pwrite(file, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	REQUIRE(convert(path, "/dev/null", "/dev/null") == wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *file = size ? fmemopen((void *)data, size, "r") : fopen("/dev/null", "re");
	struct pcapng_reader *reader = NULL;
	struct pcapng_packet packet;
	size_t packets = 0;
	int result;

	ecbpf_log_set(say_nothing, NULL, ECBPF_LOG_DEBUG);
	REQUIRE(file);
	result = pcapng_reader_open(file, "input", &reader);
	while (reader && (result = pcapng_reader_next(reader, &packet)) > 0) {
		packets++;
		REQUIRE(sum(packet.data, packet.captured) <= packet.captured * 255U);
		REQUIRE(strlen(packet.comment) < sizeof(packet.comment));
		REQUIRE(strlen(packet.interface) < IF_NAMESIZE);
	}
	REQUIRE(!result || result == -EBADMSG);
	/* A simple packet's block has 16 octets at least. */
	REQUIRE(packets <= size / 16);
	pcapng_reader_close(reader);
	fclose(file);
	check_conversion(data, size, result);
	return 0;
}
