# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_fw over veth: rules decide, count, limit, expire, and replace each other between packets."""
import json
import os
import re
import signal

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.packet import Raw

from testbed import (CLIENT4, DEADLINE, EX_DATAERR, EX_NOINPUT, EX_OK, EX_UNAVAILABLE, EX_USAGE,
                     FW, GUEST, SERVER4, SOURCE, eventually, interrupt, sample, shape)
from traffic import Flood, link, udp4, udp6


RULES = """
ip from { 192.0.2.0/24 } to any udp name "listed"
ip from any to any udp dport { 53, 1000-1010 } name "ports"
ip6 from { 2001:db8::/32 } to any udp name "listed6"
ip from any to any udp action count name "all"
"""


def fw(bed, *arguments, **options):
    return bed.server.run(FW, *arguments, **options)


def load(bed, rules, *arguments, mode="--attach", **options):
    return fw(bed, mode, "--rules", "-", "--interface", "eth0", *arguments, stdin=rules, **options)


def state(bed):
    return fw(bed, "--stats", "--json", "--interface", "eth0").json["interfaces"][0]


def counts(bed):
    """Name to packets."""
    return {rule["name"]: rule["packets"] for rule in state(bed)["rules"]}


def dropped(bed):
    return {rule["name"]: rule["dropped"] for rule in state(bed)["rules"]}


def validate(document):
    jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema here")
    schema = json.loads((SOURCE / "docs/schema/xdp_fw-stats.schema.json").read_text())
    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)


@pytest.fixture
def rooted(bed):
    bed.root("--attach", "--interface", "eth0")
    return bed


def test_rules_decide_and_count(rooted, traffic):
    load(rooted, RULES)
    frames = {
        "good": udp4(port=9), "listed": udp4("192.0.2.7"), "port": udp4(port=1005),
        "good6": udp6(port=53), "listed6": udp6("2001:db8::5"),
        "tcp": link() / IP(src=CLIENT4, dst=SERVER4) / TCP(dport=53),
    }
    assert traffic.exchange(**frames) == ["good", "good6", "tcp"]
    assert counts(rooted) == {"listed": 1, "ports": 1, "listed6": 1, "all": 3}
    assert dropped(rooted) == {"listed": 1, "ports": 1, "listed6": 1, "all": 0}
    status = rooted.status()
    assert status["reasons"]["firewall_drop"] == 3
    assert status["slots"][5]["name"] == "xdp_fw_prog"
    assert status["slots"][5]["actions"]["XDP_DROP"] == 3
    fw(rooted, "--reset-stats", "--interface", "eth0")
    assert set(counts(rooted).values()) == {0}
    traffic.exchange(listed=frames["listed"])
    assert counts(rooted) == {"listed": 1, "ports": 0, "listed6": 0, "all": 1}
    fw(rooted, "--detach", "--interface", "eth0")
    assert traffic.exchange(**frames) == list(frames)
    assert not state(rooted)["attached"]


def test_first_match_and_pass(rooted, traffic):
    frames = {"a": udp4("192.0.2.1", 53), "b": udp4("192.0.2.2", 53), "c": udp4("192.0.2.2", 80)}
    lines = ["ip from any to any udp dport 53\n",
             "ip from 192.0.2.1 to any udp action pass\n"]
    load(rooted, "".join(lines))
    assert traffic.exchange(**frames) == ["a", "c"]
    load(rooted, "order first-match\n" + "".join(lines), mode="--update")
    assert traffic.exchange(**frames) == ["c"]
    load(rooted, "order first-match\n" + "".join(reversed(lines)), mode="--update")
    assert traffic.exchange(**frames) == ["a", "c"]


def test_update_carries_counts(rooted, traffic):
    load(rooted, RULES)
    traffic.exchange(listed=udp4("192.0.2.7"), port=udp4(port=53), port2=udp4(port=53))
    load(rooted, 'ip from any to any tcp name "new"\n' + RULES.replace("1010", "1011"),
         mode="--update")
    assert counts(rooted) == {"new": 0, "listed": 1, "ports": 0, "listed6": 0, "all": 3}
    assert traffic.exchange(edge=udp4(port=1011)) == []
    assert counts(rooted)["ports"] == 1


