#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The demo, which checks all that it shows, and leaves nothing behind.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

[ "$(id -u)" -eq 0 ] || skip "network namespaces and XDP take root"
! ip netns list | grep -E '^(server|client)( |$)' >/dev/null ||
	skip "namespaces 'server' and 'client' are in use (left by './build.sh demo --keep'?)"

export ECBPF_BUILD_DIR=$build_dir
quietly "$source_dir/scripts/demo.sh"
! ip netns list | grep -E '^(server|client)( |$)' || fail "the demo left its namespaces behind"
