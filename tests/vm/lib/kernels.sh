# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2154,SC2034 # variables shared with guest
# Stock Debian kernels: from which suite, how they are downloaded, which are here.
# A fetched kernel is $cache/kernels/RELEASE/{boot,lib}; RELEASE is what its `uname -r` prints.

series=(5.10 6.1 6.12)
declare -A suite_of=([5.10]=bullseye [6.1]=bookworm [6.12]=bookworm-backports)

# The archive that this machine's own apt uses, for the suites of `Label`.
archive_of() { # archive_of LABEL
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
		awk -v label="$1" '$1 == label { print $2; exit }'
}

write_sources() { # write_sources SUITE FILE
	local main security key=/usr/share/keyrings/debian-archive-keyring.gpg
	main=$(archive_of Debian)
	security=$(archive_of Debian-Security)
	[[ $main ]] || die "$EX_UNAVAILABLE" \
		"no Debian archive among apt's sources; run 'apt-get update' or see sources.list(5)"
	echo "deb [signed-by=$key] $main $1 main"
	# Backports have no security suite; their updates come by the same way.
	if [[ $security && $1 != *-backports ]]; then
		echo "deb [signed-by=$key] $security $1-security main"
	fi
} >"$2"

# apt with sources, lists and package states of its own: the machine's are neither read, since
# its installed kernels would mix in, nor changed.
suite_apt() { # suite_apt SUITE PROGRAM ARGUMENT…
	local suite=$1 program=$2 dir=$cache/apt/$1
	shift 2
	"$program" -qq \
		-o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=- \
		-o Dir::State="$dir" -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" \
		-o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}

newest_image() { # newest_image SERIES SUITE: the name of its package
	suite_apt "$2" apt-cache pkgnames "linux-image-$1." |
		grep -E "^linux-image-${1//./\\.}\.[^-]+(-[0-9]+)?-amd64\$" | sort -V | tail -n 1
}

kernel_fetch() { # kernel_fetch SERIES: prints the release
	local suite=${suite_of[$1]} dir image release tmp
	dir=$cache/apt/$suite
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$cache/kernels"
	exec {lock}>"$cache/lock"
	flock "$lock"
	: >"$dir/status"
	write_sources "$suite" "$dir/sources.list"
	suite_apt "$suite" apt-get update ||
		die "$EX_UNAVAILABLE" "$1: cannot read Debian's list of $suite; is there a way to it?"
	image=$(newest_image "$1" "$suite") ||
		die "$EX_UNAVAILABLE" "$1: Debian's $suite has no such kernel"
	release=${image#linux-image-}
	if [[ ! -d $cache/kernels/$release ]]; then
		tmp=$(mktemp -d "$cache/fetch.XXXXXX")
		# shellcheck disable=SC2064 # the value of now
		trap "rm -rf '$tmp'" EXIT
		(cd "$tmp" && suite_apt "$suite" apt-get download "$image") ||
			die "$EX_UNAVAILABLE" "$1: cannot download $image"
		dpkg -x "$tmp"/*.deb "$tmp/root"
		depmod -b "$tmp/root" "$release"
		mv -T "$tmp/root" "$cache/kernels/$release"
		rm -rf "$tmp"
		trap - EXIT
	fi
	exec {lock}>&-
	echo "$release"
}

kernel_list() {
	local dir
	for dir in "$cache"/kernels/*/; do
		[[ ! -d $dir ]] || basename "$dir"
	done | sort -V
}

kernel_find() { # kernel_find KERNEL: the newest fetched release of a series, or that release
	# The dot keeps 6.1 from finding 6.12.
	kernel_list | grep -E "^${1//./\\.}(\..*)?\$" | tail -n 1 ||
		die "$EX_UNAVAILABLE" "$1: not fetched; run 'guest fetch $1'"
}
