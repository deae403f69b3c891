# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_sampler_to_pcap on files of any origin, and on outputs that can't be written."""
import csv
import os
import struct
import subprocess

import pytest

from sampling import TO_PCAP
from testbed import (DEADLINE, EX_DATAERR, EX_IOERR, EX_NOINPUT, EX_OK, EX_USAGE, Result)

SECTION, INTERFACE, PACKET = 0x0a0d0d0a, 1, 6
ETHERNET = 1
FRAME = bytes(range(60))


def block(kind, body, order="<"):
    padded = body + bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(padded) + 12)
    return struct.pack(order + "I", kind) + length + padded + length


def section(order="<"):
    return block(SECTION, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1), order)


def option(code, value, order="<"):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(*options, snaplen=0, order="<"):
    return block(INTERFACE, struct.pack(order + "HHI", ETHERNET, 0, snaplen) + b"".join(options),
                 order)


def packet(time, data=FRAME, order="<"):
    """Enhanced, of interface 0, in microseconds."""
    head = struct.pack(order + "5I", 0, time >> 32, time & 0xffffffff, len(data), len(data))
    return block(PACKET, head + data, order)


def capture(*blocks):
    return section() + interface() + b"".join(blocks)


def convert(source, target, *arguments, stdin=None, stdout=subprocess.PIPE):
    command = [str(word) for word in (TO_PCAP, "--read", source, "--write", target, *arguments)]
    done = subprocess.run(command, stdin=stdin or subprocess.DEVNULL, stdout=stdout,
                          stderr=subprocess.PIPE, timeout=DEADLINE, check=False)
    return Result(command, done.returncode, done.stdout, done.stderr.decode())


def classic(data):
    """(time in ns, length, octets) of each packet."""
    magic, _, _, _, _, _, link = struct.unpack_from("<IHHiIII", data)
    assert (magic, link) == (0xa1b23c4d, ETHERNET)
    at, found = 24, []
    while at < len(data):
        seconds, nanoseconds, captured, length = struct.unpack_from("<4I", data, at)
        found.append((seconds * 10**9 + nanoseconds, length, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return found


@pytest.mark.parametrize("count", (1, 5000))
@pytest.mark.parametrize("output", ("file", "stdout", "csv"))
def test_full_disk(scratch, count, output):
    """Not to be taken for success, be it met at once or at the end."""
    source = scratch / "in.pcapng"
    source.write_bytes(capture(*[packet(number) for number in range(count)]))
    with open("/dev/full", "wb") as full:
        if output == "file":
            said = convert(source, "/dev/full")
        elif output == "stdout":
            said = convert(source, "-", stdout=full)
        else:
            said = convert(source, scratch / "out.pcap", "--verdicts", "/dev/full")
    assert said.status == EX_IOERR and "No space left on device" in said.one_line()


@pytest.mark.parametrize("name", ("in.pcapng", "hard", "symbolic", "folder/../in.pcapng"))
@pytest.mark.parametrize("as_csv", (False, True))
def test_output_is_the_input(scratch, name, as_csv):
    """By whatever name: refused, and nothing is lost."""
    source = scratch / "in.pcapng"
    source.write_bytes(capture(packet(1)))
    (scratch / "hard").hardlink_to(source)
    (scratch / "symbolic").symlink_to(source)
    (scratch / "folder").mkdir()
    other = scratch / "out.pcap"
    other.write_bytes(b"before")
    if as_csv:
        said = convert(source, other, "--verdicts", scratch / name)
    else:
        said = convert(source, scratch / name)
    assert said.status == EX_USAGE and "is the file to read" in said.one_line()
    assert source.read_bytes() == capture(packet(1))
    assert other.read_bytes() == b"before"


def test_output_is_standard_input(scratch):
    source = scratch / "in.pcapng"
    source.write_bytes(capture(packet(1)))
    with open(source, "rb") as stdin:
        assert convert("-", source, stdin=stdin).status == EX_USAGE
    assert source.read_bytes() == capture(packet(1))


def test_outputs_are_one_file(scratch):
    source, target = scratch / "in.pcapng", scratch / "out"
    source.write_bytes(capture(packet(1)))
    target.write_bytes(b"before")
    said = convert(source, target, "--verdicts", target)
    assert said.status == EX_USAGE and "is the file to write" in said.one_line()
    assert target.read_bytes() == b"before"


def test_longer_output_before(scratch):
    """What the output held is gone."""
    source, target, verdicts = (scratch / name for name in ("in.pcapng", "out.pcap", "out.csv"))
    source.write_bytes(capture(packet(1)))
    for path in (target, verdicts):
        path.write_bytes(b"x" * 10000)
    assert convert(source, target, "--verdicts", verdicts).status == EX_OK
    assert classic(target.read_bytes()) == [(1000, len(FRAME), FRAME)]
    assert len(list(csv.DictReader(verdicts.open(newline="")))) == 1
