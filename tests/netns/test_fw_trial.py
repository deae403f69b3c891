# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_fw --test: a capture of hand-made frames, and rules of each feature with what they must do."""
import hashlib
import subprocess

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NS, IPv6,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw
from scapy.utils import PcapNgWriter

from testbed import EX_DATAERR, EX_NOINPUT, EX_OK, FW, sample

pytestmark = pytest.mark.anywhere

ETH = Ether(src="02:00:00:00:00:02", dst="02:00:00:00:00:01")
A4, B4, C4 = "10.1.2.3", "10.1.200.3", "192.0.2.9"
A6, B6, C6 = "2001:db8:1::3", "2001:db8:2::3", "fd00::9"


def ip4(source=A4, to=C4, **fields):
    return ETH / IP(src=source, dst=to, **fields)


def ip6(source=A6, to=C6, **fields):
    return ETH / IPv6(src=source, dst=to, **fields)


def hand_made():
    """Name to frame."""
    pad = Raw(b"0123456789" * 4)
    frames = {}
    for flags in ("S", "SA", "A", "FA", "R", "PA", "SF", "SEC", "", "U"):
        frames[f"tcp4-{flags}"] = ip4() / TCP(sport=1000, dport=80, flags=flags, window=512)
        frames[f"tcp6-{flags}"] = ip6() / TCP(sport=1000, dport=80, flags=flags, window=512)
    for port in (22, 53, 443, 444, 65535, 0):
        frames[f"tcp4-port{port}"] = ip4(B4) / TCP(sport=port, dport=port) / pad
        frames[f"udp4-port{port}"] = ip4(B4) / UDP(sport=4000, dport=port) / pad
        frames[f"udp6-port{port}"] = ip6(B6) / UDP(sport=port, dport=4000) / pad
    for kind, code in ((8, 0), (0, 0), (3, 1), (3, 4), (11, 0)):
        frames[f"icmp4-{kind}-{code}"] = ip4() / ICMP(type=kind, code=code) / pad
    frames["icmp6-request"] = ip6() / ICMPv6EchoRequest(data=b"ping")
    frames["icmp6-reply"] = ip6() / ICMPv6EchoReply(data=b"pong")
    frames["icmp6-ns"] = ip6() / ICMPv6ND_NS(tgt=C6)
    frames["vlan5"] = ETH / Dot1Q(vlan=5) / IP(src=A4, dst=C4) / UDP(dport=53) / pad
    frames["vlan6"] = ETH / Dot1Q(vlan=6) / IPv6(src=A6, dst=C6) / UDP(dport=53) / pad
    frames["qinq"] = ETH / Dot1AD(vlan=5) / Dot1Q(vlan=6) / IP(src=A4, dst=C4) / UDP(dport=53) / pad
    frames["options"] = ip4(options=[("NOP")] * 4) / TCP(dport=80, flags="S")
    frames["hop"] = ip6() / IPv6ExtHdrHopByHop() / TCP(dport=80, flags="S")
    frames["chain"] = (ip6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting() /
                       UDP(dport=53))
    frames["first4"] = ip4(flags="MF") / UDP(dport=53) / pad
    frames["later4"] = ip4(frag=6, proto=17) / pad
    frames["last4"] = ip4(frag=12, proto=6) / pad
    frames["first6"] = ip6() / IPv6ExtHdrFragment(m=1, nh=17) / UDP(dport=53) / pad
    frames["later6"] = ip6() / IPv6ExtHdrFragment(offset=6, nh=17) / pad
    frames["atomic6"] = ip6() / IPv6ExtHdrFragment(nh=17) / UDP(dport=53) / pad
    frames["ttl1"] = ip4(ttl=1) / UDP(dport=9) / pad
    frames["hlim255"] = ip6(hlim=255) / UDP(dport=9) / pad
    frames["long"] = ip4() / UDP(dport=9) / Raw(b"x" * 1400)
    frames["gre"] = ip4(proto=47) / pad
    frames["sctp6"] = ip6(nh=132) / pad
    frames["arp"] = ETH / ARP()
    made = {name: bytes(frame) for name, frame in frames.items()}
    made["cut-ip"] = made["tcp4-S"][:30]
    made["cut-tcp"] = made["tcp4-S"][:40]
    made["cut-ports"] = made["tcp4-S"][:36]
    made["cut-ip6"] = made["tcp6-S"][:50]
    made["cut-tcp6"] = made["tcp6-S"][:60]
    return made


