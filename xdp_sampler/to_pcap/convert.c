// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From pcapng to classic pcap. */
#include "convert.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <pcap/pcap.h>

#include <ecbpf/tool.h>

#include "pcapng_read.h"

#define NS_PER_S      1000000000
#define SNAPLEN_MAX   262144
#define LINK_ETHERNET 1

struct outputs {
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	FILE *csv;
	uint64_t packets;
	uint64_t skipped;
};

/* Quotes as RFC 4180 has them. */
static void print_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
	fputc('"', out);
}

static void print_verdict(struct outputs *outputs, const struct pcapng_packet *packet)
{
	char queue[24] = "";

	if (packet->queue >= 0)
		snprintf(queue, sizeof(queue), "%" PRId64, packet->queue);
	fprintf(outputs->csv, "%" PRIu64 ",%" PRIu64 ".%09" PRIu64 ",", outputs->packets,
		packet->time / NS_PER_S, packet->time % NS_PER_S);
	print_quoted(outputs->csv, packet->interface);
	fprintf(outputs->csv, ",%s,%u,%u,%s,", queue, packet->length, packet->captured,
		packet->verdict < 0 ? "" : ecbpf_action_name(packet->verdict));
	print_quoted(outputs->csv, packet->comment);
	fputc('\n', outputs->csv);
}

/* Classic files hold one link type: Ethernet, as xdp_sampler writes. */
static void write_packet(struct outputs *outputs, const struct pcapng_packet *packet)
{
	const struct pcap_pkthdr header = {
		.ts = { .tv_sec = packet->time / NS_PER_S, .tv_usec = packet->time % NS_PER_S },
		.caplen = packet->captured,
		.len = packet->length,
	};

	if (packet->link_type != LINK_ETHERNET || packet->captured > SNAPLEN_MAX) {
		outputs->skipped++;
		return;
	}
	outputs->packets++;
	pcap_dump((u_char *)outputs->dumper, &header, packet->data);
	if (outputs->csv)
		print_verdict(outputs, packet);
}

static int convert_packets(struct pcapng_reader *reader, struct outputs *outputs)
{
	struct pcapng_packet packet;
	int result;

	while ((result = pcapng_reader_next(reader, &packet)) > 0)
		write_packet(outputs, &packet);
	if (outputs->skipped)
		ecbpf_log(ECBPF_LOG_WARNING, "%" PRIu64 " packets left out: not Ethernet",
			  outputs->skipped);
	return result;
}

static int open_outputs(const char *output, const char *verdicts, struct outputs *outputs)
{
	outputs->pcap = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAPLEN_MAX,
							     PCAP_TSTAMP_PRECISION_NANO);
	if (!outputs->pcap)
		return -ENOMEM;
	outputs->dumper = pcap_dump_open(outputs->pcap, output);
	if (!outputs->dumper)
		return ecbpf_fail(-EIO, "%s", pcap_geterr(outputs->pcap));
	if (!verdicts)
		return 0;
	outputs->csv = fopen(verdicts, "we");
	if (!outputs->csv)
		return ecbpf_fail(-EIO, "%s: %s", verdicts, strerror(errno));
	fputs("packet,time,interface,queue,length,captured,action,comment\n", outputs->csv);
	return 0;
}

/* Whether everything got there. */
static int close_outputs(struct outputs *outputs, const char *output, const char *verdicts)
{
	int err = 0;

	if (outputs->dumper) {
		if (pcap_dump_flush(outputs->dumper))
			err = ecbpf_fail(-EIO, "%s: %s", output, strerror(errno));
		pcap_dump_close(outputs->dumper);
	}
	if (outputs->pcap)
		pcap_close(outputs->pcap);
	if (outputs->csv && fclose(outputs->csv))
		err = ecbpf_fail(-EIO, "%s: %s", verdicts, strerror(errno));
	return err;
}

int convert(const char *input, const char *output, const char *verdicts)
{
	bool standard = !strcmp(input, "-");
	FILE *file = standard ? stdin : fopen(input, "re");
	struct pcapng_reader *reader = NULL;
	struct outputs outputs = { 0 };
	int err, closed;

	if (!file)
		return ecbpf_fail(-ENODEV, "%s: %s", input, strerror(errno));
	err = pcapng_reader_open(file, standard ? "stdin" : input, &reader) ?:
		      open_outputs(output, verdicts, &outputs);
	if (!err)
		err = convert_packets(reader, &outputs);
	closed = close_outputs(&outputs, output, verdicts);
	pcapng_reader_close(reader);
	if (!standard)
		fclose(file);
	return err ?: closed;
}
