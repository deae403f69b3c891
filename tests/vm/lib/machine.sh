# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2154,SC2034 # variables shared with guest
# The emulated machine: boots a kernel, passes the command in, and its output and status out.

declare -A machine=([systemd]='' [timeout]=300 [mem]=2048 [cpus]=2 [nics]=0 [console]='')
environment=(ECBPF_GUEST=1)
writable=()

# What inside/ reads, in a folder that the guest mounts: expected release, command, directories.
write_job() { # write_job JOB_DIR RELEASE COMMAND…
	local job=$1 release=$2
	shift 2
	cp "$here"/inside/{pid1,job,ecbpf-guest.service,ecbpf-guest.target} "$job"
	echo "$release" >"$job/release"
	echo "$cache/kernels/$release/lib/modules/$release" >"$job/modules"
	echo "${machine[systemd]}" >"$job/systemd"
	echo "${machine[nics]}" >"$job/nics"
	printf '%s\n' "${writable[@]}" >"$job/writable"
	{
		printf 'export %q\n' "${environment[@]}"
		printf 'cd %q || exit 125\n' "$PWD"
		printf '%q ' exec "$@"
	} >"$job/command"
}

kernel_parameters() {
	# loglevel: the kernel's warnings reach the console. panic: it ends the guest. norandmaps:
	# the emulator reuses the code that it translated only at the same addresses; with libraries
	# somewhere else in each process, starting one takes three times as long.
	local parameters=(console=ttyS0 loglevel=5 panic=-1 norandmaps)
	if [[ ${machine[systemd]} ]]; then
		parameters+=(systemd.unit=ecbpf-guest.target systemd.show_status=0)
	fi
	echo "${parameters[*]}"
}

share() { # share DIR TAG [OPTION]: adds to the caller's arguments
	arguments+=(-virtfs "local,path=${1//,/,,},mount_tag=$2,security_model=none${3:+,$3}")
}

machine_arguments() { # machine_arguments JOB_DIR RELEASE: fills the caller's arguments
	local job=$1 dir=$cache/kernels/$2 i
	# qemu64: what newer CPUs have costs the emulator time; with erms, by which 5.10 clears and
	# copies pages, starting a program takes twice as long there.
	# With a thread per CPU, QEMU 7.2 now and then lets one run code of before the kernel's last
	# patch, and 6.12 dies in bpf_dispatcher_xdp_func() or at a tail call. CPUs take turns instead.
	# shellcheck disable=SC2054 # commas are qemu's
	arguments=(-machine q35 -accel tcg,thread=single -cpu qemu64
		-smp "${machine[cpus]}" -m "${machine[mem]}"
		-nodefaults -no-user-config -no-reboot -display none -nic none
		-kernel "$dir/boot/vmlinuz-$2" -initrd "$(initramfs_of "$dir")"
		-append "$(kernel_parameters)"
		-device virtio-rng-pci
		-chardev "file,id=console,path=$job/console" -serial chardev:console
		-device virtio-serial-pci
		-chardev "file,id=stdout,path=$job/stdout" -device virtserialport,chardev=stdout,name=stdout
		-chardev "file,id=stderr,path=$job/stderr" -device virtserialport,chardev=stderr,name=stderr)
	share / root "readonly=on,multidevs=remap"
	share "$job" job
	for ((i = 0; i < ${#writable[@]}; i++)); do
		share "${writable[i]}" "writable$i"
	done
	for ((i = 0; i < machine[nics]; i++)); do
		# Receive offloads keep virtio-net from running XDP.
		arguments+=(-netdev "hubport,id=nic$i,hubid=0" -device
			"virtio-net-pci,netdev=nic$i,romfile=,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off")
	done
}

machine_end() { # machine_end JOB_DIR
	[[ -z ${machine[console]} || ! -e $1/console ]] || cp "$1/console" "${machine[console]}"
	rm -rf "$1"
}

machine_run() { # machine_run KERNEL COMMAND…: exits with its status
	local job release emulator started=$SECONDS status arguments pumps=()
	release=$(kernel_find "$1")
	shift
	job=$(mktemp -d "${TMPDIR:-/tmp}/ecbpf-guest.XXXXXX")
	# shellcheck disable=SC2064 # the value of now
	trap "machine_end '$job'" EXIT
	write_job "$job" "$release" "$@"
	mkfifo "$job"/{stdout,stderr}
	cat "$job/stdout" &
	pumps+=($!)
	cat "$job/stderr" >&2 &
	pumps+=($!)
	machine_arguments "$job" "$release"
	# The emulator must not outlive this script, however that ends.
	setpriv --pdeathsig TERM timeout -k 5 "${machine[timeout]}" \
		qemu-system-x86_64 "${arguments[@]}" </dev/null >"$job/emulator" 2>&1 &
	emulator=$!
	trap 'kill "$emulator" "${pumps[@]}" 2>/dev/null; exit 130' INT TERM HUP
	wait "$emulator" || true
	wait "${pumps[@]}"
	if [[ -s $job/status ]]; then
		status=$(<"$job/status")
	elif ((SECONDS - started >= machine[timeout])); then
		echo "guest: $release: ended after ${machine[timeout]} s; see --timeout" >&2
		status=124
	else
		echo "guest: $release: ended without a result; its last words:" >&2
		tail -n 30 "$job/emulator" "$job/console" >&2
		status=125
	fi
	exit "$status"
}
