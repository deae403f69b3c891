// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Records in columns, to standard output. A terminal that is narrower than WIDE gets the columns
 * that matter most, in numbers that are rounded, so that each record stays on its line.
 */
#include "output_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <ecbpf/tool.h>

#include "output_lines.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL

#define NARROW 80
#define WIDE   168
/* Of a line, all but the two endpoints. */
#define NARROW_REST 42
#define WIDE_REST   124
/* Where there is no terminal, and of any at most. */
#define ENDPOINT      22
#define ENDPOINT_MOST 47

/* @width: of the terminal; 0: none, lines may be as long as they get. */
struct output_text {
	struct output_lines lines;
	int width;
	bool headed;
};

static struct output_text *of(struct record_output *output)
{
	return (struct output_text *)output;
}

static bool is_wide(const struct output_text *self)
{
	return !self->width || self->width >= WIDE;
}

void output_text_fit(char *text, size_t width)
{
	size_t length = strlen(text), tail = width / 2, head = width - tail - 1;

	if (length <= width)
		return;
	text[head] = '~';
	memmove(text + head + 1, text + length - tail, tail + 1);
}

void output_text_octets(uint64_t octets, char text[8])
{
	static const char units[] = "KMGTPE";
	double value = octets;
	int unit = -1;

	if (octets <= 99999) {
		snprintf(text, 8, "%u", (unsigned int)octets);
		return;
	}
	while (value >= 999.5 && unit < 5) {
		value /= 1024;
		unit++;
	}
	snprintf(text, 8, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

static void format_time(uint64_t ns, bool fraction, char text[16])
{
	time_t seconds = ns / NS_PER_S;
	struct tm parts;

	localtime_r(&seconds, &parts);
	strftime(text, 16, "%H:%M:%S", &parts);
	if (fraction)
		snprintf(text + 8, 8, ".%03u", (unsigned int)(ns % NS_PER_S / NS_PER_MS));
}

/* The narrow line has room for seven characters. */
static void format_ms(uint64_t ns, char text[24])
{
	double ms = (double)ns / NS_PER_MS;

	snprintf(text, 24, ms < 10000 ? "%.1f" : "%.0f", ms);
}

static int endpoint_width(const struct output_text *self)
{
	int width;

	if (!self->width)
		return ENDPOINT;
	if (!is_wide(self))
		return ((self->width < NARROW ? NARROW : self->width) - NARROW_REST) / 2;
	width = (self->width - WIDE_REST) / 2;
	return width < ENDPOINT_MOST ? width : ENDPOINT_MOST;
}

static void endpoints(const struct output_text *self, const struct record *record, char *local,
		      char *remote)
{
	const struct flow *flow = &record->flow;

	record_endpoint(flow, flow->local, flow->local_port, local);
	record_endpoint(flow, flow->remote, flow->remote_port, remote);
	if (!self->width)
		return;
	output_text_fit(local, endpoint_width(self));
	output_text_fit(remote, endpoint_width(self));
}

static void head(struct output_text *self)
{
	int width = endpoint_width(self);

	if (self->headed)
		return;
	self->headed = true;
	output_lines_begin(&self->lines);
	if (is_wide(self))
		fprintf(self->lines.line,
			"%-12s %-7s %-15s %-7s %-*s %-*s %12s %12s %5s %9s %12s %4s %s\n", "TIME",
			"PID", "PROCESS", "SIDE", width, "LOCAL", width, "REMOTE", "SENT",
			"RECEIVED", "RETR", "SRTT_MS", "DURATION_MS", "DSCP", "END");
	else
		fprintf(self->lines.line, "%-8s %c %-*s %-*s %5s %5s %7s %s\n", "TIME", 'S', width,
			"LOCAL", width, "REMOTE", "SENT", "RECV", "MS", "END");
	output_lines_end(&self->lines, false);
}

static void print_wide(struct output_text *self, const struct record *record)
{
	const struct flow *flow = &record->flow;
	char time[16], local[RECORD_ENDPOINT_MAX], remote[RECORD_ENDPOINT_MAX];
	char name[MONITOR_NAME_MAX];

	format_time(record->time, true, time);
	endpoints(self, record, local, remote);
	fprintf(self->lines.line,
		"%-12s %-7u %-15s %-7s %-*s %-*s %12llu %12llu %5u %9.3f %12.3f %4u %s\n", time,
		flow->pid,
		ecbpf_text_printable(flow->pid ? record->event->name : "-", name, sizeof(name)),
		record_direction_name(record->direction), endpoint_width(self), local,
		endpoint_width(self), remote, (unsigned long long)flow->sent,
		(unsigned long long)flow->received, flow->retransmitted, flow->srtt / 1000.0,
		(double)flow->duration / NS_PER_MS, flow->dscp_sent, record->end);
}

static void print_narrow(struct output_text *self, const struct record *record)
{
	const struct flow *flow = &record->flow;
	char time[16], local[RECORD_ENDPOINT_MAX], remote[RECORD_ENDPOINT_MAX];
	char sent[8], received[8], duration[24];
	int width = endpoint_width(self);

	format_time(record->time, false, time);
	endpoints(self, record, local, remote);
	output_text_octets(flow->sent, sent);
	output_text_octets(flow->received, received);
	format_ms(flow->duration, duration);
	fprintf(self->lines.line, "%s %c %-*s %-*s %5s %5s %7s %.7s\n", time,
		record_direction_name(record->direction)[0], width, local, width, remote, sent,
		received, duration, record->end);
}

static void take(struct record_output *output, const struct record *record)
{
	struct output_text *self = of(output);

	head(self);
	output_lines_begin(&self->lines);
	if (is_wide(self))
		print_wide(self, record);
	else
		print_narrow(self, record);
	output_lines_end(&self->lines, true);
}

static void state(struct record_output *output, const struct record *record)
{
	char time[16], local[RECORD_ENDPOINT_MAX], remote[RECORD_ENDPOINT_MAX];
	struct output_text *self = of(output);
	int width = endpoint_width(self);

	head(self);
	format_time(record->time, is_wide(self), time);
	endpoints(self, record, local, remote);
	output_lines_begin(&self->lines);
	fprintf(self->lines.line, "%s %c %-*s %-*s %s -> %s\n", time,
		record_direction_name(record->direction)[0], width, local, width, remote,
		record_state_name(record->event->old_state),
		record_state_name(record->event->new_state));
	output_lines_end(&self->lines, false);
}

static void tick(struct record_output *output, uint64_t now)
{
	(void)now;
	output_lines_write(&of(output)->lines);
}

static void close_output(struct record_output *output)
{
	output_lines_close(&of(output)->lines);
	free(of(output));
}

static const struct record_output_calls calls = { take, state, tick, close_output };

int output_text_open(struct record_output **output)
{
	struct output_text *self = calloc(1, sizeof(*self));
	struct winsize size;
	int err;

	if (!self)
		return ecbpf_fail(-ENOMEM, "out of memory");
	err = output_lines_open(&self->lines);
	if (err) {
		free(self);
		return err;
	}
	self->lines.output.calls = &calls;
	if (isatty(STDOUT_FILENO))
		self->width = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ?
				      size.ws_col :
				      NARROW;
	*output = &self->lines.output;
	return 0;
}
