# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""tcp_monitor against flows of which everything is known: each record is exact."""
import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import pty
import re
import select
import shutil
import socket
import struct
import termios
import threading

import pytest

from flows import (IPPROTO_MPTCP, MAPPED, MONITOR, V4, V6, Listener, Monitor, by_side, family_of,
                   inode, monitoring, mptcp_works, now, receive, refused_port, reset_at_close,
                   whole_lines)
from testbed import DEADLINE, GUEST, eventually, sample, scaled

HOOKS = ("tp_btf", "raw_tracepoint", "tracepoint")


@pytest.fixture
def monitor(host):
    made = Monitor(netns=host)
    yield made
    made.close()


def exchange(client, server, sent=1000, received=500):
    """The client sends first."""
    if sent:
        client.sendall(bytes(sent))
        receive(server, sent)
    if received:
        server.sendall(bytes(received))
        receive(client, received)


def end_by_fin(client, server):
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b""
    server.close()
    assert client.recv(1) == b""
    client.close()


def end_by_reset(client, server):
    reset_at_close(client)
    client.close()
    with pytest.raises(ConnectionResetError):
        server.recv(1)
    server.close()


ENDS = {"fin": end_by_fin, "rst": end_by_reset}


def check(record, sent, received, end, address=V4, netns=None):
    """All that is the same whatever the direction."""
    shown = V4 if address == MAPPED else address
    assert (record["bytes_sent"], record["bytes_received"]) == (sent, received), record
    assert record["end"] == end, record
    assert record["family"] == (6 if address == V6 else 4)
    assert record["local_address"] == record["remote_address"] == shown
    assert ("reset" in record["flags"]) == (end in ("rst", "refused")), record
    assert ("never_established" in record["flags"]) == (
        end in ("refused", "never_established")), record
    assert "began_before" not in record["flags"]
    if netns:
        assert record["netns"] == inode(netns)


@pytest.mark.parametrize("hook,end,address", sample(
    itertools.product(HOOKS, ENDS, (V4, V6, MAPPED)), 9))
def test_exact(host, hook, end, address):
    """Octets, ends, ports, family, process, namespace, on both sides."""
    with monitoring("--hook", hook, netns=host) as monitor:
        assert monitor.status()["hook"] == hook
        with host.entered():
            listener = Listener(address)
            client, server = listener.connect()
            port = client.getsockname()[1]
            exchange(client, server)
            ENDS[end](client, server)
            listener.close()
        monitor.wait_for(2)
        records = monitor.stop()
    assert len(records) == 2
    active, = by_side(records, "active", listener.port)
    passive, = by_side(records, "passive", listener.port)
    check(active, 1000, 500, end, address, host)
    check(passive, 500, 1000, end, address, host)
    assert active["local_port"] == passive["remote_port"] == port
    assert active["pid"] == os.getpid()
    assert active["process"].startswith(("python", "pytest"))
    assert passive["pid"] == 0 and passive["process"] is None
    assert active["srtt_us"] > 0


SHAPES = ((0, 0), (1, 0), (0, 1), (70000, 3), (1, 1 << 20))


@pytest.mark.parametrize("sent,received", SHAPES)
def test_octets(host, monitor, sent, received):
    with host.entered():
        listener = Listener()
        client, server = listener.connect()
        if sent:
            thread = threading.Thread(target=receive, args=(server, sent))
            thread.start()
            client.sendall(bytes(sent))
            thread.join()
        if received:
            thread = threading.Thread(target=receive, args=(client, received))
            thread.start()
            server.sendall(bytes(received))
            thread.join()
        end_by_fin(client, server)
        listener.close()
    monitor.wait_for(2)
    records = monitor.stop()
    check(by_side(records, "active")[0], sent, received, "fin")
    check(by_side(records, "passive")[0], received, sent, "fin")


