# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_filter's list of source prefixes, its configuration and what it shows."""
import contextlib
import ipaddress
import random
import re
import socket

import pytest
from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting
from scapy.layers.ipsec import AH

from testbed import (CLIENT4, DEADLINE, EX_IOERR, EX_OK, EX_UNAVAILABLE, FILTER, SERVER4, SERVER6,
                     data_path, eventually, interrupt, scaled)
from traffic import counted, udp4, udp6


@pytest.fixture
def filtered(bed):
    bed.attach()
    return bed


def change(bed, *arguments, **options):
    return bed.filter(*arguments, "--interface", "eth0", **options)


def entries(bed):
    """Prefix to its entry."""
    return {entry["prefix"]: entry for entry in bed.filter_status()["prefixes"]}


def test_drop_and_no_drop(filtered, traffic):
    change(filtered, "--drop", "--ips", "192.0.2.0/24,2001:db8::/32,198.51.100.7")
    assert filtered.prefixes() == {"192.0.2.0/24": "drop", "198.51.100.7/32": "drop",
                                   "2001:db8::/32": "drop"}
    frames = {"a": udp4("192.0.2.255"), "b": udp4("198.51.100.7"), "c": udp6("2001:db8:1::1"),
              "d": udp4("192.0.3.0"), "e": udp4("198.51.100.6"), "f": udp6("2001:db9::1"),
              "g": udp4(), "h": udp6()}
    assert traffic.exchange(**frames) == ["d", "e", "f", "g", "h"]

    change(filtered, "--no-drop", "--ips", "192.0.2.0/24,2001:db8::/32")
    assert filtered.prefixes() == {"198.51.100.7/32": "drop"}
    assert traffic.exchange(**frames) == ["a", "c", "d", "e", "f", "g", "h"]


def test_no_drop_makes_a_hole(filtered, traffic):
    change(filtered, "--drop", "--ips", "192.0.2.0/24")
    result = change(filtered, "--no-drop", "--ips", "192.0.2.128/25")
    assert "192.0.2.128/25 is inside dropped 192.0.2.0/24: made an allow entry" in result.err
    assert filtered.prefixes() == {"192.0.2.0/24": "drop", "192.0.2.128/25": "allow"}
    assert traffic.exchange(a=udp4("192.0.2.1"), b=udp4("192.0.2.129")) == ["b"]

    result = change(filtered, "--no-drop", "--ips", "192.0.2.128/25")
    assert "was an allow entry, removed; dropped by 192.0.2.0/24 now" in result.err
    assert traffic.exchange(a=udp4("192.0.2.1"), b=udp4("192.0.2.129")) == []


def test_no_drop_of_what_is_not_listed(filtered):
    change(filtered, "--drop", "--ips", "192.0.2.0/24")
    before = data_path(filtered)
    said = change(filtered, "--no-drop", "--ips", "192.0.2.0/24,198.51.100.0/24",
                  expect=EX_UNAVAILABLE).one_line()
    assert "198.51.100.0/24 is not listed" in said
    assert data_path(filtered) == before


def test_longest_match_and_allow(filtered, traffic):
    """An allow entry wins over drops, longer ones too."""
    change(filtered, "--drop", "--ips", "10.0.0.0/8,10.1.2.0/24,10.1.2.3")
    result = change(filtered, "--allow", "--ips", "10.1.0.0/16,fd00::/8")
    assert result.err == ""
    assert traffic.exchange(a=udp4("10.0.0.1"), b=udp4("10.1.0.1"), c=udp4("10.1.2.1"),
                            d=udp4("10.1.2.3"), e=udp4("10.2.0.1")) == ["b", "c", "d"]
    result = change(filtered, "--drop", "--ips", "10.1.9.0/24,fd01::/16")
    assert "10.1.9.0/24 is inside 10.1.0.0/16, which is allowed: no effect" in result.err
    assert traffic.exchange(a=udp4("10.1.9.1"), b=udp6("fd01::1")) == ["a", "b"]
    change(filtered, "--no-drop", "--ips", "10.1.0.0/16")
    assert traffic.exchange(a=udp4("10.1.0.1"), b=udp4("10.1.9.1"), c=udp4(CLIENT4)) == []


