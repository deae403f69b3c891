# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_fw killed at any point: the old rules or the new ones decide, and the next loader cleans up."""
import dataclasses
import random
import signal
import time

import pytest

from testbed import FW, GUEST, HELPERS, killed_after, sample, scaled, shape
from traffic import Flood, udp4

SIGKILLED = -signal.SIGKILL

LISTED, ADDED = udp4("192.0.2.1", Flood.BAD), udp4("198.51.100.1", Flood.BAD)
ALWAYS = f'ip from 192.0.2.0/24 to any udp dport {Flood.BAD} name "listed"\n'
RULES = {
    "old": ALWAYS,
    "new": "ip from 198.51.100.0/24 to any udp\n" + ALWAYS,
}
TEXTS = {state: rules.splitlines() for state, rules in RULES.items()}


@dataclasses.dataclass
class Operation:
    """A run on an interface with RULES["old"], or without a firewall; counts: they go on."""

    arguments: str
    outcomes: set
    rules: bool = True
    begins: str = "old"
    counts: bool = False


OPERATIONS = {
    "update": Operation("--update", {"old", "new"}, counts=True),
    "attach over": Operation("--attach", {"old", "new"}, counts=True),
    "first attach": Operation("--attach", {None, "new"}, begins=None),
    "detach": Operation("--detach", {"old", None}, rules=False),
    "reset": Operation("--reset-stats", {"old"}, rules=False),
}


class Subject:
    """A root array with a firewall, brought into the state that operations begin in."""

    def __init__(self, bed, traffic, folder):
        self.bed, self.traffic, self.folder = bed, traffic, folder
        for state, rules in RULES.items():
            (folder / f"{state}.rules").write_text(rules)
        bed.root("--attach", "--interface", "eth0")
        self.prepare(None)
        self.empty = shape(bed.pin_tree())
        self.prepare("old")
        self.filled = shape(bed.pin_tree())

    def fw(self, *arguments, **options):
        return self.bed.server.run(FW, *arguments, "--interface", "eth0", **options)

    def command(self, operation):
        rules = ["--rules", self.folder / "new.rules"] if operation.rules else []
        return [FW, operation.arguments, *rules, "--interface", "eth0"]

    def prepare(self, state):
        if state:
            self.fw("--attach", "--rules", self.folder / f"{state}.rules")
        elif self.shown()["attached"]:
            self.fw("--detach")

    def shown(self):
        return self.fw("--list", "--json").json["interfaces"][0]

    def counted(self):
        return [rule["packets"] for rule in self.shown()["rules"] if rule["name"] == "listed"]

    def judge(self):
        """Which rules are shown, which must be those that packets and slots meet."""
        shown = self.shown()
        texts = [rule["text"] for rule in shown["rules"]]
        state = next((state for state in RULES if TEXTS[state] == texts), None)
        assert shown["attached"] == (state is not None), shown
        assert bool(self.bed.status()["slots"][5]["id"]) == shown["attached"]
        expected = {None: ["good", "listed", "added"], "old": ["good", "added"], "new": ["good"]}
        assert self.traffic.exchange(good=udp4(), listed=LISTED, added=ADDED) == expected[state]
        return state

    def settled(self):
        """The next loader leaves nothing of the one that was killed."""
        self.prepare("old")
        assert shape(self.bed.pin_tree()) == self.filled
        self.prepare(None)
        assert shape(self.bed.pin_tree()) == self.empty


@pytest.fixture
def subject(bed, traffic, scratch):
    return Subject(bed, traffic, scratch)


@pytest.mark.parametrize("name", sample(OPERATIONS, 2))
def test_killed_at_each_step(subject, name):
    """Right before each change of a map or pin that the loader makes."""
    operation = OPERATIONS[name]
    for point in range(1, 1000, 9 if GUEST else 1):
        subject.prepare(operation.begins)
        counted = subject.counted()
        done = subject.bed.server.run(
            "env", f"LD_PRELOAD={HELPERS / 'killpoint.so'}", f"KILLPOINT={point}",
            *subject.command(operation), expect=None)
        if done.status != SIGKILLED:
            assert done.status == 0 and point > 1, done
            break
        assert not operation.counts or subject.counted() == counted, f"killed before step {point}"
        assert subject.judge() in operation.outcomes, f"killed before step {point}"
    subject.settled()


def kill_once(subject, operation, seconds):
    return killed_after(subject.bed.server.start(*subject.command(operation)), seconds)


def time_of(subject, operation):
    subject.prepare(operation.begins)
    began = time.monotonic()
    subject.bed.server.run(*subject.command(operation))
    return time.monotonic() - began


def test_killed_at_random_points(subject):
    """Attached, updated, detached, a hundred times."""
    chance = random.Random()
    spans = {name: time_of(subject, operation) for name, operation in OPERATIONS.items()}
    killed = 0
    for number in range(scaled(100)):
        name = list(OPERATIONS)[number % len(OPERATIONS)]
        operation = OPERATIONS[name]
        subject.prepare(operation.begins)
        killed += kill_once(subject, operation, chance.uniform(0, spans[name]))
        assert subject.judge() in operation.outcomes, name
    assert killed
    subject.settled()


def test_killed_under_a_flood(subject):
    """What both rulesets drop never arrives, what neither does always."""
    chance = random.Random()
    operation = OPERATIONS["update"]
    span = time_of(subject, operation)
    subject.prepare("old")
    flood = Flood(subject.bed, [udp4(f"192.0.2.{number}", Flood.BAD) for number in range(1, 200)])
    killed = sum(kill_once(subject, operation, chance.uniform(0, span))
                 for _ in range(scaled(30, 10)))
    totals = flood.stop()
    assert totals["bad_received"] == 0 and totals["good_lost"] == 0, totals
    assert killed and totals["bad_sent"]
    assert subject.judge() in operation.outcomes
    subject.settled()
