// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* pcapng files: libpcap reads them, rotation loses nothing, what doesn't fit is counted. */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap/pcap.h>
#include <signal.h>

#include <cmocka.h>

#include <ecbpf/ecbpf.h>

#include "pcapng.h"
#include "sink_pcapng.h"

/* XDP_DROP; its header and pcap.h exclude each other. */
#define DROP 1

static const struct sampler_interface interfaces[] = {
	{ .name = "eth0", .index = 0, .ifindex = 7 },
	{ .name = "eth1", .index = 1, .ifindex = 8 },
};

static const struct sample_losses losses[2];
static char folder[64];
static char path[96];
static unsigned int complaints;

static void note(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)message;
	(void)context;
	complaints += level == ECBPF_LOG_ERROR;
}

static struct sample_sink *open_sink(struct pcapng_files files)
{
	struct sample_sink *sink = NULL;

	files.path = path;
	complaints = 0;
	assert_int_equal(sink_pcapng_open(&files, interfaces, 2, &sink), 0);
	return sink;
}

/* The time of sample N is N. */
static void take(struct sample_sink *sink, unsigned int number)
{
	uint8_t data[200];
	const struct sample sample = { .interface = &interfaces[number % 2],
				       .time = number,
				       .length = 1500,
				       .captured = number % sizeof(data),
				       .rate = 1,
				       .slot = 2,
				       .action = DROP,
				       .reason = ECBPF_REASON_FILTER_SOURCE,
				       .data = data };

	memset(data, number, sizeof(data));
	sink->calls->take(sink, &sample);
}

/* Read on from sample @next; returns what is to follow. */
static unsigned int read_file(const char *name, unsigned int next)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *data;
	pcap_t *pcap =
		pcap_open_offline_with_tstamp_precision(name, PCAP_TSTAMP_PRECISION_NANO, error);
	int got;

	assert_non_null(pcap);
	while ((got = pcap_next_ex(pcap, &header, &data)) == 1) {
		assert_int_equal(header->ts.tv_usec, next);
		assert_int_equal(header->len, 1500);
		assert_int_equal(header->caplen, next % 200);
		if (header->caplen)
			assert_int_equal(data[header->caplen - 1], next & 0xff);
		next++;
	}
	assert_int_equal(got, PCAP_ERROR_BREAK);
	pcap_close(pcap);
	return next;
}

static void finish(struct sample_sink *sink, uint64_t taken, uint64_t lost)
{
	sink->calls->finish(sink, losses);
	assert_int_equal(sink->delivered[0] + sink->delivered[1] + sink->lost[0] + sink->lost[1],
			 taken);
	if (lost != UINT64_MAX)
		assert_int_equal(sink->lost[0] + sink->lost[1], lost);
}

static void one_file(void **state)
{
	struct sample_sink *sink = open_sink((struct pcapng_files){ 0 });
	unsigned int i;

	(void)state;
	for (i = 0; i < 5000; i++)
		take(sink, i);
	finish(sink, 5000, 0);
	sink->calls->close(sink);
	assert_int_equal(read_file(path, 0), 5000);
}

static void rotation_loses_nothing(void **state)
{
	struct sample_sink *sink = open_sink((struct pcapng_files){ .rotate_octets = 20000 });
	char pattern[128];
	unsigned int i, next = 0;
	glob_t found;

	(void)state;
	for (i = 0; i < 5000; i++) {
		take(sink, i);
		if (i % 50 == 0)
			sink->calls->tick(sink, i, losses);
	}
	finish(sink, 5000, 0);
	sink->calls->close(sink);
	snprintf(pattern, sizeof(pattern), "%s/out-*.pcapng", folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 10);
	for (i = 0; i < found.gl_pathc; i++)
		next = read_file(found.gl_pathv[i], next);
	assert_int_equal(next, 5000);
	globfree(&found);
}

static void newest_files_are_kept(void **state)
{
	struct sample_sink *sink = open_sink((struct pcapng_files){ .rotate_ns = 1, .files = 3 });
	char pattern[128];
	unsigned int i;
	glob_t found;

	(void)state;
	for (i = 0; i < 100; i++) {
		take(sink, i);
		sink->calls->tick(sink, UINT64_MAX - 1000 + 2 * i, losses);
	}
	finish(sink, 100, 0);
	sink->calls->close(sink);
	snprintf(pattern, sizeof(pattern), "%s/out-*.pcapng", folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 3);
	assert_non_null(strstr(found.gl_pathv[2], "out-00101.pcapng"));
	globfree(&found);
}

