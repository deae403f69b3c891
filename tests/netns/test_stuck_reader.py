# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Tools that print lines end when told, even where nobody reads those."""
import array
import fcntl
import os
import signal
import subprocess
import termios

import pytest

from flows import COUNTER, Listener
from testbed import BUILD, DEADLINE, eventually

STATS = BUILD / "flow_monitor/tcp_stats/tcp_stats"
SNOOP = BUILD / "flow_monitor/execsnoop/execsnoop"
F_SETPIPE_SZ = 1031
PAGE = 4096

pytestmark = pytest.mark.anywhere


def waiting(reading):
    """Octets in a pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(reading, termios.FIONREAD, count)
    return count[0]


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT))
@pytest.mark.parametrize("command", (
    (COUNTER, "--json", "--interval", "0.1s"),
    (STATS, "--on-state-change"),
    (STATS, "--netlink", "--interval", "10ms"),
    (SNOOP,),
    (SNOOP, "--json")))
def test_ends(host, command, number):
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, 2 * PAGE)
    with host.entered():
        listener = Listener()
        ends = listener.connect()
    process = host.start(*command, stdout=writing)
    os.close(writing)
    before = []

    def full():
        """Nothing more came while more was to tell."""
        for _ in range(3):
            subprocess.run(["true", "x" * 300], check=True)
            with host.entered():
                for end in listener.connect():
                    end.close()
        before.append(waiting(reading))
        return process.poll() is not None or (
            before[-1] > PAGE and len(before) > 30 and len(set(before[-30:])) == 1)
    try:
        eventually(full, "a full pipe")
        assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=DEADLINE)
        with open(reading, encoding="ascii", closefd=False) as taken:
            text = taken.read()
    finally:
        process.kill()
        os.close(reading)
    assert process.returncode == 0, err
    assert text.endswith("\n")
    for end in ends:
        end.close()
