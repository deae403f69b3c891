# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Fragments: dropped, answered with path MTU messages, spared."""
import random
import re
import socket
import time

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6PacketTooBig, IPv6, IPv6ExtHdrDestOpt,
                                IPv6ExtHdrFragment)
from scapy.layers.l2 import Dot1Q
from scapy.packet import Raw

from testbed import CLIENT4, CLIENT6, DEADLINE, SERVER4, SERVER6, eventually
from traffic import link, udp4, udp6

MTU = 1400
IP_MTU = 14
IPV6_MTU = 24
IP_MTU_DISCOVER, IP_PMTUDISC_DONT = 10, 0
IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT = 23, 0

ADDRESSES = {4: (SERVER4, CLIENT4), 6: (SERVER6, CLIENT6)}


@pytest.fixture
def dropping(bed):
    """A filter that drops fragments, behind an MTU that none of its clients knows of."""
    bed.server.run("ip", "link", "set", "eth0", "mtu", MTU)
    bed.attach("--frags-drop", "--ptb-max-pps", "1000")
    return bed


def fragment(family, first=True, vlans=(), source=None, destination=None, sport=4000, size=600):
    """A fragment of a UDP datagram, as bytes."""
    server, client = ADDRESSES[family]
    source, destination = source or client, destination or server
    upper = UDP(sport=sport, dport=9, len=2008, chksum=0x1234) if first else Raw(b"later")
    payload = upper / Raw(bytes(size))
    offset = 0 if first else 64
    if family == 4:
        frame = link(vlans) / IP(src=source, dst=destination, flags="MF", frag=offset, proto=17)
    else:
        frame = link(vlans) / IPv6(src=source, dst=destination) / IPv6ExtHdrFragment(
            nh=17, m=1, offset=offset, id=random.getrandbits(32))
    return bytes(frame / payload)


def frag_stats(bed):
    stats = bed.filter_status()["stats"]
    return {key: stats[key] for key in ("ip_frag_drop_count", "ptb_sent_count", "ptb_err_count",
                                        "ptb_mem_err_count", "ptb_limit_count",
                                        "frag_local_count")}


def is_too_big(family):
    if family == 6:
        return lambda frame: ICMPv6PacketTooBig in frame
    return lambda frame: ICMP in frame and (frame[ICMP].type, frame[ICMP].code) == (3, 4)


def test_fragments_pass_unless_asked(bed, traffic):
    bed.attach()
    frames = {f"{kind}{family}": fragment(family, first=kind == "first")
              for family in ADDRESSES for kind in ("first", "later")}
    assert traffic.exchange(**frames) == list(frames)
    assert set(frag_stats(bed).values()) == {0}


def test_fragments_are_dropped(dropping, traffic):
    for family in ADDRESSES:
        assert traffic.exchange(first=fragment(family), later=fragment(family, first=False),
                                whole=(udp4 if family == 4 else udp6)()) == ["whole"]
    assert frag_stats(dropping) == {
        "ip_frag_drop_count": 4, "ptb_sent_count": 2, "ptb_err_count": 0, "ptb_mem_err_count": 0,
        "ptb_limit_count": 0, "frag_local_count": 0}
    reasons = dropping.status()["reasons"]
    assert (reasons["filter_too_big"], reasons["filter_fragment"]) == (2, 2)


def test_an_atomic_fragment_is_none(dropping, traffic):
    """A whole packet with a fragment header, RFC 6946."""
    assert traffic.exchange(atomic=udp6(extensions=[IPv6ExtHdrFragment(m=0, offset=0)]),
                            behind=udp6(extensions=[IPv6ExtHdrDestOpt(),
                                                    IPv6ExtHdrFragment(m=0, offset=0)])
                            ) == ["atomic", "behind"]


def test_no_answer_to_broadcasts(dropping, traffic):
    """Nor to what claims to come from the host, or from everybody in one of its subnets."""
    dropping.server.run("ip", "address", "add", "10.9.0.1/31", "dev", "eth0")
    dropping.server.run("ip", "address", "add", "10.8.0.1/16", "broadcast", "10.8.7.7", "dev",
                        "eth0")
    dropping.filter("--attach", "--interface", "eth0")
    silent = ("10.99.0.255", "10.99.0.0", "10.8.255.255", "10.8.0.0", "10.8.7.7")
    answered = ("10.99.0.254", "10.8.0.255", "10.9.0.0")
    assert traffic.exchange(**{f"from{number}": fragment(4, source=address) for number, address in
                               enumerate((*silent, SERVER4, "10.9.0.1"))}) == []
    assert traffic.exchange(**{f"to{number}": fragment(4, destination=address)
                               for number, address in enumerate(silent)}) == []
    assert traffic.exchange(own=fragment(6, source=SERVER6)) == []
    assert frag_stats(dropping)["ptb_sent_count"] == 0
    assert traffic.exchange(**{f"f{number}": fragment(4, source=address)
                               for number, address in enumerate(answered)}) == []
    assert traffic.exchange(**{f"t{number}": fragment(4, destination=address)
                               for number, address in enumerate((*answered, SERVER4))}) == []
    assert frag_stats(dropping)["ptb_sent_count"] == 7


