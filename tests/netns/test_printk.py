# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_printk over veth: a line for each packet, no more than it may, and every packet goes on."""
import ipaddress
import os
import random

import pytest

from sampling import PASSED, send, silence
from testbed import BUILD, EX_UNAVAILABLE, TRACEFS, eventually, validate

PRINTK = BUILD / "xdp_printk/xdp_printk"


@pytest.fixture
def trace(machine):
    """Lines of the trace that hold a text; what others read there isn't taken from them."""
    # pylint: disable=unused-argument
    if not os.access(TRACEFS / "trace", os.R_OK):
        pytest.skip("no tracefs here")

    def lines(text):
        return [line for line in (TRACEFS / "trace").read_text(errors="replace").splitlines()
                if text in line]
    return lines


def some_source():
    """An address of this test's own, as others may trace too."""
    return str(ipaddress.ip_address(0xc6120000 + random.randrange(1, 1 << 17)))


@pytest.fixture
def source():
    return some_source()


def number(address):
    return f"{int(ipaddress.ip_address(address)):x}"


def await_trace(bed, trace):
    """The kernel opens the trace for programs some time after the first of them was loaded."""
    other = some_source()

    def seen():
        send(bed, 1, other)
        return trace(number(other))
    eventually(seen, "a line")


def printk(bed, *arguments, **options):
    return bed.server.run(PRINTK, *arguments, "--interface", "eth0", **options)


def suppressed(bed):
    document = printk(bed, "--status", "--json").json
    validate(document, "xdp_printk-status.schema.json")
    return document["interfaces"][0]["suppressed"]


def test_lines(bed, trace, source):
    """Every packet has a line, as long as it may."""
    silence(bed)
    bed.attach()
    printk(bed, "--attach", "--rate", 100000)
    await_trace(bed, trace)
    send(bed, 20, source)
    text = f"xdp_printk: IPv4 protocol 17 from {number(source)}"
    eventually(lambda: len(trace(text)) == 20, "20 lines")
    assert suppressed(bed) == 0
    slot = next(slot for slot in bed.status()["slots"] if slot["slot"] == 6)
    assert slot["name"] == "xdp_printk_prog"


def test_rate(bed, trace, source):
    """Those beyond the rate are counted instead."""
    silence(bed)
    bed.attach()
    printk(bed, "--attach", "--rate", 100000)
    await_trace(bed, trace)
    printk(bed, "--attach", "--rate", 3)
    send(bed, 200, source)
    text = f"from {number(source)}"
    eventually(lambda: len(trace(text)) + suppressed(bed) == 200, "200 packets")
    assert suppressed(bed) > 0 and len(trace(text)) >= 3


def test_packets_go_on(bed, traffic):
    bed.attach()
    bed.filter("--drop", "--ips", "192.0.2.7", "--interface", "eth0")
    printk(bed, "--attach", "--rate", 1)
    from traffic import udp4  # pylint: disable=import-outside-toplevel
    frames = {f"good{number}": udp4(PASSED) for number in range(5)}
    frames["bad"] = udp4("192.0.2.7")
    assert traffic.exchange(**frames) == [f"good{number}" for number in range(5)]


def test_taken_away(bed):
    bed.root("--attach", "--interface", "eth0")
    before = bed.pin_tree()
    printk(bed, "--attach")
    printk(bed, "--detach")
    assert len(bed.pin_tree()) == len(before)
    for mode in ("--detach", "--status"):
        said = printk(bed, mode, expect=EX_UNAVAILABLE)
        assert "no xdp_printk in slot 6; run 'xdp_printk --attach" in said.one_line()


def test_no_root_array(bed):
    said = printk(bed, "--attach", expect=EX_UNAVAILABLE)
    assert "no root array" in said.one_line()
    assert not bed.pin_tree()
