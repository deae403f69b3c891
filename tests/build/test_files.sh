#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Each source file names its licence in its first two lines, and keeps to 700 lines.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

cd "$source_dir"
list_sources '*.c' '*.h' '*.sh' '*.py' '*.cmake' '*CMakeLists.txt' '*.map' >"$scratch/files"
[ -s "$scratch/files" ] || fail "no source file found"
# shellcheck disable=SC2016 # awk's own
xargs -d '\n' awk '
	function report() {
		if (file && !found)
			printf "%s: no \"SPDX-License-Identifier: %s\" on top\n", file, wanted
		if (lines > 700)
			printf "%s: %d lines\n", file, lines
	}
	FNR == 1 {
		report()
		file = FILENAME
		found = 0
		wanted = "GPL-2.0-only OR BSD-2-Clause"
		if (file ~ /^(\.\/)?libecbpf\//)
			wanted = "LGPL-2.1-only OR BSD-2-Clause"
	}
	FNR <= 2 && index($0, "SPDX-License-Identifier: " wanted) { found = 1 }
	{ lines = FNR }
	END { report() }' <"$scratch/files" >"$scratch/findings"
[ ! -s "$scratch/findings" ] || fail "$(cat "$scratch/findings")"