@pytest.mark.parametrize("vlans", [(), (100,), (100, 200)])
@pytest.mark.parametrize("family", [4, 6])
def test_the_answer(dropping, traffic, family, vlans):
    sent = fragment(family, vlans=vlans)
    assert traffic.exchange(first=sent) == []
    assert frag_stats(dropping)["ptb_sent_count"] == 1
    answer = traffic.answer(is_too_big(family), "a path MTU message")
    server, client = ADDRESSES[family]
    # The kernel takes the outer tag out of what a tap shows.
    assert [tag.vlan for tag in answer.iterpayloads() if isinstance(tag, Dot1Q)] == list(vlans)[1:]
    layer = answer[IP if family == 4 else IPv6]
    assert (layer.src, layer.dst) == (server, client)
    message = layer.payload
    if family == 4:
        assert message.nexthopmtu == MTU
        quoted = bytes(message.payload)
        assert quoted == sent[14 + 4 * len(vlans):][:28]
    else:
        assert message.mtu == MTU
        quoted = bytes(message.payload)
        assert quoted == sent[14 + 4 * len(vlans):][:1280 - 48]
    again = layer.copy()
    if family == 4:
        del again.chksum, again[ICMP].chksum
    else:
        del again[ICMPv6PacketTooBig].cksum
    assert bytes(type(layer)(bytes(again))) == bytes(layer), "checksums"


@pytest.mark.parametrize("family", [4, 6])
def test_a_client_learns_the_path_mtu(dropping, traffic, family):
    """The message is one that a kernel believes: about a socket of its own, rightly summed."""
    server, _ = ADDRESSES[family]
    client = dropping.client
    with client.entered():
        sender = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6,
                               socket.SOCK_DGRAM)
        sender.connect((server, 9))
    with sender:
        level, option = ((socket.IPPROTO_IP, IP_MTU) if family == 4 else
                         (socket.IPPROTO_IPV6, IPV6_MTU))
        assert sender.getsockopt(level, option) == 1500
        traffic.exchange(first=fragment(family, sport=sender.getsockname()[1]))
        eventually(lambda: f"mtu {MTU}" in client.run("ip", "route", "get", server).out,
                   "the client's route to learn the MTU")
        eventually(lambda: sender.getsockopt(level, option) == MTU, "the socket to know the MTU")


@pytest.mark.parametrize("family", [4, 6])
def test_fragments_of_a_kernel(dropping, family):
    """A datagram that the client's kernel cuts arrives only if fragments pass."""
    server, _ = ADDRESSES[family]
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    dropping.client.run("ip", "link", "set", "eth0", "mtu", MTU)
    with dropping.server.entered():
        receiver = socket.socket(kind, socket.SOCK_DGRAM)
        receiver.bind((server, 6000))
        receiver.settimeout(DEADLINE)
    with dropping.client.entered():
        sender = socket.socket(kind, socket.SOCK_DGRAM)
        if family == 4:
            sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
        else:
            sender.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT)
        sender.connect((server, 6000))
    with receiver, sender:
        sender.send(b"a" * 5000)
        sender.send(b"whole")
        assert receiver.recv(9000) == b"whole"
        assert frag_stats(dropping)["ip_frag_drop_count"] == 4
        assert frag_stats(dropping)["ptb_sent_count"] == 1

        dropping.filter("--attach", "--no-frags-drop", "--interface", "eth0")
        sender.send(b"b" * 5000)
        assert receiver.recv(9000) == b"b" * 5000
        dropping.filter("--attach", "--frags-drop", "--frags-local-pass", "--interface", "eth0")
        sender.send(b"c" * 5000)
        assert receiver.recv(9000) == b"c" * 5000
        assert frag_stats(dropping)["frag_local_count"] == 4


def test_local_fragments_are_spared(dropping, traffic):
    """Those to others are not."""
    dropping.filter("--attach", "--frags-local-pass", "--interface", "eth0")
    frames = {"local4": fragment(4), "local6": fragment(6),
              "later4": fragment(4, first=False), "later6": fragment(6, first=False),
              "other4": fragment(4, destination="10.88.0.1"),
              "other6": fragment(6, destination="fd88::1")}
    assert traffic.exchange(**frames) == ["local4", "local6", "later4", "later6"]
    assert frag_stats(dropping)["frag_local_count"] == 4


def test_a_listed_source_is_not_answered(dropping, traffic):
    dropping.filter("--drop", "--ips", f"{CLIENT4},{CLIENT6}", "--interface", "eth0")
    assert traffic.exchange(a=fragment(4), b=fragment(6)) == []
    stats = dropping.filter_status()["stats"]
    assert (stats["ip_drop_count"], stats["ip6_drop_count"]) == (1, 1)
    assert (stats["ptb_sent_count"], stats["ip_frag_drop_count"]) == (0, 0)


