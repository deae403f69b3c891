// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The same for kernels before 5.12. */
#define MONITOR_WITHOUT_CMPXCHG
#include "tcp_monitor.bpf.c"