@pytest.mark.skipif(GUEST, reason="4 GiB take minutes in an emulated guest")
def test_more_than_32_bits(host, monitor):
    octets = (4 << 30) + 1
    with host.entered():
        listener = Listener()
        client, server = listener.connect()
    thread = threading.Thread(target=receive, args=(server, octets))
    thread.start()
    chunk = bytes(1 << 20)
    for _ in range(octets >> 20):
        client.sendall(chunk)
    client.sendall(b"x")
    thread.join()
    end_by_fin(client, server)
    listener.close()
    monitor.wait_for(2)
    records = monitor.stop()
    check(by_side(records, "active")[0], octets, 0, "fin")
    check(by_side(records, "passive")[0], 0, octets, "fin")


def test_half_closed(host, monitor):
    """The server goes on sending after the client's FIN."""
    with host.entered():
        listener = Listener()
        client, server = listener.connect()
        client.sendall(b"request")
        client.shutdown(socket.SHUT_WR)
        receive(server, 7)
        assert server.recv(1) == b""
        server.sendall(bytes(3000))
        server.close()
        receive(client, 3000)
        assert client.recv(1) == b""
        client.close()
        listener.close()
    monitor.wait_for(2)
    records = monitor.stop()
    check(by_side(records, "active")[0], 7, 3000, "fin")
    check(by_side(records, "passive")[0], 3000, 7, "fin")


def test_unread(host, monitor):
    """Closing with data unread resets; a flow of which the client saw nothing back."""
    with host.entered():
        listener = Listener()
        client, server = listener.connect()
        client.sendall(bytes(100))
        eventually(lambda: len(server.recv(200, socket.MSG_PEEK)) == 100, "data")
        server.close()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        client.close()
        listener.close()
    monitor.wait_for(2)
    records = monitor.stop()
    check(by_side(records, "active")[0], 100, 0, "rst")
    check(by_side(records, "passive")[0], 0, 100, "rst")


@pytest.mark.parametrize("address", (V4, V6))
def test_refused(host, monitor, address):
    with host.entered():
        port = refused_port()
        with socket.socket(family_of(address)) as client, pytest.raises(ConnectionRefusedError):
            client.connect((address, port))
    monitor.wait_for(1)
    record, = monitor.stop()
    check(record, 0, 0, "refused", address)
    assert record["direction"] == "active" and record["remote_port"] == port
    assert record["local_port"] > 0 and record["pid"] == os.getpid()


def test_never_established(host, monitor):
    """Given up before an answer came."""
    with host.entered():
        host.run("ip", "link", "add", "hole", "type", "veth", "peer", "name", "end")
        host.run("ip", "link", "set", "hole", "up")
        host.run("ip", "link", "set", "end", "up")
        host.run("ip", "address", "add", "192.0.2.1/24", "dev", "hole")
        host.run("ip", "neighbour", "add", "192.0.2.2", "lladdr", "02:00:00:00:00:02", "dev",
                 "hole")
        client = socket.socket()
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.connect(("192.0.2.2", 80))
        client.close()
    monitor.wait_for(1)
    record, = monitor.stop()
    assert (record["end"], record["bytes_sent"], record["bytes_received"]) == (
        "never_established", 0, 0)
    assert record["flags"] == ["never_established"]
    assert (record["local_address"], record["remote_address"]) == ("192.0.2.1", "192.0.2.2")


def test_mptcp(host):
    """A subflow is a flow; the socket above it is none. Kernel threads that work on it are nobody."""
    if not mptcp_works(host):
        pytest.skip("this kernel has no MPTCP")
    with monitoring("--accept-pid", netns=host) as monitor:
        with host.entered():
            listener = Listener(V4, IPPROTO_MPTCP)
            client, server = listener.connect()
            exchange(client, server)
            end_by_fin(client, server)
            listener.close()
        monitor.wait_for(2)
        records = monitor.stop()
    assert len(records) == 2
    active, = by_side(records, "active")
    passive, = by_side(records, "passive")
    assert (active["bytes_sent"], active["bytes_received"]) == (1000, 500)
    assert (passive["bytes_sent"], passive["bytes_received"]) == (500, 1000)
    assert active["pid"] == os.getpid() and passive["pid"] in (0, os.getpid())


