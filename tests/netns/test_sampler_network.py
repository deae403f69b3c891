# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_sampler's datagrams: sFlow as others decode it, statsd, and collectors that fail."""
import collections
import os
import pathlib
import socket
import struct
import subprocess

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import wrpcap

from sampling import (DROPPED, PASSED, check_conservation, counts, ends, fields, finish, need,
                      reading, received, sampled_bed, sampler, send, silence, state, terminate,
                      tshark)
from testbed import CLIENT4, DEADLINE, EX_OK, EX_USAGE, GUEST, SERVER4, eventually

SFLOW_PORT = 6343
DISCARDED = 1 << 30 | 258


@pytest.fixture
def sampled(bed):
    return sampled_bed(bed)


class Collector:
    """A UDP socket in the server's namespace."""

    def __init__(self, bed, port=0, address="127.0.0.1"):
        with bed.server.entered():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]
        self.name = f"{address}:{self.port}"
        self.datagrams = []

    def close(self):
        self.socket.close()

    def read(self):
        """All datagrams so far."""
        while True:
            try:
                self.datagrams.append(self.socket.recv(65535))
            except BlockingIOError:
                return self.datagrams

    def save(self, path):
        """As a capture."""
        link = Ether(src="02:00:00:00:00:03", dst="02:00:00:00:00:04")
        wrpcap(str(path), [link / IP(src="127.0.0.1", dst="127.0.0.1") /
                           UDP(sport=40000, dport=SFLOW_PORT) / Raw(datagram)
                           for datagram in self.read()])


@pytest.fixture
def collector(bed):
    made = Collector(bed)
    yield made
    made.close()


class Sfcapd:
    """nfdump's collector."""

    def __init__(self, bed, folder, port):
        need("sfcapd")
        need("nfdump")
        self.folder = folder / "flows"
        self.folder.mkdir()
        self.process = bed.server.start("sfcapd", "-p", port, "-b", "127.0.0.1", "-w", self.folder,
                                        "-t", "300", stderr=subprocess.STDOUT)
        eventually(lambda: f":{port} " in bed.server.run("ss", "-lnuH").out, "sfcapd")

    def stop(self):
        """What it said."""
        result = terminate(self.process)
        return result.out

    def flows(self, expression):
        done = subprocess.run(["nfdump", "-R", str(self.folder), "-q", "-o", "fmt:%pkt %byt %in",
                               expression], capture_output=True, text=True, check=True,
                              timeout=DEADLINE)
        return [[int(word) for word in line.split()] for line in done.stdout.splitlines()]


def ifindex(bed, name="eth0"):
    return bed.server.run("ip", "-json", "link", "show", "dev", name).json[0]["ifindex"]


def words(values):
    """A field's numbers, over all packets."""
    return [int(word, 0) for value in values for word in value.split(",") if word]


def test_sflow_by_nfdump(sampled, scratch):
    """Decoded without a warning; as many packets as were sent."""
    nfdump = Sfcapd(sampled, scratch, SFLOW_PORT)
    process = reading(sampled, "--sflow", f"127.0.0.1:{SFLOW_PORT}")
    send(sampled, 40, padding=300)
    send(sampled, 15, DROPPED)
    received(sampled, 55)
    ends(process)
    assert state(sampled)["outputs"]["sflow"] == {"delivered": 55, "lost": 0, "held": 0,
                                                       "unused": 0}

    said = nfdump.stop()
    assert "Sequence Errors: 0" in said or "Sequence" not in said, said
    assert not [line for line in said.splitlines() if "rror:" in line or "arning" in line], said
    index = ifindex(sampled)
    assert [flow[0] for flow in nfdump.flows(f"src ip {PASSED} and dst ip {SERVER4}")] == [1] * 40
    assert len(nfdump.flows(f"src ip {DROPPED}")) == 15
    assert {flow[2] for flow in nfdump.flows("any")} == {index}


def without_uptime(datagram):
    return datagram[:20] + datagram[24:]


@pytest.mark.skipif(GUEST, reason="tshark takes minutes in an emulated guest")
def test_sflow_by_tshark(sampled, collector, scratch):
    """Decoded without a warning, field by field; two collectors get the same."""
    need("tshark")
    other = Collector(sampled)
    process = reading(sampled, "--sflow", f"{other.name},{collector.name}")
    send(sampled, 40, padding=300)
    send(sampled, 15, DROPPED)
    received(sampled, 55)
    ends(process)
    assert state(sampled)["outputs"]["sflow"] == {"delivered": 55, "lost": 0, "held": 0,
                                                       "unused": 0}
    assert [without_uptime(datagram) for datagram in other.read()] == [
        without_uptime(datagram) for datagram in collector.read()]
    other.close()
    index = ifindex(sampled)
    file = scratch / "sflow.pcap"
    collector.save(file)
    assert not tshark(file, "-Y", "_ws.malformed || _ws.expert.severity >= 0x600000")
    names = ("sequence_number", "sampling_rate", "sample_pool", "dropped_packets",
             "input_interface", "output_interface")
    found = dict(zip(names, zip(*fields(file, *(f"sflow.flow_sample.{name}" for name in names),
                                        only="sflow"))))
    assert words(found["sequence_number"])[-1] == 55
    assert len(words(found["sampling_rate"])) == 55 and set(words(found["sampling_rate"])) == {1}
    assert words(found["sample_pool"])[-1] >= 55
    assert set(words(found["dropped_packets"])) == {0}
    assert set(words(found["input_interface"])) == {index}
    lengths = words(line[0] for line in fields(file, "sflow_245.header.frame_length", only="sflow"))
    assert lengths == [350] * 40 + [50] * 15
    sources = [word for line in fields(file, "ip.src", only="sflow")
               for word in line[0].split(",") if word != "127.0.0.1"]
    assert sources == [PASSED] * 40 + [DROPPED] * 15


