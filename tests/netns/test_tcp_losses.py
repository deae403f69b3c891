# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""tcp_monitor where something is too small, gone or wrong: every loss is counted."""
import json
import multiprocessing
import os
import pathlib
import shutil
import signal
import socket
import threading
import struct

import pytest

from flows import (MONITOR, V4, V6, Listener, by_side, conserve, inode, monitoring, now,
                   receive, reset_at_close, validate)
from testbed import (DEADLINE, EX_DATAERR, EX_NOINPUT, EX_NOPERM, EX_UNAVAILABLE, EX_USAGE,
                     GUEST, Namespace, eventually, kernel_release, scaled)

EX_NOHOST = 68
RECORD = struct.Struct("!BBBBHH16s16sQQQQIIII")
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


def make_flows(host, count, octets=10, address=V4, reset=True):
    """One after the other; each ends by a reset, so that no port waits, or by FINs."""
    with host.entered():
        listener = Listener(address)
        for _ in range(count):
            client, server = listener.connect()
            client.sendall(bytes(octets))
            receive(server, octets)
            if reset:
                reset_at_close(client)
            client.close()
            server.close()
        listener.close()
    return listener.port


def test_small_ring(host):
    """A page of ring and a reader that stands still: what doesn't fit is counted, no more."""
    with monitoring("--ring", 4096, netns=host) as monitor:
        os.kill(monitor.process.pid, signal.SIGSTOP)
        make_flows(host, 100)
        os.kill(monitor.process.pid, signal.SIGCONT)
        monitor.wait_for(200)
        make_flows(host, 1)
        monitor.wait_for(202)
        records = monitor.stop()
    counts = monitor.summary["counts"]
    assert counts["ring_full"] > 100
    assert counts["emitted"] == len(records) == counts["received"]
    assert counts["emitted"] + counts["ring_full"] == 202


@pytest.mark.long
def test_small_table(host):
    """More flows at once than it holds: those are counted, the others are exact. It has those of
    all namespaces."""
    with monitoring("--max-flows", 64, netns=host) as monitor:
        with host.entered():
            listener = Listener()
            pairs = [listener.connect() for _ in range(100)]
        for client, server in pairs:
            client.sendall(b"12345")
            receive(server, 5)
            reset_at_close(client)
            client.close()
            server.close()
        listener.close()
        monitor.wait_for(200)
        make_flows(host, 3)
        monitor.wait_for(206)
        records = monitor.stop()
    counts = monitor.summary["counts"]
    assert counts["refused"] >= counts["table_full"] >= 200 - 64
    assert len(records) == counts["emitted"] == counts["closes"] - counts["filtered"] - counts[
        "table_full"]
    assert {record["bytes_sent"] + record["bytes_received"] for record in records} == {5, 10}
    assert all("began_before" not in record["flags"] for record in records)