@pytest.mark.long
def test_no_count_goes_back(rooted, traffic, scratch):
    """Whatever instant of an update is looked at, of so many rules that it has some."""
    rules = RULES + "".join(f'ip from any to any tcp dport {port} name "more"\n'
                            for port in range(1, 3000))
    (scratch / "my.rules").write_text(rules)
    load(rooted, rules)
    traffic.exchange(**{f"n{number}": udp4("192.0.2.7") for number in range(100)})
    scrapes = 0
    for _ in sample(range(30), 5):
        update = rooted.server.start(FW, "--update", "--rules", scratch / "my.rules", "--interface",
                                     "eth0")
        while update.poll() is None:
            assert counts(rooted) == {"listed": 100, "ports": 0, "listed6": 0, "all": 100,
                                      "more": 0}
            scrapes += 1
        assert update.returncode == 0
    assert scrapes


def test_failed_update_changes_nothing(rooted, traffic):
    load(rooted, RULES)
    before = rooted.pin_tree(), rooted.status()["slots"][5]["id"]
    said = load(rooted, "ip from any to any tcp dport 70000\n", mode="--update", expect=EX_DATAERR)
    assert said.err.splitlines() == ["stdin:1:30: dport: 70000 is more than 65535",
                                     "    ip from any to any tcp dport 70000",
                                     "                                 ^"]
    assert (rooted.pin_tree(), rooted.status()["slots"][5]["id"]) == before
    assert traffic.exchange(listed=udp4("192.0.2.7")) == []


def test_dry_run(rooted, traffic):
    load(rooted, RULES, "--dry-run")
    assert traffic.exchange(listed=udp4("192.0.2.7")) == ["listed"]
    assert dropped(rooted)["listed"] == 1
    assert state(rooted)["dry_run"]
    assert "dry run" in fw(rooted, "--stats", "--interface", "eth0").out


def test_expires(rooted, traffic):
    load(rooted, RULES, "--expires", "10m")
    assert not traffic.passes(udp4("192.0.2.7"))
    assert 0 < state(rooted)["expires_seconds"] <= 600
    load(rooted, RULES, "--expires", "500ms", mode="--update")
    eventually(lambda: traffic.passes(udp4("192.0.2.7")), "the rules to expire")
    assert state(rooted)["expires_seconds"] == 0
    assert "expired" in fw(rooted, "--list", "--interface", "eth0").out


def test_limits(rooted, traffic):
    """Far more than a second's worth, at once."""
    load(rooted, "ip from any to any udp dport 7 action limit 1/second burst 5\n"
                 "ip from any to any udp dport 8 action limit 1/second burst 2 per source\n"
                 "ip6 from any to any udp dport 8 action limit 1/second burst 2 per source\n")
    seen = traffic.exchange(**{f"n{number}": udp4(port=7) for number in range(300)})
    assert seen[:5] == [f"n{number}" for number in range(5)] and len(seen) < 150
    frames = {}
    for source in range(1, 5):
        for number in range(30):
            frames[f"s{source}n{number:02}"] = udp4(f"192.0.2.{source}", 8)
            frames[f"t{source}n{number:02}"] = udp6(f"2001:db8::{source}", 8)
    seen = traffic.exchange(**frames)
    for key in [f"{family}{source}" for family in "st" for source in range(1, 5)]:
        one = [name for name in seen if name.startswith(key)]
        assert one[:2] == [f"{key}n00", f"{key}n01"] and len(one) < 15
    rules = state(rooted)["rules"]
    assert [rule["packets"] for rule in rules] == [300, 120, 120]
    assert sum(rule["dropped"] for rule in rules) == rooted.status()["reasons"]["firewall_limit"]


def test_sets_from_files(rooted, traffic, scratch):
    (scratch / "bad.txt").write_text("# bad\n192.0.2.0/25   # half\n\n2001:db8::/33\n198.51.100.9\n")
    (scratch / "inner.rules").write_text("set good { 192.0.2.1,\n\t192.0.2.2 }\n")
    (scratch / "my.rules").write_text(
        'include "inner.rules"\nset bad file "bad.txt"\nip from bad to any udp\n'
        "ip from { @good, 198.51.100.9 } to any udp action pass\nip6 from bad to any udp\n")
    fw(rooted, "--attach", "--rules", scratch / "my.rules", "--interface", "eth0")
    frames = {"covered": udp4("192.0.2.100"), "other": udp4("192.0.2.200"),
              "good": udp4("192.0.2.2"), "nine": udp4("198.51.100.9"),
              "six": udp6("2001:db8:1::1"), "out6": udp6("2001:db8:8000::1")}
    assert traffic.exchange(**frames) == ["other", "good", "nine", "out6"]


def test_mapped_prefixes_are_of_ipv6(rooted, traffic):
    load(rooted, "set s { ::ffff:192.0.2.0/120 }\nip6 from s to any udp\nip from s to any udp\n")
    assert traffic.exchange(four=udp4("192.0.2.7"), six=udp6("::ffff:192.0.2.7"),
                            other=udp6("::ffff:192.0.3.7")) == ["four", "other"]