@pytest.mark.parametrize("address", (V4, V6, MAPPED))
def test_dscp(host, monitor, address):
    """Sent by each side, received by the accepting one."""
    def marked(dscp):
        options = [(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)]
        if address == V6:
            options = [(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)]
        return options
    with host.entered():
        listener = Listener(address, options=marked(34))
        client, server = listener.connect(marked(46))
        exchange(client, server)
        end_by_fin(client, server)
        listener.close()
    monitor.wait_for(2)
    records = monitor.stop()
    active, passive = by_side(records, "active")[0], by_side(records, "passive")[0]
    assert (active["dscp_sent"], active["dscp_received"]) == (46, None)
    assert (passive["dscp_sent"], passive["dscp_received"]) == (34, 46)


def test_clock(host, monitor):
    """Start and end lie between the moments before and after the calls."""
    slack = 1_000_000
    with host.entered():
        listener = Listener()
        stamps = [now()]
        client, server = listener.connect()
        stamps.append(now())
        exchange(client, server)
        stamps.append(now())
        end_by_fin(client, server)
        listener.close()
    monitor.wait_for(2)
    stamps.append(now())
    for record in monitor.stop():
        end = record["start_ns"] + record["duration_ns"]
        assert stamps[0] - slack <= record["start_ns"] <= stamps[1] + slack
        assert stamps[2] - slack <= end <= stamps[3] + slack


@pytest.mark.long
def test_reused_sockets_and_ports(host, monitor):
    """Many short connections from a handful of ports: none is taken for another."""
    count = scaled(20000)
    host.sysctl("ipv4/ip_local_port_range", "40000 40007")
    ports = {}
    with host.entered():
        listener = Listener()
        for number in range(count):
            client, server = listener.connect()
            sent, received = number % 1399 + 1, number % 701
            ports.setdefault(client.getsockname()[1], []).append((sent, received))
            client.sendall(bytes(sent))
            receive(server, sent)
            server.sendall(bytes(received))
            receive(client, received)
            reset_at_close(client)
            client.close()
            server.close()
        listener.close()
    assert len(ports) <= 8
    monitor.wait_for(2 * count)
    records = monitor.stop()
    assert monitor.summary["counts"]["emitted"] == len(records) == 2 * count, monitor.summary
    for port, flows in ports.items():
        active = [(record["bytes_sent"], record["bytes_received"])
                  for record in by_side(records, "active") if record["local_port"] == port]
        passive = [(record["bytes_received"], record["bytes_sent"])
                   for record in by_side(records, "passive") if record["remote_port"] == port]
        assert active == flows
        assert passive == flows


@pytest.mark.long
def test_as_ss_says(host, monitor, scratch):
    """The kernel's own counters of sockets that go, as ss prints them."""
    file = scratch / "ss"
    with open(file, "w", encoding="ascii") as out:
        process = host.start("stdbuf", "-oL", "ss", "-tEiOn", stdout=out)

    def said():
        """(octets sent, octets received) by ports of the socket's own end and of the other."""
        found = {}
        for line in whole_lines(file):
            numbers = dict(re.findall(r"(bytes_\w+):(\d+)", line))
            if numbers:
                local, remote = re.findall(r"127\.0\.0\.1:(\d+)", line)[:2]
                sent = int(numbers["bytes_sent"]) - int(numbers.get("bytes_retrans", 0))
                found[int(local), int(remote)] = sent, int(numbers["bytes_received"]) - 1
        return found

    with host.entered():
        listener = Listener()

        def listens():
            client, server = listener.connect()
            exchange(client, server)
            end_by_fin(client, server)
            return said()
        eventually(listens, "ss")
        shapes = [(10, 20), (3000, 1), (100000, 70000)]
        ports = []
        for sent, received in shapes:
            client, server = listener.connect()
            ports.append(client.getsockname()[1])
            exchange(client, server, sent, received)
            end_by_fin(client, server)
        listener.close()
    wanted = [ends for port in ports
              for ends in ((port, listener.port), (listener.port, port))]
    eventually(lambda: set(wanted) <= said().keys(), "all that ss has to say")
    process.kill()
    records = {(record["local_port"], record["remote_port"]):
               (record["bytes_sent"], record["bytes_received"]) for record in monitor.stop()}
    assert {ends: records.get(ends) for ends in wanted} == {ends: said()[ends] for ends in wanted}


