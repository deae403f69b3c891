#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Each source file names its licence in its first two lines, and keeps to 700 lines.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

cd "$source_dir"
list_sources '*.c' '*.h' '*.sh' '*.py' '*.cmake' '*CMakeLists.txt' '*.map' | while IFS= read -r file; do
	wanted='GPL-2.0-only OR BSD-2-Clause'
	case ${file#./} in
	libecbpf/*) wanted='LGPL-2.1-only OR BSD-2-Clause' ;;
	esac
	head -n 2 "$file" | grep -F "SPDX-License-Identifier: $wanted" >/dev/null ||
		printf '%s: no "SPDX-License-Identifier: %s" on top\n' "$file" "$wanted"
	lines=$(wc -l <"$file")
	[ "$lines" -le 700 ] || printf '%s: %d lines\n' "$file" "$lines"
done >"$scratch/findings"
[ ! -s "$scratch/findings" ] || fail "$(cat "$scratch/findings")"
