// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Samples as pcapng: into files that rotate, or live into a pipe.
 *
 * Whole blocks wait in a buffer until they are written. When nothing can be written (disk full,
 * reader slow) it fills up, and what finds no room is counted as lost; so no file ends inside a
 * block and every sample is counted once.
 */
#include "sink_pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ecbpf/tool.h>

#include "pcapng.h"

#define BUFFER_OCTETS (4U << 20)
/* Written as soon as so much waits, else at the next tick. */
#define WRITE_OCTETS (256U << 10)
#define PATH_OCTETS  4096
/* At the end, who reads the pipe may pause that long. */
#define PATIENCE_MS 5000

/**
 * struct pcapng_sink - files or a pipe
 * @path: of the file that is open, "" for stdout
 * @number: of the file that is open, from 1 on; 0: it doesn't rotate
 * @opened: ns since the Unix epoch
 * @octets: written to the file and waiting for it
 * @file_delivered: samples written to the file that is open
 * @begin, @end: what waits in @buffer
 * @partial: octets at @begin whose block is partly written
 * @complained: an output error was told; the next one isn't
 * @losses: of all interfaces, by index; as of the last tick
 * @flags: of stdout, before it was made not to block
 */
struct pcapng_sink {
	struct sample_sink sink;
	struct pcapng_files files;
	const struct sampler_interface *interfaces;
	size_t count;
	char path[PATH_OCTETS];
	int fd;
	uint32_t number;
	uint64_t opened;
	uint64_t octets;
	uint64_t file_delivered[SAMPLER_INTERFACES_MAX];
	uint8_t *buffer;
	size_t begin;
	size_t end;
	size_t partial;
	bool complained;
	const struct sample_losses *losses;
	int flags;
};

static struct pcapng_sink *of(struct sample_sink *sink)
{
	return (struct pcapng_sink *)sink;
}

static void complain(struct pcapng_sink *self, int err)
{
	if (self->complained)
		return;
	self->complained = true;
	ecbpf_log(ECBPF_LOG_ERROR,
		  "%s: writing failed: %s; samples are counted as lost until it works",
		  self->files.path ? self->path : "stdout", strerror(err));
}

static uint32_t word_at(const uint8_t *data)
{
	uint32_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

/* Blocks between begin and what was written: their samples are delivered. */
static void count_written(struct pcapng_sink *self, size_t octets)
{
	uint32_t length, interface;

	self->partial += octets;
	while (self->begin < self->end) {
		length = word_at(self->buffer + self->begin + 4);
		if (self->partial < length)
			return;
		if (word_at(self->buffer + self->begin) == PCAPNG_PACKET) {
			interface = word_at(self->buffer + self->begin + 8);
			self->sink.delivered[interface]++;
			self->file_delivered[interface]++;
		}
		self->begin += length;
		self->partial -= length;
	}
	self->begin = 0;
	self->end = 0;
}

/* Write what waits; true if nothing is left. */
static bool flush(struct pcapng_sink *self)
{
	ssize_t written;

	while (self->begin < self->end && !self->sink.ended) {
		written = write(self->fd, self->buffer + self->begin + self->partial,
				self->end - self->begin - self->partial);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			if (errno == EPIPE)
				self->sink.ended = true;
			else if (errno != EAGAIN)
				complain(self, errno);
			return false;
		}
		self->complained = false;
		count_written(self, written);
	}
	return !self->sink.ended;
}

/* Room for @octets at the end of what waits, or NULL. */
static uint8_t *room(struct pcapng_sink *self, size_t octets)
{
	if (self->end + octets > BUFFER_OCTETS && self->begin) {
		memmove(self->buffer, self->buffer + self->begin, self->end - self->begin);
		self->end -= self->begin;
		self->begin = 0;
	}
	return self->end + octets <= BUFFER_OCTETS ? self->buffer + self->end : NULL;
}

static void added(struct pcapng_sink *self, size_t octets)
{
	self->end += octets;
	self->octets += octets;
}

static void begin_section(struct pcapng_sink *self)
{
	size_t i;

	added(self, pcapng_section(room(self, PCAPNG_BLOCK_MAX)));
	for (i = 0; i < self->count; i++)
		added(self, pcapng_interface(room(self, PCAPNG_BLOCK_MAX), &self->interfaces[i]));
}

/* "name-00001.pcapng" for file 1 of "name.pcapng". */
static void numbered(const struct pcapng_sink *self, uint32_t number, char *path)
{
	const char *name = strrchr(self->files.path, '/');
	const char *dot = strrchr(name ? name : self->files.path, '.');
	int stem = dot ? (int)(dot - self->files.path) : (int)strlen(self->files.path);

	snprintf(path, PATH_OCTETS, "%.*s-%05u%s", stem, self->files.path, number, dot ? dot : "");
}

