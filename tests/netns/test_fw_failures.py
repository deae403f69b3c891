# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_fw where the kernel refuses a call: the old rules and their counts stay, and one line says so."""
import pytest

from testbed import FW, GUEST, HELPERS, shape
from traffic import udp4

OLD = 'ip from 192.0.2.0/24 to any udp name "old"\n'
NEW = (OLD + 'ip from 198.51.100.0/24 to any udp name "new"\n'
       "ip6 from any to any tcp action limit 5/second per source\n")
LISTED, ADDED = udp4("192.0.2.1"), udp4("198.51.100.1")


@pytest.fixture
def running(bed, traffic):
    bed.root("--attach", "--interface", "eth0")
    bed.server.run(FW, "--attach", "--rules", "-", "--interface", "eth0", stdin=OLD)
    assert not traffic.passes(LISTED)
    return bed


def rules_of(bed):
    """The program, and names and counts of its rules."""
    shown = bed.server.run(FW, "--stats", "--json", "--interface", "eth0").json["interfaces"][0]
    return (bed.status()["slots"][5]["id"],
            [(rule["name"], rule["packets"], rule["dropped"]) for rule in shown["rules"]])


def run_failing(bed, scratch, point, *arguments, **options):
    """What it said, or None if it makes fewer calls."""
    missed = scratch / f"missed-{point}"
    done = bed.server.run(
        "env", f"LD_PRELOAD={HELPERS / 'failpoint.so'}", f"FAILPOINT={point}",
        f"FAILPOINT_MISSED={missed}", FW, *arguments, "--interface", "eth0", expect=None, **options)
    return None if missed.exists() else done


def each_failure(bed, scratch, *arguments, **options):
    for point in range(1, 2000, 12 if GUEST else 1):
        done = run_failing(bed, scratch, point, *arguments, **options)
        if done is None:
            assert point > 20
            return
        yield point, done


@pytest.mark.long
def test_updates(running, traffic, scratch):
    before, pins = rules_of(running), shape(running.pin_tree())
    assert before[1] == [("old", 1, 1)]
    refused = 0
    for point, done in each_failure(running, scratch, "--update", "--rules", "-", stdin=NEW):
        after = rules_of(running)
        if done.status:
            refused += 1
            assert done.one_line() and after == before, (point, done)
        else:
            assert after[1] == [("old", 1, 1), ("new", 0, 0), (None, 0, 0)], point
            running.server.run(FW, "--detach", "--interface", "eth0")
            running.server.run(FW, "--attach", "--rules", "-", "--interface", "eth0", stdin=OLD)
            assert traffic.exchange(listed=LISTED, added=ADDED) == ["added"]
            before = rules_of(running)
    assert refused > 50 // (12 if GUEST else 1)
    # The last one met no failure.
    assert traffic.exchange(listed=LISTED, added=ADDED) == []
    assert shape(running.pin_tree()) == pins


def test_detach(running, traffic, scratch):
    """Rules decide or not, as the slot says; and the next one takes away what is left."""
    pins = shape(running.pin_tree())
    for point, done in each_failure(running, scratch, "--detach"):
        there = bool(running.status()["slots"][5]["id"])
        assert there or not done.status or done.one_line(), (point, done)
        assert traffic.passes(LISTED) != there, (point, done)
        running.server.run(FW, "--attach", "--rules", "-", "--interface", "eth0", stdin=OLD)
        assert shape(running.pin_tree()) == pins, (point, done)