def test_an_allowed_source_may_send_fragments(dropping, traffic):
    dropping.filter("--allow", "--ips", f"{CLIENT4},fd99::/64", "--interface", "eth0")
    assert traffic.exchange(a=fragment(4), b=fragment(6), c=fragment(4, source="10.99.0.3"),
                            d=fragment(6, source="fd98::1")) == ["a", "b"]


def test_no_answer_where_none_may_be_given(dropping, traffic):
    """To groups, in answer to ICMP errors, and to addresses that are nobody's."""
    error4 = link() / IP(src=CLIENT4, dst=SERVER4, flags="MF") / ICMP(type=3, code=3) / Raw(
        bytes(64))
    echo4 = link() / IP(src=CLIENT4, dst=SERVER4, flags="MF") / ICMP(type=8) / Raw(bytes(64))
    error6 = link() / IPv6(src=CLIENT6, dst=SERVER6) / IPv6ExtHdrFragment(
        m=1) / ICMPv6PacketTooBig() / Raw(bytes(64))
    echo6 = link() / IPv6(src=CLIENT6, dst=SERVER6) / IPv6ExtHdrFragment(
        m=1) / ICMPv6EchoRequest() / Raw(bytes(64))
    silent = {"error4": error4, "error6": error6,
              "group4": fragment(4, destination="224.0.0.5"),
              "group6": fragment(6, destination="ff02::5"),
              "broadcast": fragment(4, destination="255.255.255.255"),
              "nobody4": fragment(4, source="0.0.0.0"), "nobody6": fragment(6, source="::"),
              "loop4": fragment(4, source="127.0.0.1"), "loop6": fragment(6, source="::1"),
              "from_group": fragment(4, source="224.0.0.5")}
    assert traffic.exchange(**silent) == []
    assert frag_stats(dropping)["ptb_sent_count"] == 0
    assert traffic.exchange(echo4=echo4, echo6=echo6) == []
    stats = frag_stats(dropping)
    assert stats["ptb_sent_count"] == 2
    assert stats["ip_frag_drop_count"] == len(silent) + 2


def test_no_answers_at_all(dropping, traffic):
    dropping.filter("--attach", "--ptb-max-pps", "0", "--interface", "eth0")
    assert traffic.exchange(a=fragment(4), b=fragment(6)) == []
    stats = frag_stats(dropping)
    assert (stats["ip_frag_drop_count"], stats["ptb_sent_count"]) == (2, 0)
    assert re.search(r"^ptb_send\? false$", dropping.filter("--status").out, re.MULTILINE)


def test_answers_of_a_second_are_limited(dropping, traffic):
    """Whatever the number of seconds that this takes, no more answers than N in each."""
    limit = 3
    dropping.filter("--attach", "--ptb-max-pps", limit, "--interface", "eth0")
    frames = {f"f{number}": fragment(4 + number % 2 * 2) for number in range(100)}
    first = int(time.monotonic())
    assert traffic.exchange(**frames) == []
    seconds = int(time.monotonic()) - first + 1
    stats = frag_stats(dropping)
    assert stats["ptb_sent_count"] + stats["ptb_limit_count"] == 100
    assert 0 < stats["ptb_sent_count"] <= seconds * limit
    assert stats["ptb_sent_count"] == dropping.status()["reasons"]["filter_too_big"]


def test_headers_that_lie(dropping, traffic):
    """Dropped whatever the options say, each with a reason of its own."""
    evil = bytes(link() / IP(src=CLIENT4, dst=SERVER4, flags="evil") / UDP(sport=1, dport=9))
    long4 = bytes(link() / IP(src=CLIENT4, dst=SERVER4, len=1000) / UDP(sport=1, dport=9))
    long6 = bytes(link() / IPv6(src=CLIENT6, dst=SERVER6, plen=1000) / UDP(sport=1, dport=9))
    assert traffic.exchange(evil=evil, long4=long4, long6=long6) == []
    reasons = dropping.status()["reasons"]
    assert (reasons["filter_evil_bit"], reasons["filter_bad_length"]) == (1, 2)


def test_options(bed, traffic):
    bed.attach()
    frame = link() / IP(src=CLIENT4, dst=SERVER4, options=b"\x94\x04\0\0") / UDP(dport=9)
    assert traffic.exchange(plain=udp4(), options=frame) == ["plain", "options"]
    bed.filter("--attach", "--drop-options", "--interface", "eth0")
    assert traffic.exchange(plain=udp4(), options=frame) == ["plain"]
    assert bed.status()["reasons"]["filter_ip_options"] == 1


def test_truncated_frames(bed, traffic):
    bed.attach()
    # A UDP header is cut short; the length says so too.
    short = bytes(link() / IP(src=CLIENT4, dst=SERVER4, proto=17))
    traffic.client.send(short + b"\0\1")
    assert traffic.passes(udp4())
    assert bed.status()["reasons"]["filter_truncated"] == 0
    bed.filter("--attach", "--truncated-drop", "--interface", "eth0")
    cut = bytes(link() / IP(src=CLIENT4, dst=SERVER4, proto=17, len=22)) + b"\0\1"
    traffic.client.send(cut)
    assert traffic.passes(udp4())
    assert bed.status()["reasons"]["filter_truncated"] == 1