@pytest.mark.long
def test_as_tcplife_says(host, monitor, scratch):
    """Ports, octets (it counts SYN and FIN, in KB of two places), process of the same flows."""
    if not shutil.which("tcplife"):
        pytest.skip("no tcplife here (package libbpf-tools)")
    file = scratch / "tcplife"
    with open(file, "w", encoding="ascii") as out:
        process = host.start("stdbuf", "-oL", "tcplife", stdout=out)
    shapes = [(10, 20), (3000, 1), (123456, 70000), (0, 5000)]

    def said(port):
        """Of flows to a port of ours: by both ports, what tcplife says."""
        rows = [line.split() for line in whole_lines(file)[1:]]
        return {(int(row[-6]), int(row[-4])): row for row in rows
                if str(port) in (row[-6], row[-4])}
    with host.entered():
        listener, other = Listener(), Listener()

        def watches():
            client, server = other.connect()
            end_by_fin(client, server)
            return said(other.port) or process.poll() is not None
        eventually(watches, "tcplife")
        if process.poll() is not None:
            pytest.skip(f"tcplife doesn't run here: {process.stderr.read().strip()}")
        for sent, received in shapes:
            client, server = listener.connect()
            exchange(client, server, sent, received)
            end_by_fin(client, server)
        listener.close()
        other.close()
    eventually(lambda: len(said(listener.port)) == 2 * len(shapes), "all that tcplife has to say")
    process.kill()
    rows = said(listener.port)
    records = {(record["local_port"], record["remote_port"]): record for record in monitor.stop()}
    for ends, row in rows.items():
        record = records[ends]
        for kilobytes, octets in ((row[-3], record["bytes_sent"]),
                                  (row[-2], record["bytes_received"])):
            assert abs(float(kilobytes) * 1024 - octets) <= 2 + 10.24 / 2, (row, record)
        if record["direction"] == "active":
            assert record["pid"] == os.getpid()
        assert abs(float(row[-1]) * 1e6 - record["duration_ns"]) < 1e9


def test_accept_pid(host):
    """The accepting side's process, found where it reads or closes."""
    with monitoring("--accept-pid", netns=host) as monitor:
        with host.entered():
            listener = Listener()
            client, server = listener.connect()
            exchange(client, server)
            end_by_fin(client, server)
            listener.close()
        monitor.wait_for(2)
        records = monitor.stop()
    assert [record["pid"] for record in records] == [os.getpid()] * 2


@pytest.mark.parametrize("why", ("unread", "linger"))
@pytest.mark.parametrize("hook", HOOKS)
def test_accept_pid_of_reset(host, hook, why):
    """Found where it closes by a reset, too, and never read; not where the reset comes."""
    with monitoring("--accept-pid", "--hook", hook, netns=host) as monitor:
        with host.entered():
            listener = Listener()
            client, server = listener.connect()
            if why == "unread":
                client.sendall(bytes(100))
                eventually(lambda: select.select([server], [], [], 0)[0], "data")
            else:
                reset_at_close(server)
            server.close()
            client.close()
            end_by_reset(*listener.connect())
            listener.close()
        monitor.wait_for(4)
        first, second = by_side(monitor.stop(), "passive")
    assert (first["end"], first["pid"]) == ("rst", os.getpid())
    assert (second["end"], second["pid"]) == ("rst", 0)


# By iterators, as far as the kernel takes them; one socket after another, as without its own types.
SEARCHES = ((), ("--btf", "/sys/kernel/btf/vmlinux"))


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("where", ("own", "other"))
@pytest.mark.parametrize("address", (V4, V6))
def test_open_at_start(host, address, where, search):
    """Found, flagged, and exact to the end, also in another namespace where a process is."""
    host.start("sleep", "1000")
    with host.entered():
        listener = Listener(address)
        client, server = listener.connect()
        exchange(client, server)
    with monitoring("--netns", host.path, *search,
                    netns=host if where == "own" else None) as monitor:
        assert monitor.counts()["found"] >= 2
        exchange(client, server)
        end_by_fin(client, server)
        listener.close()
        eventually(lambda: monitor.counts()["emitted"] >= 2, "records")
        records = monitor.stop()
    assert len(records) == 2
    active, passive = by_side(records, "active")[0], by_side(records, "passive")[0]
    assert (active["bytes_sent"], active["bytes_received"]) == (2000, 1000)
    assert (passive["bytes_sent"], passive["bytes_received"]) == (1000, 2000)
    assert active["flags"] == ["began_before"]
    assert passive["flags"] == ["began_before", "passive"]


