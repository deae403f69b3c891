/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lines to standard output that nobody waits for: what its reader doesn't take is held, up to a
 * bound, and what doesn't fit there either is counted as lost.
 */
#ifndef TCP_MONITOR_OUTPUT_LINES_H
#define TCP_MONITOR_OUTPUT_LINES_H

#include <stdint.h>
#include <stdio.h>

#include "record.h"

/**
 * struct output_lines - begins the struct of an output that prints lines
 * @line: what is printed into, between output_lines_begin() and output_lines_end()
 */
struct output_lines {
	struct record_output output;
	FILE *line;
	char *text;
	size_t length;
	int fd;
	bool is_socket;
	char *queue;
	size_t first;
	size_t end;
	/* Octets of the first line that were written. */
	size_t written;
	unsigned int untried;
	/* When its reader is waited for no longer: CLOCK_MONOTONIC, ns; 0: isn't waited for yet. */
	uint64_t farewell;
};

int output_lines_open(struct output_lines *self);

/* @self->line is empty. */
void output_lines_begin(struct output_lines *self);

/* Queue what was printed; @is_record: it counts as delivered or lost. */
void output_lines_end(struct output_lines *self, bool is_record);

/* Write as much as is taken at once. */
void output_lines_write(struct output_lines *self);

/* For up to five seconds, and one in which nothing is taken; the rest is lost. */
void output_lines_close(struct output_lines *self);

#endif
