# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Namespaces that nothing but this process knows, and the real tools run in them.

A namespace is held by a descriptor and bpffs by a private mount namespace, so whatever ends this
process takes interfaces, programs and pins with it.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import time

import pytest

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_REC = 0x4000
MS_PRIVATE = 0x40000

GUEST = os.environ.get("ECBPF_GUEST") == "1"
SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ECBPF_BUILD_DIR", SOURCE / "build/release")).resolve()
HELPERS = BUILD / "tests/netns"
ROOT_LOADER = BUILD / "xdp_root/xdp_root_loader"
FILTER = BUILD / "xdp_filter/xdp_filter"
FW = BUILD / "xdp_fw/xdp_fw"
BPFFS = pathlib.Path("/sys/fs/bpf")
TRACEFS = pathlib.Path("/sys/kernel/tracing")

# Guests are emulated: a deadline only ends what hangs, it measures nothing.
DEADLINE = 180 if GUEST else 30

SERVER4, CLIENT4 = "10.99.0.1", "10.99.0.2"
SERVER6, CLIENT6 = "fd99::1", "fd99::2"
SERVER_MAC, CLIENT_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"

EX_OK, EX_USAGE, EX_DATAERR, EX_NOINPUT = 0, 64, 65, 66
EX_NOHOST, EX_UNAVAILABLE, EX_OSERR, EX_CANTCREAT, EX_IOERR = 68, 69, 71, 73, 74
EX_TEMPFAIL, EX_PROTOCOL, EX_NOPERM = 75, 76, 77

libc = ctypes.CDLL(None, use_errno=True)