def test_everything_of_a_family(filtered, traffic):
    change(filtered, "--drop", "--ips", "0.0.0.0/0")
    assert traffic.exchange(a=udp4(), b=udp6()) == ["b"]
    change(filtered, "--allow", "--ips", CLIENT4)
    assert traffic.exchange(a=udp4(), b=udp6(), c=udp4("10.99.0.3")) == ["a", "b"]
    change(filtered, "--clear")
    change(filtered, "--drop", "--ips", "::/0")
    assert traffic.exchange(a=udp4(), b=udp6()) == ["a"]


def test_host_bits_are_cleared_and_said(filtered, traffic):
    result = change(filtered, "--drop", "--ips", "10.0.0.1/8,2001:db8::1/32")
    assert "10.0.0.1/8: taken as 10.0.0.0/8" in result.err
    assert "2001:db8::1/32: taken as 2001:db8::/32" in result.err
    assert filtered.prefixes() == {"10.0.0.0/8": "drop", "2001:db8::/32": "drop"}
    assert traffic.exchange(a=udp4("10.200.0.1"), b=udp6("2001:db8:ffff::")) == []


def test_tags(filtered):
    change(filtered, "--drop", "--ips", "192.0.2.0/24,198.51.100.0/24", "--tags", "a scan")
    change(filtered, "--drop", "--ips", "203.0.113.0/25,203.0.113.128/25", "--tags", "x y,z")
    change(filtered, "--drop", "--ips", "2001:db8::/32")
    assert {prefix: entry["tag"] for prefix, entry in entries(filtered).items()} == {
        "192.0.2.0/24": "a scan", "198.51.100.0/24": "a scan", "203.0.113.0/25": "x y",
        "203.0.113.128/25": "z", "2001:db8::/32": None}
    # Another tag is a change of the entry, none leaves it.
    change(filtered, "--drop", "--ips", "192.0.2.0/24", "--tags", "other")
    change(filtered, "--drop", "--ips", "198.51.100.0/24")
    listed = entries(filtered)
    assert listed["192.0.2.0/24"]["tag"] == "other"
    assert listed["198.51.100.0/24"]["tag"] == "a scan"


def test_hits(filtered, traffic):
    """Each packet counts for the entry that dropped it, over changes of the list."""
    change(filtered, "--drop", "--ips", "192.0.2.0/24,192.0.2.128/25,2001:db8::/32")
    change(filtered, "--allow", "--ips", "192.0.2.200")
    sources = ["192.0.2.1", "192.0.2.2", "192.0.2.129", "192.0.2.200"]
    for _ in range(3):
        traffic.exchange(**{f"f{i}": udp4(source) for i, source in enumerate(sources)},
                         six=udp6("2001:db8::1"))
    change(filtered, "--drop", "--ips", "198.51.100.0/24")
    traffic.exchange(a=udp4("192.0.2.1"))
    change(filtered, "--attach", "--frags-drop")
    traffic.exchange(a=udp4("192.0.2.1"))
    hits = {prefix: entry["hits"] for prefix, entry in entries(filtered).items()}
    assert hits == {"192.0.2.0/24": 8, "192.0.2.128/25": 3, "192.0.2.200/32": 0,
                    "198.51.100.0/24": 0, "2001:db8::/32": 3}
    stats = filtered.filter_status()["stats"]
    assert (stats["ip_drop_count"], stats["ip6_drop_count"]) == (11, 3)


def test_clear_status(filtered, traffic):
    change(filtered, "--drop", "--ips", "192.0.2.0/24")
    traffic.exchange(a=udp4("192.0.2.1"), b=udp4("192.0.2.1"))
    change(filtered, "--clear-status")
    assert entries(filtered)["192.0.2.0/24"]["hits"] == 0
    assert set(filtered.filter_status()["stats"].values()) == {0}
    traffic.exchange(a=udp4("192.0.2.1"))
    change(filtered, "--drop", "--ips", "198.51.100.0/24")
    assert entries(filtered)["192.0.2.0/24"]["hits"] == 1
    assert filtered.filter_status()["stats"]["ip_drop_count"] == 1