def test_log(rooted, traffic):
    load(rooted, RULES)
    logger = rooted.server.start(FW, "--log", "2", "--interface", "eth0")
    lines = []

    def logged():
        traffic.exchange(**{f"n{number}": udp4("192.0.2.7", 99) for number in range(10)})
        return dropped(rooted)["listed"] >= 100
    eventually(logged, "drops")
    # An update doesn't end the log.
    load(rooted, RULES, mode="--update")
    eventually(lambda: logged() and dropped(rooted)["listed"] >= 200, "drops")
    logger.send_signal(signal.SIGINT)
    lines = logger.communicate(timeout=DEADLINE)[1].splitlines()
    assert logger.returncode == 0
    assert 50 <= len(lines) <= 150
    assert lines[0].startswith(f'eth0: rule 1 "listed" dropped 192.0.2.7:4000 > {SERVER4}:99, '
                               "protocol 17, ")


def test_openmetrics(rooted, traffic):
    load(rooted, RULES)
    traffic.exchange(listed=udp4("192.0.2.7"))
    text = fw(rooted, "--stats", "--openmetrics", "--interface", "eth0").out
    assert ('ecbpf_fw_rule_dropped_total{interface="eth0",rule="1",name="listed",action="drop"} 1'
            in text.splitlines())
    assert text.endswith("# EOF\n")


def test_list(rooted):
    load(rooted, RULES + "\n  # a comment\nip from any to any icmp   # why\n")
    lines = fw(rooted, "--list", "--interface", "eth0").out.splitlines()
    assert lines[0] == "Firewall of interface eth0: 5 rules"
    assert lines[1] == '    1  ip from { 192.0.2.0/24 } to any udp name "listed"'
    assert lines[5] == "    5  ip from any to any icmp"


def test_two_tags(rooted, traffic):
    """The outer one counts; what carries none is in no VLAN."""
    frames = {"plain": udp4(), "five": udp4(vlans=(5,)), "outer": udp4(vlans=(5, 6)),
              "inner": udp4(vlans=(6, 5)), "six": udp6(vlans=(6,))}
    load(rooted, "vlan 5 ip from any to any udp\n")
    assert traffic.exchange(**frames) == ["plain", "inner", "six"]
    load(rooted, "vlan not { 5, 7-9 } ip from any to any udp\nip6 from any to any udp vlan 6\n")
    assert traffic.exchange(**frames) == ["five", "outer"]


def test_several_interfaces(rooted):
    """None changes if one can't."""
    rooted.add_veth("eth1")
    load(rooted, RULES)
    before = rooted.pin_tree()
    for mode in ("--attach", "--update"):
        said = fw(rooted, mode, "--rules", "-", "--interface", "eth0,eth1", stdin="",
                  expect=EX_UNAVAILABLE)
        assert "eth1" in said.one_line()
        assert rooted.pin_tree() == before
    rooted.root("--attach", "--interface", "eth1")
    before = rooted.pin_tree()
    said = fw(rooted, "--update", "--rules", "-", "--interface", "eth0,eth1", stdin="",
              expect=EX_UNAVAILABLE)
    assert "no firewall in slot 5" in said.one_line() and rooted.pin_tree() == before
    fw(rooted, "--attach", "--rules", "-", "--interface", "eth1,eth0", stdin=RULES + RULES)
    shown = fw(rooted, "--list", "--json").json["interfaces"]
    assert [len(one["rules"]) for one in shown] == [8, 8]
    fw(rooted, "--detach", "--interface", "eth0,eth1")
    assert not any(one["attached"] for one in fw(rooted, "--list", "--json").json["interfaces"])


def on_a_terminal(bed, *arguments):
    """Status, and what a terminal on stderr was given."""
    master, slave = os.openpty()
    loader = bed.server.start(FW, *arguments, stderr=slave)
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 4096):
            seen += chunk
    except OSError:
        pass
    os.close(master)
    return loader.wait(DEADLINE), seen


def test_an_error_has_a_line_of_its_own(bed, scratch):
    """Where a bar was drawn; there is no root array."""
    (scratch / "set.txt").write_text("".join(
        f"11.{number >> 8 & 255}.{number & 255}.{number >> 16 << 7}/25\n"
        for number in range(100000)))
    (scratch / "my.rules").write_text('set many file "set.txt"\nip from many to any udp\n')
    status, seen = on_a_terminal(bed, "--attach", "--rules", scratch / "my.rules", "--interface",
                                 "eth0")
    assert status == EX_UNAVAILABLE
    assert b" [" in seen and seen.split(b"\r\x1b[K")[-1].startswith(b"xdp_fw: eth0: no root array")


