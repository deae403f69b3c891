#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Bash completion offers each mode of a tool, with each the options that the tool takes there and no
# others, and values where it can.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

library=/usr/share/bash-completion/bash_completion
[ -e "$library" ] || skip "no $library here (package bash-completion)"
set +eu
# shellcheck source=/dev/null
. "$library"
tools="xdp_root_loader xdp_filter xdp_fw xdp_printk xdp_sampler xdp_sampler_to_pcap"
for name in $tools; do
	# shellcheck source=/dev/null
	. "$source_dir/scripts/completions/$name"
done
set -eu

# complete_line WORD...: what is offered for the last word, sorted
complete_line()
{
	local COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT COMP_TYPE=9 COMP_KEY=9
	local COMPREPLY=()
	# Bash takes "=" for a word of its own.
	COMP_LINE=${COMP_LINE// = /=}
	COMP_POINT=${#COMP_LINE}
	set +eu
	"_$1" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" >"$scratch/noise" 2>&1
	set -eu
	[ ! -s "$scratch/noise" ] || fail "completing '$*': $(cat "$scratch/noise")"
	[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort
}

# listed HEADING[|HEADING...]: long options below them in --help
listed()
{
	awk -v heading="^($1):" '/^[A-Z].*:$/ { here = $0 ~ heading } here' <<<"$help" |
		sed -nE 's/^ {2,6}(-., )?(--[^ ]*( --no-[^ ]*)?).*/\2/p' |
		grep -oE -- '--[a-z][a-z-]*' | sort
}

# modes_of, options_of: of this tool
modes_of()
{
	listed 'Modes|Outputs'
}

options_of()
{
	listed 'Options|Outputs|Sampling|Reading'
}

# add_words OPTION: it, and what it would take, if it takes anything, to the caller's words
add_words()
{
	words+=("$1")
	case $1 in
	--interface) words+=("${interface:-ecbpf-none}") ;;
	--ips) words+=(192.0.2.1) ;;
	--load | --rules | --test | --from-nft) words+=(/dev/null) ;;
	--action) words+=(drop) ;;
	--reason) words+=(no_opinion) ;;
	--ring | --rotate-size) words+=(4096) ;;
	--snaplen) words+=(64) ;;
	--interval | --rotate-seconds) words+=(1s) ;;
	--files) words+=(1 --rotate-size 4096) ;;
	*) [[ ! $help =~ $1\ [A-Z] ]] || words+=(1) ;;
	esac
}

# ask MODE WORD...: sets said to what the tool says; what the mode needs is added
ask()
{
	local mode=$1 words
	shift
	words=("$@")
	for _ in 1 2 3; do
		said=$("$tool" "${words[@]}" 2>&1 </dev/null) || true
		[[ $said =~ $mode\ needs\ (--[a-z-]*) ]] || break
		add_words "${BASH_REMATCH[1]}"
	done
}

# taken MODE OPTION: whether the tool takes it there. The interface doesn't exist or has no root
# array, so that nothing is ever done; modes that take none touch no interface.
taken()
{
	local words=() said interface=ecbpf-none
	# Whether outputs fit together is looked at once there is an interface.
	[[ $outputs != *$'\n'"$1"$'\n'* ]] || interface=lo
	add_words "$1"
	add_words "$2"
	if [ "$2" = --interface ]; then
		ask "$1" "${words[@]}"
	else
		ask "$1" "${words[@]}" --interface "$interface"
	fi
	case $said in
	*"$1 has no use for $2;"* | *"$1 has no use for --${2#--no-};"*) return 1 ;;
	*"$1 has no use for --interface;"*) ;;
	*"$1 has no use for --rotate-size;"*) return 1 ;;
	*"exclude each other;"* | *" go with "* | *" goes with "*) return 1 ;;
	*"no such network interface"* | *": lo: "*) return 0 ;;
	*) fail "${words[*]}: $said" ;;
	esac
	[ "$2" != --interface ] || return 1
	ask "$1" "${words[@]}"
	[[ $said != *"has no use for"* ]]
}

check_tool()
{
	local mode option modes options outputs words
	modes=$(modes_of)
	options=$(options_of)
	outputs=$'\n'$(listed Outputs || true)$'\n'
	[ "$modes" ] || fail "$name --help lists no mode"
	diff <(printf '%s\n' "$modes" --help --version | sort) <(complete_line "$name" --) ||
		fail "$name: other modes are offered (>) than there are (<)"
	for mode in $modes; do
		for option in $options; do
			[ "$option" != "$mode" ] || continue
			! taken "$mode" "$option" || printf '%s\n' "$option"
		done | sort >"$scratch/taken"
		words=()
		add_words "$mode"
		complete_line "$name" "${words[@]}" -- | grep -vx -- --debug >"$scratch/offered" || true
		diff "$scratch/taken" "$scratch/offered" ||
			fail "$name $mode: other options are offered (>) than are taken (<)"
	done
}

# A letter stands for its mode, and for nothing if it has none.
check_letters()
{
	local letter mode modes words known
	modes=$'\n'$(modes_of)$'\n'
	known=$(grep -oE '\[-[A-Za-z]\]' "$source_dir/scripts/completions/$name" | tr -d '[]' || true)
	known+=$'\n'$(grep -oE '^ +-[A-Za-z],' <<<"$help" | tr -d ' ,')
	while read -r letter; do
		mode=
		[[ ! $help =~ $'\n'\ +$letter,\ (--[a-z-]+) ]] || mode=${BASH_REMATCH[1]}
		[[ $modes == *$'\n'"$mode"$'\n'* ]] || mode=
		# Of an option, what it takes comes next.
		[ "$mode" ] || [[ ! $help =~ $'\n'\ +$letter,\ --[a-z-]+\ [A-Z] ]] || continue
		words=()
		[ -z "$mode" ] || add_words "$mode"
		diff <(complete_line "$name" "${words[@]}" --) \
			<(complete_line "$name" "$letter" "${words[@]:1}" --) ||
			fail "$name $letter: other options are offered (>) than for ${mode:-no mode} (<)"
	done
}

# expect OFFERED WORD...
expect()
{
	local wanted=$1 offered
	shift
	offered=$(complete_line "$@")
	[ "$offered" = "$wanted" ] || fail "'$*' offers '$offered' instead of '$wanted'"
}

for name in $tools; do
	# What it does is known by its options, of which one is a mode.
	[ "$name" != xdp_sampler_to_pcap ] || continue
	tool=$(find "$build_dir" -type f -name "$name" -perm -u+x -print -quit)
	help=$("$tool" --help)
	check_tool
	check_letters
done

expect lo xdp_root_loader --status --interface lo
expect eth7,lo xdp_root_loader --attach -i eth7,lo
expect '' xdp_root_loader --attach --interface lo,lo
expect --keep-rxvlan xdp_root_loader -a --nop --keep
expect --force xdp_root_loader -a --nop --fo
expect '' xdp_root_loader --attach --nop --nop
expect lo xdp_filter --interface = lo
expect 10m xdp_filter --drop --expires 10
expect '' xdp_filter --drop --ips ''
touch "$scratch/prefixes.txt"
expect "$scratch/prefixes.txt" xdp_filter --load "$scratch/pre"
expect "$scratch/prefixes.txt" xdp_sampler_to_pcap --read "$scratch/pre"
expect $'--debug\n--verdicts\n--write' xdp_sampler_to_pcap --read a --
expect dport xdp_sampler --top = dp
expect redirect xdp_sampler --live --action re
expect $'--rotate-seconds\n--rotate-size' xdp_sampler --live --write a --rot
