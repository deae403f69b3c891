# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Loaders of unprivileged users with three capabilities, and of the members of a group."""
import contextlib
import os
import shutil

import pytest

import testbed
from testbed import BUILD, EX_NOPERM, FILTER, FW, ROOT_LOADER
from traffic import udp4

USER, OTHER, GROUP = 61001, 61002, 61003
CAPABILITIES = "+bpf,+net_admin,+perfmon"


class Users:
    """A bpffs with a pin folder, and the tools where any user can run them."""

    def __init__(self, bed, scratch):
        self.bed = bed
        self.bpffs = scratch / "bpf"
        self.bpffs.mkdir()
        testbed.mount("bpf", self.bpffs, "bpf", 0, "mode=0755")
        self.folder = self.bpffs / "ecbpf"
        self.tools = scratch / "tools"
        self.tools.mkdir()
        for tool in (ROOT_LOADER, FILTER, FW):
            shutil.copy(tool, self.tools)
        for library in (BUILD / "libecbpf").glob("libecbpf.so*"):
            shutil.copy(library, self.tools)
        self.environment = {"ECBPF_BPFFS": str(self.bpffs), "LD_LIBRARY_PATH": str(self.tools)}

    def make_folder(self, user, group, mode):
        """As tmpfiles would at boot."""
        self.folder.mkdir()
        self.folder.chmod(mode)
        os.chown(self.folder, user, group)

    def run(self, tool, *arguments, user=USER, group=None, capabilities=CAPABILITIES, **options):
        groups = [f"--groups={group}"] if group else ["--clear-groups"]
        return self.bed.server.run(
            "setpriv", f"--reuid={user}", f"--regid={user}", *groups,
            f"--inh-caps=-all,{capabilities}", f"--ambient-caps=-all,{capabilities}",
            f"--bounding-set=-all,{capabilities}", self.tools / tool.name, *arguments,
            "--interface", "eth0", env=self.environment, **options)

    def status(self, **options):
        return self.run(ROOT_LOADER, "--status", "--json", **options).json["interfaces"][0]


@pytest.fixture
def users(bed, scratch):
    made = Users(bed, scratch)
    yield made
    with contextlib.suppress(OSError):
        testbed.system_call("umount2", os.fsencode(made.bpffs), 2)


def test_firewall_with_three_capabilities(users, traffic):
    rules = ('ip from 192.0.2.1 to any udp name "one"\n'
             "ip from 192.0.2.2 to any udp action limit 1/second per source\n"
             "ip from any to any udp action count\n")
    users.make_folder(USER, USER, 0o700)
    users.run(ROOT_LOADER, "--attach")
    for mode in ("--attach", "--update"):
        users.run(FW, mode, "--rules", "-", stdin=rules)
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]
    found = users.run(FW, "--stats", "--json").json["interfaces"][0]["rules"]
    assert [rule["packets"] for rule in found] == [1, 0, 2]
    users.run(FW, "--reset-stats")
    users.run(FW, "--detach")


def test_three_capabilities_and_no_others(users, traffic):
    users.make_folder(USER, USER, 0o700)
    users.run(ROOT_LOADER, "--attach")
    users.run(FILTER, "--attach", "--frags-drop")
    users.run(FILTER, "--drop", "--ips", "192.0.2.0/24", "--tags", "one")
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]

    status = users.status()
    assert (status["root"]["name"], status["slots"][2]["name"]) == (
        "xdp_root_prog", "xdp_filter_prog")
    assert status["slots"][2]["actions"]["XDP_DROP"] == 1
    assert status["slots"][2]["load_time"] and status["root"]["load_time"]
    out = users.run(FILTER, "--status").out
    assert "Address: 192.0.2.0/24\tTag: one" in out and "Hits: 1" in out

    users.run(ROOT_LOADER, "--stage")
    users.run(FILTER, "--attach", "--stage")
    users.run(ROOT_LOADER, "--commit")
    users.run(ROOT_LOADER, "--attach")
    users.run(ROOT_LOADER, "--clear")
    users.run(FILTER, "--clear-status")
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]
    assert users.run(FILTER, "--list").out == "192.0.2.0/24 one\n"
    users.run(FILTER, "--detach")
    users.run(ROOT_LOADER, "--detach", "--nop")
    users.run(ROOT_LOADER, "--detach")
    assert list(users.folder.iterdir()) == []
    assert traffic.passes(udp4("192.0.2.1"))