/* A header that is larger than files shall be: still no file without a sample. */
static void tiny_files(void **state)
{
	struct sample_sink *sink = open_sink((struct pcapng_files){ .rotate_octets = 1 });
	char name[128];
	unsigned int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		sink->calls->tick(sink, i, losses);
		take(sink, i);
		sink->calls->tick(sink, i, losses);
	}
	finish(sink, 20, 0);
	sink->calls->close(sink);
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%s/out-%05u.pcapng", folder, i + 1);
		assert_int_equal(read_file(name, i), i + 1);
	}
	/* The one that was open at the end. */
	snprintf(name, sizeof(name), "%s/out-00022.pcapng", folder);
	assert_int_equal(access(name, F_OK), -1);
}

/* As on a full disk: a file that mustn't grow. */
static void full_disk(void **state)
{
	const struct rlimit small = { 300000, RLIM_INFINITY };
	const struct rlimit large = { RLIM_INFINITY, RLIM_INFINITY };
	struct sample_sink *sink = open_sink((struct pcapng_files){ 0 });
	unsigned int i, written;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (i = 0; i < 50000; i++) {
		take(sink, i);
		if (i % 1000 == 0)
			sink->calls->tick(sink, i, losses);
	}
	finish(sink, 50000, UINT64_MAX);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &large), 0);
	assert_int_equal(complaints, 1);
	written = sink->delivered[0] + sink->delivered[1];
	assert_true(written > 0 && written < 5000);
	sink->calls->close(sink);
	assert_int_equal(read_file(path, 0), written);
}

/* And when there is room again, what waited is written. */
static void disk_has_room_again(void **state)
{
	const struct rlimit small = { 300000, RLIM_INFINITY };
	const struct rlimit large = { RLIM_INFINITY, RLIM_INFINITY };
	struct sample_sink *sink = open_sink((struct pcapng_files){ 0 });
	unsigned int i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (i = 0; i < 5000; i++)
		take(sink, i);
	sink->calls->tick(sink, 0, losses);
	assert_int_equal(complaints, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &large), 0);
	for (; i < 6000; i++)
		take(sink, i);
	finish(sink, 6000, 0);
	sink->calls->close(sink);
	assert_int_equal(read_file(path, 0), 6000);
}

/* Blocks of a file in host order that are of one type. */
static unsigned int count_blocks(const char *name, uint32_t type)
{
	FILE *file = fopen(name, "r");
	unsigned int count = 0;
	uint32_t head[2];

	assert_non_null(file);
	while (fread(head, sizeof(head), 1, file) == 1) {
		count += head[0] == type;
		assert_int_equal(fseek(file, head[1] - sizeof(head), SEEK_CUR), 0);
	}
	fclose(file);
	return count;
}

/* As without inodes: said once; the old file goes on until there is another. */
static void no_other_file(void **state)
{
	struct sample_sink *sink = open_sink((struct pcapng_files){ .rotate_octets = 20000 });
	char first[128], second[128];
	unsigned int i;

	(void)state;
	snprintf(first, sizeof(first), "%s/out-00001.pcapng", folder);
	snprintf(second, sizeof(second), "%s/out-00002.pcapng", folder);
	assert_int_equal(mkdir(second, 0700), 0);
	for (i = 0; i < 5000; i++) {
		take(sink, i);
		if (i % 50 == 0)
			sink->calls->tick(sink, i, losses);
	}
	assert_int_equal(complaints, 1);
	assert_int_equal(rmdir(second), 0);
	while (access(second, F_OK)) {
		usleep(10000);
		sink->calls->tick(sink, i, losses);
	}
	for (; i < 5010; i++)
		take(sink, i);
	finish(sink, 5010, 0);
	sink->calls->close(sink);
	assert_int_equal(complaints, 1);
	assert_int_equal(read_file(first, 0), 5000);
	assert_int_equal(read_file(second, 5000), 5010);
	assert_int_equal(count_blocks(first, PCAPNG_STATISTICS), 2);
}

/* With its folder: what nobody can find isn't delivered. */
static void removed_file(void **state)
{
	struct sample_sink *sink =
		open_sink((struct pcapng_files){ .rotate_octets = *state ? 20000 : 0 });
	char name[128];
	unsigned int i;

	snprintf(name, sizeof(name), *state ? "%s/out-00001.pcapng" : "%s/out.pcapng", folder);
	for (i = 0; i < 10; i++)
		take(sink, i);
	sink->calls->tick(sink, i, losses);
	assert_int_equal(unlink(name) | rmdir(folder), 0);
	for (; i < 30; i++) {
		take(sink, i);
		sink->calls->tick(sink, i, losses);
	}
	assert_int_equal(complaints, 1);
	assert_int_equal(sink->delivered[0] + sink->delivered[1], 10);
	assert_int_equal(sink->lost[0] + sink->lost[1], 20);
	assert_int_equal(mkdir(folder, 0700), 0);
	snprintf(name, sizeof(name), *state ? "%s/out-00002.pcapng" : "%s/out.pcapng", folder);
	while (access(name, F_OK)) {
		usleep(10000);
		sink->calls->tick(sink, i, losses);
	}
	for (; i < 40; i++)
		take(sink, i);
	finish(sink, 40, 20);
	sink->calls->close(sink);
	assert_int_equal(complaints, 1);
	assert_int_equal(read_file(name, 30), 40);
}

