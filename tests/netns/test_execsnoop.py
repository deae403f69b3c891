# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""execsnoop tells of programs that are started here."""
import json
import os
import pathlib
import re
import select
import signal
import subprocess

import pytest

from flows import validate, whole_lines
from testbed import BUILD, DEADLINE, EX_NOINPUT, EX_NOPERM, EX_USAGE, eventually, interrupt

SNOOP = BUILD / "flow_monitor/execsnoop/execsnoop"


def watch(host, file, *arguments):
    """A snooper that has begun: it tells of something started again and again."""
    with open(file, "w", encoding="ascii") as out:
        process = host.start(SNOOP, "--json", *arguments, stdout=out)

    def begun():
        subprocess.run(["true"], check=True)
        return process.poll() is not None or file.read_text()
    eventually(begun, "a first event")
    return process


def events(file, pid):
    found = [json.loads(line) for line in whole_lines(file)]
    return [event for event in found if event["pid"] == pid]


def test_exec_and_exit(host, scratch):
    file = scratch / "events"
    process = watch(host, file, "--exits")
    started = subprocess.Popen(["sh", "-c", "exit 3", "a b", "", "last"])
    started.wait()
    eventually(lambda: len(events(file, started.pid)) == 2, "both events")
    begun, ended = events(file, started.pid)
    assert interrupt(process).status == 0
    for event in (begun, ended):
        validate(event, "execsnoop.schema.json")
        assert (event["ppid"], event["uid"]) == (os.getpid(), 0)
    assert (begun["event"], begun["name"]) == ("exec", "sh")
    assert begun["args"] == ["sh", "-c", "exit 3", "a b", "", "last"] and not begun["args_cut"]
    assert (ended["event"], ended["status"]) == ("exit", 3)


def test_reader_that_takes_nothing(host):
    """What fits no pipe, and is in the ring when it is told to end, is counted."""
    process, count = host.start(SNOOP, "--json"), 400
    try:
        begun = select.poll()
        begun.register(process.stdout, select.POLLIN)
        while not begun.poll(50):
            subprocess.run(["true"], check=True)
        for _ in range(count):
            subprocess.run(["true", "x" * 200], check=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0
        lines, errors = process.communicate()
    finally:
        process.kill()
    lost = sum(int(number) for number in re.findall(r"(\d+) events were lost", errors))
    assert "events were lost, as nobody read them" in errors
    assert len(lines.splitlines()) + lost >= count


def test_killed(host, scratch):
    file = scratch / "events"
    process = watch(host, file, "--exits")
    started = subprocess.Popen(["sleep", "1000"])
    started.kill()
    started.wait()
    eventually(lambda: [event for event in events(file, started.pid) if event["event"] == "exit"],
               "its end")
    assert events(file, started.pid)[-1]["status"] == 128 + 9
    interrupt(process)


# Processes, one after the other, whose threads all end at once.
THREADS = """
import os, threading, time
for _ in range(20):
    pid = os.fork()
    if not pid:
        for _ in range(24):
            threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        os._exit(42)
    os.waitpid(pid, 0)
    print(pid)
"""


def test_threads(host, scratch):
    """However many threads it had, a process ends once."""
    file = scratch / "events"
    process = watch(host, file, "--exits")
    done = subprocess.run(["/usr/bin/python3", "-c", THREADS], check=True, capture_output=True)
    pids = [int(line) for line in done.stdout.split()]
    eventually(lambda: all(events(file, pid) for pid in pids), "all ends")
    interrupt(process)
    ends = [[event["status"] for event in events(file, pid) if event["event"] == "exit"]
            for pid in pids]
    assert ends == [[42]] * 20


@pytest.mark.parametrize("octets,cut", ((506, False), (507, True), (100000, True)))
def test_long_arguments(host, scratch, octets, cut):
    """What is kept is 511 octets, "true" and two terminators among them."""
    file = scratch / "events"
    process = watch(host, file)
    started = subprocess.Popen(["true", "x" * (octets - 1)])
    started.wait()
    eventually(lambda: events(file, started.pid), "the event")
    event, = events(file, started.pid)
    assert event["args_cut"] == cut
    assert event["args"] == ["true", "x" * min(octets - 1, 506)]
    interrupt(process)


def test_odd_arguments(host, scratch):
    """Whatever a program is called and given, JSON stays valid and columns stay columns."""
    script = os.fsencode(scratch) + b"/\xffb\x1b"
    pathlib.Path(os.fsdecode(script)).write_bytes(b"#!/bin/sh\nexit 0\n")
    os.chmod(script, 0o755)
    arguments = [b"\xc3(", b"a\nb", b"", b"\x1b[31m", "\u20ac".encode()]
    file, text = scratch / "events", scratch / "text"
    process = watch(host, file, "--exits")
    with open(text, "w", encoding="ascii") as out:
        columns = host.start(SNOOP, stdout=out)

    def told():
        subprocess.run(["true"], check=True)
        return columns.poll() is not None or len(text.read_bytes().splitlines()) > 1
    eventually(told, "columns")
    started = subprocess.Popen([script, *arguments])
    started.wait()
    eventually(lambda: len(events(file, started.pid)) == 2, "both events")
    begun, ended = events(file, started.pid)
    eventually(lambda: b" /bin/sh " in text.read_bytes(), "its line")
    interrupt(process)
    interrupt(columns)
    assert begun["name"] == ended["name"] == "\ufffdb\x1b"
    assert begun["args"][2:] == [one.decode(errors="replace") for one in arguments]
    for event in (begun, ended):
        validate(event, "execsnoop.schema.json")
    assert all(line.isascii() and line.decode().isprintable()
               for line in text.read_bytes().split(b"\n"))


def test_count_and_columns(host):
    process = host.start(SNOOP, "--count", 2)
    head = process.stdout.readline()

    def over():
        subprocess.run(["true"], check=True)
        return process.poll() is not None
    eventually(over, "its end")
    assert head.split()[:3] == ["TIME", "WHAT", "PID"]
    assert len(process.stdout.read().splitlines()) == 2 and process.returncode == 0


def test_refused(host):
    assert "--count" in host.run(SNOOP, "--count", "0", expect=EX_USAGE).one_line()
    assert "/nowhere" in host.run(SNOOP, "--btf", "/nowhere", expect=EX_NOINPUT).one_line()
    result = host.run("setpriv", "--bounding-set=-all", "--inh-caps=-all", SNOOP,
                      expect=EX_NOPERM)
    assert "CAP_BPF" in result.one_line()
