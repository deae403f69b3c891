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
#include <sys/stat.h>
#include <unistd.h>

#include <ecbpf/tool.h>

#include "pcapng.h"

#define BUFFER_OCTETS (4U << 20)
/* Written as soon as so much waits, else at the next tick. */
#define WRITE_OCTETS (256U << 10)
#define PATH_OCTETS  4096
/* At the end, who reads the pipe may pause that long. */
#define PATIENCE_MS 5000
/* Pause between tries to begin another file. */
#define RETRY_NS UINT64_C(1000000000)

/**
 * struct pcapng_sink - files or a pipe
 * @path: of the file that is open, "" for stdout
 * @number: of the file that is open, from 1 on; 0: it doesn't rotate
 * @opened: ns since the Unix epoch
 * @octets: written to the file and waiting for it
 * @header: those before the first sample
 * @file_delivered: samples written to the file that is open
 * @begin, @end: what waits in @buffer
 * @partial: octets at @begin whose block is partly written
 * @holds_old: nothing was written yet to the first file, which may hold something of before
 * @linked: the file that is open had a name when it was opened
 * @removed: and lost it since
 * @complained: an output error was told; the next one isn't
 * @stuck: so was that there can be no other file
 * @retry: not before, ns of CLOCK_MONOTONIC
 * @losses: of all interfaces, by index; as of the last tick
 * @slow: that the pipe's reader lags behind was told
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
	uint64_t header;
	uint64_t file_delivered[SAMPLER_INTERFACES_MAX];
	uint8_t *buffer;
	size_t begin;
	size_t end;
	size_t partial;
	bool holds_old;
	bool linked;
	bool removed;
	bool complained;
	bool stuck;
	uint64_t retry;
	bool slow;
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

/* Who closes the only output has seen enough: nobody to blame. */
static void end_pipe(struct pcapng_sink *self)
{
	if (!self->sink.ended && (self->files.others || self->files.path))
		ecbpf_log(ECBPF_LOG_ERROR,
			  "%s: closed by its reader; samples for it are counted as lost",
			  self->files.path ? self->path : "stdout");
	self->sink.ended = true;
}

