# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_sampler over veth: attached, changed, read by one, taken away; every packet is counted."""
import contextlib
import errno
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from scapy.packet import Raw

from sampling import (ACCEPTED, BURST, DELIVERED, DROPPED, DROPS, PACKET, PASSED, RECEIVED,
                      SAMPLER, UDP_PAYLOAD, check_conservation, counts, ends, fields, finish, need,
                      packets, payloads_of, reading, received, sampled_bed, sampler, send, silence,
                      state, statistics, terminate)
from testbed import (DEADLINE, EX_NOINPUT, EX_OK, EX_UNAVAILABLE, EX_USAGE, eventually,
                     kernel_release, sample, scaled, validate)
from traffic import Tap, counted, udp4, udp6


@pytest.fixture
def sampled(bed):
    return sampled_bed(bed)


def test_status(sampled):
    """JSON as the schema has it, with a sampler and without; the same counts in all forms."""
    send(sampled, 7)
    for _ in range(2):
        document = sampler(sampled, "--status", "--json").json
        validate(document, "xdp_sampler-status.schema.json")
        text = sampler(sampled, "--status").out
        metrics = sampler(sampled, "--status", "--openmetrics").out
        if document["interfaces"][0]["attached"]:
            assert document["interfaces"][0]["counts"]["picked"] == 7
            assert counted(text, "picked") == 7
            assert 'ecbpf_sampler_packets_total{interface="eth0",event="picked"} 7\n' in metrics
            sampler(sampled, "--detach")
    assert text == "Sampler not attached to interface eth0.\n"
    assert metrics.endswith("# EOF\n")


@pytest.mark.long
def test_status_of_what_is_replaced(sampled):
    """Looked at while it is replaced again and again, a sampler is shown as one of those it was."""
    rates = (3, 5)
    for number in range(scaled(100)):
        changes = [sampled.server.start(SAMPLER, "--attach", "--rate", rates[turn % 2],
                                        "--interface", "eth0") for turn in range(4)]
        while any(process.poll() is None for process in changes):
            shown = state(sampled)
            assert shown["attached"] and shown["config"]["rate"] in ((1, *rates) if not number
                                                                     else rates)
        for process in changes:
            assert finish(process).status == EX_OK


def test_filter_in_kernel(sampled):
    sampler(sampled, "--attach", "--filter", "udp port 53")
    assert state(sampled)["config"]["filter_in_kernel"]
    tap = Tap(sampled.client)
    for number in range(10):
        tap.send(udp6(port=53 if number % 2 else 54))
    tap.close()
    seen = eventually(lambda: counts(sampled)["picked"] >= 10 and counts(sampled), "samples")
    assert (seen["emitted"], seen["filtered"]) == (5, 5)


@pytest.mark.long
def test_filter_and_samples_from_before(sampled, scratch):
    """What the ring already has is filtered too, though the kernel took it without."""
    need("tshark")
    file = scratch / "out.pcapng"
    send(sampled, 4)
    send(sampled, 3, DROPPED)
    eventually(lambda: counts(sampled)["emitted"] >= 7, "7 samples")
    process = reading(sampled, "--write", file, "--filter", f"src host {PASSED}")
    received(sampled, 7)
    ends(process)
    assert [line[0] for line in fields(file, "ip.src")] == [PASSED] * 4
    seen = state(sampled)
    assert seen["counts"]["unwanted"] == 3 and seen["config"]["filter_in_kernel"]
    check_conservation(seen, "file")


def test_filter_beyond_the_first_buffer(bed):
    """Octets of multi-buffer frames that no first buffer has are looked at in the kernel too."""
    if kernel_release() < (5, 18):
        pytest.skip("no multi-buffer XDP before 5.18")
    bed.add_veth("eth1", mtu=9000, peer_mtu=9000)
    silence(bed)
    bed.root("--attach", "--interface", "eth1")
    sampler(bed, "--attach", "--rate", 1, "--filter", "udp and udp[5000]=128", interface="eth1")
    assert state(bed, "eth1")["config"]["filter_in_kernel"]
    tap = Tap(bed.client, "eth1")
    for octet in (128, 127, 128, 129, 128):
        tap.send(udp4(PASSED) / Raw(bytes([octet]) * 8960))
    tap.close()
    seen = eventually(lambda: counts(bed, "eth1")["picked"] >= 5 and counts(bed, "eth1"), "samples")
    assert (seen["emitted"], seen["filtered"]) == (3, 2)


