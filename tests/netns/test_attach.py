# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Attaching, replacing and detaching the root array."""
import pytest

from testbed import (BUILD, EX_NOINPUT, EX_UNAVAILABLE, SERVER4, SERVER6, data_path,
                     kernel_release, shape)
from traffic import udp4, udp6

LINEAR_MTU = 3506


def xdp_of(bed, name="eth0"):
    """What the kernel says is attached there: (mode, id), or None."""
    xdp = bed.server.run("ip", "-json", "link", "show", "dev", name).json[0].get("xdp")
    return xdp and ({1: "native", 2: "generic"}[xdp["mode"]], xdp["prog"]["id"])


def reaches(bed):
    """Whether the client's kernel and the server's talk, by both families."""
    for address in (SERVER4, SERVER6):
        bed.client.run("ping", "-c", 1, "-W", 20, address)


def test_attach_and_detach(bed, traffic):
    bed.root("--attach", "--interface", "eth0")
    status = bed.status()
    assert status["attached"] and status["attachment"] == "attached"
    assert status["mode"] == "native" and status["frags"] is False
    assert (status["generation"], status["staged"]) == (1, None)
    assert xdp_of(bed) == ("native", status["root"]["id"])
    assert traffic.passes(udp4()) and traffic.passes(udp6())
    reaches(bed)

    bed.root("--detach", "--interface", "eth0")
    assert xdp_of(bed) is None
    assert bed.status()["attachment"] == "detached"
    assert not bed.server.pins.exists()
    reaches(bed)


def test_detach_where_nothing_is(bed):
    said = bed.root("--detach", "--interface", "eth0", expect=EX_UNAVAILABLE).one_line()
    assert "eth0" in said and "no root array" in said


def test_generic(bed, traffic):
    bed.root("--attach", "--interface", "eth0", "--generic")
    bed.filter("--attach", "--interface", "eth0")
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0")
    status = bed.status()
    assert status["mode"] == "generic"
    assert xdp_of(bed) == ("generic", status["root"]["id"])
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]
    reaches(bed)


def test_native_is_refused_where_the_driver_cannot(bed):
    said = bed.root("--attach", "--native", "--interface", "lo", expect=EX_UNAVAILABLE).one_line()
    assert "lo:" in said and "--generic" in said
    assert bed.status("lo")["attachment"] == "detached"
    assert bed.pin_tree() == set()

    result = bed.root("--attach", "--interface", "lo")
    assert "generic mode" in result.err
    assert bed.status("lo")["mode"] == "generic"


@pytest.mark.long
def test_several_interfaces(bed):
    bed.add_veth("eth1")
    bed.add_veth("eth2")
    bed.root("--attach", "--interface", "eth2,eth0", "--interface", "eth1")
    shown = bed.root("--status", "--json").json["interfaces"]
    assert [(one["name"], one["attached"]) for one in shown] == [
        ("eth0", True), ("eth1", True), ("eth2", True)]
    bed.root("--detach", "--interface", "eth0,eth1,eth2")
    assert bed.root("--status", "--json").json["interfaces"] == []


@pytest.mark.long
def test_all_interfaces_or_none(bed):
    bed.add_veth("eth1")
    bed.add_veth("eth2", mtu=9000, peer_mtu=9000)
    bed.root("--attach", "--interface", "eth1")
    before = data_path(bed, "eth1")

    said = bed.root("--attach", "--interface", "eth0,nosuch,eth2", expect=EX_NOINPUT).one_line()
    assert "nosuch" in said and "eth0" not in said
    result = bed.root("--attach", "--no-frags", "--native", "--interface", "eth0,eth2",
                      expect=EX_UNAVAILABLE)
    assert "eth2" in result.err.splitlines()[-1] and str(LINEAR_MTU) in result.err
    assert xdp_of(bed, "eth0") is None and xdp_of(bed, "eth2") is None
    assert data_path(bed, "eth1") == before


@pytest.mark.long
def test_what_was_changed_before_a_failure_is_named(bed):
    bed.add_veth("eth1", mtu=9000, peer_mtu=9000)
    bed.root("--attach", "--interface", "eth0")
    result = bed.root("--attach", "--no-frags", "--native", "--interface", "eth0,eth1",
                      expect=EX_UNAVAILABLE)
    assert any("eth0" in line and "changed before" in line for line in result.err.splitlines())
    assert bed.status("eth0")["attached"]
    assert xdp_of(bed, "eth1") is None


@pytest.mark.long
def test_vlan_like_names(bed):
    """bpffs refuses dots."""
    bed.add_veth("eth0.100")
    bed.root("--attach", "--interface", "eth0.100")
    bed.filter("--attach", "--interface", "eth0.100")
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0.100")
    assert [one["name"] for one in bed.root("--status", "--json").json["interfaces"]] == [
        "eth0.100"]
    assert "Interface eth0.100 status:" in bed.root("--status").out
    assert bed.prefixes("eth0.100") == {"192.0.2.0/24": "drop"}
    bed.root("--detach", "--interface", "eth0.100")
    assert not bed.server.pins.exists()