/* Another program's file of that name is left alone. */
static void replaced_file(void **state)
{
	struct sample_sink *sink = open_sink((struct pcapng_files){ 0 });
	struct stat status;
	FILE *other;

	(void)state;
	take(sink, 0);
	sink->calls->tick(sink, 0, losses);
	assert_int_equal(unlink(path), 0);
	other = fopen(path, "w");
	assert_non_null(other);
	fputs("other", other);
	fclose(other);
	take(sink, 1);
	sink->calls->tick(sink, 1, losses);
	finish(sink, 2, 1);
	sink->calls->close(sink);
	assert_int_equal(complaints, 1);
	assert_int_equal(stat(path, &status) | (status.st_size - 5), 0);
}

/* A pipe that stands still: said once, counted, and written as far as it takes. */
static void slow_pipe(void **state)
{
	int out = dup(STDOUT_FILENO), ends[2];
	struct pcapng_files live = { 0 };
	struct sample_sink *sink = NULL;
	unsigned int i;

	(void)state;
	complaints = 0;
	fflush(stdout);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
	assert_int_equal(sink_pcapng_open(&live, interfaces, 2, &sink), 0);
	for (i = 0; i < 50000; i++) {
		take(sink, i);
		if (i % 1000 == 0)
			sink->calls->tick(sink, i, losses);
	}
	close(ends[0]);
	finish(sink, 50000, UINT64_MAX);
	sink->calls->close(sink);
	assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
	close(out);
	close(ends[1]);
	assert_int_equal(complaints, 1);
}

static void unwritable_path(void **state)
{
	const struct pcapng_files files = { .path = "/nowhere/at/all.pcapng" };
	struct sample_sink *sink = NULL;

	(void)state;
	complaints = 0;
	assert_int_equal(sink_pcapng_open(&files, interfaces, 2, &sink), -EROFS);
	assert_null(sink);
	assert_int_equal(complaints, 1);
}

static off_t size_of_file(void)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_size;
}

/* It is there until there is something to write, as another output may be refused meanwhile. */
static void file_of_before(void **state)
{
	struct sample_sink *sink;
	FILE *file = fopen(path, "w");
	uint8_t old[2000] = { 0 };

	(void)state;
	assert_non_null(file);
	assert_int_equal(fwrite(old, 1, sizeof(old), file), sizeof(old));
	assert_int_equal(fclose(file), 0);
	sink = open_sink((struct pcapng_files){ 0 });
	sink->calls->close(sink);
	assert_int_equal(size_of_file(), sizeof(old));
	sink = open_sink((struct pcapng_files){ 0 });
	sink->calls->tick(sink, 1, losses);
	assert_in_range(size_of_file(), 1, sizeof(old) - 1);
	take(sink, 0);
	finish(sink, 1, 0);
	sink->calls->close(sink);
	assert_int_equal(read_file(path, 0), 1);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/ecbpf-sampler-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/out.pcapng", folder);
	return 0;
}

static int tear_down(void **state)
{
	char pattern[128];
	glob_t found;
	size_t i;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/*", folder);
	if (!glob(pattern, 0, NULL, &found)) {
		for (i = 0; i < found.gl_pathc; i++)
			unlink(found.gl_pathv[i]);
		globfree(&found);
	}
	return rmdir(folder);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(one_file),
		FILE_TEST(file_of_before),
		FILE_TEST(rotation_loses_nothing),
		FILE_TEST(newest_files_are_kept),
		FILE_TEST(tiny_files),
		FILE_TEST(full_disk),
		FILE_TEST(disk_has_room_again),
		FILE_TEST(no_other_file),
		FILE_TEST(removed_file),
		{ "removed_file_of_many", removed_file, set_up, tear_down, path },
		FILE_TEST(replaced_file),
		FILE_TEST(slow_pipe),
		FILE_TEST(unwritable_path),
	};

	ecbpf_log_set(note, NULL, ECBPF_LOG_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