def sample(cases, count):
    """All of them, and in a guest about as many."""
    cases = list(cases)
    return cases[::-(-len(cases) // count)] if GUEST and len(cases) > count else cases


def scaled(count, least=1):
    """As many repetitions as this machine has time for."""
    return max(least, count // 10) if GUEST else count


def kernel_release():
    return tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", platform.release()).groups())


def system_call(name, *arguments):
    if getattr(libc, name)(*arguments):
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def mount(source, target, filesystem, flags=0, data=None):
    encoded = [None if item is None else os.fsencode(item)
               for item in (source, target, filesystem)]
    system_call("mount", *encoded, flags, data and data.encode())


def unshare_mounts():
    system_call("unshare", CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def eventually(condition, what):
    """Wait for something asynchronous: its first true value."""
    end = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {DEADLINE} s"
        time.sleep(0.01)


def validate(document, schema):
    jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema here")
    path = SOURCE / "docs/schema" / schema
    jsonschema.validate(document, json.loads(path.read_text()),
                        cls=jsonschema.Draft202012Validator)


class Result:
    """What a command did: exit status, and its words."""

    def __init__(self, command, status, out, err):
        self.command, self.status, self.out, self.err = command, status, out, err

    def __repr__(self):
        return f"{' '.join(self.command)}: {self.status}\n{self.out}{self.err}"

    @property
    def json(self):
        return json.loads(self.out)

    def one_line(self):
        """The only line on stderr."""
        assert re.fullmatch(r"[^\n]+\n", self.err), f"not one line on stderr: {self!r}"
        return self.err[:-1]


class Namespace:
    """A network namespace."""

    def __init__(self):
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        system_call("unshare", CLONE_NEWNET)
        try:
            self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            system_call("setns", before, CLONE_NEWNET)
            os.close(before)
        self.path = f"/proc/{os.getpid()}/fd/{self.fd}"
        self.processes = []

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        # Namespaces to come may get the same number.
        shutil.rmtree(self.pins, ignore_errors=True)
        os.close(self.fd)

    @contextlib.contextmanager
    def entered(self):
        """Sockets opened and processes started inside stay in this namespace; mounts don't change."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        system_call("setns", self.fd, CLONE_NEWNET)
        try:
            yield
        finally:
            system_call("setns", before, CLONE_NEWNET)
            os.close(before)

    def run(self, *command, expect=EX_OK, stdin=None, env=None):
        command = [str(word) for word in command]
        with self.entered():
            done = subprocess.run(
                command, capture_output=True, timeout=DEADLINE * 4,
                input=stdin if stdin is None or isinstance(stdin, bytes) else stdin.encode(),
                env={**os.environ, **env} if env else None, check=False)
        result = Result(command, done.returncode, done.stdout.decode(errors="replace"),
                        done.stderr.decode(errors="replace"))
        if expect is not None:
            assert result.status == expect, f"expected {expect} of {result!r}"
        return result

    def start(self, *command, env=None, **streams):
        """A process that close() ends if it still runs."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, **streams}
        with self.entered():
            process = subprocess.Popen([str(word) for word in command], text=True,
                                       env={**os.environ, **env} if env else None, **streams)
        self.processes.append(process)
        return process

    @property
    def pins(self):
        return BPFFS / "ecbpf" / str(os.fstat(self.fd).st_ino)

    def sysctl(self, key, value):
        with self.entered():
            (pathlib.Path("/proc/sys/net") / key).write_text(str(value))


def interrupt(process):
    """SIGINT, as from a terminal: the process's words."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE)
    return Result(process.args, process.returncode, out, err)


def killed_after(process, seconds):
    """Whether SIGKILL ended it, rather than its own end before."""
    time.sleep(seconds)
    process.kill()
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode in (0, -signal.SIGKILL), errors
    return process.returncode != 0


class Bed:
    """A server with the tools, and a client, joined by veth."""

    def __init__(self):
        self.server = Namespace()
        self.client = Namespace()
        self.ends = (
            (self.server, SERVER_MAC, SERVER4, SERVER6, CLIENT_MAC, CLIENT4, CLIENT6),
            (self.client, CLIENT_MAC, CLIENT4, CLIENT6, SERVER_MAC, SERVER4, SERVER6),
        )
        self.add_veth("eth0")
        for namespace, mac, address4, address6, peer_mac, peer4, peer6 in self.ends:
            commands = [
                "link set lo up",
                f"link set eth0 address {mac}",
                "link set eth0 up",
                f"address add {address4}/24 dev eth0",
                f"address add {address6}/64 dev eth0 nodad",
                f"neighbour replace {peer4} lladdr {peer_mac} dev eth0 nud permanent",
                f"neighbour replace {peer6} lladdr {peer_mac} dev eth0 nud permanent",
                "route replace default dev eth0",
                "route replace ::/0 dev eth0",
            ]
            namespace.run("ip", "-batch", "-", stdin="\n".join(commands) + "\n")
        # XDP_TX out of the server needs NAPI here. GRO brings that from 5.13 on, but may hold a
        # frame back until the next one comes; a program doesn't.
        self.client.run(ROOT_LOADER, "--attach", "--nop", "--interface", "eth0")

    def close(self):
        self.server.close()
        self.client.close()

    def add_veth(self, name, mtu=1500, peer_mtu=1500):
        """One queue, so that frames stay in order from end to end."""
        queues = "numtxqueues 1 numrxqueues 1"
        self.server.run("ip", "-batch", "-", stdin=(
            f"link add {name} mtu {mtu} {queues} type veth peer name {name} mtu {peer_mtu} "
            f"{queues} netns {self.client.path}\n"))
        for namespace, *_ in self.ends:
            namespace.sysctl(f"ipv6/conf/{name}/accept_dad", 0)
            namespace.sysctl(f"ipv6/conf/{name}/router_solicitations", 0)
            namespace.sysctl("ipv4/conf/all/rp_filter", 0)
            namespace.sysctl(f"ipv4/conf/{name}/rp_filter", 0)
            namespace.run("ethtool", "-K", name, "gro", "on", "tx", "off", "tso", "off",
                          "gso", "off")
            if name != "eth0":
                namespace.run("ip", "link", "set", name, "up")

    def root(self, *arguments, **options):
        return self.server.run(ROOT_LOADER, *arguments, **options)

    def filter(self, *arguments, **options):
        return self.server.run(FILTER, *arguments, **options)

    def status(self, name="eth0"):
        """The interface in xdp_root_loader's JSON."""
        return self.root("--status", "--json", "--interface", name).json["interfaces"][0]

    def filter_status(self, name="eth0"):
        return self.filter("--status", "--json", "--interface", name).json["interfaces"][0]

    def prefixes(self, name="eth0"):
        """Prefix to action."""
        return {entry["prefix"]: entry["action"] for entry in self.filter_status(name)["prefixes"]}

    def attach(self, *filter_arguments):
        """Root array and filter on eth0."""
        self.root("--attach", "--interface", "eth0")
        self.filter("--attach", "--interface", "eth0", *filter_arguments)

    def pin_tree(self):
        """Paths of all pins in the server's folder."""
        top = self.server.pins
        return {str(path.relative_to(top)) for path in top.rglob("*") if not path.is_dir()}


def shape(tree):
    """A pin tree without the numbers that rise with each change."""
    return sorted(re.sub(r"(gen|instance)-\d+", r"\1-N", path) for path in tree)


def data_path(bed, name="eth0"):
    """What an operation that fails must leave as it was."""
    status = bed.status(name)
    slots = {slot["slot"]: slot["id"] for slot in status["slots"]}
    entries = bed.filter_status(name)["prefixes"] if slots.get(2) else []
    return {
        "status": {key: status[key] for key in ("ifindex", "attachment", "mode", "generation",
                                                "staged", "abi", "frags")},
        "root": status["root"] and status["root"]["id"],
        "slots": slots,
        "entries": [(entry["prefix"], entry["action"], entry["tag"]) for entry in entries],
        "pins": bed.pin_tree(),
        "link": bed.server.run("ip", "-json", "link", "show", "dev", name).json[0].get("xdp"),
    }