def expire(bed, traffic, arguments, frame, while_listed):
    """@frame's fate is @while_listed as long as the entry is listed, and its opposite after."""
    prefix = arguments[arguments.index("--ips") + 1]
    for seconds in (1, 4, 16, 64):
        change(bed, *arguments, "--expires", f"{seconds}s")
        seen = 0

        def gone():
            nonlocal seen
            passed = traffic.passes(frame)
            entry = entries(bed).get(prefix)
            if entry:
                # It is listed still, so it was when the frame came.
                assert passed == while_listed
                assert 0 < entry["expires_seconds"] <= seconds + 1
                seen += 1
            return not entry

        eventually(gone, f"{prefix} to expire")
        assert traffic.passes(frame) != while_listed
        assert prefix not in bed.filter("--list", "--interface", "eth0").out
        if seen:
            return
    raise AssertionError("this machine is too slow to see an entry before it expires")


def test_drop_that_expires(filtered, traffic):
    expire(filtered, traffic, ["--drop", "--ips", "192.0.2.0/24"], udp4("192.0.2.1"), False)
    expire(filtered, traffic, ["--drop", "--ips", "2001:db8::/32"], udp6("2001:db8::1"), False)


def test_shorter_drop_works_again_behind_an_expired_allow(filtered, traffic):
    change(filtered, "--drop", "--ips", "192.0.0.0/16,2001:db8::/32")
    expire(filtered, traffic, ["--allow", "--ips", "192.0.2.0/24"], udp4("192.0.2.1"), True)
    expire(filtered, traffic, ["--allow", "--ips", "2001:db8:1::/48"], udp6("2001:db8:1::1"), True)
    expire(filtered, traffic, ["--no-drop", "--ips", "192.0.3.0/24"], udp4("192.0.3.1"), True)


def test_shorter_drop_takes_the_hits_behind_an_expired_drop(filtered, traffic):
    change(filtered, "--drop", "--ips", "192.0.0.0/16")
    change(filtered, "--drop", "--ips", "192.0.2.0/24", "--expires", "0.1s")
    eventually(lambda: "192.0.2.0/24" not in entries(filtered), "the entry to expire")
    assert not traffic.passes(udp4("192.0.2.1"))
    assert entries(filtered)["192.0.0.0/16"]["hits"] == 1


def test_load(filtered, traffic, scratch):
    change(filtered, "--drop", "--ips", "192.0.2.0/24,203.0.113.0/24", "--tags", "old")
    traffic.exchange(a=udp4("192.0.2.1"))
    path = scratch / "list"
    path.write_text("# comment\n\n192.0.2.0/24 kept # note\n198.51.100.0/24\tfour  words it is\r\n"
                    "allow 198.51.100.7 bastion\ndrop 2001:db8::/32")
    change(filtered, "--load", path)
    listed = entries(filtered)
    assert {prefix: (entry["action"], entry["tag"]) for prefix, entry in listed.items()} == {
        "192.0.2.0/24": ("drop", "kept"), "198.51.100.0/24": ("drop", "four  words it is"),
        "198.51.100.7/32": ("allow", "bastion"), "2001:db8::/32": ("drop", None)}
    assert listed["192.0.2.0/24"]["hits"] == 1
    assert traffic.exchange(a=udp4("192.0.2.1"), b=udp4("203.0.113.1"), c=udp4("198.51.100.6"),
                            d=udp4("198.51.100.7"), e=udp6("2001:db8::1")) == ["b", "d"]


def test_load_from_stdin_and_list(filtered):
    lines = "192.0.2.0/24 tag\nallow 192.0.2.7/32\n2001:db8::/32\n"
    change(filtered, "--load", "-", stdin=lines)
    shown = change(filtered, "--list").out
    assert shown == lines
    (listed,) = change(filtered, "--list", "--json").json["interfaces"]
    assert [entry["prefix"] for entry in listed["prefixes"]] == [
        "192.0.2.0/24", "192.0.2.7/32", "2001:db8::/32"]
    change(filtered, "--load", "-", stdin="")
    assert filtered.prefixes() == {}


