#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
set -euo pipefail

readonly EX_USAGE=64 EX_UNAVAILABLE=69

top=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly top
readonly logs=$top/build/log

variant=release
clang=
werror=${CI:+ON}
jobs=$(nproc)

usage()
{
	cat <<'TEXT'
Usage: ./build.sh [OPTION...] COMMAND [ARGUMENT...]

Commands:
  build, -b                build into build/release
  deps [GROUP...]          install the Debian packages that are missing; groups: build, demo,
                           test, validate, vm, ci (default: build demo test); --list names them all
  demo [--keep]            build, then show root and filter at work between two namespaces
  test [--vm [KERNEL|all]] [-k PATTERN]
                           build, then run every test that this machine can run; --vm adds the
                           suites in a guest with that kernel, or in all; with neither, those in
                           a guest with 6.1 without the longest tests; -k picks tests by name
  fuzz [ARGUMENT...]       build, then the long fuzzing runs
  bench [ARGUMENT...]      build, then the benchmarks (--help lists what they take)
  validate [ARGUMENT...]   build, then compare tcp_stats with iperf3 and draw both
  format [--check]         clang-format all C sources, or only say what would change
  clean                    remove build/

Options:
  --debug                  debug build in build/debug: bpf_debug() prints to the trace pipe
  --sanitize               build in build/sanitize with ASan and UBSan; `test` then runs the
                           unit and packet tests
  --clang PATH             compile BPF programs with this clang (14 or newer), in a build folder
                           of its own
  --werror                 warnings are errors (they are, too, where CI is set)
  -j N                     run N compilers at once (default: one per CPU)
  -h, --help               this text

Packages are installed only by root and only where something is missing; once they are there,
no command but `test` looks at the network, and only to test against another libbpf.
TEXT
}

die()
{
	local status=$1
	shift
	printf 'build.sh: %s\n' "$*" >&2
	exit "$status"
}

# step TITLE COMMAND...: one line on the terminal; the rest in a log, its end shown on failure
step()
{
	local title=$1 log began=$SECONDS status=0
	shift
	log=$logs/${title//[^A-Za-z0-9.-]/_}.log
	mkdir -p "$logs"
	printf '%-44s' "$title"
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if [ "$status" -eq 0 ]; then
		printf ' ok (%d s)\n' $((SECONDS - began))
		return 0
	fi
	printf ' failed (%d s)\n' $((SECONDS - began))
	tail -n 100 "$log" >&2
	printf 'build.sh: %s: failed with status %d; the full log is %s\n' "$title" "$status" "$log" >&2
	return "$status"
}

#
# Packages: group, Debian package, how to tell that it is there without dpkg
# (a command, pc:PKG-CONFIG-MODULE, py:PYTHON-MODULE, or a file)
#
packages()
{
	cat <<'TABLE'
build clang              clang
build llvm               llvm-strip
build libbpf-dev         pc:libbpf
build libelf-dev         pc:libelf
build zlib1g-dev         pc:zlib
build libxdp-dev         pc:libxdp
build libjson-c-dev      pc:json-c
build libcap-dev         pc:libcap
build libpcap-dev        pc:libpcap
build bpftool            bpftool
build cmake              cmake
build pkg-config         pkg-config
build make               make
build ninja-build        ninja
build flex               flex
build bison              bison
build gcc                gcc
build libc6-dev          /usr/include/stdio.h
demo  iproute2           ip
demo  ethtool            ethtool
demo  iputils-ping       ping
demo  python3            /usr/bin/python3
demo  python3-scapy      py:scapy
test  libcmocka-dev      pc:cmocka
test  libcap2-bin        capsh
test  libclang-rt-14-dev -
test  libbpf-tools       tcplife
test  bash-completion    /usr/share/bash-completion/bash_completion
test  mandoc             mandoc
test  nfdump-sflow       sfcapd
test  nftables           nft
test  python3-jsonschema py:jsonschema
test  python3-pytest     py:pytest
test  shellcheck         shellcheck
test  tcpdump            tcpdump
test  tshark             tshark
test  xdp-tools          xdp-filter
validate iperf3          iperf3
validate python3-matplotlib py:matplotlib
vm    busybox-static     /usr/share/doc/busybox-static
vm    cpio               cpio
vm    kmod               modprobe
vm    qemu-system-x86    qemu-system-x86_64
vm    xz-utils           xz
vm    zstd               zstd
ci    clang-16           clang-16
ci    clang-format       clang-format
ci    git                git
ci    shellcheck         shellcheck
TABLE
}

probe()
{
	case $1 in
	-) return 1 ;;
	pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
	py:*) /usr/bin/python3 -c "import ${1#py:}" 2>/dev/null ;;
	/*) [ -e "$1" ] ;;
	*) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
	esac
}

# missing_packages GROUP...: the packages of these groups that are not there
missing_packages()
{
	local installed group package how
	installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null |
		sed -n 's/^ii *//p' || true)
	packages | while read -r group package how; do
		[[ " $* " == *" $group "* ]] || continue
		grep -qxF -- "$package" <<<"$installed" || probe "$how" || printf '%s\n' "$package"
	done | sort -u
}

