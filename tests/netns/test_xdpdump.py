# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_sampler beside xdpdump (xdp-tools): both see the same packets, octet for octet."""
import re
import select

import pytest
from scapy.layers.inet6 import IPv6ExtHdrFragment
from scapy.packet import Raw

from sampling import (DROPPED, await_arrival, ends, need, one_cpu, packets, reading, received,
                      sampler, silence)
from testbed import DEADLINE, eventually
from traffic import Tap, udp4, udp6

XDP_DROP, XDP_PASS, XDP_TX = 1, 2, 3
IP_TYPES = (b"\x08\x00", b"\x86\xdd")


def start_xdpdump(bed, file):
    """Capturing; skips where the kernel has no fexit for XDP programs."""
    need("xdpdump")
    process = bed.server.start("xdpdump", "--interface", "eth0", "--rx-capture", "entry,exit",
                               "--write", file)
    said = ""
    while "listening on" not in said:
        ready = select.select([process.stderr, process.stdout], [], [], DEADLINE)[0]
        assert ready, f"xdpdump said nothing more than: {said}"
        line = ready[0].readline()
        said += line
        if not line and process.poll() is not None:
            pytest.skip(f"xdpdump can't attach here: {said.strip()[-200:]}")
    return process


def traffic(bed):
    """Every verdict of root and filter; how many frames it was."""
    frames = [
        udp4() / Raw(b"passes"),
        udp4(DROPPED) / Raw(b"is dropped" * 20),
        udp6() / Raw(b"passes" * 200),
        udp6("2001:db8:bad::7") / Raw(b"is dropped"),
        udp4(vlans=(7,)) / Raw(b"passes, tagged"),
        udp4(flags="MF") / Raw(b"is answered" * 40),
        udp6(vlans=(3,), extensions=(IPv6ExtHdrFragment(m=1),)) / Raw(b"is answered" * 40),
        udp4(frag=5) / Raw(b"is dropped"),
    ] * 3
    sender, receiver = Tap(bed.client), Tap(bed.server)
    with one_cpu():
        for frame in frames:
            sender.send(frame)
        await_arrival(sender, receiver)
    sender.close()
    receiver.close()
    return len(frames)


def captured(data, point):
    """(octets, captured, verdict) of IP packets that xdpdump took at that point."""
    return [(length, octets, verdict) for name, length, octets, verdict in packets(data)
            if name.endswith(f"@{point}") and octets.rstrip(b"\0") and is_ip(octets)]


def is_ip(octets):
    return octets[12:14] in IP_TYPES or (octets[12:14] == b"\x81\x00" and octets[16:18] in IP_TYPES)


@pytest.mark.parametrize("as_sent", (False, True))
def test_same_packets(bed, scratch, as_sent):
    """As they came, or as they left; and the verdicts."""
    silence(bed)
    bed.attach("--frags-drop", "--ptb-max-pps", 1000)
    bed.filter("--drop", "--ips", f"{DROPPED},2001:db8:bad::/48", "--interface", "eth0")
    sampler(bed, "--attach", "--rate", 1, "--snaplen", 256,
            "--as-sent" if as_sent else "--no-as-sent")
    theirs, ours = scratch / "theirs.pcapng", scratch / "ours.pcapng"
    dump = start_xdpdump(bed, theirs)
    process = reading(bed, "--write", ours)
    eventually(ours.exists, "a file")
    count = traffic(bed)
    received(bed, count)
    ends(process)
    said = ends(dump, quiet=False)
    assert not re.search("[1-9][0-9]* packets dropped", said.out + said.err), said
    entered, left = (captured(theirs.read_bytes(), point) for point in ("fentry", "fexit"))
    assert len(entered) == len(left) == count
    expected = [(length, octets[:256], verdict) for (length, octets, _), (_, _, verdict)
                in zip(left if as_sent else entered, left)]
    found = [(length, octets, verdict) for _, length, octets, verdict in
             packets(ours.read_bytes())]
    assert found == expected
    assert {verdict for _, _, verdict in found} == {XDP_DROP, XDP_PASS, XDP_TX}