def test_attach_over_a_running_root(bed, traffic):
    bed.attach()
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0")
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]
    before, tree = bed.status(), shape(bed.pin_tree())

    bed.root("--attach", "--interface", "eth0")
    after = bed.status()
    assert after["root"]["id"] != before["root"]["id"]
    assert xdp_of(bed) == ("native", after["root"]["id"])
    assert after["slots"] == before["slots"]
    assert after["generation"] == before["generation"]
    assert after["reasons"]["filter_source"] == 1
    assert after["root"]["actions"]["XDP_PASS"] >= before["root"]["actions"]["XDP_PASS"] > 0
    assert shape(bed.pin_tree()) == tree
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]


def test_nop(bed, traffic):
    """A program that passes everything takes root's place, and gives it back."""
    bed.attach()
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0")
    bed.root("--detach", "--nop", "--interface", "eth0")
    status = bed.status()
    assert (status["attached"], status["attachment"]) == (False, "nop")
    assert status["root"] is None and status["slots"] == []
    assert xdp_of(bed)[0] == "native"
    assert bed.pin_tree() == {"eth0/link", "eth0/meta", "eth0/nop"}
    assert "passes everything" in bed.root("--status").out
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good", "bad"]

    bed.attach()
    status = bed.status()
    assert status["attached"] and xdp_of(bed) == ("native", status["root"]["id"])
    assert bed.prefixes() == {} and "eth0/nop" not in bed.pin_tree()

    bed.root("--attach", "--nop", "--interface", "eth0")
    assert bed.status()["attachment"] == "nop"
    bed.root("--detach", "--interface", "eth0")
    assert xdp_of(bed) is None and not bed.server.pins.exists()


def test_nop_as_the_first(bed):
    bed.root("--attach", "--nop", "--interface", "eth0")
    assert bed.status()["attachment"] == "nop"
    bed.filter("--attach", "--interface", "eth0", expect=EX_UNAVAILABLE)


def test_mode_changes_only_by_force(bed, traffic):
    bed.attach()
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0")
    before = data_path(bed)
    said = bed.root("--attach", "--generic", "--interface", "eth0",
                    expect=EX_UNAVAILABLE).one_line()
    assert "native" in said and "--force" in said
    assert data_path(bed) == before

    bed.root("--attach", "--generic", "--force", "--interface", "eth0")
    assert bed.status()["mode"] == "generic" and xdp_of(bed)[0] == "generic"
    assert bed.prefixes() == {"192.0.2.0/24": "drop"}
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]

    bed.root("--attach", "--native", "--force", "--interface", "eth0")
    assert bed.status()["mode"] == "native" and xdp_of(bed)[0] == "native"
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]
    # The mode that it has is no change.
    bed.root("--attach", "--native", "--interface", "eth0")


@pytest.mark.long
def test_interface_made_anew(bed):
    bed.add_veth("eth1")
    bed.root("--attach", "--interface", "eth1")
    bed.filter("--attach", "--interface", "eth1")
    tree = shape(bed.pin_tree())
    bed.server.run("ip", "link", "delete", "eth1")
    bed.add_veth("eth1")
    assert bed.status("eth1")["attachment"] == "stale"
    said = bed.filter("--attach", "--interface", "eth1", expect=EX_UNAVAILABLE).one_line()
    assert "made anew" in said and "xdp_root_loader --attach --interface eth1" in said
    assert xdp_of(bed, "eth1") is None

    result = bed.root("--attach", "--interface", "eth1")
    assert "former interface" in result.err
    assert bed.status("eth1")["attached"] and xdp_of(bed, "eth1")[0] == "native"
    assert bed.filter_status("eth1")["attached"] is False
    bed.filter("--attach", "--interface", "eth1")
    assert shape(bed.pin_tree()) == tree


@pytest.mark.long
def test_interface_renamed(bed, traffic):
    """Packets go on as before, pins follow, and whoever gets the name has none of it."""
    bed.attach()
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0")
    program = xdp_of(bed)
    bed.server.run("ip", "link", "set", "eth0", "down")
    bed.server.run("ip", "link", "set", "eth0", "name", "wan0")
    bed.server.run("ip", "link", "set", "wan0", "up")
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]
    assert bed.status("wan0")["attached"] and bed.prefixes("wan0") == {"192.0.2.0/24": "drop"}
    shown = bed.root("--status", "--json").json["interfaces"]
    assert [one["name"] for one in shown] == ["wan0"]
    bed.root("--status", "--interface", "eth0", expect=EX_NOINPUT)

    bed.server.run(*"ip link add eth0 type veth peer name spare0".split())
    result = bed.root("--attach", "--interface", "eth0")
    assert "wan0: was renamed from eth0; its pins follow" in result.err
    assert xdp_of(bed, "wan0") == program and bed.status("wan0")["attached"]
    assert bed.filter_status()["attached"] is False
    bed.filter("--drop", "--ips", "198.51.100.0/24", "--interface", "wan0")
    assert set(bed.prefixes("wan0")) == {"192.0.2.0/24", "198.51.100.0/24"}
    bed.root("--detach", "--interface", "wan0,eth0")
    assert xdp_of(bed, "wan0") is None and not bed.server.pins.exists()