static void tell_slow(struct pcapng_sink *self)
{
	if (!self->slow && !self->complained && !self->sink.ended)
		ecbpf_log(ECBPF_LOG_ERROR,
			  "%s: its reader is too slow; samples that find no room are counted as "
			  "lost",
			  self->files.path ? self->path : "stdout");
	self->slow = true;
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

/* What still waits never will be written. */
static void give_up(struct pcapng_sink *self)
{
	size_t at;

	for (at = self->begin; at < self->end; at += word_at(self->buffer + at + 4))
		if (word_at(self->buffer + at) == PCAPNG_PACKET)
			self->sink.lost[word_at(self->buffer + at + 8)]++;
	/* A regular file is left with whole blocks. */
	if (self->partial && self->files.path) {
		off_t size = lseek(self->fd, 0, SEEK_CUR);

		if (size < 0 || ftruncate(self->fd, size - self->partial))
			complain(self, errno);
	}
	self->begin = 0;
	self->end = 0;
	self->partial = 0;
}

/* Only now, as there was no way to know before that nothing else would be refused. */
static bool empty_first(struct pcapng_sink *self)
{
	struct stat status;

	if (!self->holds_old)
		return true;
	if (!fstat(self->fd, &status) && S_ISREG(status.st_mode) && ftruncate(self->fd, 0)) {
		complain(self, errno);
		return false;
	}
	self->holds_old = false;
	return true;
}

/* Write what waits; true if nothing is left. */
static bool flush(struct pcapng_sink *self)
{
	ssize_t written;

	if (self->removed)
		give_up(self);
	else if (!empty_first(self))
		return false;
	while (self->begin < self->end && !self->sink.ended) {
		written = write(self->fd, self->buffer + self->begin + self->partial,
				self->end - self->begin - self->partial);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			if (errno == EPIPE)
				end_pipe(self);
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

/* @flag: O_TRUNC, O_EXCL or 0, for a file that is there already. */
static int create_file(const struct pcapng_sink *self, uint32_t number, int flag, char *path)
{
	int fd;

	if (number)
		numbered(self, number, path);
	else
		snprintf(path, PATH_OCTETS, "%s", self->files.path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flag, 0640);
	return fd < 0 ? -errno : fd;
}

static void begin_file(struct pcapng_sink *self, int fd, uint32_t number, uint64_t now)
{
	char old[PATH_OCTETS];
	struct stat status;

	self->fd = fd;
	self->number = number;
	self->opened = now;
	self->octets = 0;
	self->linked = !fstat(fd, &status) && S_ISREG(status.st_mode) && status.st_nlink;
	self->removed = false;
	self->stuck = false;
	memset(self->file_delivered, 0, sizeof(self->file_delivered));
	begin_section(self);
	self->header = self->octets;
	if (self->files.files && number > self->files.files) {
		numbered(self, number - self->files.files, old);
		unlink(old);
	}
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

/* One without a sample never is: the next one would be no smaller. */
static bool is_large(const struct pcapng_sink *self)
{
	return self->files.rotate_octets && self->octets >= self->files.rotate_octets &&
	       self->octets > self->header;
}

static bool is_old(const struct pcapng_sink *self, uint64_t now)
{
	return self->files.rotate_ns && now - self->opened >= self->files.rotate_ns;
}

static bool may_rotate(const struct pcapng_sink *self)
{
	return self->losses && !self->complained &&
	       (!self->retry || ecbpf_clock(CLOCK_MONOTONIC) >= self->retry);
}

static void tell_stuck(struct pcapng_sink *self, const char *path, int err)
{
	if (self->stuck)
		return;
	self->stuck = true;
	if (self->removed)
		ecbpf_log(ECBPF_LOG_ERROR,
			  "%s: was removed, and %s can't be opened: %s; samples are counted as "
			  "lost until it can",
			  self->path, path, strerror(err));
	else
		ecbpf_log(ECBPF_LOG_ERROR, "%s: %s; samples go on into %s until it can be opened",
			  path, strerror(err), self->path);
}

/*
 * Everything that waits goes into the old file first; until it can, and the next one can be
 * opened, that one stays.
 */
static void rotate(struct pcapng_sink *self, uint64_t now)
{
	const uint32_t number = self->number ? self->number + 1 : 0;
	/* Where a file without a number was removed, one of others' may be by now. */
	const int flag = number || !self->removed ? O_TRUNC : O_EXCL;
	char path[PATH_OCTETS];
	int fd;

	if (!flush(self))
		return;
	fd = create_file(self, number, flag, path);
	self->retry = fd < 0 ? ecbpf_clock(CLOCK_MONOTONIC) + RETRY_NS : 0;
	if (fd < 0) {
		tell_stuck(self, path, -fd);
		return;
	}
	end_section(self, self->losses, now);
	if (!flush(self)) {
		self->retry = ecbpf_clock(CLOCK_MONOTONIC) + RETRY_NS;
		unlink(path);
		close(fd);
		return;
	}
	if (self->removed && !self->stuck)
		ecbpf_log(ECBPF_LOG_WARNING, "%s: was removed; samples go on into %s", self->path,
			  path);
	close(self->fd);
	strcpy(self->path, path);
	begin_file(self, fd, number, now);
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
		tell_slow(self);
		sink->lost[sample->interface->index]++;
		return;
	}
	added(self, pcapng_packet(to, sample));
	/* While writing fails, ticks are often enough to try again. */
	if (is_large(self) && may_rotate(self))
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

/* What is written to a file without a name gets to nobody. */
static void check_removed(struct pcapng_sink *self)
{
	struct stat status;

	if (!self->linked || self->removed || fstat(self->fd, &status) || status.st_nlink)
		return;
	self->removed = true;
	self->stuck = false;
	self->complained = false;
	self->retry = 0;
}

static void tick(struct sample_sink *sink, uint64_t now, const struct sample_losses *losses)
{
	struct pcapng_sink *self = of(sink);

	self->losses = losses;
	if (!self->files.path && nobody_reads(self->fd))
		end_pipe(self);
	check_removed(self);
	if (self->files.path && (self->removed || is_large(self) || is_old(self, now)) &&
	    may_rotate(self))
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

static void finish(struct sample_sink *sink, const struct sample_losses *losses)
{
	struct pcapng_sink *self = of(sink);
	uint64_t now = ecbpf_clock(CLOCK_REALTIME);

	flush_patiently(self);
	if (!self->sink.ended)
		end_section(self, losses, now);
	flush_patiently(self);
	if (self->begin < self->end)
		tell_slow(self);
	give_up(self);
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

static int open_first(struct pcapng_sink *self)
{
	const uint32_t number = self->files.rotate_octets || self->files.rotate_ns;
	int fd = create_file(self, number, 0, self->path);

	if (fd < 0)
		return ecbpf_fail(-EROFS, "%s: %s; give --write a file that can be created",
				  self->path, strerror(-fd));
	self->holds_old = true;
	begin_file(self, fd, number, ecbpf_clock(CLOCK_REALTIME));
	return 0;
}

static int open_stdout(struct pcapng_sink *self)
{
	if (isatty(STDOUT_FILENO))
		return ecbpf_fail(-EINVAL,
				  "--live: writes pcapng, which a terminal can't show; pipe it "
				  "into 'tshark -r -'");
	self->fd = STDOUT_FILENO;
	signal(SIGPIPE, SIG_IGN);
	self->flags = fcntl(self->fd, F_GETFL);
	if (self->flags >= 0 && (self->flags & O_ACCMODE) == O_RDONLY)
		return ecbpf_fail(-EIO, "stdout: closed, or not open for writing; pipe it into "
					"'tshark -r -'");
	if (self->flags < 0 || fcntl(self->fd, F_SETFL, self->flags | O_NONBLOCK))
		return ecbpf_fail(-errno, "stdout: %s", strerror(errno));
	begin_section(self);
	return 0;
}

int sink_pcapng_open(const struct pcapng_files *files, const struct sampler_interface *interfaces,
		     size_t count, struct sample_sink **out)
{
	struct pcapng_sink *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;
	self->sink.calls = &calls;
	self->sink.output = files->path ? SAMPLER_OUTPUT_FILE : SAMPLER_OUTPUT_LIVE;
	self->files = *files;
	self->interfaces = interfaces;
	self->count = count;
	self->buffer = malloc(BUFFER_OCTETS);
	if (!self->buffer)
		err = -ENOMEM;
	else
		err = files->path ? open_first(self) : open_stdout(self);
	if (err) {
		free(self->buffer);
		free(self);
		return err;
	}
	*out = &self->sink;
	return 0;
}