install_packages()
{
	export DEBIAN_FRONTEND=noninteractive
	# Offline, what apt already knows may still be enough.
	apt-get -q -o DPkg::Lock::Timeout=300 update || true
	apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "$@"
}

need_packages()
{
	local missing
	missing=$(missing_packages "$@" | tr '\n' ' ')
	missing=${missing% }
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		die $EX_UNAVAILABLE "missing packages: $missing;" \
			"as root, run 'apt-get install --no-install-recommends $missing'"
	fi
	printf 'installing %s\n' "$missing"
	# shellcheck disable=SC2086 # package names hold no spaces
	step "install packages" install_packages $missing ||
		die $EX_UNAVAILABLE "could not install: $missing; see above"
}

#
# Building
#
build_folder()
{
	if [ -n "$clang" ]; then
		printf '%s/build/%s-%s\n' "$top" "$variant" "$(basename "$clang")"
	else
		printf '%s/build/%s\n' "$top" "$variant"
	fi
}

# build [CMAKE-ARGUMENT...]
build()
{
	local folder type=Release sanitize=OFF name
	# Make takes half as long again. A folder that was configured for it stays with it.
	export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
	folder=$(build_folder)
	name=${folder#"$top"/}
	case $variant in
	debug) type=Debug ;;
	sanitize) type=Debug sanitize=ON ;;
	esac
	set -- "-DCMAKE_BUILD_TYPE=$type" "-DECBPF_SANITIZE=$sanitize" "-DECBPF_WERROR=${werror:-OFF}" "$@"
	[ -z "$clang" ] || set -- "-DECBPF_CLANG=$clang" "$@"
	step "configure $name" cmake -S "$top" -B "$folder" "$@"
	step "build $name" cmake --build "$folder" -j "$jobs"
}

mount_bpffs()
{
	[ "$(id -u)" -eq 0 ] || return 0
	[ "$(stat -f -c %T /sys/fs/bpf 2>/dev/null)" != bpf_fs ] || return 0
	step "mount bpffs at /sys/fs/bpf" mount -t bpf bpf /sys/fs/bpf
}

#
# Commands
#
command_build()
{
	[ $# -eq 0 ] || die $EX_USAGE "build: '$1' is not understood; see ./build.sh --help"
	need_packages build
	build
}

command_deps()
{
	local group
	if [ "$*" = --list ]; then
		packages | awk '{ print $2 }' | sort -u
		return 0
	fi
	[ $# -gt 0 ] || set -- build demo test
	for group in "$@"; do
		packages | grep "^$group " >/dev/null || die $EX_USAGE "deps: no group '$group'"
	done
	need_packages "$@"
	printf 'packages for %s: all there\n' "$*"
}

command_demo()
{
	case "$*" in
	'' | --keep | --help | -h) ;;
	*) die $EX_USAGE "demo: '$*' is not understood; see ./build.sh --help" ;;
	esac
	need_packages build demo
	build
	mount_bpffs
	ECBPF_BUILD_DIR=$(build_folder) exec "$top/scripts/demo.sh" "$@"
}

# with_skips FOLDER: copies ctest's output; before its summary come the reasons of tests skipped
with_skips()
{
	local line
	while IFS= read -r line; do
		if [[ $line =~ ^[0-9]+%\ tests\ passed ]]; then
			skip_reasons "$1"
		fi
		printf '%s\n' "$line"
	done
}

# The log has its final name only after ctest's summary is out.
skip_reasons()
{
	local log=$1/Testing/Temporary/LastTest.log
	[ ! -e "$log.tmp" ] || log=$log.tmp
	awk '/^[0-9]+\/[0-9]+ Test: / { test = $NF }
		/^SKIP|^\[  SKIPPED \]/ { if (!n++) print "Skipped here:"; print "  " test ": " $0 }
		END { if (n) print "" }' "$log" 2>/dev/null || true
}

vm_tests()
{
	case $1 in
	no) printf '%s\n' -LE '^vm$' ;;
	all) printf '%s\n' -E '^vm[.]quick$' ;;
	*) printf '%s\n' -E "^vm[.]($(vm_kernels | grep -vxF "$1" | sed 's/\./[.]/g' | paste -sd '|'))\$" ;;
	esac
}