class Collector:
    """Takes datagrams apart, by the book."""

    def __init__(self, address=V4):
        self.socket = socket.socket(FAMILY[6 if ":" in address else 4], socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((address, 0))
        self.socket.settimeout(0.2)
        self.port = self.socket.getsockname()[1]
        self.sizes, self.records = [], []

    def heard(self):
        """Whether there is a record; takes what is there."""
        try:
            datagram = self.socket.recv(65536)
        except TimeoutError:
            return False
        self.records += RECORD.iter_unpack(datagram[2:])
        return True

    def collect(self, count):
        def take():
            try:
                datagram = self.socket.recv(65536)
            except TimeoutError:
                return len(self.records) >= count
            number, = struct.unpack_from("!H", datagram)
            assert number * RECORD.size + 2 == len(datagram) and number
            self.sizes.append(len(datagram))
            self.records += RECORD.iter_unpack(datagram[2:])
            return len(self.records) >= count
        eventually(take, f"{count} records")
        return self.records


@pytest.mark.anywhere
@pytest.mark.parametrize("address", (V4, V6))
def test_wire(host, address):
    """Each field in its place, as JSON has it."""
    with host.entered():
        collector = Collector(address)
    with monitoring("--daemon", "--udp-host", address, "--udp-port", collector.port,
                    netns=host) as monitor:
        before = now()
        port = make_flows(host, 20, 1234, address)
        wire = collector.collect(40)
        shown = monitor.stop()
    assert len(wire) == len(shown) == 40
    assert max(collector.sizes) <= 1400
    flags = {"began_before": 1, "reset": 2, "passive": 4, "no_counters": 8,
             "never_established": 16, "interim": 32, "open": 64}
    for sequence, (fields, record) in enumerate(zip(wire, shown)):
        (family, bits, sent, received, local_port, remote_port, local, remote, octets_sent,
         octets_received, start, duration, retransmitted, srtt, number, pid) = fields
        assert family == record["family"] == (6 if address == V6 else 4)
        assert bits == sum(flags[name] for name in record["flags"])
        assert sent == record["dscp_sent"]
        assert received == (255 if record["dscp_received"] is None else record["dscp_received"])
        assert (local_port, remote_port) == (record["local_port"], record["remote_port"])
        used = 4 if family == 4 else 16
        assert local == socket.inet_pton(FAMILY[family], address).ljust(16, b"\0")
        assert remote[:used] == local[:used] and not any(remote[used:])
        assert (octets_sent, octets_received) == (record["bytes_sent"], record["bytes_received"])
        assert {octets_sent, octets_received} == {1234, 0}
        assert (start, duration) == (record["start_ns"], record["duration_ns"])
        assert before - 1_000_000 < start < now()
        assert (retransmitted, srtt) == (record["segments_retransmitted"], record["srtt_us"])
        assert number == record["sequence"] == sequence
        assert pid == record["pid"] == (os.getpid() if bits & 4 == 0 else 0)
        assert port in (local_port, remote_port)
    assert monitor.summary["outputs"] == {"udp": {"delivered": 40, "lost": 0, "held": 0},
                                          "json": {"delivered": 40, "lost": 0, "held": 0}}


@pytest.mark.anywhere
@pytest.mark.parametrize("batch,datagram,sizes", (
    (1, 1400, {90}), (128, 90, {90}), (5, 1400, {2 + 5 * 88}), (256, 400, {2 + 4 * 88})))
def test_batches(host, batch, datagram, sizes):
    """Records go out by the batch, in datagrams that are full."""
    with host.entered():
        collector = Collector()
    with monitoring("--daemon", "--udp-port", collector.port, "--batch-size", batch,
                    "--max-datagram", datagram, "--flush-ms", 60000, netns=host) as monitor:
        make_flows(host, 20)
        monitor.wait_for(40)
        if batch < 40:
            collector.collect(40)
        monitor.stop()
        collector.collect(40)
    assert set(collector.sizes) == sizes


@pytest.mark.long
def test_nobody_listens(host):
    """It goes on, and counts; JSON still has everything."""
    with host.entered():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((V4, 0))
            port = probe.getsockname()[1]
    with monitoring("--daemon", "--udp-port", port, "--batch-size", 4, netns=host) as monitor:
        make_flows(host, 50)
        monitor.wait_for(100)
        records = monitor.stop()
    udp = monitor.summary["outputs"]["udp"]
    assert len(records) == udp["delivered"] + udp["lost"] == 100


def make_way_out(host):
    host.run("ip", "link", "add", "out", "type", "veth", "peer", "name", "peer")
    for name in ("out", "peer"):
        host.run("ip", "link", "set", name, "up")
    host.run("ip", "address", "add", "192.0.2.1/24", "dev", "out")


@pytest.mark.long
def test_no_route(host):
    """The network goes away again and again: lost, said once, and it works when it is back."""
    def udp(monitor):
        return monitor.status()["outputs"]["udp"]
    make_way_out(host)
    with monitoring("--daemon", "--udp-host", "192.0.2.9", "--batch-size", 1,
                    netns=host) as monitor:
        for turn in (10, 20, 30):
            make_flows(host, 5)
            eventually(lambda: udp(monitor)["delivered"] == turn, "delivery")
            host.run("ip", "link", "delete", "out")
            make_flows(host, 5)
            eventually(lambda: udp(monitor)["lost"] == turn, "losses")
            make_way_out(host)
        monitor.stop()
    assert monitor.err.count("sending failed") == 1
    assert monitor.summary["outputs"]["udp"] == {"delivered": 30, "lost": 30, "held": 0}


def test_reader_gone(host):
    """Who reads its output ends: so does it."""
    reading, writing = os.pipe()
    with host.entered():
        monitor = host.start(MONITOR, "--debug", "--json", "--netns", host.path, stdout=writing)
    os.close(writing)
    os.close(reading)
    status = [MONITOR, "--status", "--json"]
    eventually(lambda: any(instance["pid"] == monitor.pid for instance in
                           host.run(*status).json["instances"]), "a monitor")
    make_flows(host, 1)
    assert monitor.wait(30) == 74


def test_disk_full(host):
    """What was lost is told at the end, too."""
    with host.entered(), open("/dev/full", "w", encoding="ascii") as full:
        monitor = host.start(MONITOR, "--debug", "--json", "--netns", host.path, stdout=full)
    status = [MONITOR, "--status", "--json"]
    eventually(lambda: any(instance["pid"] == monitor.pid for instance in
                           host.run(*status).json["instances"]), "a monitor")
    make_flows(host, 1)
    _, err = monitor.communicate(timeout=DEADLINE)
    summary = json.loads(err.splitlines()[-1])
    conserve(summary)
    assert monitor.returncode == 74 and "No space left on device" in err
    assert summary["outputs"]["json"]["lost"] == 2


@pytest.mark.anywhere
def test_reader_stuck(host):
    """Nobody reads its output: datagrams go on, what doesn't fit is lost, and it ends when told."""
    count = scaled(6000)
    with host.entered():
        collector = Collector()
    reading, writing = os.pipe()
    words = ["--debug", "--json", "--daemon", "--udp-port", collector.port, "--netns", host.path]
    process = host.start(MONITOR, *words, stdout=writing)
    os.close(writing)

    def status():
        result = host.run(MONITOR, "--status", "--json", expect=None)
        found = [] if result.status else result.json["instances"]
        return next((one for one in found if one["pid"] == process.pid and one["since"]), None)
    try:
        eventually(status, "a monitor")
        make_flows(host, count)
        collector.collect(2 * count)
        eventually(lambda: status()["counts"]["received"] == 2 * count, "all records")
        conserve(status())
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE)
        with open(reading, encoding="ascii") as taken:
            lines = [line for line in taken if line.endswith("\n")]
    finally:
        process.kill()
    summary = json.loads(err.splitlines()[-1])
    conserve(summary)
    assert process.returncode == 0
    outputs = summary["outputs"]
    assert outputs["udp"] == {"delivered": 2 * count, "lost": 0, "held": 0}
    assert outputs["json"]["delivered"] == len(lines) > 0
    assert outputs["json"]["lost"] == 2 * count - len(lines) > 0


