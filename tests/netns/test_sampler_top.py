# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_sampler --top: heavy hitters, their share, and the command that would drop the first."""
import re
import shlex

import pytest

from sampling import (DROPPED, PASSED, check_conservation, ends, reading, received, sampled_bed,
                      sampler, send, state)
from testbed import EX_USAGE, FILTER, eventually, sample
from traffic import Tap, udp6

NUMBER = r"([0-9.]+) ([ kMGT])"
ROW = re.compile(rf"^(.{{43}}) +{NUMBER} ± {NUMBER} +{NUMBER} ± {NUMBER} +(.*)$")
# Of "1.1 k", twice.
ROUNDED = 0.1
SCALE = {" ": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}

pytestmark = pytest.mark.long


@pytest.fixture
def sampled(bed):
    return sampled_bed(bed)


def parse(text):
    """{key: (packets/s, error, bits/s, error, verdicts)} of a table."""
    rows = {}
    for line in text.splitlines():
        found = ROW.match(line)
        if found:
            key, *numbers, verdicts = found.groups()
            values = [float(value) * SCALE[unit]
                      for value, unit in zip(numbers[::2], numbers[1::2])]
            rows[key.strip()] = (*values, verdicts)
    return rows


def table(bed, traffic, *arguments):
    """The one that is printed at the end, of what @traffic sends; it says how many."""
    process = reading(bed, *arguments, "--interval", "1h")
    eventually(lambda: state(bed)["attached"], "a sampler")
    count = traffic()
    received(bed, count)
    return ends(process).out


def flood(bed):
    send(bed, 60, DROPPED)
    send(bed, 30, "198.51.100.77", port=53)
    send(bed, 10, "198.51.100.9", port=53)
    return 100


@pytest.mark.parametrize("key, order", sample((
    ("src", [DROPPED, "198.51.100.77", "198.51.100.9"]),
    ("src/24", ["192.0.2.0/24", "198.51.100.0/24"]),
    ("dst", ["10.99.0.1"]),
    ("dport", ["udp 9", "udp 53"]),
    ("reason", ["filter_source", "no_opinion"]),
), 2))
def test_keys(sampled, key, order):
    out = table(sampled, lambda: flood(sampled), f"--top={key}")
    rows = parse(out)
    assert list(rows) == [*order, "total"]
    assert f"{len(order)} keys, 100 samples" in out
    packets, error, bits, _, verdicts = rows["total"]
    # At rate 1 nothing is estimated.
    assert error == 0 and packets > 0
    assert bits == pytest.approx(packets * 50 * 8, rel=ROUNDED)
    assert verdicts == "DROP 60%, PASS 40%"
    assert sum(row[0] for row in list(rows.values())[:-1]) == pytest.approx(packets, rel=ROUNDED)
    assert max(row[0] for row in list(rows.values())[:-1]) == pytest.approx(
        packets * (1 if key == "dst" else 0.6), rel=ROUNDED)
    check_conservation(state(sampled), "top")


def test_estimated(sampled):
    """Of one packet in 5."""
    sampler(sampled, "--attach", "--rate", 5)
    out = table(sampled, lambda: flood(sampled) // 5, "--top=dst")
    assert "20 samples in" in out
    packets, error, bits, bits_error, _ = parse(out)["10.99.0.1"]
    # 5 * sqrt(20 * (1 - 1/5)) of 5 * 20
    assert error / packets == pytest.approx(0.2, rel=ROUNDED)
    assert bits_error / bits == pytest.approx(0.2, rel=ROUNDED)


def test_ipv6(sampled):
    def traffic():
        tap = Tap(sampled.client)
        for number in range(6):
            tap.send(udp6(f"2001:db8:{number % 2}::{number + 1:x}"))
        tap.close()
        return 6
    rows = parse(table(sampled, traffic, "--top=src/24/47"))
    assert list(rows) == ["2001:db8::/47", "total"]


def test_suggested(sampled):
    """Not what is dropped already; and xdp_filter takes it as it stands."""
    out = table(sampled, lambda: flood(sampled), "--top=src/24", "--suggest")
    command = shlex.split(re.search("^xdp_filter .*$", out, re.MULTILINE).group())
    sampled.server.run(FILTER, *command[1:])
    assert sampled.prefixes()["198.51.100.0/24"] == "drop"
    out = table(sampled, lambda: flood(sampled), "--top=src", "--suggest")
    assert "xdp_filter" not in out


@pytest.mark.parametrize("key", ("dst", "dst/24", "dport", "reason"))
def test_nothing_to_suggest(bed, key):
    """xdp_filter drops sources."""
    bed.attach()
    said = sampler(bed, f"--top={key}", "--suggest", expect=EX_USAGE)
    assert "give --top src" in said.one_line()
    assert not state(bed)["attached"]


def test_only_wanted(sampled):
    rows = parse(table(sampled, lambda: flood(sampled), "--top", "--action", "pass"))
    assert DROPPED not in rows and list(rows)[0] == "198.51.100.77"


def test_live_tables(sampled):
    """One after the other, into a pipe."""
    process = reading(sampled, "--top", "--interval", "200ms")
    send(sampled, 5, PASSED)
    lines = [process.stdout.readline() for _ in range(20)]
    assert sum(line.startswith("KEY") for line in lines) > 1
    assert any(line.startswith(PASSED) for line in lines)
    process.stdout.close()
    process.stdout = None
    assert process.wait() == 0
