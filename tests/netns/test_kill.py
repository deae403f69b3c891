# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Loaders killed at any point: packets and status go on, and the next loader cleans up."""
import dataclasses
import itertools
import os
import random
import signal
import time

import pytest

from testbed import (DEADLINE, FILTER, GUEST, HELPERS, ROOT_LOADER, eventually, killed_after,
                     sample, scaled, shape)
from traffic import Flood, udp4

LISTED, ADDED = "192.0.2.0/24", "198.51.100.0/24"
OLD, NEW = {LISTED: "drop"}, {LISTED: "drop", ADDED: "drop"}
LISTED_FRAME, ADDED_FRAME = udp4("192.0.2.1"), udp4("198.51.100.1")

SIGKILLED = -signal.SIGKILL


@dataclasses.dataclass
class Operation:
    """A loader's run on an interface with root and filter, whose list is OLD."""

    tool: str
    arguments: str
    # Attachment and list (None: no filter) that may be met once it was killed.
    outcomes: list
    # Runs that come before it.
    prepare: tuple = ()
    stdin: str = None
    # Whether LISTED is dropped throughout.
    filtered: bool = True

    def command(self):
        tool = ROOT_LOADER if self.tool == "root" else FILTER
        return [tool, *self.arguments.split(), "--interface", "eth0"]


AS_BEFORE = [("attached", OLD)]
EITHER = [("attached", OLD), ("attached", NEW)]
GONE = [("detached", None), ("stale", None)]

STAGED = ("root --stage", "filter --attach --stage", f"filter --drop --ips {ADDED} --stage")

OPERATIONS = {
    "replace": Operation("root", "--attach", AS_BEFORE),
    "stage": Operation("root", "--stage", AS_BEFORE),
    "abort": Operation("root", "--abort", AS_BEFORE, STAGED),
    "commit": Operation("root", "--commit", EITHER, STAGED),
    "detach": Operation("root", "--detach", AS_BEFORE + GONE, filtered=False),
    "detach while staged": Operation("root", "--detach", AS_BEFORE + GONE, STAGED,
                                     filtered=False),
    "first attach": Operation("root", "--attach", GONE + [("attached", None)],
                              ("root --detach",), filtered=False),
    "first commit": Operation("root", "--commit", GONE + [("attached", {ADDED: "drop"})],
                              ("root --detach", *STAGED), filtered=False),
    "detach to nop": Operation("root", "--detach --nop", AS_BEFORE + [("nop", None)],
                               filtered=False),
    "nop over nop": Operation("root", "--attach --nop", [("nop", None)],
                              ("root --detach --nop",), filtered=False),
    "attach over nop": Operation("root", "--attach", [("nop", None), ("attached", None)],
                                 ("root --detach --nop",), filtered=False),
    "first filter": Operation("filter", "--attach", [("attached", None), ("attached", {})],
                              ("filter --detach",), filtered=False),
    "configure": Operation("filter", "--attach --frags-drop", AS_BEFORE),
    "drop": Operation("filter", f"--drop --ips {ADDED}", EITHER),
    "no-drop": Operation("filter", f"--no-drop --ips {ADDED}", EITHER,
                         (f"filter --drop --ips {ADDED}",)),
    "load": Operation("filter", "--load -", EITHER, stdin=f"{LISTED}\n{ADDED}\n"),
    "staged filter": Operation("filter", "--attach --stage", AS_BEFORE, ("root --stage",)),
    "detach filter": Operation("filter", "--detach", AS_BEFORE + [("attached", None)],
                               filtered=False),
}


class Subject:
    """The testbed, brought into the state that operations begin in, and judged."""

    def __init__(self, bed, traffic):
        self.bed, self.traffic = bed, traffic
        self.settle()
        self.shape = shape(bed.pin_tree())

    def run(self, words):
        tool, *arguments = words.split()
        getattr(self.bed, tool)(*arguments, "--interface", "eth0")

    def prepare(self, operation):
        for words in operation.prepare:
            self.run(words)

    def settle(self):
        """Ordinary runs of the loaders, as somebody would try who saw one die."""
        status = self.bed.status()
        if status["staged"] and status["attachment"] != "stale":
            self.run("root --abort")
        self.run("root --attach")
        if not (status["slots"] and status["slots"][2]["id"]):
            self.run("filter --attach")
        self.bed.filter("--load", "-", "--interface", "eth0", stdin=f"{LISTED}\n")

    def settled(self, judged=None):
        """The loaders after a kill leave nothing of it; they needn't run where nothing is."""
        if judged != ("attached", OLD) or shape(self.bed.pin_tree()) != self.shape:
            self.settle()
        assert shape(self.bed.pin_tree()) == self.shape

    def restore(self, operation):
        """Undo what @operation did, if it did it."""
        status, listed = self.bed.status(), self.bed.prefixes()
        assert (status["attachment"], listed) in operation.outcomes
        if status["staged"]:
            self.run("root --abort")
        if listed != OLD:
            self.bed.filter("--load", "-", "--interface", "eth0", stdin=f"{LISTED}\n")

    def judge(self):
        """Attachment and list, which must be what kernel and packets say too."""
        status = self.bed.status()
        (link,) = self.bed.server.run("ip", "-json", "link", "show", "dev", "eth0").json
        number = link["xdp"]["prog"]["id"] if "xdp" in link else None
        if status["attached"]:
            assert number == status["root"]["id"]
        else:
            assert (number is not None) == (status["attachment"] == "nop"), status
        shown = self.bed.filter_status()
        listed = {entry["prefix"]: entry["action"]
                  for entry in shown["prefixes"]} if shown["attached"] else None
        arrived = self.traffic.exchange(good=udp4(), listed=LISTED_FRAME, added=ADDED_FRAME)
        assert arrived == ["good", *["listed"] * (LISTED not in (listed or {})),
                           *["added"] * (ADDED not in (listed or {}))]
        return status["attachment"], listed

    def finish(self):
        """Nothing stays behind, and the device is as it was."""
        self.run("root --detach")
        assert not self.bed.server.pins.exists()
        assert "rx-vlan-offload: on" in self.bed.server.run("ethtool", "-k", "eth0").out