@pytest.mark.parametrize("search", SEARCHES)
def test_direction_of_what_was_open_at_start(host, search):
    """No listener tells any more which side accepted; nor does it matter what was sent, and ended."""
    with host.entered():
        listener = Listener()
        pairs = [listener.connect() for _ in range(4)]
        listener.close()
        clients = {client.getsockname()[1] for client, _ in pairs}
        exchange(*pairs[1])
        pairs[2][0].shutdown(socket.SHUT_WR)
        exchange(*pairs[3])
        pairs[3][1].shutdown(socket.SHUT_WR)
    with monitoring("--netns", host.path, *search, netns=host) as monitor:
        assert monitor.counts()["found"] >= 8
        for pair in pairs:
            for end in pair:
                end.close()
        eventually(lambda: monitor.counts()["emitted"] >= 8, "records")
        records = monitor.stop()
    assert {record["local_port"] for record in by_side(records, "active")} == clients
    assert {record["remote_port"] for record in by_side(records, "passive")} == clients


@pytest.mark.parametrize("search", SEARCHES)
def test_open_at_end(host, search):
    with monitoring("--flush-open", *search, netns=host) as monitor:
        with host.entered():
            listener = Listener()
            client, server = listener.connect()
            exchange(client, server)
        records = monitor.stop()
        assert monitor.summary["counts"]["open"] == 2
        end_by_fin(client, server)
        listener.close()
    active, passive = by_side(records, "active")[0], by_side(records, "passive")[0]
    assert (active["bytes_sent"], active["bytes_received"]) == (1000, 500)
    assert (passive["bytes_sent"], passive["bytes_received"]) == (500, 1000)
    assert active["flags"] == ["open"] and passive["flags"] == ["passive", "open"]
    assert active["end"] == passive["end"] == "open"