static int open_file(struct pcapng_sink *self, uint64_t now)
{
	char old[PATH_OCTETS];
	int fd;

	if (self->number)
		numbered(self, self->number, self->path);
	else
		snprintf(self->path, sizeof(self->path), "%s", self->files.path);
	fd = open(self->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	self->fd = fd;
	self->opened = now;
	self->octets = 0;
	memset(self->file_delivered, 0, sizeof(self->file_delivered));
	begin_section(self);
	if (self->files.files && self->number > self->files.files) {
		numbered(self, self->number - self->files.files, old);
		unlink(old);
	}
	return 0;
}

static void end_section(struct pcapng_sink *self, const struct sample_losses *losses, uint64_t now)
{
	size_t i;

	for (i = 0; i < self->count; i++) {
		uint8_t *to = room(self, PCAPNG_BLOCK_MAX);

		if (to)
			added(self, pcapng_statistics(to, i, now, &losses[i],
						      self->file_delivered[i], self->sink.lost[i]));
	}
}

static bool is_large(const struct pcapng_sink *self)
{
	return self->files.rotate_octets && self->octets >= self->files.rotate_octets;
}

static bool is_old(const struct pcapng_sink *self, uint64_t now)
{
	return self->files.rotate_ns && now - self->opened >= self->files.rotate_ns;
}

/* Everything that waits goes into the old file first; until it can, that one stays open. */
static void rotate(struct pcapng_sink *self, uint64_t now)
{
	int old = self->fd, err;

	if (!flush(self))
		return;
	end_section(self, self->losses, now);
	if (!flush(self))
		return;
	self->number++;
	err = open_file(self, now);
	if (err) {
		self->number--;
		complain(self, -err);
		return;
	}
	close(old);
}

static void take(struct sample_sink *sink, const struct sample *sample)
{
	struct pcapng_sink *self = of(sink);
	uint8_t *to = room(self, pcapng_packet_max(sample));

	if (!to) {
		flush(self);
		to = room(self, pcapng_packet_max(sample));
	}
	if (!to) {
		sink->lost[sample->interface->index]++;
		return;
	}
	added(self, pcapng_packet(to, sample));
	/* While writing fails, ticks are often enough to try again. */
	if (is_large(self) && self->losses && !self->complained)
		rotate(self, sample->time);
	else if (self->end - self->begin >= WRITE_OCTETS)
		flush(self);
}

/* Of a pipe, as long as nothing is written to it. */
static bool nobody_reads(int fd)
{
	struct pollfd wait = { .fd = fd };

	return poll(&wait, 1, 0) > 0 && wait.revents & POLLERR;
}

static void tick(struct sample_sink *sink, uint64_t now, const struct sample_losses *losses)
{
	struct pcapng_sink *self = of(sink);

	self->losses = losses;
	if (!self->files.path && nobody_reads(self->fd))
		sink->ended = true;
	if (self->files.path && (is_large(self) || is_old(self, now)))
		rotate(self, now);
	flush(self);
}

/* As flush(), and waits for a pipe whose reader goes on reading. */
static void flush_patiently(struct pcapng_sink *self)
{
	struct pollfd wait = { .fd = self->fd, .events = POLLOUT };

	while (!flush(self) && !self->sink.ended && errno == EAGAIN)
		if (poll(&wait, 1, PATIENCE_MS) <= 0)
			break;
}

/* Samples that still wait and never will be written. */
static void count_lost(struct pcapng_sink *self)
{
	size_t at;

	for (at = self->begin; at < self->end; at += word_at(self->buffer + at + 4))
		if (word_at(self->buffer + at) == PCAPNG_PACKET)
			self->sink.lost[word_at(self->buffer + at + 8)]++;
	self->end = self->begin;
	/* A regular file is left with whole blocks. */
	if (self->partial && self->files.path) {
		off_t size = lseek(self->fd, 0, SEEK_CUR);

		if (size < 0 || ftruncate(self->fd, size - self->partial))
			complain(self, errno);
	}
}

static void finish(struct sample_sink *sink, const struct sample_losses *losses)
{
	struct pcapng_sink *self = of(sink);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	flush_patiently(self);
	if (!self->sink.ended)
		end_section(self, losses, now.tv_sec * 1000000000ULL + now.tv_nsec);
	flush_patiently(self);
	count_lost(self);
}

static void close_sink(struct sample_sink *sink)
{
	struct pcapng_sink *self = of(sink);

	if (self->files.path && close(self->fd))
		complain(self, errno);
	/* The pipe may be others' too. */
	if (!self->files.path)
		fcntl(self->fd, F_SETFL, self->flags);
	free(self->buffer);
	free(self);
}

static const struct sample_sink_calls calls = { take, tick, finish, close_sink };

static int open_stdout(struct pcapng_sink *self)
{
	if (isatty(STDOUT_FILENO))
		return ecbpf_fail(-EINVAL,
				  "--live: writes pcapng, which a terminal can't show; pipe it "
				  "into 'tshark -r -'");
	self->fd = STDOUT_FILENO;
	signal(SIGPIPE, SIG_IGN);
	self->flags = fcntl(self->fd, F_GETFL);
	if (self->flags < 0 || fcntl(self->fd, F_SETFL, self->flags | O_NONBLOCK))
		return ecbpf_fail(-errno, "stdout: %s", strerror(errno));
	begin_section(self);
	return 0;
}

int sink_pcapng_open(const struct pcapng_files *files, const struct sampler_interface *interfaces,
		     size_t count, struct sample_sink **out)
{
	struct pcapng_sink *self = calloc(1, sizeof(*self));
	struct timespec now;
	int err;

	if (!self)
		return -ENOMEM;
	self->sink.calls = &calls;
	self->sink.output = files->path ? SAMPLER_OUTPUT_FILE : SAMPLER_OUTPUT_LIVE;
	self->files = *files;
	self->interfaces = interfaces;
	self->count = count;
	self->number = files->rotate_octets || files->rotate_ns;
	self->buffer = malloc(BUFFER_OCTETS);
	clock_gettime(CLOCK_REALTIME, &now);
	if (!self->buffer)
		err = -ENOMEM;
	else if (files->path)
		err = open_file(self, now.tv_sec * 1000000000ULL + now.tv_nsec);
	else
		err = open_stdout(self);
	if (err) {
		if (files->path)
			ecbpf_fail(err, "%s: %s", self->path, strerror(-err));
		free(self->buffer);
		free(self);
		return err;
	}
	*out = &self->sink;
	return 0;
}
