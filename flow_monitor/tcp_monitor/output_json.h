/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records as JSON, one object a line, to standard output. */
#ifndef TCP_MONITOR_OUTPUT_JSON_H
#define TCP_MONITOR_OUTPUT_JSON_H

#include "record.h"

int output_json_open(struct record_output **output);

#endif
