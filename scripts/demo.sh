#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Two namespaces, real traffic, and what root and filter did with it; fails if a counter is wrong.
set -euo pipefail

readonly EX_USAGE=64 EX_UNAVAILABLE=69 EX_NOPERM=77

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${ECBPF_BUILD_DIR:-$here/../build/release}
build=$(cd "$build" && pwd)
readonly here build
readonly root=$build/xdp_root/xdp_root_loader filter=$build/xdp_filter/xdp_filter
readonly server=server client=client marker=/run/ecbpf-demo
readonly server4=192.0.2.1 client4=192.0.2.2 scanner4=198.51.100.7
readonly server6=2001:db8:1::1 client6=2001:db8:1::2
keep=no

usage()
{
	cat <<TEXT
Usage: ./build.sh demo [--keep]

Joins the network namespaces '$server' and '$client' by a veth pair, attaches root array and
filter to the server's end, sends traffic, shows and checks what became of it, and cleans up.

  --keep   leave the namespaces up and say how to play with them; the next run removes them
TEXT
}

die()
{
	local status=$1
	shift
	printf 'demo: %s\n' "$*" >&2
	exit "$status"
}

title()
{
	local bold='' plain=''

	if [[ -t 1 ]]; then
		bold=$'\033[1m' plain=$'\033[0m'
	fi
	printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

# Commands in a namespace that see this mount namespace's bpffs, which 'ip netns exec' would hide.
in_server()
{
	nsenter --net="/run/netns/$server" -- "$@"
}

in_client()
{
	nsenter --net="/run/netns/$client" -- "$@"
}

show()
{
	printf '\n$ %s\n' "${1##*/} ${*:2}"
	in_server "$@"
}

namespace_exists()
{
	[[ -e /run/netns/$1 ]]
}

clean_up()
{
	if namespace_exists "$server"; then
		in_server "$root" --detach --interface eth0 2>/dev/null || true
	fi
	local name
	for name in "$server" "$client"; do
		if namespace_exists "$name"; then
			ip netns del "$name"
		fi
	done
	rm -f "$marker"
}

make_namespace()
{
	ip netns add "$1"
	# No neighbour or router discovery of its own: what is counted is what the demo sent.
	nsenter --net="/run/netns/$1" -- sysctl -qw \
		net.ipv6.conf.{all,default}.{accept_dad,autoconf,router_solicitations}=0 \
		net.ipv6.conf.default.addr_gen_mode=1
	ip -n "$1" link set lo up
}

make_testbed()
{
	local name
	for name in "$server" "$client"; do
		if namespace_exists "$name" && [[ ! -e $marker ]]; then
			die $EX_UNAVAILABLE "a network namespace '$name' is there already and isn't" \
				"the demo's; rename or remove it"
		fi
	done
	clean_up
	trap clean_up EXIT
	: >"$marker"
	make_namespace "$server"
	make_namespace "$client"
	ip -n "$server" link add eth0 type veth peer name eth0 netns "$client"
	# XDP_TX over veth needs NAPI on the other end.
	in_client ethtool -K eth0 gro on >/dev/null 2>&1 || true
	in_client ethtool -K eth0 tx off txvlan off >/dev/null 2>&1 || true
	ip -n "$server" addr add $server4/24 dev eth0
	ip -n "$server" addr add $server6/64 dev eth0 nodad
	ip -n "$client" addr add $client4/24 dev eth0
	ip -n "$client" addr add $scanner4/32 dev eth0
	ip -n "$client" addr add $client6/64 dev eth0 nodad
	ip -n "$server" link set eth0 up
	ip -n "$client" link set eth0 up
	ip -n "$server" route add $scanner4/32 dev eth0
}

# replies COUNT ARGUMENTS...: how many pings were answered
replies()
{
	local count=$1
	shift
	in_client ping -n -q -c "$count" -i 0.02 -W 1 "$@" | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}

send_traffic()
{
	local arguments=(--interface eth0 --server4 "$server4" --client4 "$client4"
		--scanner4 "$scanner4" --server6 "$server6" --client6 "$client6"
		--botnet6 2001:db8:bad::66)
	pings_good=$(replies 20 $server4)
	pings_good6=$(replies 20 $server6)
	pings_scanner=$(replies 20 -I $scanner4 $server4 || true)
	# 3 000 octets leave in three fragments each.
	pings_fragments=$(replies 5 -s 3000 $server4 || true)
	in_client /usr/bin/python3 "$here/demo_traffic.py" "${arguments[@]}"
}

attach()
{
	show "$root" --attach --interface eth0
	show "$filter" --attach --interface eth0 --frags-drop --ptb-max-pps 20
	show "$filter" --drop --ips 198.51.100.0/24,2001:db8:bad::/48 --tags "scanner,botnet" \
		--interface eth0
}

say_how_to_play()
{
	trap - EXIT
	cat <<TEXT

The testbed stays up. Programs attached to the server's eth0 see what the client sends:

  nsenter --net=/run/netns/$server $root --watch 1
  nsenter --net=/run/netns/$server $filter --status --interface eth0
  nsenter --net=/run/netns/$server $filter --drop --ips $client4 --expires 10s --interface eth0
  nsenter --net=/run/netns/$client ping $server4

Another './build.sh demo' removes it all.
TEXT
}

case "$*" in
'') ;;
--keep) keep=yes ;;
--help | -h)
	usage
	exit 0
	;;
*)
	usage >&2
	exit $EX_USAGE
	;;
esac
[[ $EUID -eq 0 ]] || die $EX_NOPERM "making network namespaces takes root; run it with sudo"

title "Testbed: namespaces '$server' ($server4) and '$client' ($client4)"
make_testbed
attach
title "Traffic from the client"
send_traffic
title "What root and filter say"
show "$root" --status --interface eth0
show "$filter" --status --interface eth0
title "What was seen"
status=0
in_server "$root" --reasons --json --interface eth0 >"$marker.reasons"
in_server "$filter" --status --json --interface eth0 >"$marker.filter"
/usr/bin/python3 "$here/demo_check.py" --reasons "$marker.reasons" --filter "$marker.filter" \
	--pings "$pings_good" "$pings_good6" "$pings_scanner" "$pings_fragments" || status=$?
rm -f "$marker.reasons" "$marker.filter"
if [[ $keep = yes ]]; then
	say_how_to_play
fi
exit $status