@pytest.mark.parametrize("lacking", ["bpf", "net_admin", "perfmon"])
def test_one_of_the_three_lacks(users, lacking):
    users.make_folder(USER, USER, 0o700)
    capabilities = ",".join(one for one in CAPABILITIES.split(",") if one != f"+{lacking}")
    said = users.run(ROOT_LOADER, "--attach", capabilities=capabilities,
                     expect=EX_NOPERM).one_line()
    assert f"missing: CAP_{lacking.upper()}" in said
    assert users.status()["attachment"] == "detached"


def test_pin_folder_of_somebody_else(users, traffic):
    users.make_folder(OTHER, OTHER, 0o700)
    for tool, mode in ((ROOT_LOADER, "--attach"), (ROOT_LOADER, "--stage"), (FILTER, "--attach")):
        said = users.run(tool, mode, expect=EX_NOPERM).one_line()
        assert str(users.folder) in said and "check access to the pin folder" in said
    assert traffic.passes(udp4())


def test_a_folder_that_cannot_be_made(users):
    """bpffs is root's, and nobody has made the pin folder."""
    said = users.run(ROOT_LOADER, "--attach", expect=EX_NOPERM).one_line()
    assert str(users.folder) in said


def test_members_of_a_group_share_the_pins(users, traffic):
    """What one made, another works on, and a third who is no member does not."""
    users.make_folder(0, GROUP, 0o770)
    users.run(ROOT_LOADER, "--attach", user=USER, group=GROUP)
    users.run(FILTER, "--attach", user=OTHER, group=GROUP)
    users.run(FILTER, "--drop", "--ips", "192.0.2.0/24", user=USER, group=GROUP)
    users.run(ROOT_LOADER, "--attach", user=OTHER, group=GROUP)
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]
    assert users.status(user=OTHER, group=GROUP)["slots"][2]["actions"]["XDP_DROP"] == 1

    stranger = USER + 100
    for tool, mode in ((ROOT_LOADER, "--status"), (ROOT_LOADER, "--detach"), (FILTER, "--clear"),
                       (FILTER, "--list")):
        users.run(tool, mode, user=stranger, expect=EX_NOPERM).one_line()
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]

    users.run(ROOT_LOADER, "--stage", user=USER, group=GROUP)
    users.run(FILTER, "--attach", "--stage", user=OTHER, group=GROUP)
    users.run(ROOT_LOADER, "--commit", user=OTHER, group=GROUP)
    assert traffic.exchange(good=udp4(), bad=udp4("192.0.2.1")) == ["good"]
    users.run(ROOT_LOADER, "--detach", user=OTHER, group=GROUP)
    assert list(users.folder.iterdir()) == []


def test_root_works_on_the_group_s_pins_and_they_on_its(users, traffic):
    users.make_folder(0, GROUP, 0o770)
    environment = {"ECBPF_BPFFS": str(users.bpffs)}
    users.bed.root("--attach", "--interface", "eth0", env=environment)
    users.run(FILTER, "--attach", group=GROUP)
    users.bed.filter("--drop", "--ips", "192.0.2.0/24", "--interface", "eth0", env=environment)
    users.run(FILTER, "--allow", "--ips", "192.0.2.1", group=GROUP)
    assert traffic.exchange(a=udp4("192.0.2.1"), b=udp4("192.0.2.2")) == ["a"]
    users.run(ROOT_LOADER, "--detach", group=GROUP)
    assert traffic.exchange(a=udp4("192.0.2.1"), b=udp4("192.0.2.2")) == ["a", "b"]