@pytest.mark.long
@pytest.mark.parametrize("wish, sources", sample((
    (("--action", "drop"), {DROPPED}),
    (("--action", "pass,tx"), {PASSED}),
    (("--slot", "filter"), {DROPPED}),
    (("--slot", "root,5"), {PASSED}),
    (("--reason", "filter_source"), {DROPPED}),
    (("--filter", f"src host {PASSED}"), {PASSED}),
), 2))
def test_wishes(sampled, scratch, wish, sources):
    need("tshark")
    file = scratch / "out.pcapng"
    process = reading(sampled, "--write", file, *wish)
    eventually(file.exists, "a file")
    send(sampled, 4)
    send(sampled, 3, DROPPED)
    eventually(lambda: counts(sampled)["picked"] >= 7, "7 samples")
    ends(process)
    assert {line[0] for line in fields(file, "ip.src")} == sources
    assert len(fields(file, "ip.src")) == sum({PASSED: 4, DROPPED: 3}[one] for one in sources)
    check_conservation(state(sampled), "file")


def test_several_interfaces(bed, scratch):
    """One process, attached by it and taken away at its end."""
    bed.add_veth("eth1")
    silence(bed)
    for name in ("eth0", "eth1"):
        bed.root("--attach", "--interface", name)
    file = scratch / "out.pcapng"
    process = reading(bed, "--write", file, "--rate", 1, interface="eth0,eth1")
    eventually(file.exists, "a file")
    sent = {"eth0": send(bed, 30), "eth1": send(bed, 50, interface="eth1")}
    for name, payloads in sent.items():
        received(bed, len(payloads), name)
    ends(process)
    for name, payloads in sent.items():
        found = [octets[UDP_PAYLOAD:] for interface, _, octets, _ in packets(file.read_bytes())
                 if interface == name]
        assert found == payloads
        assert not state(bed, name)["attached"]
    told = statistics(file.read_bytes())
    assert [told[index][DELIVERED] for index in (0, 1)] == [30, 50]


def test_terminated_while_samples_wait(sampled, scratch):
    """SIGTERM: what the ring holds is written."""
    need("tshark")
    file = scratch / "out.pcapng"
    process = reading(sampled, "--write", file)
    eventually(file.exists, "a file")
    process.send_signal(signal.SIGSTOP)
    payloads = send(sampled, 200)
    eventually(lambda: counts(sampled)["waiting"] == 200, "200 samples that wait")
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    assert finish(process).status == EX_OK
    assert payloads_of([file]) == payloads
    seen = state(sampled)
    check_conservation(seen, "file")
    assert seen["counts"]["waiting"] == 0 and seen["outputs"]["file"]["delivered"] == 200


def test_tiny_ring(bed, scratch):
    """With a ring of a page, sampled = written + sent + counted losses."""
    need("tshark")
    silence(bed)
    bed.attach()
    sampler(bed, "--attach", "--rate", 1, "--ring", 4096)
    send(bed, 500)
    seen = eventually(lambda: counts(bed)["picked"] >= 500 and counts(bed), "all picked")
    assert seen["ring_full"] > 0 and seen["emitted"] == seen["waiting"] > 0
    file = scratch / "out.pcapng"
    with bed.server.entered():
        collector = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    collector.bind(("127.0.0.1", 0))
    process = reading(bed, "--write", file, "--sflow",
                      f"127.0.0.1:{collector.getsockname()[1]}")
    received(bed, seen["emitted"])
    total = 500
    for _ in range(5):
        send(bed, scaled(400))
        total += scaled(400)
    eventually(lambda: counts(bed)["picked"] >= total, "all picked")
    result = terminate(process)
    collector.close()
    assert result.status == EX_OK
    seen = state(bed)
    kernel = seen["counts"]
    check_conservation(seen, "file", "sflow")
    assert kernel["waiting"] == kernel["abandoned"] == kernel["malformed"] == 0
    assert kernel["picked"] == total
    assert len(payloads_of([file])) == seen["outputs"]["file"]["delivered"]
    assert total == len(payloads_of([file])) + kernel["ring_full"] + seen["outputs"]["file"]["lost"]
    told = statistics(file.read_bytes())[0]
    assert told[RECEIVED] == told[ACCEPTED] == total
    assert told[DELIVERED] == seen["outputs"]["file"]["delivered"]
    assert told[DROPS] == kernel["ring_full"] + seen["outputs"]["file"]["lost"]