def samples_of(datagram):
    """(type, body) of each sample of a datagram, by another reading of the format."""
    version, family = struct.unpack_from("!II", datagram)
    assert (version, family) == (5, 1)
    _, number, _, count = struct.unpack_from("!IIII", datagram, 12)
    at, found = 28, []
    for _ in range(count):
        kind, length = struct.unpack_from("!II", datagram, at)
        found.append((kind, datagram[at + 8:at + 8 + length]))
        at += 8 + length
    assert at == len(datagram)
    return number, found


def test_sflow_fields(sampled, collector):
    """Sequence numbers without gaps; verdicts as output interfaces; counters as the kernel's."""
    process = reading(sampled, "--sflow", collector.name)
    send(sampled, 100)
    send(sampled, 1, DROPPED)
    received(sampled, 101)
    ends(process)
    numbers, flows, counters = [], [], []
    for datagram in collector.read():
        assert len(datagram) <= 1400
        number, samples = samples_of(datagram)
        numbers.append(number)
        flows += [struct.unpack_from("!8I", body) for kind, body in samples if kind == 1]
        counters += [struct.unpack_from("!II", body) for kind, body in samples if kind == 2]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [flow[0] for flow in flows] == list(range(1, 102))
    assert [flow[6] for flow in flows] == [0] * 100 + [DISCARDED]
    assert [flow[3] for flow in flows] == sorted(flow[3] for flow in flows)
    assert counters and {source for _, source in counters} == {ifindex(sampled)}


@pytest.mark.parametrize("command, status", (
    (None, 3),
    (lambda bed: bed.client.run("ip", "link", "set", "eth0", "down"), 1),
    (lambda bed: bed.server.run("ip", "link", "set", "eth0", "down"), 0),
), ids=("up", "no carrier", "down"))
def test_sflow_interface_status(sampled, collector, command, status):
    if command:
        command(sampled)
        # The kernel takes its time to tell.
        eventually(lambda: sampled.server.run("ip", "-json", "link", "show", "dev", "eth0")
                   .json[0]["operstate"] == "DOWN", "eth0 down")
    process = reading(sampled, "--sflow", collector.name)
    bodies = eventually(lambda: [body for datagram in collector.read()
                                 for kind, body in samples_of(datagram)[1] if kind == 2],
                        "a counter sample")
    ends(process)
    # Behind sequence number, source, records, format and length: index, type, speed, direction.
    assert {struct.unpack_from("!I", body, 40)[0] for body in bodies} == {status}


def test_sflow_tells_losses(bed, collector):
    """What didn't fit the ring is in later samples' drops."""
    silence(bed)
    bed.attach()
    sampler(bed, "--attach", "--rate", 1, "--ring", 4096)
    send(bed, 300)
    full = eventually(lambda: counts(bed)["picked"] >= 300 and counts(bed)["ring_full"], "losses")
    process = reading(bed, "--sflow", collector.name)
    received(bed, 300 - full)
    eventually(lambda: state(bed)["outputs"]["sflow"]["delivered"] == 300 - full, "all sent")
    send(bed, 1)
    received(bed, 301 - full)
    ends(process)
    flows = [struct.unpack_from("!8I", body) for datagram in collector.read()
             for kind, body in samples_of(datagram)[1] if kind == 1]
    assert (flows[-1][3], flows[-1][4]) == (301, full)


@pytest.mark.long
def test_collector_down(sampled, collector):
    """Said once, counted; what comes once it is up gets there."""
    collector.close()
    process = reading(sampled, "--sflow", collector.name)
    fate = {"lost": 0}
    for number in range(1, 4):
        send(sampled, 30)
        fate = eventually(lambda want=30 * number:
                          (seen := state(sampled)["outputs"]["sflow"])["lost"] >= want and seen,
                          "losses counted")
    assert (fate["delivered"], fate["lost"]) == (0, 90)
    up = Collector(sampled, collector.port)
    count = 90
    while not state(sampled)["outputs"]["sflow"]["delivered"]:
        count += len(send(sampled, 5))
        received(sampled, count)
    result = ends(process, quiet=False)
    said = result.one_line()
    assert f"--sflow {collector.name}: sending failed: Connection refused" in said
    up.read()
    up.close()
    seen = state(sampled)
    check_conservation(seen, "sflow")
    got = sum(kind == 1 for datagram in up.datagrams for kind, _ in samples_of(datagram)[1])
    # What came soon after the last refusal may not have arrived, for all that is known.
    assert count - 90 >= got >= seen["outputs"]["sflow"]["delivered"] > 0


