// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From pcapng to classic pcap. */
#include "convert.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include <ecbpf/tool.h>

#include "pcapng_read.h"

#define NS_PER_S      1000000000
#define SNAPLEN_MAX   262144
#define LINK_ETHERNET 1

struct outputs {
	const char *pcap_path;
	const char *csv_path;
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

static int check_written(FILE *file, const char *path)
{
	return ferror(file) ? ecbpf_fail(-EIO, "%s: %s", path, strerror(errno)) : 0;
}

/* Classic files hold one link type: Ethernet, as xdp_sampler writes. */
static int write_packet(struct outputs *outputs, const struct pcapng_packet *packet)
{
	const struct pcap_pkthdr header = {
		.ts = { .tv_sec = packet->time / NS_PER_S, .tv_usec = packet->time % NS_PER_S },
		.caplen = packet->captured,
		.len = packet->length,
	};
	int err;

	if (packet->link_type != LINK_ETHERNET || packet->captured > SNAPLEN_MAX) {
		outputs->skipped++;
		return 0;
	}
	outputs->packets++;
	pcap_dump((u_char *)outputs->dumper, &header, packet->data);
	err = check_written(pcap_dump_file(outputs->dumper), outputs->pcap_path);
	if (err || !outputs->csv)
		return err;
	print_verdict(outputs, packet);
	return check_written(outputs->csv, outputs->csv_path);
}

static int convert_packets(struct pcapng_reader *reader, struct outputs *outputs)
{
	struct pcapng_packet packet;
	int result, err = 0;

	while ((result = pcapng_reader_next(reader, &packet)) > 0 && !err)
		err = write_packet(outputs, &packet);
	if (outputs->skipped)
		ecbpf_log(ECBPF_LOG_WARNING,
			  "%" PRIu64 " packets left out: not Ethernet, or longer than %d octets",
			  outputs->skipped, SNAPLEN_MAX);
	return err ?: result;
}

static bool is_same_file(int one, int other)
{
	struct stat first, second;

	return !fstat(one, &first) && !fstat(other, &second) && S_ISREG(first.st_mode) &&
	       first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/*
 * Not emptied yet, as it may be what is read: whatever name it has. "-" by a descriptor of its
 * own: libpcap closes what it is given.
 */
static int open_output(const char *path, FILE *input, FILE **out)
{
	const bool standard = !strcmp(path, "-");
	int fd = standard ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) :
			    open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return ecbpf_fail(standard ? -EIO : -EROFS, "%s: %s", path, strerror(errno));
	if (is_same_file(fd, fileno(input))) {
		close(fd);
		return ecbpf_fail(-EINVAL, "%s: is the file to read; write to another one", path);
	}
	*out = fdopen(fd, "w");
	if (*out)
		return 0;
	ecbpf_fail(-EIO, "%s: %s", path,
		   errno == EINVAL ? "closed, or not open for writing" : strerror(errno));
	close(fd);
	return -EIO;
}

static int empty(FILE *file, const char *path)
{
	struct stat status;

	if (fstat(fileno(file), &status) || !S_ISREG(status.st_mode) || !strcmp(path, "-"))
		return 0;
	return ftruncate(fileno(file), 0) ? ecbpf_fail(-EIO, "%s: %s", path, strerror(errno)) : 0;
}

static int begin_pcap(struct outputs *outputs, FILE *file)
{
	outputs->pcap = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAPLEN_MAX,
							     PCAP_TSTAMP_PRECISION_NANO);
	outputs->dumper = outputs->pcap ? pcap_dump_fopen(outputs->pcap, file) : NULL;
	if (outputs->dumper)
		return 0;
	fclose(file);
	return ecbpf_fail(-ENOMEM, "%s: libpcap can't write to it", outputs->pcap_path);
}

/* All are open before any is emptied. */
static int open_outputs(struct outputs *outputs, FILE *input)
{
	FILE *file;
	int err;

	err = open_output(outputs->pcap_path, input, &file);
	if (err)
		return err;
	if (outputs->csv_path)
		err = open_output(outputs->csv_path, input, &outputs->csv);
	if (!err && outputs->csv && is_same_file(fileno(outputs->csv), fileno(file)))
		err = ecbpf_fail(-EINVAL, "--verdicts %s: is the file to write; give another one",
				 outputs->csv_path);
	err = err ?: empty(file, outputs->pcap_path);
	if (!err && outputs->csv)
		err = empty(outputs->csv, outputs->csv_path);
	if (err) {
		fclose(file);
		return err;
	}
	if (outputs->csv)
		fputs("packet,time,interface,queue,length,captured,action,comment\n", outputs->csv);
	return begin_pcap(outputs, file);
}

/* What stdio still holds; a write that failed before was told. */
static int flush(FILE *file, const char *path)
{
	if (ferror(file))
		return -EIO;
	return fflush(file) ? ecbpf_fail(-EIO, "%s: %s", path, strerror(errno)) : 0;
}

/* Whether everything got there. */
static int close_outputs(struct outputs *outputs)
{
	int err = 0;

	if (outputs->dumper) {
		err = flush(pcap_dump_file(outputs->dumper), outputs->pcap_path);
		pcap_dump_close(outputs->dumper);
	}
	if (outputs->pcap)
		pcap_close(outputs->pcap);
	if (outputs->csv) {
		err = err ?: flush(outputs->csv, outputs->csv_path);
		fclose(outputs->csv);
	}
	return err;
}

int convert(const char *input, const char *output, const char *verdicts)
{
	bool standard = !strcmp(input, "-");
	FILE *file = standard ? stdin : fopen(input, "re");
	struct pcapng_reader *reader = NULL;
	struct outputs outputs = { .pcap_path = output, .csv_path = verdicts };
	int err, closed;

	if (!file)
		return ecbpf_fail(-ENODEV, "%s: %s", input, strerror(errno));
	/* What is no capture at all spoils no output. */
	err = pcapng_reader_open(file, standard ? "stdin" : input, &reader) ?:
		      open_outputs(&outputs, file);
	if (!err)
		err = convert_packets(reader, &outputs);
	closed = close_outputs(&outputs);
	pcapng_reader_close(reader);
	if (!standard)
		fclose(file);
	return err ?: closed;
}