@pytest.mark.anywhere
def test_reader_slow(host):
    """It takes a little all the time, and still doesn't keep the monitor from its end."""
    count = scaled(6000)
    reading, writing = os.pipe()
    process = host.start(MONITOR, "--debug", "--json", "--netns", host.path, stdout=writing)
    os.close(writing)
    done = threading.Event()

    def read_slowly():
        while not done.wait(0.2) and os.read(reading, 2000):
            pass
    reader = threading.Thread(target=read_slowly)
    reader.start()
    try:
        eventually(lambda: host.run(MONITOR, "--status", expect=None).out.count("held"), "a monitor")
        make_flows(host, count)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
        done.set()
        reader.join()
        os.close(reading)
    conserve(json.loads(err.splitlines()[-1]))
    assert process.returncode == 0


def test_one_reader_gone(host):
    """Where there is another output, that goes on."""
    with host.entered():
        collector = Collector()
    reading, writing = os.pipe()
    process = host.start(MONITOR, "--debug", "--daemon", "--udp-port", collector.port, "--netns",
                         host.path, stdout=writing)
    os.close(writing)
    os.close(reading)
    try:
        def sent():
            make_flows(host, 1)
            return host.run(MONITOR, "--status", expect=None).out.count("held")
        eventually(sent, "a monitor")
        before = len(collector.records)
        make_flows(host, 5)
        collector.collect(before + 10)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    assert process.returncode == 0
    assert err.count("writing to standard output failed") == 1 and "text delivered 0, lost" in err