def test_load_says_what_it_changed(filtered):
    result = change(filtered, "--load", "-", stdin="10.0.0.1/8\n192.0.2.0/24 a\n192.0.2.0/24 b\n")
    assert "stdin: host bits cleared on 1 line, the first is 1" in result.err
    assert "stdin: 1 line repeats a prefix of another; the last one counts" in result.err
    assert entries(filtered)["192.0.2.0/24"]["tag"] == "b"
    said = change(filtered, "--load", "-", stdin="# nothing\n").err
    assert "eth0: no prefix in '-': all 2 of the list are removed" in said
    said = change(filtered, "--load", "/", expect=EX_IOERR).one_line()
    assert "/: reading failed: Is a directory; nothing changed" in said


def test_load_that_expires(filtered, traffic):
    change(filtered, "--load", "-", "--expires", "0.1s", stdin="192.0.2.0/24\n2001:db8::/32\n")
    eventually(lambda: not entries(filtered), "the list to expire")
    assert traffic.exchange(a=udp4("192.0.2.1"), b=udp6("2001:db8::1")) == ["a", "b"]


def test_many_prefixes_against_an_oracle(filtered, traffic):
    """Random lists with holes: each source meets what the longest of its prefixes say."""
    chance = random.Random(2)
    networks = {ipaddress.ip_network((chance.randrange(10 << 24, 11 << 24) >> 32 - length
                                      << 32 - length, length))
                for length in (chance.randint(10, 32) for _ in range(300))}
    networks |= {ipaddress.ip_network(((0x20010DB8 << 96 | chance.getrandbits(96)) >> 128 - length
                                       << 128 - length, length))
                 for length in (chance.randint(33, 128) for _ in range(300))}
    actions = {network: chance.random() < 0.2 for network in sorted(networks, key=str)}
    change(filtered, "--load", "-", stdin="".join(
        f"{'allow' if allowed else 'drop'} {network}\n" for network, allowed in actions.items()))
    frames, fates = {}, {}
    for number in range(scaled(300, 50)):
        network = chance.choice(list(actions))
        offset = chance.choice([0, -1, network.num_addresses - 1, network.num_addresses])
        source = ipaddress.ip_address(int(network.network_address) + offset)
        covering = [allowed for other, allowed in actions.items()
                    if other.version == source.version and source in other]
        name = f"f{number}"
        fates[name] = any(covering) or not covering
        frames[name] = (udp4 if source.version == 4 else udp6)(str(source))
    arrived = traffic.exchange(**frames)
    assert arrived == [name for name, passes in fates.items() if passes]
    assert 0 < len(arrived) < len(frames)


def test_expiry_that_ends_is_said(filtered):
    change(filtered, "--drop", "--ips", "192.0.2.0/24,192.0.2.7", "--expires", "10m")
    said = change(filtered, "--drop", "--ips", "192.0.2.0/24").one_line()
    assert "1 entry was to expire and is not any more" in said
    assert entries(filtered)["192.0.2.0/24"]["expires_seconds"] is None
    said = change(filtered, "--load", "-", stdin=change(filtered, "--list").out).one_line()
    assert "1 entry was to expire and is not any more" in said
    assert change(filtered, "--drop", "--ips", "192.0.2.7", "--expires", "10m").err == ""
    assert 590 < entries(filtered)["192.0.2.7/32"]["expires_seconds"] <= 600


def test_clear(filtered, traffic):
    change(filtered, "--drop", "--ips", "192.0.2.0/24,2001:db8::/32")
    change(filtered, "--allow", "--ips", "192.0.2.1")
    change(filtered, "--clear")
    assert filtered.prefixes() == {}
    assert traffic.exchange(a=udp4("192.0.2.2"), b=udp6("2001:db8::1")) == ["a", "b"]


