# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Generations: staged, committed, aborted, and those of another ABI."""
import re
import struct

import pytest

from testbed import EX_OK, EX_PROTOCOL, EX_UNAVAILABLE, SOURCE, data_path, shape
from traffic import udp4

OWN_ABI = int(re.search(r"define ECBPF_ABI (\d+)",
                        (SOURCE / "libecbpf/include/ecbpf/abi.h").read_text())[1])

BAD1, BAD2 = "192.0.2.1", "198.51.100.1"


@pytest.fixture
def live(bed):
    bed.attach()
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--tags", "one", "--interface", "eth0")
    return bed


def test_commit(live, traffic):
    tree = shape(live.pin_tree())
    live.root("--stage", "--interface", "eth0")
    status = live.status()
    assert (status["generation"], status["staged"]) == (1, 2)
    assert "staged: generation 2" in live.root("--status").out
    assert traffic.exchange(good=udp4(), bad=udp4(BAD1)) == ["good"]

    # It begins with the live one's list; changes don't reach packets.
    live.filter("--attach", "--stage", "--frags-drop", "--interface", "eth0")
    live.filter("--drop", "--stage", "--ips", "198.51.100.0/24", "--interface", "eth0")
    live.filter("--no-drop", "--stage", "--ips", "192.0.2.0/24", "--interface", "eth0")
    assert live.prefixes() == {"192.0.2.0/24": "drop"}
    assert traffic.exchange(one=udp4(BAD1), two=udp4(BAD2)) == ["two"]
    staged = live.filter("--status", "--stage", "--interface", "eth0").out
    assert staged.startswith("Staged generation, which no packet goes through before --commit:")
    assert "frags_drop? true" in staged and "Address: 198.51.100.0/24" in staged
    assert live.filter("--list", "--stage", "--interface", "eth0").out == "198.51.100.0/24\n"

    live.root("--commit", "--interface", "eth0")
    status = live.status()
    assert (status["generation"], status["staged"]) == (2, None)
    assert live.prefixes() == {"198.51.100.0/24": "drop"}
    assert live.filter_status()["config"]["frags_drop"] is True
    assert traffic.exchange(one=udp4(BAD1), two=udp4(BAD2)) == ["one"]
    assert shape(live.pin_tree()) == tree


def test_first_attachment_by_commit(bed, traffic):
    """Packets never go through a root array without its slots."""
    bed.root("--stage", "--interface", "eth0")
    assert bed.status()["attachment"] == "detached"
    bed.filter("--attach", "--stage", "--interface", "eth0")
    bed.filter("--drop", "--stage", "--ips", "192.0.2.0/24", "--interface", "eth0")
    assert traffic.exchange(good=udp4(), bad=udp4(BAD1)) == ["good", "bad"]
    bed.root("--commit", "--generic", "--interface", "eth0")
    assert bed.status()["mode"] == "generic"
    assert traffic.exchange(good=udp4(), bad=udp4(BAD1)) == ["good"]


def test_mode_is_that_of_the_attachment(bed):
    """What is staged before anything is attached keeps its own; later, nothing moves it."""
    bed.root("--stage", "--generic", "--interface", "eth0")
    bed.root("--commit", "--interface", "eth0")
    assert bed.status()["mode"] == "generic"
    for mode in ("--stage", "--commit"):
        refused = bed.root(mode, "--native", "--interface", "eth0",
                           expect=EX_UNAVAILABLE).one_line()
        assert "attached in generic mode" in refused and "--force" in refused
        assert (bed.status()["staged"] is None) == (mode == "--stage")
        bed.root("--stage", "--generic", "--interface", "eth0",
                 expect=EX_OK if mode == "--stage" else None)
    bed.root("--commit", "--generic", "--interface", "eth0")
    assert bed.status()["generation"] == 2


def test_abort(live, traffic):
    before = data_path(live)
    live.root("--stage", "--interface", "eth0")
    live.filter("--attach", "--stage", "--interface", "eth0")
    live.filter("--clear", "--stage", "--interface", "eth0")
    live.root("--abort", "--interface", "eth0")
    assert data_path(live) == before
    assert traffic.exchange(good=udp4(), bad=udp4(BAD1)) == ["good"]


def test_only_one_is_staged(live):
    live.root("--stage", "--interface", "eth0")
    before = data_path(live)
    said = live.root("--stage", "--interface", "eth0", expect=EX_UNAVAILABLE).one_line()
    assert "--commit or --abort" in said
    assert data_path(live) == before


@pytest.mark.parametrize("mode", ["--commit", "--abort"])
def test_nothing_is_staged(live, mode):
    before = data_path(live)
    said = live.root(mode, "--interface", "eth0", expect=EX_UNAVAILABLE).one_line()
    assert "no staged generation" in said and "--stage --interface eth0" in said
    assert data_path(live) == before


def test_filter_without_a_staged_generation(live):
    before = data_path(live)
    for arguments in (["--attach"], ["--drop", "--ips", "203.0.113.0/24"], ["--clear"],
                      ["--detach"]):
        said = live.filter(*arguments, "--stage", "--interface", "eth0",
                           expect=EX_UNAVAILABLE).one_line()
        assert "--stage" in said
        assert data_path(live) == before


def test_filter_taken_out_of_the_staged_generation(live, traffic):
    live.root("--stage", "--interface", "eth0")
    live.filter("--attach", "--stage", "--interface", "eth0")
    live.filter("--detach", "--stage", "--interface", "eth0")
    assert traffic.exchange(good=udp4(), bad=udp4(BAD1)) == ["good"]
    live.root("--commit", "--interface", "eth0")
    assert live.status()["slots"][2]["id"] == 0
    assert traffic.exchange(good=udp4(), bad=udp4(BAD1)) == ["good", "bad"]