@pytest.mark.long
def test_filters(host):
    """Each term in the kernel; what it leaves out is counted as filtered."""
    with host.entered():
        listeners = {address: Listener(address) for address in (V4, V6)}
    four, six = (listeners[address].port for address in (V4, V6))
    cases = {
        ("--filter", str(four)): {4},
        ("--filter", f"port={six}"): {6},
        ("--filter", f"{four}-{four},{six}"): {4, 6},
        ("--filter", "127.0.0.0/8"): {4},
        ("--filter", "::1"): {6},
        ("--filter", "address=192.0.2.0/24,::1/128"): {6},
        ("--filter", "0.0.0.0/0"): {4},
        ("--filter", "::/0"): {6},
        ("--filter", "::ffff:0:0/96"): {4},
        ("--filter", f"::/0,{four}"): set(),
        ("--filter", f"127.0.0.1,{six}"): set(),
        ("--min-bytes", "2000"): {6},
        ("--min-duration", "1h"): set(),
    }
    for arguments, families in cases.items():
        with monitoring(*arguments, netns=host) as monitor:
            for address, octets in ((V4, 100), (V6, 2000)):
                with host.entered():
                    client, server = listeners[address].connect()
                client.sendall(bytes(octets))
                receive(server, octets)
                reset_at_close(client)
                client.close()
                server.close()
            monitor.wait_for(4)
            records = monitor.stop()
        assert {record["family"] for record in records} == families, arguments
        assert len(records) == 2 * len(families)
        assert monitor.summary["counts"]["filtered"] >= 4 - len(records)


@pytest.mark.long
def test_namespaces(host):
    """Each record knows its own; --netns leaves the others out."""
    other = Namespace()
    try:
        other.run("ip", "link", "set", "lo", "up")
        with monitoring("--netns", f"{host.path},{other.path}") as both, monitoring(
                "--netns", f"net:[{inode(other)}]") as one:
            ports = {inode(host): make_flows(host, 3), inode(other): make_flows(other, 3)}
            eventually(lambda: both.counts()["emitted"] == 12, "records")
            eventually(lambda: one.counts()["emitted"] == 6, "records")
            everything, some = both.stop(), one.stop()
        assert {record["netns"] for record in some} == {inode(other)}
    finally:
        other.close()
    for record in everything:
        assert ports[record["netns"]] in (record["local_port"], record["remote_port"])
    assert one.summary["counts"]["filtered"] >= 6


def cgroup_root():
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, folder, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(folder)
    pytest.skip("no cgroup2 is mounted here")
    return None


@pytest.mark.long
def test_cgroup(host):
    """A control group and those below; sockets keep the one in which they were made."""
    root = cgroup_root()
    own = root / f"ecbpf-monitor-{os.getpid()}"
    below = own.joinpath(*["below"] * 20)
    home = root / pathlib.Path("/proc/self/cgroup").read_text().rsplit("0::/", 1)[1].strip()
    try:
        below.mkdir(parents=True)
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        with monitoring("--filter", f"cgroup={own}", netns=host) as monitor, monitoring(
                "--filter", f"cgroup={below}", netns=host) as deep:
            make_flows(host, 2)
            (below / "cgroup.procs").write_text(str(os.getpid()))
            try:
                port = make_flows(host, 2)
            finally:
                (home / "cgroup.procs").write_text(str(os.getpid()))
            monitor.wait_for(8)
            deep.wait_for(8)
            records, same = monitor.stop(), deep.stop()
        assert len(records) == len(same) == 4
        assert all(port in (record["local_port"], record["remote_port"]) for record in records)
    finally:
        while below != root:
            below.rmdir()
            below = below.parent


def steer_packets(host):
    """Receive packet steering: soft interrupts on all CPUs, upon whatever runs there."""
    cpus = (1 << os.cpu_count()) - 1
    host.run("unshare", "--mount", "sh", "-c", "mount -t sysfs none /sys && "
             f"echo {cpus:x} >/sys/class/net/lo/queues/rx-0/rps_cpus")


def reset_many(host, enough):
    """Many at once, again and again."""
    with host.entered():
        listener = Listener()
        while not enough.is_set():
            for pair in [listener.connect() for _ in range(50)]:
                for end in pair:
                    reset_at_close(end)
                    end.close()
        listener.close()


