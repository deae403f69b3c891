#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The tree builds and works with libbpf's sources at ext/libbpf. They come from the source package
# of the Debian release that this machine's apt is set up for, kept in the build folder for the
# next run; apt's own configuration and lists stay untouched.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

cache=$build_dir/libbpf-source

debian_sources()
{
	# shellcheck disable=SC2016 # apt puts the values in
	apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Origin: Debian' 'Created-By: Packages' 2>/dev/null | sort -u
}

# fetch: libbpf_VERSION.orig.tar.* into the cache
fetch()
{
	local apt=$scratch/apt options
	need apt-get apt
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$cache"
	debian_sources >"$apt/sources.list"
	[ -s "$apt/sources.list" ] || skip "apt knows no Debian archive to take libbpf's source from"
	options=(-q
		-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache"
		-o Acquire::Retries=1 -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15)
	timeout 180 apt-get "${options[@]}" -o APT::Update::Error-Mode=any update \
		>"$scratch/log" 2>&1 || skip "the Debian archive can't be reached: $(tail -n 1 "$scratch/log")"
	(cd "$cache" && timeout 180 apt-get "${options[@]}" source --download-only libbpf) \
		>"$scratch/log" 2>&1 || skip "no source package libbpf: $(tail -n 1 "$scratch/log")"
}

source_tarball()
{
	find "$cache" -name 'libbpf_*.orig.tar.*' ! -name '*.asc' 2>/dev/null | sort -V | tail -n 1
}

# Two copies of libbpf in one process would each have a state of their own.
check_one_libbpf()
{
	local tool
	for tool in "$scratch/prefix/sbin"/*; do
		! LD_LIBRARY_PATH=$scratch/build/libecbpf ldd "$tool" | grep -E 'libbpf\.so|libxdp\.so' ||
			fail "$tool loads the system's libbpf too"
		! nm "$tool" | grep -E ' [Tt] bpf_object__open' ||
			fail "$tool holds a libbpf of its own"
	done
	nm -D --defined-only "$scratch/build/libecbpf/libecbpf.so" |
		grep ' bpf_object__open_skeleton@@LIBBPF_' >/dev/null ||
		fail "libecbpf.so doesn't export libbpf's API"
}

[ -n "$(source_tarball)" ] || fetch
copy_tree "$scratch/tree"
mkdir -p "$scratch/tree/ext/libbpf"
tar -xf "$(source_tarball)" -C "$scratch/tree/ext/libbpf" --strip-components=1
(cd "$scratch/tree/ext/libbpf" && find . -type f | sort) >"$scratch/before"

quietly cmake -S "$scratch/tree" -B "$scratch/build" -DECBPF_WERROR=ON -DECBPF_TESTS=ON
quietly cmake --build "$scratch/build" -j "$(nproc)" --target tools packets.filter packets.root_parse
(cd "$scratch/tree/ext/libbpf" && find . -type f | sort) | diff "$scratch/before" - ||
	fail "the build wrote into ext/libbpf"
quietly cmake --install "$scratch/build" --prefix "$scratch/prefix"
check_one_libbpf
quietly ctest --test-dir "$scratch/build" --output-on-failure --no-tests=error \
	-R '^packets[.](filter|root_parse)$'

export ECBPF_SOURCE_DIR=$scratch/tree ECBPF_BUILD_DIR=$scratch/build
quietly bash "$scratch/tree/tests/build/test_installed.sh"
