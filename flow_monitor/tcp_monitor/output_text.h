/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records in columns, to standard output. */
#ifndef TCP_MONITOR_OUTPUT_TEXT_H
#define TCP_MONITOR_OUTPUT_TEXT_H

#include "record.h"

int output_text_open(struct record_output **output);

/* Of columns: @text, and if it is longer than @width, its ends with a "~" between. */
void output_text_fit(char *text, size_t width);

/* @octets in at most five characters: "0", "99999", "4.0G". */
void output_text_octets(uint64_t octets, char text[8]);

#endif
