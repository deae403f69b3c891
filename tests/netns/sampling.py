# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_sampler run over veth, traffic for it, and what its files hold as others read them."""
import contextlib
import json
import os
import shutil
import signal
import struct
import subprocess

import pytest
from scapy.packet import Raw

from testbed import BUILD, DEADLINE, EX_OK, GUEST, Result, eventually, interrupt
from traffic import Tap, sentinel, udp4

SAMPLER = BUILD / "xdp_sampler/xdp_sampler"
TO_PCAP = BUILD / "xdp_sampler/to_pcap/xdp_sampler_to_pcap"
DROPPED = "192.0.2.7"
PASSED = "10.99.0.9"

# Octets of a frame of IPv4 without tags.
UDP_PROTOCOL, UDP_PAYLOAD = 23, 42
UDP = 17

INTERFACE, STATISTICS, PACKET = 1, 5, 6
INTERFACE_NAME, VERDICT, XDP = 2, 7, 2
RECEIVED, DROPS, ACCEPTED, DELIVERED = 4, 5, 6, 8


def need(program):
    if not shutil.which(program):
        pytest.skip(f"no {program} here")


def sampler(bed, *arguments, interface="eth0", **options):
    return bed.server.run(SAMPLER, *arguments, "--interface", interface, **options)


def silence(bed):
    """No packets from the client but those of the test, so that counts are exact."""
    bed.client.sysctl("ipv6/conf/all/disable_ipv6", 1)


def sampled_bed(bed, *arguments):
    """Root, a filter that drops DROPPED, and a sampler that takes every packet."""
    silence(bed)
    bed.attach()
    bed.filter("--drop", "--ips", DROPPED, "--interface", "eth0")
    sampler(bed, "--attach", "--rate", 1, "--snaplen", 256, *arguments)
    return bed


def state(bed, interface="eth0"):
    return sampler(bed, "--status", "--json", interface=interface).json["interfaces"][0]


def counts(bed, interface="eth0"):
    return state(bed, interface)["counts"]


def received(bed, least, interface="eth0"):
    """Wait until the reader took so many samples since the sampler was attached."""
    eventually(lambda: counts(bed, interface)["received"] >= least, f"{least} samples read")


@contextlib.contextmanager
def one_cpu():
    """Frames sent meanwhile come in on one CPU, each of which has its own count of packets."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# Frames that a veth end takes without losing any.
BURST = 64


def await_arrival(sender, receiver):
    """Until the server has seen all that was sent."""
    frame, mark = sentinel()
    sender.send(frame)
    receiver.until(lambda seen: mark in seen, "a sentinel from the client")


def send(bed, count, source=PASSED, interface="eth0", padding=0, port=9):
    """Numbered datagrams; returns their payloads."""
    frame = bytes(udp4(source, port) / Raw(b"%08d" % 0 + b"-" * padding))
    # Without a checksum, which over IPv4 need not be there.
    head = frame[:40] + b"\0\0"
    payloads = [b"%08d" % number + b"-" * padding for number in range(count)]
    sender, receiver = Tap(bed.client, interface), Tap(bed.server, interface)
    try:
        with one_cpu():
            for number, payload in enumerate(payloads):
                sender.send(head + payload)
                if number % BURST == BURST - 1:
                    await_arrival(sender, receiver)
            await_arrival(sender, receiver)
    finally:
        sender.close()
        receiver.close()
    return payloads


def reading(bed, *arguments, interface="eth0", **streams):
    """A reader."""
    return bed.server.start(SAMPLER, *arguments, "--interface", interface, **streams)


def ends(process, quiet=True):
    """Interrupt a reader, which must end well; what it said."""
    result = interrupt(process)
    assert result.status == EX_OK, result
    assert not (quiet and result.err), result
    return result


def finish(process):
    """Wait for the end of a process."""
    out, err = process.communicate(timeout=DEADLINE * 4)
    return Result(process.args, process.returncode, out, err)


def terminate(process):
    process.send_signal(signal.SIGTERM)
    return finish(process)


def tshark(file, *arguments):
    need("tshark")
    done = subprocess.run(["tshark", "-r", str(file), *arguments], capture_output=True, text=True,
                          check=True, timeout=DEADLINE * 4)
    return done.stdout


def fields(file, *names, only="udp"):
    """A list of the fields' values for each packet, as tshark finds them."""
    arguments = [word for name in names for word in ("-e", name)]
    text = tshark(file, "-Y", only, "-T", "fields", "-E", "separator=\t", *arguments)
    return [line.split("\t") for line in text.splitlines()]


def payloads_of(files):
    """Payloads of UDP datagrams, as tshark finds them; in a guest it takes too long to start."""
    if GUEST and all(file.suffix == ".pcapng" for file in files):
        return [octets[UDP_PAYLOAD:] for file in files for _, _, octets, _ in
                packets(file.read_bytes()) if octets[UDP_PROTOCOL] == UDP]
    for file in files:
        subprocess.run(["capinfos", str(file)], check=True, stdout=subprocess.DEVNULL,
                       timeout=DEADLINE)
    return [bytes.fromhex(line[0]) for file in files for line in fields(file, "udp.payload")]


def as_json(file):
    return [packet["_source"]["layers"] for packet in json.loads(tshark(file, "-T", "json"))]


def blocks(data):
    """(type, body) of each block of a pcapng file in host order, which must add up."""
    found = []
    while data:
        kind, length = struct.unpack_from("=II", data)
        assert 12 <= length <= len(data) and length % 4 == 0
        assert struct.unpack_from("=I", data, length - 4) == (length,)
        found.append((kind, data[8:length - 4]))
        data = data[length:]
    return found


def options_of(body, at):
    """{code: value} of a block's options."""
    found = {}
    while at < len(body):
        code, length = struct.unpack_from("=HH", body, at)
        if not code:
            break
        found[code] = body[at + 4:at + 4 + length]
        at += 4 + (length + 3 & ~3)
    return found


def statistics(data):
    """{option: value} for each interface, of the statistics blocks."""
    return {struct.unpack_from("=I", body)[0]:
            {code: struct.unpack("=Q", value)[0] for code, value in options_of(body, 12).items()}
            for kind, body in blocks(data) if kind == STATISTICS}


def packets(data):
    """(interface's name, octets of the frame, those captured, verdict) of each packet."""
    names, found = [], []
    for kind, body in blocks(data):
        if kind == INTERFACE:
            names.append(options_of(body, 8)[INTERFACE_NAME].decode().rstrip("\0"))
        elif kind == PACKET:
            index, _, _, captured, length = struct.unpack_from("=5I", body)
            given = options_of(body, 20 + (captured + 3 & ~3)).get(VERDICT)
            verdict = struct.unpack_from("=q", given, 1)[0] if given and given[0] == XDP else None
            found.append((names[index], length, body[20:20 + captured], verdict))
    return found


def check_conservation(seen, *outputs):
    """Every packet picked is in one place, and every sample read is in one for each output."""
    kernel, taken = seen["counts"], seen["counts"]["received"]
    assert kernel["picked"] == sum(kernel[key] for key in ("emitted", "filtered", "ring_full",
                                                           "abandoned")), seen
    assert kernel["emitted"] == taken + kernel["waiting"], seen
    for output in outputs:
        fate = seen["outputs"][output]
        assert taken == (kernel["unwanted"] + kernel["malformed"] + fate["delivered"] +
                         fate["lost"] + fate["held"] + fate["unused"]), (output, seen)