def test_changed_while_it_is_read(sampled, scratch):
    """Another rate takes new programs; reader, ring and counts go on."""
    file = scratch / "out.pcapng"
    process = reading(sampled, "--write", file)
    eventually(file.exists, "a file")
    send(sampled, 20)
    sampler(sampled, "--attach", "--rate", 10)
    send(sampled, 100)
    eventually(lambda: counts(sampled)["picked"] >= 30, "samples")
    sampler(sampled, "--attach", "--rate", 1)
    send(sampled, 5)
    received(sampled, 35)
    ends(process)
    seen = state(sampled)
    check_conservation(seen, "file")
    assert seen["counts"]["picked"] == seen["outputs"]["file"]["delivered"] == 35


def test_one_reader(sampled, scratch):
    process = reading(sampled, "--write", scratch / "a.pcapng")
    eventually((scratch / "a.pcapng").exists, "a file")
    said = sampler(sampled, "--write", scratch / "b.pcapng", expect=None)
    assert said.status not in (EX_OK, EX_USAGE)
    assert "another xdp_sampler reads" in said.one_line()
    assert not (scratch / "b.pcapng").exists()
    ends(process)


def test_place_of_the_reader(sampled, scratch):
    """Whoever can't open the pins can't keep a reader off; a reader elsewhere with them does."""
    ring = next(path for path in sampled.server.pins.rglob("samples"))
    number = sampled.server.run("bpftool", "--json", "map", "show", "pinned", ring).json["id"]
    with sampled.server.entered():
        squatter = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    squatter.bind(f"\0ecbpf-sampler-{number}")
    process = reading(sampled, "--write", scratch / "a.pcapng")
    eventually((scratch / "a.pcapng").exists, "a file")
    squatter.close()
    # Loaders are not in its way, and a change of programs leaves it its place.
    sampler(sampled, "--attach", "--rate", 3)
    sampled.filter("--attach", "--interface", "eth0")
    said = sampled.server.run("unshare", "--mount", SAMPLER, "--write", scratch / "b.pcapng",
                              "--interface", "eth0", expect=None)
    assert "another xdp_sampler reads" in said.one_line()
    process.kill()
    assert finish(process).status == -signal.SIGKILL
    process = reading(sampled, "--write", scratch / "c.pcapng")
    eventually((scratch / "c.pcapng").exists, "a file")
    ends(process)


@contextlib.contextmanager
def flooding(bed):
    """Datagrams as fast as they go, from a thread."""
    tap, frame, stopped = Tap(bed.client), bytes(udp4(PASSED) / Raw(bytes(64))), threading.Event()

    def send():
        """The queue of a slow receiver may be full."""
        try:
            tap.send(frame)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            time.sleep(0.001)

    def flood():
        while not stopped.is_set():
            for _ in range(BURST):
                send()

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        tap.close()


def packets_in(data):
    """Whole packet blocks, of a file whose writer may have been killed at it."""
    found = 0
    while len(data) >= 12:
        kind, length = struct.unpack_from("=II", data)
        if not 12 <= length <= len(data):
            break
        found += kind == PACKET
        data = data[length:]
    return found


@pytest.mark.long
def test_killed_readers(bed, scratch):
    """Whenever a reader is killed, each sample is delivered, lost or waiting, once."""
    silence(bed)
    bed.root("--attach", "--interface", "eth0")
    sampler(bed, "--attach", "--rate", 1, "--ring", 65536)
    files = [scratch / f"{number}.pcapng" for number in range(scaled(12, 4))]
    with flooding(bed):
        for number, file in enumerate(files):
            before = counts(bed)["received"]
            process = reading(bed, "--write", file)
            received(bed, before + 500 + 77 * number)
            process.kill()
            finish(process)
            now = state(bed)
            assert not any(fate["held"] for fate in now["outputs"].values())
            assert now["counts"]["received"] == (now["outputs"]["file"]["delivered"] +
                                                 now["outputs"]["file"]["lost"])
    settled = eventually(lambda: (lambda one, two: one == two and one)(state(bed), state(bed)),
                         "the end of the flood")
    check_conservation(settled, "file")
    lost = settled["outputs"]["file"]["lost"]
    assert settled["counts"]["emitted"] == (settled["outputs"]["file"]["delivered"] + lost +
                                            settled["counts"]["waiting"])
    files.append(scratch / "last.pcapng")
    process = reading(bed, "--write", files[-1])
    eventually(lambda: not counts(bed)["waiting"], "nothing waits")
    ends(process)
    seen = state(bed)
    check_conservation(seen, "file")
    fate = seen["outputs"]["file"]
    assert (seen["counts"]["waiting"], fate["lost"], fate["held"]) == (0, lost, 0)
    assert seen["counts"]["emitted"] == fate["delivered"] + fate["lost"]
    assert sum(packets_in(file.read_bytes()) for file in files) >= fate["delivered"]
    # Of another output, those are neither delivered nor lost.
    process = reading(bed, "--live", "--count", 3, stdout=subprocess.DEVNULL)
    send(bed, 3)
    assert process.wait(DEADLINE) == EX_OK
    seen = state(bed)
    check_conservation(seen, "file", "live", "sflow")
    assert seen["outputs"]["live"]["unused"] == seen["counts"]["received"] - 3


