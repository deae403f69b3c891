# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""tcp_counter: as many as there were, of each kind."""
import json
import threading

import pytest

from flows import COUNTER, MAPPED, V4, V6, Listener, reset_at_close, validate
from testbed import (EX_NOINPUT, EX_NOPERM, EX_USAGE, eventually, interrupt, scaled)


def connect(host, address, count):
    with host.entered():
        listener = Listener(address)
        for _ in range(count):
            client, server = listener.connect()
            reset_at_close(client)
            client.close()
            server.close()
        listener.close()


def lines_of(result):
    return [json.loads(line) for line in result.out.splitlines()]


def counting(host, *arguments):
    """A counter that has begun: its first line is out."""
    process = host.start(COUNTER, "--json", "--interval", "0.1s", *arguments)
    first = process.stdout.readline()
    assert first, process.stderr.read()
    return process


def test_kinds(host):
    """Direction and family; what is mapped counts as IPv4; a refused one doesn't count."""
    process = counting(host, "--netns", host.path)
    connect(host, V4, 3)
    connect(host, MAPPED, 4)
    connect(host, V6, 5)
    result = interrupt(process)
    lines = lines_of(result)
    wanted = {"active_ipv4": 7, "active_ipv6": 5, "passive_ipv4": 7, "passive_ipv6": 5}
    assert lines[-1]["total"] == wanted
    validate(lines[-1], "tcp_counter.schema.json")
    assert {kind: sum(line["established"][kind] for line in lines) for kind in wanted} == wanted


def test_load(host):
    """Exact, however many at once."""
    count = scaled(1000)
    process = counting(host, "--netns", host.path)
    threads = [threading.Thread(target=connect, args=(host, V4, count)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = lines_of(interrupt(process))[-1]["total"]
    assert total["active_ipv4"] == total["passive_ipv4"] == 4 * count


def test_all(host):
    """Of the whole host; a heading, and as many lines as were asked for."""
    process = host.start(COUNTER, "--interval", "0.3s", "--count", 4)
    connect(host, V4, 2)
    eventually(lambda: process.poll() is not None, "its end")
    head, *lines = process.stdout.read().splitlines()
    assert head.split() == ["TIME", "active_ipv4", "active_ipv6", "passive_ipv4", "passive_ipv6",
                            "total"]
    assert process.returncode == 0 and len(lines) == 4


@pytest.mark.parametrize("arguments,status,words", (
    (("--cgroup", "/tmp"), EX_USAGE, "/tmp"),
    (("--cgroup", "/nowhere"), EX_NOINPUT, "/nowhere"),
    (("--netns", "nowhere"), EX_NOINPUT, "nowhere"),
    (("--btf", "/nowhere"), EX_NOINPUT, "/nowhere"),
    (("--count", "0"), EX_USAGE, "--count"),
    (("--interval", "1ms"), EX_USAGE, "--interval"),
))
def test_refused(host, arguments, status, words):
    assert words in host.run(COUNTER, *arguments, expect=status).one_line()


def test_namespace_out_of_reach(host):
    """That it may not look is said, and not that there is none."""
    result = host.run("setpriv", "--bounding-set=-all,+bpf,+net_admin,+perfmon", "--inh-caps=-all",
                      COUNTER, "--netns", host.path, expect=EX_NOPERM)
    assert "Permission denied" in result.one_line()


def test_without_capabilities(host):
    result = host.run("setpriv", "--bounding-set=-all", "--inh-caps=-all", COUNTER,
                      expect=EX_NOPERM)
    assert "CAP_BPF" in result.one_line()
