// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define ECBPF_SLOT 0
#include "empty.bpf.h"
