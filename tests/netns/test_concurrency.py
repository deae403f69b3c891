# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Loaders at the same time: each change is whole, none is lost."""
import pytest

from testbed import (DEADLINE, EX_OK, EX_TEMPFAIL, EX_UNAVAILABLE, FILTER, ROOT_LOADER, scaled,
                     shape)
from traffic import udp4


def start(bed, tool, words, interface="eth0"):
    return bed.server.start(tool, *words.split(), "--interface", interface)


def finish(process, *allowed):
    out, err = process.communicate(timeout=DEADLINE * 4)
    assert process.returncode in (EX_OK, *allowed), f"{process.args}: {out}{err}"
    return process.returncode


@pytest.fixture
def attached(bed):
    bed.attach()
    return bed


def test_drops_at_once(attached):
    tree = shape(attached.pin_tree())
    prefixes = {f"198.51.{number}.0/24" for number in range(scaled(20, 5))}
    for process in [start(attached, FILTER, f"--drop --ips {prefix}") for prefix in prefixes]:
        finish(process)
    assert attached.prefixes() == dict.fromkeys(prefixes, "drop")
    assert shape(attached.pin_tree()) == tree


def test_drops_and_holes_at_once(attached, traffic):
    """Lists, configuration and the root program change side by side."""
    words = [(FILTER, f"--drop --ips 198.51.{number}.0/24") for number in range(scaled(8, 3))]
    words += [(FILTER, f"--allow --ips 203.0.{number}.0/24") for number in range(scaled(8, 3))]
    words += [(FILTER, "--attach --frags-drop"), (FILTER, "--attach --drop-options"),
              (FILTER, "--clear-status"), (ROOT_LOADER, "--attach"), (ROOT_LOADER, "--clear"),
              (ROOT_LOADER, "--attach")]
    for process in [start(attached, tool, line) for tool, line in words]:
        finish(process)
    prefixes = attached.prefixes()
    assert prefixes == {line.split()[-1]: line.split()[0][2:] for tool, line in words
                        if "--ips" in line}
    config = attached.filter_status()["config"]
    assert config["frags_drop"] and config["drop_options"]
    assert traffic.exchange(good=udp4(), bad=udp4("198.51.0.1")) == ["good"]


def test_the_first_attachment_at_once(bed, traffic):
    """One makes the root array, the others replace its program."""
    for _ in range(scaled(5, 2)):
        for process in [start(bed, ROOT_LOADER, "--attach") for _ in range(6)]:
            finish(process)
        status = bed.status()
        assert status["attached"] and status["generation"] == 1
        assert traffic.passes(udp4())
        bed.root("--detach", "--interface", "eth0")
        assert not bed.server.pins.exists()


def test_coming_and_going_at_once(bed):
    """Whoever wins: what is left is whole, and can be taken away."""
    for _ in range(scaled(5, 2)):
        started = [start(bed, tool, words) for tool, words in [
            (ROOT_LOADER, "--attach"), (ROOT_LOADER, "--detach"), (FILTER, "--attach"),
            (ROOT_LOADER, "--attach"), (FILTER, "--drop --ips 192.0.2.0/24"),
            (ROOT_LOADER, "--detach"), (ROOT_LOADER, "--stage"), (ROOT_LOADER, "--abort")]]
        for process in started:
            finish(process, EX_UNAVAILABLE)
        status = bed.status()
        assert status["attachment"] in ("attached", "detached")
        bed.filter_status()
        bed.root("--attach", "--interface", "eth0",
                 expect=EX_OK if not status["staged"] else None)
        bed.root("--detach", "--interface", "eth0")
        assert not bed.server.pins.exists()


def test_several_interfaces_in_any_order(bed):
    """Locks are taken in one order, so nobody waits for ever."""
    filters = scaled(8, 2)
    bed.add_veth("eth1")
    bed.add_veth("eth2")
    bed.root("--attach", "--interface", "eth0,eth1,eth2")
    bed.filter("--attach", "--interface", "eth0,eth1,eth2")
    orders = ["eth0,eth1,eth2", "eth2,eth1,eth0", "eth1,eth0,eth2", "eth2,eth0,eth1"]
    started = [start(bed, FILTER, f"--drop --ips 198.51.{number}.0/24", orders[number % 4])
               for number in range(filters)]
    started += [start(bed, ROOT_LOADER, "--attach", order) for order in orders[:scaled(4, 1)]]
    for process in started:
        assert finish(process) != EX_TEMPFAIL
    for name in ("eth0", "eth1", "eth2"):
        assert len(bed.prefixes(name)) == filters


LISTS = ["".join(f"198.51.{number}.0/24 first\n" for number in range(50)),
         "".join(f"203.0.{number}.0/24 second\n" for number in range(20))]

# What a loader does again and again, while others look.
CHANGES = {
    "lists": "{filter} --load $list -i eth0",
    "root programs": "{root} --attach -i eth0",
    "generations": "{root} --stage -i eth0 && {filter} --attach --stage -i eth0 && "
                   "{filter} --load $list --stage -i eth0 && {root} --commit -i eth0",
}


@pytest.mark.parametrize("what", CHANGES)
def test_readers_see_whole_states(attached, scratch, what):
    """They take no lock, and see what was before a change or what is after it."""
    for number, text in enumerate(LISTS):
        (scratch / str(number)).write_text(text)
    attached.filter("--load", scratch / "0", "--interface", "eth0")
    change = CHANGES[what].format(root=ROOT_LOADER, filter=FILTER)
    rounds = " ".join(["1 0"] * scaled(10, 2))
    process = attached.server.start(
        "sh", "-ec", f"cd {scratch}; for list in {rounds}; do {change}; done")
    while True:
        running = process.poll() is None
        shown = attached.filter("--list", "--interface", "eth0")
        assert shown.err == "" and shown.out in LISTS
        status = attached.root("--status", "--json", "--interface", "eth0")
        assert status.err == ""
        (eth0,) = status.json["interfaces"]
        assert eth0["attachment"] == "attached"
        assert eth0["slots"][2]["name"] == "xdp_filter_prog"
        if not running:
            break
    finish(process)