@pytest.mark.long
def test_interface_deleted(bed):
    """Its pins stay, are shown, and go by --detach."""
    bed.add_veth("eth1")
    bed.root("--attach", "--interface", "eth1")
    bed.filter("--attach", "--interface", "eth1")
    bed.server.run("ip", "link", "delete", "eth1")
    shown = bed.root("--status", "--json").json["interfaces"]
    assert [(one["name"], one["attachment"], one["ifindex"]) for one in shown] == [
        ("eth1", "stale", 0)]
    assert "--detach --interface eth1" in bed.root("--status", "--interface", "eth1").out
    said = bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth1",
                      expect=EX_NOINPUT).one_line()
    assert "eth1" in said

    bed.root("--detach", "--interface", "eth1")
    assert not bed.server.pins.exists()
    bed.root("--status", "--interface", "eth1", expect=EX_NOINPUT)


def foreign(bed, name="eth0"):
    """Somebody else's program on @name: its id."""
    path = bed.server.pins.parent.parent / f"foreign{bed.server.pins.name}"
    bed.server.run("bpftool", "prog", "load", BUILD / "xdp_root/xdp_nop.bpf.o", path)
    try:
        bed.server.run("bpftool", "net", "attach", "xdp", "pinned", path, "dev", name)
    finally:
        path.unlink()
    return xdp_of(bed, name)[1]


def test_foreign_program_is_named_and_left_alone(bed):
    number = foreign(bed)
    for arguments in (["--attach"], ["--attach", "--generic"], ["--attach", "--nop"],
                      ["--attach", "--force"]):
        said = bed.root(*arguments, "--interface", "eth0", expect=EX_UNAVAILABLE).one_line()
        assert "eth0" in said and f"id {number}" in said and "'xdp_nop_prog'" in said
        assert xdp_of(bed) == ("native", number)
        assert bed.pin_tree() == set()
    status = bed.status()
    assert (status["attachment"], status["foreign_id"]) == ("foreign", number)
    assert f"id {number}" in bed.root("--status", "--interface", "eth0").out
    bed.filter("--attach", "--interface", "eth0", expect=EX_UNAVAILABLE)
    assert xdp_of(bed) == ("native", number)

    bed.server.run("bpftool", "net", "detach", "xdp", "dev", "eth0")
    bed.root("--attach", "--interface", "eth0")
    assert bed.status()["attached"]


def test_staging_beside_a_foreign_program(bed):
    number = foreign(bed)
    bed.root("--stage", "--interface", "eth0")
    status = bed.status()
    assert (status["attachment"], status["staged"]) == ("foreign", 1)
    said = bed.root("--commit", "--interface", "eth0", expect=EX_UNAVAILABLE).one_line()
    assert f"id {number}" in said
    assert xdp_of(bed) == ("native", number)
    bed.root("--abort", "--interface", "eth0")
    assert bed.pin_tree() == set()


def rxvlan(bed):
    shown = bed.server.run("ethtool", "-k", "eth0").out
    return "rx-vlan-offload: on" in shown


def test_rx_vlan_offload(bed):
    """Off until detach, so that XDP sees tags."""
    assert rxvlan(bed)
    result = bed.root("--attach", "--interface", "eth0")
    assert "rx-vlan offload turned off" in result.err and "--keep-rxvlan" in result.err
    assert not rxvlan(bed)
    assert bed.root("--attach", "--interface", "eth0").err == ""
    bed.root("--detach", "--interface", "eth0")
    assert rxvlan(bed)


def test_rx_vlan_offload_is_kept(bed):
    assert bed.root("--attach", "--keep-rxvlan", "--interface", "eth0").err == ""
    assert rxvlan(bed)
    bed.root("--stage", "--interface", "eth0")
    assert bed.root("--commit", "--keep-rxvlan", "--interface", "eth0").err == ""
    assert rxvlan(bed)


def test_rx_vlan_offload_that_was_off(bed):
    bed.server.run("ethtool", "-K", "eth0", "rxvlan", "off")
    assert bed.root("--attach", "--interface", "eth0").err == ""
    bed.root("--detach", "--interface", "eth0")
    assert not rxvlan(bed)