@pytest.fixture
def subject(bed, traffic):
    return Subject(bed, traffic)


def kill_points():
    """Guests have time for some only."""
    return itertools.count(1, 9) if GUEST else itertools.count(1)


@pytest.mark.long
@pytest.mark.parametrize("name", sample(OPERATIONS, 6))
def test_killed_at_each_step(subject, name):
    """Right before each change of a link, map, pin or device that the loader makes."""
    operation = OPERATIONS[name]
    for point in kill_points():
        subject.prepare(operation)
        result = subject.bed.server.run(
            "env", f"LD_PRELOAD={HELPERS / 'killpoint.so'}", f"KILLPOINT={point}",
            *operation.command(), stdin=operation.stdin, expect=None)
        if result.status != SIGKILLED:
            assert result.status == 0, result
            assert point > 1
            break
        judged = subject.judge()
        assert judged in operation.outcomes, f"killed before step {point}: {judged}"
        subject.settled(judged)
    subject.settled()
    assert subject.judge() == ("attached", OLD)
    subject.finish()


def kill_once(subject, operation, seconds):
    """Whether it was killed, rather than done before."""
    process = subject.bed.server.start(
        *operation.command(), stdin=None if operation.stdin is None else -1)
    if operation.stdin is not None:
        os.write(process.stdin.fileno(), operation.stdin.encode())
        process.stdin.close()
        process.stdin = None
    return killed_after(process, seconds)


def time_of(subject, operation):
    subject.prepare(operation)
    began = time.monotonic()
    subject.bed.server.run(*operation.command(), stdin=operation.stdin)
    took = time.monotonic() - began
    subject.settle()
    return took


@pytest.mark.long
@pytest.mark.parametrize("tool", ["root", "filter"])
def test_killed_at_random_points(subject, tool):
    """Under a flood: what is listed never arrives, what is good always does."""
    chance = random.Random()
    operations = [operation for operation in OPERATIONS.values()
                  if operation.tool == tool and operation.filtered]
    spans = [time_of(subject, operation) for operation in operations]
    flood = Flood(subject.bed, [udp4(f"192.0.2.{number}", Flood.BAD) for number in range(1, 200)])
    killed = 0
    for number in range(scaled(100)):
        which = number % len(operations)
        operation = operations[which]
        subject.prepare(operation)
        killed += kill_once(subject, operation, chance.uniform(0, spans[which]))
        subject.restore(operation)
    totals = flood.stop()
    assert totals["bad_received"] == 0 and totals["good_lost"] == 0, totals
    assert killed
    subject.settled()
    assert subject.judge() == ("attached", OLD)
    subject.finish()


@pytest.mark.parametrize("name", sample((name for name, operation in OPERATIONS.items()
                                         if not operation.filtered), 2))
def test_killed_at_random_points_of_coming_and_going(subject, name):
    chance = random.Random()
    operation = OPERATIONS[name]
    span = time_of(subject, operation)
    for _ in range(scaled(5)):
        subject.prepare(operation)
        kill_once(subject, operation, chance.uniform(0, span))
        judged = subject.judge()
        assert judged in operation.outcomes
        subject.settled(judged)
    subject.finish()


def test_a_killed_loader_leaves_no_lock(subject):
    """The kernel drops it with the process."""
    for _ in range(scaled(10)):
        process = subject.bed.server.start(*OPERATIONS["replace"].command())
        process.kill()
        process.wait(DEADLINE)
        eventually(lambda: subject.bed.root("--clear", "--interface", "eth0", expect=None).status
                   == 0, "the lock")
