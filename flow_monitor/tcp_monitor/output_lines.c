// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "output_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <ecbpf/tool.h>

#define QUEUE_OCTETS (4 << 20)
/* Lines that are queued before they are tried, between ticks. */
#define UNTRIED_MOST  64
#define LINES_AT_ONCE 64
/* At the end: for the next octet, and for all. */
#define PATIENCE_MS 1000
#define FAREWELL_NS 5000000000ULL
#define NS_PER_MS   1000000ULL

/* Before each line in the queue. */
struct line_head {
	uint32_t length;
	uint32_t is_record;
};

/*
 * Of its own, so that O_NONBLOCK is set for nobody else who has the same pipe or terminal. Of
 * somebody else's terminal there may be none; then each write waits for poll()'s word.
 */
static int own_descriptor(const struct stat *info)
{
	int fd = -1;

	if (S_ISFIFO(info->st_mode) || S_ISCHR(info->st_mode))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? STDOUT_FILENO : fd;
}

int output_lines_open(struct output_lines *self)
{
	struct stat info;

	if (fstat(STDOUT_FILENO, &info))
		return ecbpf_fail(-errno, "standard output: %m");
	self->queue = malloc(QUEUE_OCTETS);
	self->line = self->queue ? open_memstream(&self->text, &self->length) : NULL;
	if (!self->line) {
		free(self->queue);
		return ecbpf_fail(-ENOMEM, "out of memory");
	}
	self->is_socket = S_ISSOCK(info.st_mode);
	self->fd = own_descriptor(&info);
	return 0;
}

void output_lines_begin(struct output_lines *self)
{
	rewind(self->line);
}

static struct line_head head_at(const struct output_lines *self, size_t at)
{
	struct line_head head;

	memcpy(&head, self->queue + at, sizeof(head));
	return head;
}

static void settle(struct output_lines *self, bool taken)
{
	const struct line_head head = head_at(self, self->first);

	self->first += sizeof(head) + head.length;
	self->written = 0;
	if (!head.is_record)
		return;
	--*self->output.held;
	++*(taken ? self->output.delivered : self->output.lost);
}

/* Lines until the end or the most that are written at once. */
static int gather(const struct output_lines *self, struct iovec parts[LINES_AT_ONCE])
{
	size_t at = self->first, skip = self->written;
	struct line_head head;
	int count = 0;

	while (at < self->end && count < LINES_AT_ONCE) {
		head = head_at(self, at);
		at += sizeof(head);
		parts[count++] = (struct iovec){ self->queue + at + skip, head.length - skip };
		at += head.length;
		skip = 0;
	}
	return count;
}

static ssize_t write_parts(const struct output_lines *self, struct iovec *parts, int count)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
	struct pollfd writable = { .fd = self->fd, .events = POLLOUT };

	if (self->is_socket)
		return sendmsg(self->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (self->fd != STDOUT_FILENO)
		return writev(self->fd, parts, count);
	if (!poll(&writable, 1, 0)) {
		errno = EAGAIN;
		return -1;
	}
	/* A pipe that has room at all has room for that much. */
	if (parts->iov_len > PIPE_BUF)
		parts->iov_len = PIPE_BUF;
	return write(self->fd, parts->iov_base, parts->iov_len);
}

static void lose_all(struct output_lines *self)
{
	while (self->first < self->end)
		settle(self, false);
}

static void note_written(struct output_lines *self, size_t octets)
{
	size_t rest;

	while (octets) {
		rest = head_at(self, self->first).length - self->written;
		if (octets < rest) {
			self->written += octets;
			return;
		}
		octets -= rest;
		settle(self, true);
	}
}

void output_lines_write(struct output_lines *self)
{
	struct iovec parts[LINES_AT_ONCE];
	ssize_t done;

	self->untried = 0;
	while (self->first < self->end && !self->output.gone) {
		done = write_parts(self, parts, gather(self, parts));
		if (done >= 0) {
			note_written(self, done);
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			ecbpf_log(ECBPF_LOG_ERROR, "writing to standard output failed: %m");
			self->output.gone = true;
		}
	}
	if (self->output.gone)
		lose_all(self);
	if (self->first == self->end)
		self->first = self->end = 0;
}

/* True once something was taken; false after a second without, or when all took too long. */
static bool wait_until_taken(struct output_lines *self)
{
	struct pollfd writable = { .fd = self->fd, .events = POLLOUT };
	uint64_t now = ecbpf_clock(CLOCK_MONOTONIC), left;
	size_t before = self->first + self->written;

	if (!self->farewell)
		self->farewell = now + FAREWELL_NS;
	if (now >= self->farewell)
		return false;
	left = (self->farewell - now) / NS_PER_MS + 1;
	if (poll(&writable, 1, left < PATIENCE_MS ? left : PATIENCE_MS) > 0)
		output_lines_write(self);
	return self->first + self->written != before || self->output.gone;
}

/* Only over what is no shorter than what is moved, so that moving stays cheap. */
static bool make_room(struct output_lines *self, size_t octets)
{
	if (self->end + octets <= QUEUE_OCTETS)
		return true;
	if (self->first < QUEUE_OCTETS / 2)
		return false;
	memmove(self->queue, self->queue + self->first, self->end - self->first);
	self->end -= self->first;
	self->first = 0;
	return self->end + octets <= QUEUE_OCTETS;
}

static bool has_room(struct output_lines *self, size_t octets)
{
	if (make_room(self, octets))
		return true;
	output_lines_write(self);
	while (self->output.last && !make_room(self, octets))
		if (!wait_until_taken(self))
			/* Once is enough. */
			self->output.last = false;
	return make_room(self, octets);
}

void output_lines_end(struct output_lines *self, bool is_record)
{
	struct line_head head = { .is_record = is_record };

	fflush(self->line);
	head.length = self->length;
	if (ferror(self->line) || self->output.gone ||
	    !has_room(self, sizeof(head) + head.length)) {
		clearerr(self->line);
		*self->output.lost += is_record;
		return;
	}
	memcpy(self->queue + self->end, &head, sizeof(head));
	memcpy(self->queue + self->end + sizeof(head), self->text, head.length);
	self->end += sizeof(head) + head.length;
	*self->output.held += is_record;
	if (++self->untried == UNTRIED_MOST)
		output_lines_write(self);
}

void output_lines_close(struct output_lines *self)
{
	output_lines_write(self);
	while (self->first < self->end && self->output.last && wait_until_taken(self))
		;
	lose_all(self);
	if (self->fd != STDOUT_FILENO)
		close(self->fd);
	fclose(self->line);
	free(self->text);
	free(self->queue);
}
