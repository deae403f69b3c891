#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Unit and packet tests under AddressSanitizer and UndefinedBehaviorSanitizer.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

variant sanitized "unit packets" -DCMAKE_BUILD_TYPE=Debug -DECBPF_SANITIZE=ON
