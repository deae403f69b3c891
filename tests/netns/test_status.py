# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What xdp_root_loader shows: table, JSON, reasons, OpenMetrics, rates."""
import re

import pytest

from testbed import EX_NOINPUT, EX_OK, ROOT_LOADER, interrupt, validate
from traffic import udp4, udp6

ACTIONS = ["XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX", "XDP_REDIRECT", "XDP_INVALID_ACTION"]


@pytest.fixture
def counted(bed, traffic):
    """Root and filter with three drops and some passes behind them."""
    bed.attach()
    bed.filter("--drop", "--ips", "192.0.2.0/24,2001:db8::/32", "--interface", "eth0")
    arrived = traffic.exchange(a=udp4("192.0.2.1"), b=udp4("192.0.2.2"), c=udp6("2001:db8::1"),
                               d=udp4(), e=udp6())
    assert arrived == ["d", "e"]
    return bed


def rows_of(text):
    """The table below the heading: a list of cells for each row."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("SLOT"))
    return [[cell.strip() for cell in line.split("|")] for line in lines[start:] if "|" in line]


def test_table(counted):
    out = counted.root("--status", "--interface", "eth0").out
    assert out.startswith("Interface eth0 status:\n")
    header, *rows = rows_of(out)
    assert header == ["SLOT", "ID", "NAME", "LOAD TIME", *ACTIONS]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4", "5", "6", "7", "root"]
    status = counted.status()
    for row in rows[:2] + rows[3:8]:
        assert row[1:] == ["-", "-", "-", "0", "0", "0", "0", "0", "0"]
    assert rows[2][1:3] == [str(status["slots"][2]["id"]), "xdp_filter_prog"]
    assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000",
                        rows[2][3])
    assert rows[2][4:] == ["0", "3", "0", "0", "0", "0"]
    assert rows[8][1:3] == [str(status["root"]["id"]), "xdp_root_prog"]
    assert int(rows[8][6]) >= 3
    assert "Mode: native, generation: 1, ABI: " in out
    assert counted.root("--stats", "--interface", "eth0").out.startswith("Interface eth0 status:")


def test_table_lines_are_aligned(counted):
    lines = [line for line in counted.root("--status").out.splitlines() if "|" in line]
    columns = {tuple(at for at, letter in enumerate(line) if letter == "|") for line in lines}
    assert len(columns) == 1


def test_json(counted):
    document = counted.root("--status", "--json").json
    validate(document, "xdp_root_loader-status.schema.json")
    (eth0,) = document["interfaces"]
    assert eth0["slots"][2]["actions"] == {**dict.fromkeys(ACTIONS, 0), "XDP_DROP": 3}
    assert eth0["slots"][2]["name"] == "xdp_filter_prog"
    assert eth0["reasons"]["filter_source"] == 2 and eth0["reasons"]["filter_source6"] == 1
    # The sentinel of the exchange is no IP.
    assert eth0["reasons"]["not_ip"] == 1 and eth0["reasons"]["no_opinion"] >= 2


def test_json_of_every_attachment(bed):
    for number in range(1, 5):
        bed.add_veth(f"eth{number}")
    bed.root("--attach", "--interface", "eth1")
    bed.root("--attach", "--nop", "--interface", "eth2")
    bed.root("--attach", "--interface", "eth3")
    bed.server.run("ip", "link", "delete", "eth3")
    bed.root("--stage", "--interface", "eth4")
    document = bed.root("--status", "--json", "--interface", "eth0,eth1,eth2,eth3,eth4").json
    validate(document, "xdp_root_loader-status.schema.json")
    assert [(one["attachment"], one["staged"]) for one in document["interfaces"]] == [
        ("detached", None), ("attached", None), ("nop", None), ("stale", None), ("detached", 1)]


def test_not_attached(bed):
    assert bed.root("--status", "--interface", "eth0").out == (
        "Root array not attached to interface eth0.\n")
    assert "No root array" in bed.root("--status").out
    assert bed.root("--status", "--json").json == {"interfaces": []}


def test_the_interface_that_is_unknown(bed):
    said = bed.root("--status", "--interface", "nosuch", expect=EX_NOINPUT).one_line()
    assert "nosuch" in said


def test_reasons(counted):
    out = counted.root("--reasons").out
    assert re.search(r"^ +2 \| filter_source +\| +2 \| Source address is in a dropped IPv4 prefix",
                     out, re.MULTILINE)
    before = counted.status()["reasons"]
    document = counted.root("--reasons", "--json").json
    validate(document, "xdp_root_loader-reasons.schema.json")
    packets = {reason["name"]: reason["packets"]
               for reason in document["interfaces"][0]["reasons"]}
    after = counted.status()["reasons"]
    assert packets.keys() == before.keys() == after.keys()
    # The client's kernel may send multicast of its own meanwhile.
    assert all(before[name] <= packets[name] <= after[name] for name in packets)
    assert packets["filter_source"] == 2 and packets["filter_source6"] == 1


def test_openmetrics(counted):
    out = counted.root("--status", "--openmetrics").out
    assert out.endswith("# EOF\n")
    assert ('ecbpf_verdicts_total{interface="eth0",slot="2",program="xdp_filter_prog",'
            'action="XDP_DROP"} 3\n') in out
    assert 'ecbpf_reasons_total{interface="eth0",reason="filter_source6"} 1\n' in out
    assert 'ecbpf_attached{interface="eth0"} 1\n' in out
    out = counted.filter("--status", "--openmetrics").out
    assert out.endswith("# EOF\n")
    assert 'ecbpf_filter_events_total{interface="eth0",event="ip_drop_count"} 2\n' in out
    assert 'ecbpf_filter_prefixes{interface="eth0",action="drop"} 2\n' in out


def test_clear(counted, traffic):
    counted.root("--clear", "--interface", "eth0")
    status = counted.status()
    assert all(count == 0 for slot in status["slots"] for count in slot["actions"].values())
    assert status["reasons"]["filter_source"] == 0
    assert traffic.exchange(bad=udp4("192.0.2.1")) == []
    assert counted.status()["slots"][2]["actions"]["XDP_DROP"] == 1
    # Programs' own statistics are their own affair.
    assert counted.filter_status()["stats"]["ip_drop_count"] == 3


def test_counters_outlive_the_program(counted):
    counted.filter("--detach", "--interface", "eth0")
    slot = counted.status()["slots"][2]
    assert (slot["id"], slot["name"], slot["actions"]["XDP_DROP"]) == (0, None, 3)


@pytest.mark.parametrize("arguments", [["--watch", "0.1"], ["-w0.1", "--interface", "eth0"]])
def test_watch(counted, arguments):
    process = counted.server.start(ROOT_LOADER, *arguments)
    seen = ""
    while seen.count("Interface eth0, packets/s:") < 3:
        line = process.stdout.readline()
        assert line, f"it ended: {process.communicate()}"
        seen += line
    result = interrupt(process)
    assert result.status == EX_OK, result
    assert re.search(r"^ +2 \| xdp_filter_prog ", seen, re.MULTILINE)
    assert "filter_source6" in seen
    assert "\033" not in seen


def test_full_device(counted):
    """Output that is lost is an error."""
    for arguments in (["--status"], ["--status", "--json"], ["--reasons"], ["--help"]):
        result = counted.server.run("sh", "-c", 'exec "$0" "$@" >/dev/full',
                                    ROOT_LOADER, *arguments, expect=74)
        assert "standard output" in result.one_line()