def test_a_million_prefixes(rooted, traffic, scratch):
    """With a bar while it is compiled, where somebody looks."""
    count = 1000000 if not GUEST else 200000
    (scratch / "set.txt").write_text("".join(
        f"{11 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.0/24\n"
        for number in range(count)))
    (scratch / "my.rules").write_text('set many file "set.txt"\nip from many to any udp\n')
    status, seen = on_a_terminal(rooted, "--attach", "--rules", scratch / "my.rules", "--interface",
                                 "eth0")
    assert status == 0
    bars = seen.split(b"\r")
    assert all(re.fullmatch(rb"(|\x1b\[K|.*/my.rules \[#* *\] +\d+ %)", bar) for bar in bars), seen
    assert any(b" [#" in bar for bar in bars), seen
    assert traffic.exchange(first=udp4("11.0.0.9"), outside=udp4("10.255.255.1"),
                            last=udp4("12.1.2.3")) == ["outside"]


def test_other_slots_go_on(bed, traffic):
    """A rule that passes is an exception to the rules, and none to the filter."""
    bed.attach()
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0")
    load(bed, "ip from any to any udp action pass\nip from any to any udp\n")
    assert traffic.exchange(listed=udp4("192.0.2.7"), good=udp4()) == ["good"]


def watched(process, traffic, line):
    """What --watch prints until a line like that, with traffic all the time."""
    seen = ""
    while not re.search(f"^{line}$", seen, re.MULTILINE):
        traffic.exchange(good=udp4())
        text = process.stdout.readline()
        assert text, f"it ended: {process.communicate()}"
        seen += text
    return seen


def test_watch(rooted, traffic):
    load(rooted, 'ip from any to any udp action count name "first"\n' + RULES)
    process = rooted.server.start(FW, "--watch", "0.1")
    seen = watched(process, traffic, r" +1 \| first +\| count +\| +[1-9]\d* \| +0 \| +[1-9]\d*")
    assert "Firewall of interface eth0, 5 rules, 2 of them have matched:" in seen
    load(rooted, 'ip from any to any udp action count name "later"\n' + RULES, mode="--update")
    seen = watched(process, traffic, r" +1 \| later +\| count +\| +[1-9]\d* \| +0 \| +[1-9]\d*")
    assert interrupt(process).status == EX_OK
    assert "\033" not in seen


def test_staged(rooted, traffic):
    rooted.root("--stage", "--interface", "eth0")
    shown = fw(rooted, "--list", "--stage", "--interface", "eth0").out
    assert shown == "Firewall not attached to the staged generation of interface eth0.\n"
    load(rooted, RULES, "--stage")
    shown = fw(rooted, "--list", "--stage", "--interface", "eth0").out
    assert shown.startswith("Firewall of the staged generation of interface eth0: ")
    assert not state(rooted)["attached"]
    assert traffic.passes(udp4("192.0.2.7"))
    rooted.root("--commit", "--interface", "eth0")
    assert not traffic.passes(udp4("192.0.2.7"))


@pytest.mark.long
@pytest.mark.parametrize("mode", ("--native", "--generic"))
def test_swaps_under_a_flood(bed, mode):
    """Each ruleset drops the bad packets by another rule: one of them meets each packet."""
    bed.root("--attach", mode, "--interface", "eth0")
    variants = [f'ip from 192.0.2.0/24 to any udp dport {Flood.BAD} name "source"\n'
                f'ip6 from 2001:db8::/32 to any udp name "source6"\n',
                f'ip from any to any udp dport {Flood.BAD} name "port"\n'
                f'ip6 from any to any udp dport {Flood.BAD} name "port6"\n']
    always = [f'ip from any to any udp dport {Flood.BAD} action count name "count"\n'
              f'ip6 from any to any udp dport {Flood.BAD} action count name "count6"\n']
    load(bed, variants[0] + always[0])
    tree = shape(bed.pin_tree())
    flood = Flood(bed, [udp4(f"192.0.2.{number}", Flood.BAD) for number in range(1, 50)] +
                  [udp6(f"2001:db8::{number:x}", Flood.BAD) for number in range(1, 50)])
    for number, _ in enumerate(sample(range(1000 if mode == "--native" else 50), 20)):
        load(bed, variants[(number + 1) % 2] + always[0], mode="--update")
    totals = flood.stop()
    assert totals["bad_received"] == 0 and totals["good_lost"] == 0, totals
    assert totals["duplicates"] == 0 and totals["bad_sent"] > 0
    assert bed.status()["slots"][5]["actions"]["XDP_DROP"] == totals["bad_sent"]
    assert shape(bed.pin_tree()) == tree


