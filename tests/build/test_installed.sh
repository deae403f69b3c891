#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# An installed copy is whole, and enough to build against with pkg-config and with CMake.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

prefix=$scratch/prefix
quietly cmake --install "$build_dir" --prefix "$prefix"
libdir=$(dirname "$(find "$prefix" -name 'libecbpf.so' -print -quit)")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir

check_files()
{
	local tool file
	[ -x "$prefix/sbin/xdp_root_loader" ] || fail "xdp_root_loader is not installed"
	for tool in "$prefix"/sbin/*; do
		tool=${tool##*/}
		for file in "sbin/$tool" "share/man/man8/$tool.8" \
			"share/bash-completion/completions/$tool"; do
			[ -e "$prefix/$file" ] || fail "$file is not installed"
		done
		"$prefix/sbin/$tool" --version >/dev/null || fail "$tool --version"
		! readelf -d "$prefix/sbin/$tool" | grep -E 'R(UN)?PATH' ||
			fail "$tool is installed with a search path of the build tree"
	done
	! find "$prefix" -name '*.bpf.o' | grep . || fail "BPF objects are installed"
	[ "$(readelf -d "$libdir/libecbpf.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')" = libecbpf.so.0 ] ||
		fail "libecbpf.so has another soname than libecbpf.so.0"
}

# Whatever a program may call has a version, and is declared in an installed header.
check_symbols()
{
	local symbol
	nm -D --defined-only "$libdir/libecbpf.so" | awk '$2 == "T" { print $3 }' >"$scratch/symbols"
	grep -q '@@ECBPF_' "$scratch/symbols" || fail "libecbpf.so exports nothing"
	grep -v '@@\(ECBPF\|LIBBPF\)_' "$scratch/symbols" && fail "exported without a version"
	sed -n 's/@@ECBPF_.*//p' "$scratch/symbols" | while read -r symbol; do
		grep -rqw "$symbol" "$prefix/include/ecbpf" || fail "$symbol is in no installed header"
	done
}

write_user()
{
	mkdir -p "$user"
	cat >"$user/user.c" <<-'C'
		#include <bpf/libbpf.h>
		#include <ecbpf/tool.h>

		int main(void)
		{
			return libbpf_major_version() < 1 || ecbpf_exit_code(0);
		}
	C
	cat >"$user/CMakeLists.txt" <<-'CMAKE'
		cmake_minimum_required(VERSION 3.22)
		project(user C)
		find_package(ecbpf 0.1 REQUIRED)
		add_executable(user user.c)
		target_link_libraries(user ecbpf::ecbpf)
	CMAKE
}

build_with_pkg_config()
{
	# shellcheck disable=SC2046 # flags are words
	quietly cc "$user/user.c" -o "$user/user" $(pkg-config --cflags --libs libecbpf)
	"$user/user" || fail "a program built with pkg-config does not run"
}

build_with_cmake_package()
{
	quietly cmake -S "$user" -B "$user/build" "-DCMAKE_PREFIX_PATH=$prefix"
	quietly cmake --build "$user/build"
	"$user/build/user" || fail "a program built with the CMake package does not run"
}

user=$scratch/user
check_files
check_symbols
write_user
build_with_pkg_config
build_with_cmake_package
