#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The subprogram of docs/example, built against an installed copy, takes its slot and drops what it
# should; and what all JSON output looks like then is what the schemas say.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

[ "$(id -u)" -eq 0 ] || skip "network namespaces and XDP take root"
need ip iproute2
if [ -z "${ECBPF_EXAMPLE_INSIDE-}" ]; then
	# Interfaces, programs and pins go with the namespaces, whatever happens.
	ECBPF_EXAMPLE_INSIDE=1 unshare --net --mount --propagation private bash "$0"
	exit
fi

prefix=$scratch/prefix
quietly cmake --install "$build_dir" --prefix "$prefix"
libdir=$(dirname "$(find "$prefix" -name 'libecbpf.so' -print -quit)")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir PATH=$prefix/sbin:$PATH
cp -r "$source_dir/docs/example" "$scratch/example"
quietly make -C "$scratch/example"
udp_drop=$scratch/example/udp_drop

export ECBPF_BPFFS=$scratch/bpffs
mkdir "$ECBPF_BPFFS"
mount -t bpf bpf "$ECBPF_BPFFS" 2>"$scratch/log" || skip "no bpffs here: $(cat "$scratch/log")"
trap 'umount "$ECBPF_BPFFS"; rm -rf -- "$scratch"' EXIT
ip link add ecbpf-a type veth peer name ecbpf-b
ip link set ecbpf-a up
ip link set ecbpf-b up

# send COUNT PORT: datagrams, out of the other end
send()
{
	/usr/bin/python3 - "$@" <<-'PYTHON'
		import socket
		import struct
		import sys

		count, port = map(int, sys.argv[1:])
		udp = struct.pack("!4H", 4000, port, 12, 0) + b"test"
		ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
		                 socket.inet_aton("192.0.2.2"), socket.inet_aton("192.0.2.1"))
		with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
		    raw.bind(("ecbpf-b", 0))
		    for _ in range(count):
		        raw.send(b"\xff" * 6 + b"\x02\0\0\0\0\x02" + b"\x08\0" + ip + udp)
	PYTHON
}

# expect STATUS OUTPUT COMMAND...: both must be so; OUTPUT is a part of it
expect()
{
	local status=0 wanted=$1 output=$2 said
	shift 2
	said=$("$@" 2>&1) || status=$?
	[ "$status" -eq "$wanted" ] || fail "$*: status $status instead of $wanted: $said"
	[[ $said == *"$output"* ]] || fail "$*: no '$output' in '$said'"
}

# validate SCHEMA COMMAND...
validate()
{
	local schema=$source_dir/docs/schema/$1
	shift
	"$@" >"$scratch/document" || fail "$*: status $?"
	quietly /usr/bin/python3 - "$schema" "$scratch/document" <<-'PYTHON'
		import json
		import sys

		import jsonschema

		schema, document = (json.load(open(path)) for path in sys.argv[1:])
		jsonschema.Draft202012Validator.check_schema(schema)
		jsonschema.Draft202012Validator(schema).validate(document)
	PYTHON
}

validate_all()
{
	if ! /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
		echo "no python3-jsonschema here: schemas not compared"
		return
	fi
	validate xdp_root_loader-status.schema.json xdp_root_loader --status --json "$@"
	validate xdp_root_loader-reasons.schema.json xdp_root_loader --reasons --json "$@"
	validate xdp_filter-status.schema.json xdp_filter --status --json "$@"
	validate xdp_filter-status.schema.json xdp_filter --list --json "$@"
}

expect 69 "no root array" "$udp_drop" --attach --port 9 --interface ecbpf-a
expect 64 "--attach needs --port" "$udp_drop" --attach --interface ecbpf-a
expect 66 "no such network interface" "$udp_drop" --attach --port 9 --interface ecbpf-none
quietly xdp_root_loader --attach --interface ecbpf-a,ecbpf-b
expect 0 "ecbpf-a: not attached" "$udp_drop" --status --interface ecbpf-a
expect 69 "nothing to detach" "$udp_drop" --detach --interface ecbpf-a

quietly "$udp_drop" --attach --port 9 --interface ecbpf-a
send 5 9
send 3 10
expect 0 "ecbpf-a: port 9, 5 dropped" "$udp_drop" --status --interface ecbpf-a
quietly "$udp_drop" --attach --port 10 --interface ecbpf-a
send 2 9
send 4 10
expect 0 "ecbpf-a: port 10, 9 dropped" "$udp_drop" --status --interface ecbpf-a
expect 0 '"name": "user_0",' xdp_root_loader --reasons --json --interface ecbpf-a
expect 0 udp_drop_prog xdp_root_loader --status --interface ecbpf-a

quietly xdp_filter --attach --frags-drop --interface ecbpf-a
quietly xdp_filter --drop --ips 192.0.2.0/24,2001:db8::/32 --tags one,two --expires 1h \
	--interface ecbpf-a
quietly xdp_filter --allow --ips 192.0.2.2 --interface ecbpf-a
validate_all
validate_all --interface ecbpf-a

# A staged generation gets the example too, and takes over with it.
quietly xdp_root_loader --stage --interface ecbpf-a
quietly "$udp_drop" --attach --port 9 --stage --interface ecbpf-a
validate_all
quietly xdp_root_loader --commit --interface ecbpf-a
send 1 9
send 1 10
expect 0 "ecbpf-a: port 9, 1 dropped" "$udp_drop" --status --interface ecbpf-a

quietly "$udp_drop" --detach --interface ecbpf-a
expect 0 "ecbpf-a: not attached" "$udp_drop" --status --interface ecbpf-a
quietly xdp_root_loader --detach --interface ecbpf-a,ecbpf-b
validate_all --interface ecbpf-a
[ -z "$(ls -A "$ECBPF_BPFFS/ecbpf" 2>/dev/null)" ] || fail "pins are left: $(ls -R "$ECBPF_BPFFS")"