FRAMES = hand_made()
UDP53 = {"udp4-port53", "vlan5", "qinq", "first4"}

# Rules, and the frames that they drop.
CASES = {
    "flags": ("ip from any to any tcp flags { syn } mask { syn, ack, fin, rst }\n",
              {"tcp4-S", "tcp4-SEC", "options"} |
              {f"tcp4-port{port}" for port in (22, 53, 443, 444, 65535, 0)}),
    "flags6": ("ip6 from any to any tcp flags { syn }\n",
               {"tcp6-S", "tcp6-SA", "tcp6-SF", "tcp6-SEC", "hop"}),
    "not flags": ("ip6 from any to any tcp flags not { ack }\n",
                  {"tcp6-S", "tcp6-R", "tcp6-SF", "tcp6-SEC", "tcp6-", "tcp6-U", "hop"}),
    "addresses": (f"ip from {{ 10.1.128.0/17 }} to {{ {C4} }} udp\n",
                  {f"udp4-port{port}" for port in (22, 53, 443, 444, 65535, 0)}),
    "not addresses": ("ip6 from not { 2001:db8:1::/48 } to any proto any\n",
                      {f"udp6-port{port}" for port in (22, 53, 443, 444, 65535, 0)}),
    "dport": ("ip from any to any udp dport { 53, 440-443 }\n", UDP53 | {"udp4-port443"}),
    "sport": ("ip6 from any to any udp sport not { 1-65535 }\n", {"udp6-port0"}),
    "window": ("ip from any to any tcp window 512 flags { psh }\n", {"tcp4-PA"}),
    "icmp": ("ip from any to any icmp type 3 code { 2-5 }\n", {"icmp4-3-4"}),
    "icmp types": ("ip from any to any icmp type { 8, 11 }\n", {"icmp4-8-0", "icmp4-11-0"}),
    "icmp6": ("ip6 from any to any icmp6 type 128\n", {"icmp6-request"}),
    "vlan": ("vlan 5 ip from any to any udp\n", {"vlan5", "qinq"}),
    "not vlan": ("vlan not { 5 } ip from any to any udp dport 53\n", {"udp4-port53", "first4"}),
    "fragment": ("ip from any to any proto any fragment\nip6 from any to any udp fragment\n",
                 {"first4", "later4", "last4", "first6", "later6"}),
    "not fragment": ("ip6 from any to any udp dport 53 not fragment\n",
                     {"vlan6", "chain", "atomic6"}),
    "no ports in later fragments": ("ip6 from any to any udp dport { 0-65535 }\n",
                                    {f"udp6-port{port}" for port in (22, 53, 443, 444, 65535, 0)} |
                                    {"vlan6", "chain", "first6", "atomic6", "hlim255"}),
    "addresses of later fragments": ("ip6 from any to any udp name \"all\"\n"
                                     "ip6 from { 2001:db8:2::/48 } to any udp action pass\n",
                                     {"vlan6", "chain", "first6", "later6", "atomic6", "hlim255"}),
    "ttl": ("ip from any to any ttl 0-1 udp\nip6 from any to any ttl { 255 } udp\n",
            {"ttl1", "hlim255"}),
    "length": ("packet length { 1000-1500 } ip from any to any udp\n", {"long"}),
    "proto": ("ip from any to any proto 47\nip6 from any to any proto { 130-140 }\n",
              {"gre", "sctp6"}),
    "truncated": ("ip from any to any tcp dport 80 flags { syn } packet length 0-53\n"
                  "ip6 from any to any tcp packet length 0-63\n", {"cut-tcp6"}),
    "truncated ports": ("ip from any to any tcp packet length 0-53\n",
                        {"cut-tcp", "cut-ports"}),
    "pass wins": ("ip from any to any udp\nip from any to any udp dport not { 53 } action pass\n",
                  UDP53 | {"later4"}),
    "first match": ("order first-match\nip from any to any udp dport 53\n"
                    "ip from any to any udp action pass\nip from any to any udp\n", UDP53),
    "count": ("ip from any to any udp action count\n", set()),
    "limit": ("ip from any to any icmp action limit 1/second burst 2\n",
              {"icmp4-3-1", "icmp4-3-4", "icmp4-11-0"}),
    "limit per source": ("ip from any to any udp dport 53 action limit 1/second burst 1 per source\n",
                         {"qinq", "first4"}),
    "sets": (f"set some {{ {A6}, 10.1.200.0/24,\n 2001:db8:2::/64 }}\n"
             "ip from some to any tcp dport { 22 }\nip6 from @some to any icmp6 type 129\n",
             {"tcp4-port22", "icmp6-reply"}),
}


