# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2154,SC2034 # variables shared with guest
# The initramfs of a fetched kernel: busybox, inside/init, and the modules that it needs to find
# the root filesystem and to talk to the host.

boot_modules=(virtio_pci virtio_rng virtio_console 9pnet_virtio 9p overlay)

module_paths() { # module_paths KERNEL_DIR: the files of boot_modules, each after those it needs
	modprobe -d "$1" -S "$(basename "$1")" --show-depends -a "${boot_modules[@]}" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

unpack_module() { # unpack_module FILE
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*) cat "$1" ;;
	esac
}

initramfs_build() { # initramfs_build KERNEL_DIR FILE
	local tree path name number=100
	tree=$(mktemp -d "$cache/initramfs.XXXXXX")
	mkdir "$tree"/{bin,dev,modules,proc,sys,host,memory,root}
	cp "$(command -v busybox)" "$tree/bin/busybox"
	install -m 755 "$here/inside/init" "$tree/init"
	while read -r path; do
		name=$(basename "$path")
		unpack_module "$path" >"$tree/modules/$number-${name%%.ko*}.ko"
		number=$((number + 1))
	done < <(module_paths "$1")
	(cd "$tree" && find . | cpio --quiet -o -H newc | gzip -1) >"$tree.gz"
	mv "$tree.gz" "$2"
	rm -rf "$tree"
}

initramfs_of() { # initramfs_of KERNEL_DIR: prints its path, building it where it is out of date
	local image=$1/initramfs.gz
	[[ $image -nt $here/inside/init && $image -nt $here/lib/initramfs.sh ]] ||
		initramfs_build "$1" "$image"
	echo "$image"
}