@pytest.mark.parametrize("search", SEARCHES)
def test_interim(host, search):
    """While it runs, cumulative; then the whole at its end."""
    with monitoring("--interval", "0.1s", *search, netns=host) as monitor:
        with host.entered():
            listener = Listener()
            client, server = listener.connect()
            exchange(client, server)
            eventually(lambda: monitor.counts()["interim"] >= 2, "records of open flows")
            exchange(client, server)
            end_by_fin(client, server)
            listener.close()
        monitor.wait_for(2)
        records = by_side(monitor.stop(), "active")
    assert len(records) >= 2
    assert all(record["flags"] == ["interim"] for record in records[:-1])
    assert records[-1]["flags"] == []
    sums = [record["bytes_sent"] for record in records]
    assert sums == sorted(sums) and set(sums[:-1]) <= {1000, 2000} and sums[-1] == 2000
    assert len({record["start_ns"] // 1_000_000_000 for record in records}) <= 2
    assert [record["duration_ns"] for record in records] == sorted(
        record["duration_ns"] for record in records)


def test_states(host):
    """Each change of state, with times that rise, before the record."""
    with monitoring("--verbose", netns=host) as monitor:
        with host.entered():
            listener = Listener()
            client, server = listener.connect()
            port = client.getsockname()[1]
            end_by_fin(client, server)
            listener.close()
        monitor.wait_for(2)
        monitor.stop()
    changes = [line for line in monitor.lines
               if line["event"] == "state" and line["direction"] == "active"]
    assert [change["new"] for change in changes] == [
        "SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE"]
    assert all(change["local_port"] == port for change in changes[1:])
    times = [change["time_ns"] for change in changes]
    assert times == sorted(times)


def test_columns(host):
    """For eyes: a heading, and the octets as they are."""
    with monitoring("--debug", netns=host, json_output=False) as monitor:
        with host.entered():
            listener = Listener()
            client, server = listener.connect()
            exchange(client, server, 123456, 0)
            end_by_fin(client, server)
            listener.close()
        monitor.wait_for(2)
        monitor.process.send_signal(2)
        _, err = monitor.process.communicate(timeout=DEADLINE)
        monitor.out.seek(0)
        out = monitor.out.read()
    head, *lines = out.splitlines()
    assert head.split()[:3] == ["TIME", "PID", "PROCESS"] and len(lines) == 2
    assert f" 127.0.0.1:{listener.port} " in lines[0] and " 123456 " in lines[0]
    assert "= filtered" in err and "text delivered 2, lost 0" in err


LONG = "2001:db8:1234:5678:9abc:def0:1234:5678"


@pytest.mark.anywhere
@pytest.mark.parametrize("columns", (80, 120, 167, 168, 200, 300))
def test_columns_fit(host, columns):
    """No line is longer than the terminal, whatever the addresses and the end."""
    host.run("ip", "address", "add", f"{LONG}/128", "dev", "lo", "nodad")
    reading, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = host.start(MONITOR, "--debug", "--verbose", "--netns", host.path, stdout=terminal)
    os.close(terminal)
    # A terminal says EIO where a pipe says that it ends.
    with os.fdopen(reading, "rb", buffering=0) as out, contextlib.suppress(OSError):
        eventually(lambda: f"process {process.pid}," in host.run(
            MONITOR, "--status", expect=None).out, "a monitor")
        with host.entered():
            listener = Listener(LONG)
            client, server = listener.connect()
            exchange(client, server, 1000000, 0)
            end_by_reset(client, server)
            listener.close()
            with socket.socket(socket.AF_INET6) as gone, pytest.raises(ConnectionRefusedError):
                gone.connect((LONG, listener.port))
        text = b""
        while text.count(b"refused") < 1:
            text += out.read(65536)
        process.send_signal(2)
        while True:
            text += out.read(65536)
    lines = text.decode().split("\r\n")
    assert max(map(len, lines)) <= columns
    assert columns < 300 or "~" not in text.decode()
    assert sum("rst" in line for line in lines) == 2


ODD = b'\xff\xc3("\n\x1b[2J'


@contextlib.contextmanager
def called(name):
    """This process under another name."""
    comm = pathlib.Path("/proc/self/comm")
    before = comm.read_bytes().strip()
    comm.write_bytes(name)
    try:
        yield
    finally:
        comm.write_bytes(before)


@pytest.mark.parametrize("json_output", (True, False))
def test_odd_process_name(host, json_output):
    """Whatever a process calls itself, JSON stays valid and a terminal whole."""
    with monitoring("--debug", netns=host, json_output=json_output) as monitor:
        with host.entered(), called(ODD):
            listener = Listener()
            end_by_fin(*listener.connect())
            listener.close()
        monitor.wait_for(2)
        monitor.process.send_signal(2)
        monitor.process.communicate(timeout=DEADLINE)
        monitor.out.seek(0)
        out = monitor.out.buffer.read().decode()
    if json_output:
        active, = by_side([json.loads(line) for line in out.splitlines()], "active")
        assert active["process"] == ODD.decode(errors="replace")
    else:
        assert len(out.splitlines()) == 3 and out.replace("\n", "").isprintable()
        assert ' ??("??[2J ' in out


def test_killed(host):
    """Nothing is left in the kernel, and the next one clears up."""
    with monitoring(netns=host) as monitor:
        pid = monitor.process.pid
        monitor.process.kill()
        monitor.process.wait()
        assert host.run("test", "-d", f"/sys/fs/bpf/ecbpf/tcp_monitor/{pid}").status == 0
        result = host.run(monitor.process.args[0], "--status", "--json")
        assert pid not in [instance["pid"] for instance in result.json["instances"]]
    with monitoring(netns=host) as monitor:
        host.run("test", "-e", f"/sys/fs/bpf/ecbpf/tcp_monitor/{pid}", expect=1)
        monitor.stop()
    host.run("test", "-e", f"/sys/fs/bpf/ecbpf/tcp_monitor/{monitor.process.pid}", expect=1)