def test_detach(filtered, traffic):
    change(filtered, "--drop", "--ips", "192.0.2.0/24")
    assert traffic.exchange(a=udp4("192.0.2.2")) == []
    change(filtered, "--detach")
    assert filtered.status()["slots"][2]["id"] == 0
    assert not any("slot-2" in path for path in filtered.pin_tree())
    assert traffic.exchange(a=udp4("192.0.2.2")) == ["a"]
    assert filtered.filter("--status", "--interface", "eth0").out == (
        "Filter not attached to interface eth0.\n")
    change(filtered, "--attach")
    assert filtered.prefixes() == {}
    assert set(filtered.filter_status()["stats"].values()) == {0}
    change(filtered, "--drop", "--ips", "192.0.2.0/24")
    change(filtered, "--clear-status")
    filtered.root("--clear", "--interface", "eth0")
    assert traffic.exchange(a=udp4("192.0.2.2")) == []
    assert filtered.filter_status()["stats"]["ip_drop_count"] == 1


def test_configuration_is_kept_where_nothing_is_said(filtered):
    def config():
        now = filtered.filter_status()["config"]
        return {key: now[key] for key in ("frags_drop", "frags_local_pass", "drop_options",
                                          "truncated_drop", "ptb_max_pps")}

    defaults = {"frags_drop": False, "frags_local_pass": False, "drop_options": False,
                "truncated_drop": False, "ptb_max_pps": 100}
    assert config() == defaults
    expected = dict(defaults)
    change(filtered, "--drop", "--ips", "192.0.2.0/24", "--tags", "kept")
    for arguments, key, value in [
            (["--frags-drop"], "frags_drop", True), (["--ptb-max-pps", "7"], "ptb_max_pps", 7),
            (["--frags-local-pass"], "frags_local_pass", True),
            (["--drop-options"], "drop_options", True),
            (["--truncated-drop"], "truncated_drop", True), ([], "frags_drop", True),
            (["--no-frags-drop"], "frags_drop", False),
            (["--no-drop-options"], "drop_options", False),
            (["--no-truncated-drop"], "truncated_drop", False),
            (["--no-frags-local-pass"], "frags_local_pass", False),
            (["--ptb-max-pps", "0"], "ptb_max_pps", 0)]:
        change(filtered, "--attach", *arguments)
        expected[key] = value
        assert config() == expected, arguments
    assert entries(filtered)["192.0.2.0/24"]["tag"] == "kept"


def test_status_text(filtered, traffic):
    change(filtered, "--attach", "--frags-drop", "--ptb-max-pps", "20")
    change(filtered, "--drop", "--ips", "192.0.2.0/24", "--tags", "56 subnet")
    change(filtered, "--drop", "--ips", "2001:db8::/32", "--expires", "1h")
    change(filtered, "--allow", "--ips", "198.51.100.7")
    traffic.exchange(a=udp4("192.0.2.1"))
    out = filtered.filter("--status", "--interface", "eth0").out
    assert out.startswith("=================== Status for interface 'eth0' ===================\n"
                          "Current Configuration:\n\nfrags_drop? true\nptb_send? true\n"
                          "ptb_max_pps: 20\n")
    assert "\nDrop Maps for interface 'eth0':\n\nAddress: " in out
    assert re.search(r"^Address: 192\.0\.2\.0/24\tTag: 56 subnet\tAge: \d+s\tHits: 1$", out,
                     re.MULTILINE)
    assert re.search(r"^Address: 198\.51\.100\.7/32\tAllowed\tAge: \d+s$", out, re.MULTILINE)
    assert re.search(r"^Address: 2001:db8::/32\tAge: \d+s\tExpires in: (1h|59m \d+s)\tHits: 0$",
                     out, re.MULTILINE)
    assert "\nStats for interface 'eth0':\n\neth_frame_err: 0\nip_header_err: 0\n" in out
    assert counted(out, "ip_drop_count") == 1
    # Without names it is about all interfaces that have a root array.
    assert filtered.filter("--status").out.count("Status for interface") == 1


