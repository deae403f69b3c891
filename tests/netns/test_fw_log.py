# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_fw --log: who reads, what was recorded before, and what ends it."""
import os
import signal

import pytest

from testbed import DEADLINE, EX_IOERR, EX_OK, EX_UNAVAILABLE, FW, eventually, interrupt
from traffic import udp4

RULES = 'ip from any to any udp name "all"\n'


@pytest.fixture
def running(bed):
    bed.root("--attach", "--interface", "eth0")
    load(bed)
    return bed


def load(bed):
    bed.server.run(FW, "--attach", "--rules", "-", "--interface", "eth0", stdin=RULES)


def drop(traffic, source, count=10):
    assert traffic.exchange(**{f"n{number}": udp4(source) for number in range(count)}) == []


class Logger:
    """One that records, as its first line shows."""

    def __init__(self, bed, traffic, source="192.0.2.1"):
        self.out, out = os.pipe()
        os.set_blocking(self.out, False)
        self.process = bed.server.start(FW, "--log", "1", "--interface", "eth0", stderr=out)
        os.close(out)
        self.seen = ""

        def speaks():
            assert self.process.poll() is None
            drop(traffic, source, 1)
            return self.read()
        eventually(speaks, "a line of the log")

    def read(self):
        try:
            self.seen += os.read(self.out, 1 << 20).decode()
        except BlockingIOError:
            pass
        return self.seen

    def end(self):
        status = interrupt(self.process).status
        self.read()
        return status


def test_one_reader(running, traffic):
    """A second one would take lines away from the first."""
    logger = Logger(running, traffic)
    said = running.server.run(FW, "--log", "5", "--interface", "eth0", expect=EX_UNAVAILABLE)
    assert said.one_line() == "xdp_fw: eth0: another xdp_fw logs its drops; end that one first"
    before = len(logger.read().splitlines())
    drop(traffic, "192.0.2.2")
    eventually(lambda: len(logger.read().splitlines()) >= before + 10, "lines")
    assert logger.end() == EX_OK
    Logger(running, traffic).end()


def test_old_records_are_not_told(running, traffic):
    """What was recorded for one that was killed."""
    logger = Logger(running, traffic)
    logger.process.send_signal(signal.SIGKILL)
    logger.process.wait(DEADLINE)
    drop(traffic, "192.0.2.66")
    logger = Logger(running, traffic, "192.0.2.3")
    assert logger.end() == EX_OK
    assert "192.0.2.3:" in logger.seen and "192.0.2.66:" not in logger.seen


def test_taken_away(running, traffic):
    logger = Logger(running, traffic)
    running.server.run(FW, "--detach", "--interface", "eth0")
    load(running)
    assert logger.process.wait(DEADLINE) == EX_UNAVAILABLE
    assert "eth0: the firewall was taken away" in logger.read().splitlines()[-1]


def test_nobody_reads(running, traffic):
    """Nothing is recorded any more then."""
    logger = Logger(running, traffic)
    os.close(logger.out)

    def ended():
        drop(traffic, "192.0.2.4", 1)
        return logger.process.poll() is not None
    eventually(ended, "the end")
    assert logger.process.returncode == EX_IOERR
    pin, = running.server.pins.glob("eth0/gen-*/slot-5/instance-*/log_control")
    entry, = running.server.run("bpftool", "-j", "map", "dump", "pinned", pin).json
    assert set(entry["value"]) == {"0x00"}


def test_no_root_array(running):
    running.add_veth("eth1")
    said = running.server.run(FW, "--log", "1", "--interface", "eth0,eth1", expect=EX_UNAVAILABLE)
    assert "eth1: no root array" in said.one_line()