@pytest.mark.anywhere
@pytest.mark.parametrize("arguments, status, words", (
    (("--attach", "--interface", "eth0"), EX_USAGE, "--attach needs --rules"),
    (("--attach", "--rules", "/nowhere", "--interface", "eth0"), EX_NOINPUT, "/nowhere"),
    (("--update", "--rules", "/dev/null", "--interface", "eth0"), EX_UNAVAILABLE,
     "no firewall in slot 5"),
    (("--detach", "--interface", "eth0"), EX_UNAVAILABLE, "no firewall in slot 5"),
    (("--log", "1", "--interface", "eth0"), EX_UNAVAILABLE, "no firewall in slot 5"),
    (("--log", "0", "--interface", "eth0"), EX_USAGE, "--log"),
    (("--reset-stats", "--interface", "eth0"), EX_UNAVAILABLE, "no firewall in slot 5"),
    (("--attach", "--rules", "/dev/null", "--interface", "eth9"), EX_NOINPUT, "eth9"),
    ((), EX_USAGE, None),
))
def test_bad_input(rooted, arguments, status, words):
    before = rooted.pin_tree()
    said = fw(rooted, *arguments, expect=None)
    assert said.status != 0 and (words is None or words in said.one_line()), said
    assert status is None or said.status in (status, EX_UNAVAILABLE, EX_NOINPUT), said
    assert rooted.pin_tree() == before


def test_no_root_array(bed):
    said = load(bed, RULES, expect=EX_UNAVAILABLE)
    assert "no root array" in said.one_line()


def test_too_many_rules(bed):
    said = bed.server.run(FW, "--validate", "--rules", "-", expect=EX_DATAERR,
                          stdin="ip from any to any tcp\n" * 8001)
    assert said.err.splitlines()[0] == "stdin:8001:1: more than 8000 rules"


@pytest.mark.long
def test_too_many_prefixes(bed, scratch):
    (scratch / "set.txt").write_text("".join(
        f"{11 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.0/24\n"
        for number in range(1000000)))
    (scratch / "my.rules").write_text(
        "".join(f'set s{number} file "set.txt"\n' for number in range(4)) +
        "ip from { s0, s1, s2, s3, 192.0.2.1 } to any udp\n")
    said = bed.server.run(FW, "--validate", "--rules", scratch / "my.rules", expect=EX_DATAERR)
    assert said.one_line() == (f"xdp_fw: {scratch}/my.rules: the rules name 4000001 prefixes; at "
                               "most 4000000 as sources, and as many as destinations")


def test_too_many_octets(bed):
    said = bed.server.run(FW, "--validate", "--rules", "/dev/zero", expect=EX_DATAERR)
    assert said.one_line().startswith("xdp_fw: /dev/zero: more than 67108864 octets; put prefixes")


def test_no_file_of_rules(bed, scratch):
    (scratch / "file").write_text("")
    (scratch / "loop").symlink_to(scratch / "loop")
    for path in ("missing", ".", "file/below", "loop", "x" * 300):
        said = bed.server.run(FW, "--validate", "--rules", scratch / path, expect=EX_NOINPUT)
        assert said.one_line().startswith(f"xdp_fw: {scratch / path}: reading the rules failed: ")


def test_validate_takes_no_privileges(bed, scratch):
    (scratch / "my.rules").write_text(RULES)
    said = bed.server.run("setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set",
                          "-all", FW, "--validate", "--rules", scratch / "my.rules")
    assert said.out == f"{scratch}/my.rules: 4 rules, 0 sets, 0 tests\n"


def test_json_has_no_surprises(rooted):
    load(rooted, 'ip from any to any icmp name "ping \\\\ pong"\n', "--expires", "1h")
    validate(fw(rooted, "--stats", "--json").json)
    validate(fw(rooted, "--list", "--json", "--interface", "eth0").json)
    rule = state(rooted)["rules"][0]
    assert set(rule) == {"number", "name", "action", "text", "packets", "dropped"}
    assert json.dumps(rule["name"]) == '"ping \\\\\\\\ pong"'


def test_icmp(rooted, traffic):
    load(rooted, "ip from any to any icmp type 8 code { 0-1 }\n")
    frames = {name: link() / IP(src=CLIENT4, dst=SERVER4) / ICMP(type=kind, code=code) / Raw(b"x" * 8)
              for name, kind, code in (("a", 8, 0), ("b", 8, 2), ("c", 0, 0), ("d", 8, 1))}
    assert traffic.exchange(**frames) == ["b", "c"]