@pytest.mark.parametrize("arguments", [["--watch", "0.1"], ["-w0.1", "--interface", "eth0"]])
def test_watch(filtered, traffic, arguments):
    change(filtered, "--drop", "--ips", "192.0.2.0/24,2001:db8::/32", "--tags", "busy,other")
    process = filtered.server.start(FILTER, *arguments)
    seen = ""
    while "PREFIX " not in seen:
        assert traffic.exchange(bad=udp4("192.0.2.1")) == []
        line = process.stdout.readline()
        assert line, f"it ended: {process.communicate()}"
        seen += line
    seen += process.stdout.readline()
    result = interrupt(process)
    assert result.status == EX_OK, result
    assert "Interface eth0, 2 prefixes:" in seen
    assert re.search(r"^ip_drop_count +\| +[1-9]\d* \| +[1-9]\d*$", seen, re.MULTILINE)
    assert re.search(r"^192\.0\.2\.0/24 +\| +[1-9]\d* \| +[1-9]\d* \| busy$", seen, re.MULTILINE)
    assert "2001:db8::/32" not in seen and "\033" not in seen


def test_watch_of_nothing(bed):
    """An interface without a filter is shown as such, as --status does it."""
    process = bed.server.start(FILTER, "--watch", "0.1", "--interface", "eth0")
    seen = [process.stdout.readline() for _ in range(3)]
    assert interrupt(process).status == EX_OK
    assert seen[2] == "Filter not attached to interface eth0.\n"


def test_several_interfaces(filtered):
    filtered.add_veth("eth1")
    said = filtered.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0,eth1",
                           expect=EX_UNAVAILABLE).one_line()
    assert "eth1" in said
    assert filtered.prefixes() == {}
    filtered.root("--attach", "--interface", "eth1")
    said = filtered.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0,eth1",
                           expect=EX_UNAVAILABLE).one_line()
    assert "eth1: no filter in slot 2" in said
    result = filtered.filter("--detach", "--interface", "eth0,eth1", expect=EX_UNAVAILABLE)
    assert "eth1: no filter in slot 2; nothing to detach" in result.err
    assert "eth0: was detached all the same" in result.err
    assert filtered.prefixes() == {}
    filtered.filter("--attach", "--interface", "eth1,eth0")
    filtered.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth1,eth0")
    assert filtered.prefixes("eth0") == filtered.prefixes("eth1") == {"192.0.2.0/24": "drop"}
    filtered.filter("--detach", "--interface", "eth1")
    assert [one["attached"] for one in filtered.filter("--status", "--json").json["interfaces"]
            ] == [True, False]


def receive_lines(receiver, wanted):
    """Lines of datagrams until one is @wanted."""
    lines = []
    while not any(map(wanted, lines)):
        lines += receiver.recv(2000).decode().split("\n")
    return lines


@contextlib.contextmanager
def reporting(bed, interval, detach):
    """The filter that reports, and the socket that it reports to."""
    with bed.server.entered():
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(DEADLINE)
        yield bed.server.start(
            FILTER, "--statsd", "--statsd-port", receiver.getsockname()[1], "--statsd-interval",
            interval, "--interface", "eth0", *["--statsd-detach-on-exit"][:detach]), receiver


@pytest.mark.parametrize("detach", [False, True])
def test_statsd(filtered, traffic, detach):
    change(filtered, "--drop", "--ips", "192.0.2.0/24")
    traffic.exchange(a=udp4("192.0.2.1"))
    with reporting(filtered, "0.1s", detach) as (process, receiver):
        lines = receive_lines(receiver, lambda line: line.startswith("ecbpf.xdp_filter."))
        assert all(re.fullmatch(r"ecbpf\.xdp_filter\.eth0\.\w+:\d+\|[cg]", line)
                   for line in lines)
        traffic.exchange(a=udp4("192.0.2.1"), b=udp4("192.0.2.2"))
        lines = []
        drops = re.compile(r"ecbpf\.xdp_filter\.eth0\.ip_drop_count:([12])\|c")
        while sum(int(found.group(1)) for found in map(drops.fullmatch, lines) if found) < 2:
            lines += receive_lines(receiver, drops.fullmatch)
        assert "ecbpf.xdp_filter.eth0.prefixes:1|g" in lines
        assert interrupt(process).status == EX_OK
    assert (filtered.status()["slots"][2]["id"] == 0) == detach