CHANGES = ("--rate", 7, "--snaplen", 300, "--filter", "tcp")


def test_refused_reader_changes_nothing(sampled, scratch):
    before = (state(sampled)["config"], sampled.status()["slots"], sampled.pin_tree())

    def refused(*arguments):
        said = sampler(sampled, *arguments, expect=None)
        assert said.status != EX_OK and said.one_line() and not said.out
        assert (state(sampled)["config"], sampled.status()["slots"], sampled.pin_tree()) == before

    for unwritable in (scratch / "none/x", scratch):
        refused("--write", unwritable, *CHANGES)
    refused("--sflow", "127.0.0.1:none", *CHANGES)
    old = scratch / "old.pcapng"
    old.write_bytes(b"old")
    assert sampler(sampled, "--write", old, "--ring", 65536, expect=None).status != EX_OK
    assert sampler(sampled, "--live", "--filter", "tcp prot 80", expect=None).out == ""
    process = reading(sampled, "--write", scratch / "a.pcapng")
    eventually((scratch / "a.pcapng").exists, "a file")
    refused("--write", old, *CHANGES)
    assert old.read_bytes() == b"old"
    ends(process)


def test_reader_that_changes(sampled, scratch):
    """A reader's own wishes hold for a sampler that was there, and its filter from then on."""
    file = scratch / "out.pcapng"
    process = reading(sampled, "--write", file, "--rate", 2, "--filter",
                      "ip protochain 17 and udp port 9")
    eventually(lambda: state(sampled)["config"]["rate"] == 2, "the change")
    send(sampled, 20)
    send(sampled, 20, port=10)
    received(sampled, 20)
    ends(process)
    check_conservation(state(sampled), "file")
    assert len(payloads_of([file])) == 10


@pytest.mark.parametrize("again", (False, True))
def test_detached_while_it_is_read(sampled, scratch, again):
    """A reader that can't get another sample says so and ends."""
    file = scratch / "out.pcapng"
    process = reading(sampled, "--write", file)
    eventually(file.exists, "a file")
    send(sampled, 3)
    received(sampled, 3)
    sampler(sampled, "--detach")
    if again:
        sampler(sampled, "--attach")
    result = finish(process)
    assert result.status not in (EX_OK, EX_USAGE)
    assert re.search("eth0: its sampler was (detached|attached anew)", result.one_line())
    assert (statistics(file.read_bytes())[0])[DELIVERED] == 3


@pytest.mark.parametrize("staged", (False, True))
def test_takes_away_its_own_alone(bed, scratch, staged):
    """What others attached or changed since the reader attached its own stays."""
    bed.root("--attach", "--interface", "eth0")
    file = scratch / "out.pcapng"
    process = reading(bed, "--write", file)
    eventually(file.exists, "a file")
    if staged:
        bed.root("--stage", "--interface", "eth0")
        sampler(bed, "--attach", "--stage", "--rate", 333)
        bed.root("--commit", "--interface", "eth0")
        result = finish(process)
        assert result.status == EX_NOINPUT and "its sampler was" in result.one_line()
    else:
        sampler(bed, "--attach", "--rate", 333)
        ends(process)
    assert state(bed)["config"]["rate"] == 333