@pytest.fixture
def capture(scratch):
    assert len(FRAMES) >= 60 and len(set(FRAMES.values())) == len(FRAMES)
    path = scratch / "frames.pcapng"
    with PcapNgWriter(str(path)) as out:
        for frame in FRAMES.values():
            packet = Ether(frame)
            packet.time = 1700000000
            out.write(packet)
    return path


def attempt(capture, rules, tests, *arguments):
    text = rules + "".join(f"test sha1 {hashlib.sha1(FRAMES[name]).hexdigest()} "
                           f"xdp_action {action}\n" for name, action in tests.items())
    return subprocess.run([str(FW), "--test", str(capture), "--rules", "-", *arguments],
                          input=text, capture_output=True, text=True, check=False)


# User space alone: the same under every kernel.
@pytest.mark.parametrize("case", sample(CASES, 5))
def test_feature(capture, case):
    rules, drops = CASES[case]
    assert drops <= set(FRAMES)
    tests = {name: "XDP_DROP" if name in drops else "XDP_PASS" for name in FRAMES}
    done = attempt(capture, rules, tests)
    assert done.returncode == EX_OK, done.stdout + done.stderr
    assert f"{len(FRAMES)} packets, {len(drops)} dropped\n" in done.stdout
    assert f"{len(FRAMES)} tests, 0 failed\n" in done.stdout


def test_a_test_that_fails(capture):
    rules = CASES["vlan"][0]
    done = attempt(capture, rules, {"vlan5": "XDP_PASS", "arp": "XDP_PASS"})
    assert done.returncode == EX_DATAERR
    assert "test failed: stdin:2 wants XDP_PASS" in done.stdout
    assert "2 tests, 1 failed" in done.stdout
    assert "1 of 2 tests failed" in done.stderr


def test_a_packet_that_is_not_there(capture):
    done = attempt(capture, "test sha1 " + "0" * 40 + " xdp_action XDP_PASS\n", {})
    assert done.returncode == EX_DATAERR
    assert "test failed: stdin:1: no such packet in the capture" in done.stdout


def test_explain(capture):
    done = attempt(capture, 'ip from 10.1.200.0/24 to any tcp dport 22 name "ssh"\n', {},
                   "--explain")
    said = done.stdout.split("packet ")
    index = {name: number for number, name in enumerate(FRAMES, 1)}
    assert said[index["tcp4-S"]].splitlines()[1] == '  rule 1 "ssh": no, from differs'
    assert said[index["udp4-port22"]].splitlines()[1] == '  rule 1 "ssh": no, proto differs'
    assert said[index["tcp4-port53"]].splitlines()[1] == '  rule 1 "ssh": no, dport differs'
    assert said[index["tcp6-S"]].splitlines()[1] == '  rule 1 "ssh": no, IP version differs'
    assert said[index["tcp4-port22"]].splitlines()[1:] == [
        '  rule 1 "ssh": matches', '  rule 1 "ssh": drop', "  XDP_DROP"]
    assert 'rule 1 "ssh": 1 matched, 1 dropped\n' in done.stdout


def test_a_capture_that_is_cut_off(capture):
    """As one that is still being taken: what is there is told, and that it isn't all."""
    whole = capture.read_bytes()
    capture.write_bytes(whole[:-3])
    done = attempt(capture, "ip from any to any udp action count\n", {})
    assert done.returncode == EX_DATAERR
    assert "truncated" in done.stderr and done.stderr.count("\n") == 1
    assert f"\n{len(FRAMES) - 1} packets, 0 dropped\nrule 1: " in done.stdout


def test_no_capture(scratch):
    (scratch / "text.pcap").write_text("no capture")
    for path in (scratch / "nothing.pcap", scratch / "text.pcap"):
        done = attempt(path, "", {})
        assert done.returncode == EX_NOINPUT or done.returncode == EX_DATAERR
        assert str(path) in done.stderr and done.stderr.count("\n") == 1