vm_kernels()
{
	ctest --test-dir "$(build_folder)" -N -L '^vm$' | sed -n 's/.*: vm\.//p'
}

command_test()
{
	local vm=no folder picked=() groups=(build demo test)
	while [ $# -gt 0 ]; do
		case $1 in
		--vm)
			vm=default
			if [ $# -gt 1 ] && [[ $2 != -* ]]; then
				vm=$2
				shift
			fi
			groups+=(vm)
			;;
		-k)
			[ $# -gt 1 ] || die $EX_USAGE "test: -k needs a pattern"
			picked=(-R "$2")
			shift
			;;
		*) die $EX_USAGE "test: '$1' is not understood; see ./build.sh --help" ;;
		esac
		shift
	done
	need_packages "${groups[@]}"
	build -DECBPF_TESTS=ON
	mount_bpffs
	folder=$(build_folder)
	run_tests "$folder" "$vm" "${picked[@]}"
}

run_tests()
{
	local folder=$1 vm=$2 kernels vm_arguments
	shift 2
	if [ "$vm" != no ] && [ "$vm" != all ]; then
		kernels=$(vm_kernels)
		[ "$vm" != default ] || vm=quick
		grep -qxF -- "$vm" <<<"$kernels" ||
			die $EX_USAGE "test: no guest kernel '$vm'; there are: ${kernels//$'\n'/ } all"
	fi
	[ "$variant" != sanitize ] || set -- -L '^(unit|packets)$' "$@"
	mapfile -t vm_arguments < <(vm_tests "$vm")
	ctest --test-dir "$folder" -j 3 --output-on-failure --no-tests=error \
		"${vm_arguments[@]}" "$@" </dev/null 2>&1 | with_skips "$folder"
}

# prepare_run: what fuzz and bench need; nothing on stdout, which is theirs
prepare_run()
{
	{
		need_packages build demo test
		build -DECBPF_TESTS=ON
		mount_bpffs
	} >&2
	ECBPF_BUILD_DIR=$(build_folder)
	export ECBPF_BUILD_DIR
}

command_fuzz()
{
	prepare_run
	exec "$top/tests/fuzz/run" "$@"
}

command_validate()
{
	prepare_run
	need_packages validate >&2
	exec "$top/tests/validate/run" "$@"
}

command_bench()
{
	prepare_run
	exec "$ECBPF_BUILD_DIR/tests/bench/bench" "$@"
}

sources()
{
	if git -C "$top" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git -C "$top" ls-files -co --exclude-standard -- '*.c' '*.h' ':!ext/libbpf'
	else
		(cd "$top" && find . \( -path ./build -o -path ./ext/libbpf \) -prune \
			-o -name '*.[ch]' -print)
	fi
}

command_format()
{
	local mode=-i
	if [ "${1-}" = --check ]; then
		mode=--dry-run
		shift
	fi
	[ $# -eq 0 ] || die $EX_USAGE "format: '$1' is not understood; see ./build.sh --help"
	probe clang-format || need_packages ci
	cd "$top"
	sources | xargs -r clang-format --style=file -Werror "$mode"
}

command_clean()
{
	rm -rf -- "$top/build"
}

# parse ARGUMENT...: sets the options, command and rest; what follows fuzz, bench and validate is
# theirs
parse()
{
	command='' rest=()
	while [ $# -gt 0 ]; do
		if [[ $command =~ ^(fuzz|bench|validate)$ ]]; then
			rest=("$@")
			return 0
		fi
		case $1 in
		--debug) variant=debug ;;
		--sanitize) variant=sanitize ;;
		--werror) werror=ON ;;
		--clang | -j)
			[ $# -gt 1 ] || die $EX_USAGE "$1 needs a value; see ./build.sh --help"
			if [ "$1" = -j ]; then jobs=$2; else clang=$2; fi
			shift
			;;
		-h | --help)
			command=usage rest=()
			return 0
			;;
		*)
			if [ -n "$command" ]; then
				rest+=("$1")
			elif [ "$1" = -b ]; then
				command=build
			else
				command=$1
			fi
			;;
		esac
		shift
	done
}

main()
{
	local command rest
	parse "$@"
	if [ -n "$clang" ]; then
		command -v "$clang" >/dev/null || die $EX_UNAVAILABLE "--clang: no command '$clang'"
		clang=$(realpath -s "$(command -v "$clang")")
	fi
	case $command in
	build | deps | demo | test | fuzz | bench | validate | format | clean)
		"command_$command" "${rest[@]}"
		;;
	usage) usage ;;
	'')
		usage >&2
		return $EX_USAGE
		;;
	*) die $EX_USAGE "no command '$command'; see ./build.sh --help" ;;
	esac
}

main "$@"
