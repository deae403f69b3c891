# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Root beside another XDP program, behind libxdp's dispatcher."""
import shutil

import pytest

from testbed import EX_UNAVAILABLE
from traffic import udp4

BAD = "192.0.2.1"


@pytest.fixture
def beside(bed):
    """A server whose eth0 runs xdp-tools' xdp-filter, and then root as well."""
    if not shutil.which("xdp-filter") or not shutil.which("xdp-loader"):
        pytest.skip("no xdp-tools here")
    bed.server.run("xdp-filter", "load", "eth0")
    attach = bed.root("--attach", "--libxdp", "--interface", "eth0", expect=None)
    if attach.status == EX_UNAVAILABLE:
        assert "freplace" in attach.one_line()
        pytest.skip("this kernel can't replace functions of a dispatcher")
    assert attach.status == 0, attach
    yield bed
    bed.server.run("xdp-loader", "unload", "eth0", "--all", expect=None)


def dispatched(bed):
    """Names of the programs that the dispatcher calls, in order."""
    lines = bed.server.run("xdp-loader", "status", "eth0").out.splitlines()
    return [line.split()[2] for line in lines if line.lstrip().startswith("=>")]


def test_both_see_packets(beside, traffic):
    bed = beside
    assert dispatched(bed) == ["xdpfilt_alw_all", "xdp_root_prog"]
    assert bed.status()["mode"] == "libxdp"
    bed.filter("--attach", "--interface", "eth0")
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0")
    assert traffic.exchange(good=udp4(), bad=udp4(BAD)) == ["good"]
    assert bed.status()["slots"][2]["actions"]["XDP_DROP"] == 1

    bed.server.run("xdp-filter", "ip", "-m", "src", "10.99.0.2")
    assert traffic.exchange(good=udp4(), bad=udp4(BAD)) == []
    bed.server.run("xdp-filter", "ip", "-r", "-m", "src", "10.99.0.2")
    assert traffic.exchange(good=udp4()) == ["good"]


def test_replacing_and_committing(beside, traffic):
    bed = beside
    bed.filter("--attach", "--interface", "eth0")
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0")
    bed.root("--attach", "--interface", "eth0")
    assert dispatched(bed) == ["xdpfilt_alw_all", "xdp_root_prog"]
    assert traffic.exchange(good=udp4(), bad=udp4(BAD)) == ["good"]

    bed.root("--stage", "--interface", "eth0")
    bed.filter("--attach", "--stage", "--interface", "eth0")
    bed.filter("--clear", "--stage", "--interface", "eth0")
    assert traffic.exchange(good=udp4(), bad=udp4(BAD)) == ["good"]
    bed.root("--commit", "--interface", "eth0")
    assert dispatched(bed) == ["xdpfilt_alw_all", "xdp_root_prog"]
    assert traffic.exchange(good=udp4(), bad=udp4(BAD)) == ["good", "bad"]


def test_mode_is_kept(beside):
    line = beside.root("--attach", "--native", "--force", "--interface", "eth0",
                       expect=EX_UNAVAILABLE).one_line()
    assert "libxdp" in line and "--detach" in line
    assert beside.status()["mode"] == "libxdp"


def test_detach_leaves_the_other(beside):
    beside.root("--detach", "--interface", "eth0")
    assert dispatched(beside) == ["xdpfilt_alw_all"]
    assert not beside.pin_tree()