@pytest.mark.parametrize("ignored", (False, True))
def test_hangup(bed, scratch, ignored):
    """A lost terminal ends a reader as SIGTERM does, unless nohup has it ignored."""
    bed.root("--attach", "--interface", "eth0")
    file = scratch / "out.pcapng"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        process = reading(bed, "--write", file)
    finally:
        signal.signal(signal.SIGHUP, before)
    eventually(file.exists, "a file")
    process.send_signal(signal.SIGHUP)
    if ignored:
        said = sampler(bed, "--write", scratch / "b.pcapng", expect=None)
        assert "another xdp_sampler reads" in said.one_line()
        process.send_signal(signal.SIGTERM)
    assert finish(process).status == EX_OK
    assert statistics(file.read_bytes())
    assert not [path for path in bed.pin_tree() if "slot-1" in path]


def test_interrupted_as_it_begins(bed, scratch):
    """Whenever that comes, no sampler stays that wasn't there."""
    bed.root("--attach", "--interface", "eth0")
    before = bed.pin_tree()
    for step in range(scaled(20, 5)):
        process = reading(bed, "--write", scratch / "out.pcapng")
        time.sleep(step * 0.01)
        result = terminate(process)
        # Before it catches signals, it has changed nothing.
        assert result.status in (EX_OK, -signal.SIGTERM), result
        assert {path for path in bed.pin_tree() if "slot-1" in path} == set()
    assert len(bed.pin_tree()) == len(before)


@pytest.mark.parametrize("arguments, words", sample((
    (("--filter", "tcp prot 80"), "--filter 'tcp prot 80': can't parse filter expression"),
    (("--rate", "0"), "--rate"),
    (("--rate", "16777217"), "--rate"),
    (("--snaplen", "13"), "--snaplen"),
    (("--snaplen", "65536"), "--snaplen"),
    (("--ring", "5000"), "power of two"),
    (("--write", "/nowhere/at/all"), "/nowhere/at/all"),
    (("--write", "/tmp"), "/tmp"),
    (("--live", "--filter", "tcp prot 80"), "--filter 'tcp prot 80'"),
    (("--live", "--action", "lose"), "--action 'lose'"),
    (("--live", "--slot", "8"), "--slot '8'"),
    (("--live", "--reason", "none_such"), "--reason 'none_such'"),
    (("--live", "--files", "3"), "--write"),
    (("--sflow", "127.0.0.1:none"), "--sflow '127.0.0.1:none'"),
    (("--sflow", ":6343"), "--sflow ':6343'"),
    (("--top=who",), "--top 'who'"),
    (("--live", "--suggest"), "--suggest"),
    (("--live", "--interval", "1s"), "--interval"),
    (("--live", "--statsd-port", "1"), "--statsd-port"),
), 5))
def test_bad_input(bed, arguments, words):
    bed.root("--attach", "--interface", "eth0")
    before = bed.pin_tree()
    reads = arguments[0].split("=")[0] in ("--write", "--live", "--sflow", "--top")
    said = sampler(bed, *(() if reads else ("--attach",)), *arguments, expect=None)
    assert said.status != EX_OK
    assert words in said.one_line()
    assert not said.out
    assert bed.pin_tree() == before


def test_longest_snaplen(bed):
    """Where the kernel can't copy more than 256 octets, more is refused."""
    bed.root("--attach", "--interface", "eth0")
    before = bed.pin_tree()
    if kernel_release() >= (5, 18):
        sampler(bed, "--attach", "--snaplen", 65535)
        assert state(bed)["config"]["snaplen"] == 65535
    else:
        said = sampler(bed, "--attach", "--snaplen", 257, expect=EX_USAGE)
        assert "at most 256 octets" in said.one_line()
        assert bed.pin_tree() == before


def test_no_root_array(bed, scratch):
    for mode in (("--attach",), ("--write", scratch / "out.pcapng"), ("--top",)):
        said = sampler(bed, *mode, expect=EX_UNAVAILABLE)
        assert "no root array" in said.one_line()
    assert not (scratch / "out.pcapng").exists()
    assert not bed.pin_tree()


def test_no_such_interface(bed):
    bed.root("--attach", "--interface", "eth0")
    before = bed.pin_tree()
    said = sampler(bed, "--attach", interface="eth0,ecbpf-none", expect=None)
    assert said.status != EX_OK and "ecbpf-none" in said.one_line()
    assert bed.pin_tree() == before


def test_detached(sampled):
    sampler(sampled, "--detach")
    assert not [slot for slot in sampled.status()["slots"] if slot["slot"] == 1 and slot["id"]]
    assert not [path for path in sampled.pin_tree() if "slot-1" in path]
    emitter = next(sampled.server.pins.rglob("emitter"))
    assert sampled.server.run("bpftool", "--json", "map", "dump", "pinned", emitter).json == []