def test_what_a_commit_takes_away_is_said(live):
    said = live.filter("--status", "--stage", "--interface", "eth0", expect=EX_UNAVAILABLE)
    assert "no staged generation" in said.one_line()
    live.root("--stage", "--interface", "eth0")
    shown = live.filter("--status", "--stage", "--interface", "eth0").out
    assert shown == "Filter not attached to the staged generation of interface eth0.\n"
    said = live.filter("--drop", "--stage", "--ips", "203.0.113.0/24", "--interface", "eth0",
                       expect=EX_UNAVAILABLE).one_line()
    assert "staged generation" in said and "--attach --stage --interface eth0" in said
    said = live.filter("--drop", "--ips", "203.0.113.0/24", "--interface", "eth0").one_line()
    assert "slot 2 changed in the live generation, not in the staged one (2)" in said
    said = live.root("--commit", "--interface", "eth0").one_line()
    assert "slot 2 is empty in the staged generation: xdp_filter_prog no longer runs" in said
    assert live.status()["slots"][2]["id"] == 0


def test_commit_of_several_is_checked_before(live):
    live.add_veth("eth1")
    live.root("--attach", "--interface", "eth1")
    live.root("--stage", "--interface", "eth0")
    said = live.root("--commit", "--interface", "eth0,eth1", expect=EX_UNAVAILABLE).one_line()
    assert "eth1: no staged generation" in said
    assert (live.status()["generation"], live.status()["staged"]) == (1, 2)
    result = live.root("--detach", "--interface", "eth0,eth1,lo", expect=EX_UNAVAILABLE)
    assert "lo: no root array" in result.err
    assert "eth0: was detached all the same" in result.err
    assert "eth1: was detached all the same" in result.err


def test_attach_leaves_the_staged_one(live):
    live.root("--stage", "--interface", "eth0")
    live.root("--attach", "--interface", "eth0")
    assert live.status()["staged"] == 2
    live.root("--detach", "--interface", "eth0")
    assert not live.server.pins.exists()


def set_abi(bed, number, generation="gen-1", name="eth0"):
    """Have the pinned generation say that another release made it."""
    path = bed.server.pins / name / generation / "meta"
    (entry,) = bed.server.run("bpftool", "-j", "map", "dump", "pinned", path).json
    octets = [int(octet, 16) for octet in entry["value"]]
    octets[:4] = struct.pack("=I", number)
    bed.server.run("bpftool", "map", "update", "pinned", path, "key", "0", "0", "0", "0",
                   "value", *octets)


@pytest.fixture
def another_abi(live):
    set_abi(live, 4711)
    return live


def test_another_abi_is_named_and_left_alone(another_abi, traffic):
    bed = another_abi
    status = bed.root("--status", "--json").json["interfaces"][0]
    assert (status["attached"], status["abi"]) == (True, 4711)
    assert (status["root"], status["slots"], status["reasons"]) == (None, [], {})
    assert "ABI 4711" in bed.root("--status").out
    assert "ABI 4711" in bed.root("--reasons").out
    pins, link = bed.pin_tree(), bed.server.run("ip", "-json", "link", "show", "eth0").out
    for run, arguments in [
            (bed.root, ["--attach"]), (bed.root, ["--attach", "--force"]),
            (bed.root, ["--detach"]), (bed.root, ["--clear"]), (bed.root, ["--attach", "--nop"]),
            (bed.root, ["--detach", "--nop"]), (bed.filter, ["--attach"]),
            (bed.filter, ["--drop", "--ips", "203.0.113.0/24"]), (bed.filter, ["--clear"]),
            (bed.filter, ["--detach"]), (bed.filter, ["--clear-status"])]:
        said = run(*arguments, "--interface", "eth0", expect=EX_PROTOCOL).one_line()
        assert "ABI 4711" in said and f"ABI {OWN_ABI}" in said, arguments
        assert bed.pin_tree() == pins, arguments
        assert bed.server.run("ip", "-json", "link", "show", "eth0").out == link
    assert traffic.exchange(good=udp4(), bad=udp4(BAD1)) == ["good"]


def test_another_abi_shown_by_the_filter(another_abi):
    result = another_abi.filter("--status", "--interface", "eth0", expect=EX_PROTOCOL)
    assert "ABI 4711" in result.one_line()


def test_another_abi_is_replaced_by_a_staged_generation(another_abi, traffic):
    bed = another_abi
    bed.root("--stage", "--interface", "eth0")
    bed.filter("--attach", "--stage", "--interface", "eth0")
    bed.filter("--drop", "--stage", "--ips", "198.51.100.0/24", "--interface", "eth0")
    bed.root("--commit", "--interface", "eth0")
    status = bed.status()
    assert (status["abi"], status["generation"], status["staged"]) == (OWN_ABI, 2, None)
    assert traffic.exchange(one=udp4(BAD1), two=udp4(BAD2)) == ["one"]
    assert not any("gen-1" in path for path in bed.pin_tree())


def test_another_abi_is_detached_by_force(another_abi):
    another_abi.root("--detach", "--force", "--interface", "eth0")
    assert not another_abi.server.pins.exists()
    assert another_abi.status()["attachment"] == "detached"


def test_staged_generation_of_another_abi_is_aborted(live):
    live.root("--stage", "--interface", "eth0")
    set_abi(live, 4711, generation="gen-2")
    before = data_path(live)
    said = live.root("--commit", "--interface", "eth0", expect=EX_PROTOCOL).one_line()
    assert "ABI 4711" in said
    assert data_path(live) == before
    live.root("--abort", "--interface", "eth0")
    assert live.status()["staged"] is None