@pytest.mark.parametrize("detach", [False, True])
def test_statsd_interrupted(filtered, traffic, detach):
    """What was counted since the last report isn't lost."""
    change(filtered, "--drop", "--ips", "192.0.2.0/24")
    with reporting(filtered, "1d", detach) as (process, receiver):
        receive_lines(receiver, lambda line: line == "ecbpf.xdp_filter.eth0.prefixes:1|g")
        traffic.exchange(a=udp4("192.0.2.1"), b=udp4("192.0.2.2"))
        result = interrupt(process)
        assert result.status == EX_OK and not result.err
        lines = receive_lines(receiver, lambda line: line.endswith(".prefixes:1|g"))
        assert "ecbpf.xdp_filter.eth0.ip_drop_count:2|c" in lines


def test_statsd_of_nothing(bed):
    """It ends, whether nothing is there at first or no longer."""
    words = ["--statsd", "--statsd-interval", "0.1s", "--interface", "eth0"]
    for detach in ([], ["--statsd-detach-on-exit"]):
        said = bed.filter(*words, *detach, expect=EX_UNAVAILABLE)
        assert "no root array" in said.one_line()
    bed.attach("--no-frags-drop")
    bed.filter("--detach", "--interface", "eth0")
    assert "no filter in slot 2" in bed.filter(*words, expect=EX_UNAVAILABLE).one_line()
    bed.filter("--attach", "--interface", "eth0")
    process = bed.server.start(FILTER, *words)
    bed.filter("--detach", "--interface", "eth0")
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == EX_UNAVAILABLE and "no filter in slot 2" in err


@pytest.mark.parametrize("vlans", [(100,), (100, 200)])
def test_vlan_tags_inside_frames(filtered, traffic, vlans):
    change(filtered, "--drop", "--ips", "192.0.2.0/24,2001:db8::/32")
    assert traffic.exchange(
        a=udp4("192.0.2.1", vlans=vlans), b=udp6("2001:db8::1", vlans=vlans),
        c=udp4(vlans=vlans), d=udp6(vlans=vlans)) == ["c", "d"]


def test_ipv6_extension_headers(filtered, traffic):
    change(filtered, "--drop", "--ips", "2001:db8::/32")
    chains = {"hop": [IPv6ExtHdrHopByHop()], "destination": [IPv6ExtHdrDestOpt()],
              "routing": [IPv6ExtHdrRouting(addresses=[SERVER6])],
              "all": [IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrRouting(),
                      AH(nh=60, payloadlen=4, icv=b"\0" * 12), IPv6ExtHdrDestOpt()],
              "nine": [IPv6ExtHdrHopByHop(), *[IPv6ExtHdrDestOpt()] * 8]}
    for source, arrived in [("2001:db8::1", []), ("2001:db9::1", list(chains))]:
        assert traffic.exchange(**{name: udp6(source, extensions=chain)
                                   for name, chain in chains.items()}) == arrived


def test_local_traffic_goes_on(filtered):
    """Connections of the kernels' own, whatever the list and the options."""
    change(filtered, "--attach", "--frags-drop", "--drop-options", "--truncated-drop")
    change(filtered, "--drop", "--ips", "192.0.2.0/24,2001:db8::/32")
    for address in (SERVER4, SERVER6):
        filtered.client.run("ping", "-c", 1, "-W", DEADLINE, address)
        filtered.server.run("ping", "-c", 1, "-W", DEADLINE,
                            {SERVER4: CLIENT4, SERVER6: "fd99::2"}[address])
    with filtered.server.entered():
        listener = socket.create_server((SERVER4, 5000))
    with filtered.client.entered():
        client = socket.create_connection((SERVER4, 5000), timeout=DEADLINE)
    with listener, client:
        server, _ = listener.accept()
        with server:
            payload = random.Random(1).randbytes(200000)
            server.settimeout(DEADLINE)
            received = bytearray()
            view = memoryview(payload)
            while len(received) < len(payload):
                if view:
                    view = view[client.send(view[:16384]):]
                received += server.recv(65536)
            assert received == payload
    assert filtered.status()["slots"][2]["actions"]["XDP_DROP"] == 0