def test_flows_end_while_the_monitor_does(host):
    """What ends when nobody looks any more is no loss; what ended before has its record."""
    context = multiprocessing.get_context("fork")
    enough = context.Event()
    processes = [context.Process(target=reset_many, args=(host, enough)) for _ in range(scaled(2))]
    for process in processes:
        process.start()
    try:
        for _ in range(scaled(4)):
            with monitoring(netns=host) as monitor:
                monitor.wait_for(200)
                records = monitor.stop()
            counts = monitor.summary["counts"]
            # As many as can be made at once may be more than the ring has room for.
            assert counts["unseen"] == counts["waiting"] == 0, counts
            assert len(records) == counts["received"] == counts["emitted"]
    finally:
        enough.set()
        for process in processes:
            process.join()
    assert all(process.exitcode == 0 for process in processes)


@pytest.mark.long
@pytest.mark.parametrize("hook", ("tp_btf", "raw_tracepoint", "tracepoint"))
def test_all_cpus(host, hook):
    """Load on all, soft interrupts among it: nothing is missed or counted twice.

    A kernel may keep some processes from being traced, and with them the soft interrupts that come
    upon them. In a guest there is nobody else, and no beginning is missed either; but of a classic
    tracepoint before 5.19, which has no tracepoint that would make up for it.
    """
    count, workers = scaled(5000), 4
    steer_packets(host)
    context = multiprocessing.get_context("fork")
    with monitoring("--hook", hook, netns=host) as monitor:
        processes = [context.Process(target=make_flows, args=(host, count, 10, V4, False))
                     for _ in range(workers)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0
        monitor.wait_for(2 * workers * count)
        records = monitor.stop()
    seen = [record for record in records if "began_before" not in record["flags"]]
    assert len(records) == 2 * workers * count
    assert len(by_side(seen, "active")) == workers * count
    if GUEST and (hook != "tracepoint" or kernel_release() >= (5, 19)):
        assert len(seen) == len(records)
    assert len({(record["local_port"], record["remote_port"], record["start_ns"])
                for record in records}) == len(records)
    assert {record["bytes_sent"] + record["bytes_received"] for record in records} == {10}
    # For who looks at the log: what the kernel refused, and what came of it.
    print(monitor.summary["counts"])


@pytest.mark.long
def test_status(host):
    """As text, JSON and OpenMetrics, of a monitor that runs."""
    with monitoring(netns=host) as monitor:
        make_flows(host, 3)
        monitor.wait_for(6)
        status = monitor.status()
        conserve(status)
        assert status["hook"] in ("tp_btf", "raw_tracepoint") and status["active"] >= 0
        # 1 MB for each CPU, rounded up.
        assert status["ring"] == min(1 << (os.cpu_count() - 1).bit_length(), 16) << 20
        text = host.run(MONITOR, "--status").out
        assert f"process {monitor.process.pid}," in text and "\ncloses: " in text
        validate(host.run(MONITOR, "--status", "--json").json, "tcp_monitor-status.schema.json")
        metrics = host.run(MONITOR, "--status", "--openmetrics").out
        assert f'ecbpf_tcp_monitor_events_total{{instance_pid="{monitor.process.pid}"' in metrics
        assert metrics.endswith("# EOF\n")
        monitor.stop()
    assert json.loads(host.run(MONITOR, "--status", "--json").out) == {"instances": []}
    host.run(MONITOR, "--status", expect=EX_UNAVAILABLE)


@pytest.mark.anywhere
@pytest.mark.parametrize("arguments,status,words", (
    ((), EX_USAGE, "no mode given"),
    (("--debug", "--batch-size", "257"), EX_USAGE, "--batch-size: 257 is out of range"),
    (("--daemon", "--udp-port", "0"), EX_USAGE, "--udp-port: 0 is out of range"),
    (("--daemon", "--udp-port", "65536"), EX_USAGE, "--udp-port"),
    (("--daemon", "--udp-host", "no.such.host.invalid"), EX_NOHOST, "no.such.host.invalid"),
    (("--daemon", "--max-datagram", "89"), EX_USAGE, "--max-datagram"),
    (("--debug", "--filter", "10.0.0.0/33"), EX_USAGE, "10.0.0.0/33"),
    (("--debug", "--filter", "70000"), EX_USAGE, "70000"),
    (("--debug", "--filter", "cgroup=/tmp"), EX_USAGE, "/tmp"),
    (("--debug", "--filter", "cgroup=/nowhere"), EX_NOINPUT, "/nowhere"),
    (("--debug", "--netns", "nowhere"), EX_NOINPUT, "nowhere"),
    (("--debug", "--netns", "/etc/hostname"), EX_NOINPUT, "/etc/hostname"),
    (("--debug", "--netns", "/proc/self/ns/mnt"), EX_NOINPUT, "/proc/self/ns/mnt"),
    (("--daemon", "--verbose"), EX_USAGE, "--verbose"),
    (("--debug", "--btf", "/nowhere"), EX_NOINPUT, "/nowhere"),
    (("--debug", "--hook", "kprobe"), EX_USAGE, "kprobe"),
    (("--debug", "--ring", "5000"), EX_USAGE, "--ring 5000"),
    (("--status", "--interval", "1s"), EX_USAGE, "no use for --interval"),
))
def test_refused(host, arguments, status, words):
    result = host.run(MONITOR, *arguments, expect=status)
    assert words in result.err.splitlines()[-1]
    if arguments:
        result.one_line()


def test_without_capabilities(host):
    result = host.run("setpriv", "--bounding-set=-all", "--inh-caps=-all", MONITOR, "--debug",
                      expect=EX_NOPERM)
    assert "CAP_BPF" in result.one_line() and "CAP_PERFMON" in result.err


def test_processes_that_may_not_be_looked_at(host):
    """Their sockets are not found one by one, which is said and counted."""
    words = ["setpriv", "--bounding-set=-all,+bpf,+net_admin,+perfmon,+dac_override",
             "--inh-caps=-all", MONITOR, "--debug", "--json", "--btf", "/sys/kernel/btf/vmlinux"]
    if kernel_release() < (5, 11):
        words[1] += ",+sys_resource"
    process = host.start(*words)

    def status():
        result = host.run(MONITOR, "--status", "--json", expect=None)
        found = [] if result.status else result.json["instances"]
        return next((one for one in found if one["pid"] == process.pid and one["since"]), None)
    try:
        assert eventually(status, "a monitor")["counts"]["namespaces_left_out"] > 0
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    assert "CAP_SYS_PTRACE" in err.splitlines()[0]


# As if the kernel had been built without types of its own.
WITHOUT_TYPES = ("unshare", "--mount", "sh", "-c",
                 "mount -t tmpfs none /sys/kernel/btf && exec \"$@\"", "sh")


def test_with_file_of_types(host, scratch):
    """--btf, on a kernel that has none of its own."""
    types = scratch / "vmlinux"
    shutil.copy("/sys/kernel/btf/vmlinux", types)
    with host.entered():
        collector = Collector()
    process = host.start(*WITHOUT_TYPES, MONITOR, "--daemon", "--json", "--btf", types, "--netns",
                         host.path, "--udp-port", collector.port, "--batch-size", "1")
    try:
        def seen():
            make_flows(host, 1, 321)
            return process.poll() is not None or collector.heard()
        eventually(seen, "a record")
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    summary = json.loads(err.splitlines()[-1])
    conserve(summary)
    assert summary["hook"] == "raw_tracepoint"
    assert {record[8] + record[9] for record in collector.records} == {321}


@pytest.mark.parametrize("arguments,words", (
    (("--debug",), "--btf"), (("--debug", "--btf", "/etc/hostname"), "/etc/hostname"),
    (("--debug", "--btf", "/nowhere"), "/nowhere")))
def test_without_types(host, arguments, words):
    """One line says what is missing, and what to do."""
    result = host.run(*WITHOUT_TYPES, MONITOR, *arguments, expect=None)
    assert result.status in (EX_UNAVAILABLE, EX_NOINPUT, EX_DATAERR), repr(result)
    assert words in result.one_line()


def test_pins_are_out_of_reach(host, scratch):
    """Without a bpffs that it may write it says so, and works."""
    with host.entered():
        process = host.start(MONITOR, "--debug", "--json", "--netns", host.path,
                             env={"ECBPF_BPFFS": str(scratch / "nowhere")})
        eventually(lambda: process.poll() is not None or process.stderr.readline(), "a message")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