def test_remote_collector_down(sampled):
    """A host doesn't refuse every datagram: after six at once one in a second. All are lost, samples
    of its refusals too."""
    process = reading(sampled, "--sflow", f"{CLIENT4}:{SFLOW_PORT}")
    for number in range(1, 4):
        send(sampled, 100)
        received(sampled, 100 * number)
    fate = eventually(lambda: (seen := state(sampled)["outputs"]["sflow"])["held"] == 0 and seen,
                      "an end of what is held")
    assert fate["delivered"] == 0 and fate["lost"] >= 300
    assert "sending failed: Connection refused" in ends(process, quiet=False).one_line()
    check_conservation(state(sampled), "sflow")


def test_no_route_to_collector(sampled, collector):
    """As one that is down, and the other one gets everything; once there is a route, both do."""
    sampled.server.run("ip", "route", "add", "unreachable", "203.0.113.1/32")
    process = reading(sampled, "--sflow", f"203.0.113.1:{SFLOW_PORT},{collector.name}")
    assert "--sflow 203.0.113.1:6343: sending failed: " in process.stderr.readline()
    send(sampled, 30)
    eventually(lambda: state(sampled)["outputs"]["sflow"]["lost"] == 30, "losses counted")
    assert sum(kind == 1 for datagram in collector.read()
               for kind, _ in samples_of(datagram)[1]) == 30
    sampled.server.run("ip", "address", "add", "203.0.113.1/32", "dev", "lo")
    far = Collector(sampled, SFLOW_PORT, "203.0.113.1")
    count = 0
    while not state(sampled)["outputs"]["sflow"]["delivered"]:
        count += len(send(sampled, 5))
        received(sampled, 30 + count)
    ends(process)
    check_conservation(state(sampled), "sflow")
    found = [samples_of(datagram) for datagram in far.read()]
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    assert sum(kind == 1 for _, samples in found for kind, _ in samples) == state(sampled)[
        "outputs"]["sflow"]["delivered"]
    far.close()


@pytest.mark.anywhere
@pytest.mark.parametrize("name", ("127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:99999", "[::1]:0",
                                  "127.0.0.1:", "127.0.0.1:63x", "127.0.0.1:-1",
                                  "127.0.0.1:4294973639"))
def test_no_such_port(bed, name):
    """Refused before anything is attached."""
    bed.attach()
    said = sampler(bed, "--sflow", name, expect=EX_USAGE)
    assert f"--sflow '{name}'" in said.one_line()
    assert not state(bed)["attached"]


def sums(collector):
    """Counters that a statsd server would have."""
    found = collections.Counter()
    for datagram in collector.read():
        for line in datagram.decode().split("\n"):
            name, value = line.split(":")
            assert value.endswith("|c")
            found[name] += int(value[:-2])
    return +found


def test_statsd(bed, collector):
    """Estimates: at rate N a sample counts N times."""
    silence(bed)
    bed.attach()
    bed.filter("--drop", "--ips", DROPPED, "--interface", "eth0")
    process = reading(bed, "--statsd", "127.0.0.1", "--statsd-port", collector.port, "--rate", 5)
    eventually(lambda: state(bed)["attached"], "a sampler")
    # A multiple of the rate, so that the place of the first sample doesn't matter.
    send(bed, 50)
    send(bed, 30, DROPPED)
    received(bed, 16)
    ends(process)
    octets = 42 + 8
    assert sums(collector) == {
        "ecbpf.xdp_sampler.eth0.no_opinion.packets": 50,
        "ecbpf.xdp_sampler.eth0.no_opinion.octets": 50 * octets,
        "ecbpf.xdp_sampler.eth0.filter_source.packets": 30,
        "ecbpf.xdp_sampler.eth0.filter_source.octets": 30 * octets,
    }


@pytest.mark.long
def test_statsd_down(sampled, collector):
    collector.close()
    process = reading(sampled, "--statsd", "127.0.0.1", "--statsd-port", collector.port)
    for number in range(1, 5):
        send(sampled, 10)
        received(sampled, 10 * number)
    eventually(lambda: state(sampled)["outputs"]["statsd"]["lost"], "a loss")
    result = ends(process, quiet=False)
    assert "--statsd" in result.one_line()
    check_conservation(state(sampled), "statsd")


def test_all_outputs_at_once(sampled, collector, scratch):
    """Each gets every sample."""
    file = scratch / "out.pcapng"
    with open(scratch / "live", "wb") as live:
        process = reading(sampled, "--live", "--write", file, "--sflow", collector.name,
                          "--statsd", "127.0.0.1", stdout=live)
        send(sampled, 25)
        received(sampled, 25)
        process.terminate()
        assert finish(process).status == EX_OK
    seen = state(sampled)
    check_conservation(seen, "file", "live", "sflow", "statsd")
    assert [seen["outputs"][name]["delivered"] for name in ("file", "live", "sflow")] == [25] * 3
    assert os.path.getsize(file) == os.path.getsize(pathlib.Path(scratch) / "live")
