# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Replacements under a flood: no dropped-prefix packet arrives, no good packet is lost."""
import pytest

from testbed import HELPERS, eventually, scaled, shape
from traffic import Flood, udp4, udp6

PREFIXES = "192.0.2.0/24,2001:db8::/32"


def bad_frames():
    """From many sources of both prefixes."""
    return [udp4(f"192.0.2.{number}", Flood.BAD) for number in range(1, 100)] + [
        udp6(f"2001:db8::{number:x}", Flood.BAD) for number in range(1, 100)]


@pytest.fixture(params=["--native", "--generic"])
def flooded(bed, request):
    bed.root("--attach", request.param, "--interface", "eth0")
    bed.filter("--attach", "--interface", "eth0")
    bed.filter("--drop", "--ips", PREFIXES, "--interface", "eth0")
    return bed


def check(totals):
    assert totals["bad_received"] == 0, totals
    assert totals["good_lost"] == 0 and totals["duplicates"] == 0, totals
    assert totals["good_sent"] > 0 and totals["bad_sent"] > 0


def replace_both(bed, number):
    """The root program, and the filter with a list that changes."""
    bed.root("--attach", "--interface", "eth0")
    other = f"198.51.{number}.0/24"
    if number % 2:
        bed.filter("--load", "-", "--interface", "eth0",
                   stdin=PREFIXES.replace(",", "\n") + f"\n{other}\n")
    else:
        bed.filter("--drop", "--ips", other, "--interface", "eth0")


def programs(bed):
    status = bed.status()
    return {status["root"]["id"], status["slots"][2]["id"]}


def test_replacements_of_root_and_filter(flooded):
    """200 in native mode."""
    tree, before = shape(flooded.pin_tree()), programs(flooded)
    flood = Flood(flooded, bad_frames())
    for number in range(scaled(100 if flooded.status()["mode"] == "native" else 20)):
        replace_both(flooded, number)
        if number % 10 == 0:
            assert not before & programs(flooded)
            before = programs(flooded)
    totals = flood.stop()
    check(totals)
    # Every frame of the flood is accounted for, over all replacements.
    slot = flooded.status()["slots"][2]["actions"]
    assert slot["XDP_DROP"] == totals["bad_sent"]
    stats = flooded.filter_status()["stats"]
    assert stats["ip_drop_count"] + stats["ip6_drop_count"] == totals["bad_sent"]
    hits = sum(entry["hits"] for entry in flooded.filter_status()["prefixes"])
    assert hits <= totals["bad_sent"]
    assert shape(flooded.pin_tree()) == tree


def test_changes_of_the_configuration(flooded):
    flood = Flood(flooded, bad_frames())
    for number in range(scaled(14, 4)):
        flooded.filter("--attach", ["--frags-drop", "--no-frags-drop"][number % 2],
                       "--interface", "eth0")
    check(flood.stop())


@pytest.mark.long
def test_commits(flooded):
    """Generations replace each other with all that is in them."""
    flood = Flood(flooded, bad_frames())
    for _ in range(scaled(14, 3)):
        flooded.root("--stage", "--interface", "eth0")
        flooded.filter("--attach", "--stage", "--interface", "eth0")
        flooded.root("--commit", "--interface", "eth0")
    check(flood.stop())


PORTS = (7101, 7102)
SOURCES = ("192.0.2.1", "198.51.100.1")


def put_variant(bed, variant, *stage):
    """Filter and slot 3: each variant drops by one what the other drops by the other."""
    bed.filter("--load", "-", *stage, "--interface", "eth0", stdin=SOURCES[variant] + "\n")
    bed.server.run(HELPERS / "ports", "eth0", PORTS[1 - variant], *stage)


def test_two_slots_change_in_one_instant(flooded, traffic):
    """
    A packet of source i to port i is dropped by the filter under variant i, by slot 3 under the
    other: it would pass if only one of the two had changed. The flood sends both kinds, to the
    port that counts as bad.
    """
    put_variant(flooded, 0)
    kinds = {f"kind{i}": udp4(SOURCES[i], PORTS[i]) for i in (0, 1)}
    others = {"other0": udp4(SOURCES[0], PORTS[1]), "other1": udp4(SOURCES[1], PORTS[0])}
    assert traffic.exchange(**kinds) == []
    assert traffic.exchange(**others) == ["other1"]

    flood = Flood(flooded, list(kinds.values()), bad_ports=PORTS)
    for number in range(scaled(14, 4)):
        flooded.root("--stage", "--interface", "eth0")
        flooded.filter("--attach", "--stage", "--interface", "eth0")
        put_variant(flooded, 1 - number % 2, "--stage")
        flooded.root("--commit", "--interface", "eth0")
        status = flooded.status()
        assert status["slots"][3]["name"] == "test_ports_that_are_dropped"
    check(flood.stop())


@pytest.mark.long
def test_the_flood_sees_what_passes(bed):
    """A flood that could not tell would prove nothing."""
    bed.attach()
    bed.filter("--drop", "--ips", PREFIXES, "--interface", "eth0")
    flood = Flood(bed, bad_frames())
    bed.filter("--clear", "--interface", "eth0")
    bed.filter("--drop", "--ips", f"10.99.0.2,{PREFIXES}", "--interface", "eth0")
    drops = bed.status()["reasons"]["filter_source6"]
    eventually(lambda: bed.status()["reasons"]["filter_source6"] > drops, "the flood to go on")
    bed.filter("--no-drop", "--ips", "10.99.0.2", "--interface", "eth0")
    totals = flood.stop()
    assert totals["bad_received"] > 0 and totals["good_lost"] > 0, totals


def test_slots_changed_one_after_the_other_are_seen(bed):
    """Without a generation between, what the test above looks for does happen."""
    bed.attach()
    put_variant(bed, 0)
    flood = Flood(bed, [udp4(SOURCES[i], PORTS[i]) for i in (0, 1)], bad_ports=PORTS)
    bed.filter("--load", "-", "--interface", "eth0", stdin=SOURCES[1] + "\n")
    drops = bed.status()["slots"][2]["actions"]["XDP_DROP"]
    eventually(lambda: bed.status()["slots"][2]["actions"]["XDP_DROP"] > drops,
               "the flood to go on")
    bed.server.run(HELPERS / "ports", "eth0", PORTS[0])
    assert flood.stop()["bad_received"] > 0