def test_rx_vlan_offload_comes_back_after_nop(bed):
    bed.root("--attach", "--interface", "eth0")
    bed.root("--detach", "--nop", "--interface", "eth0")
    bed.root("--detach", "--interface", "eth0")
    assert rxvlan(bed)


needs_frags = pytest.mark.skipif(kernel_release() < (5, 18),
                                 reason="multi-buffer XDP needs kernel 5.18")


@needs_frags
def test_frags_where_the_mtu_needs_them(bed):
    bed.add_veth("eth1", mtu=9000, peer_mtu=9000)
    result = bed.root("--attach", "--interface", "eth1")
    assert "xdpcap can't" in result.err
    assert bed.status("eth1")["frags"] is True and xdp_of(bed, "eth1")[0] == "native"
    bed.filter("--attach", "--interface", "eth1")
    # The choice is the generation's: it stays whatever the MTU becomes.
    bed.server.run("ip", "link", "set", "eth1", "mtu", 1500)
    bed.root("--attach", "--interface", "eth1")
    assert bed.status("eth1")["frags"] is True


@needs_frags
def test_frags_where_the_mtu_of_the_peer_needs_them(bed):
    bed.add_veth("eth1", mtu=1500, peer_mtu=9000)
    bed.root("--attach", "--interface", "eth1")
    assert bed.status("eth1")["frags"] is True and xdp_of(bed, "eth1")[0] == "native"
    assert bed.status("eth1")["generation"] is not None
    assert len({path.split("/")[1] for path in bed.pin_tree() if "gen-" in path}) == 1


def test_no_frags_and_an_mtu_that_needs_them(bed):
    bed.add_veth("eth1", mtu=9000, peer_mtu=9000)
    said = bed.root("--attach", "--no-frags", "--interface", "eth1",
                    expect=EX_UNAVAILABLE).one_line()
    assert "9000" in said and str(LINEAR_MTU) in said
    assert xdp_of(bed, "eth1") is None and bed.pin_tree() == set()

    bed.root("--attach", "--generic", "--interface", "eth1")
    status = bed.status("eth1")
    assert (status["mode"], status["frags"]) == ("generic", False)


def test_largest_mtu_without_frags(bed):
    bed.add_veth("eth1", mtu=LINEAR_MTU, peer_mtu=LINEAR_MTU)
    bed.root("--attach", "--native", "--interface", "eth1")
    assert bed.status("eth1")["frags"] is False


@needs_frags
def test_frags_by_option(bed, traffic):
    bed.root("--attach", "--frags", "--interface", "eth0")
    assert bed.status()["frags"] is True
    bed.filter("--attach", "--interface", "eth0")
    bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0")
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]

    before = data_path(bed)
    said = bed.root("--attach", "--no-frags", "--interface", "eth0",
                    expect=EX_UNAVAILABLE).one_line()
    assert "--stage --no-frags" in said
    assert data_path(bed) == before

    # What the message says to do.
    bed.root("--stage", "--no-frags", "--interface", "eth0")
    bed.filter("--attach", "--stage", "--interface", "eth0")
    bed.root("--commit", "--interface", "eth0")
    assert bed.status()["frags"] is False
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]


@needs_frags
def test_frags_by_force_drop_the_slots(bed):
    bed.attach()
    bed.root("--attach", "--frags", "--force", "--interface", "eth0")
    status = bed.status()
    assert status["frags"] is True and status["slots"][2]["id"] == 0
    assert all("slot-" not in path for path in bed.pin_tree())


@needs_frags
def test_large_frames_through_frags(bed):
    """Frames of several buffers meet the filter like others."""
    for namespace in (bed.server, bed.client):
        namespace.run("ip", "link", "set", "eth0", "mtu", 9000)
    bed.root("--attach", "--interface", "eth0")
    bed.filter("--attach", "--interface", "eth0")
    for address in (SERVER4, SERVER6):
        bed.client.run("ping", "-c", 1, "-W", 20, "-M", "do", "-s", 8000, address)
    bed.filter("--drop", "--ips", "10.99.0.2,fd99::2", "--interface", "eth0")
    for address in (SERVER4, SERVER6):
        bed.client.run("ping", "-c", 1, "-W", 1, "-s", 8000, address, expect=1)
    reasons = bed.status()["reasons"]
    assert (reasons["filter_source"], reasons["filter_source6"]) == (1, 1)


@pytest.mark.skipif(kernel_release() >= (5, 18), reason="multi-buffer XDP is there from 5.18 on")
def test_frags_on_a_kernel_without(bed):
    said = bed.root("--attach", "--frags", "--interface", "eth0",
                    expect=EX_UNAVAILABLE).one_line()
    assert "5.18" in said
    assert xdp_of(bed) is None and bed.pin_tree() == set()
