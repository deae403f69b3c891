# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_sampler_to_pcap on files of any origin, and on outputs that can't be written."""
import csv
import struct
import subprocess

import pytest

from sampling import TO_PCAP
from testbed import (DEADLINE, EX_CANTCREAT, EX_DATAERR, EX_IOERR, EX_NOINPUT, EX_OK, EX_USAGE, Result)

pytestmark = pytest.mark.anywhere

SECTION, INTERFACE, PACKET_OLD, PACKET_SIMPLE, PACKET = 0x0a0d0d0a, 1, 2, 3, 6
SECRETS = 10
TIME_RESOLUTION, TIME_OFFSET = 9, 14
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


@pytest.mark.parametrize("order", "<>")
def test_packets_of_others(scratch, order):
    """Simple and old packet blocks, offsets of time, and blocks of any length between them."""
    source, target = scratch / "in.pcapng", scratch / "out.pcap"
    old = struct.pack(order + "HH4I", 0, 5, 0, 2_500_000, len(FRAME), 1500) + FRAME
    offset = option(TIME_OFFSET, struct.pack(order + "q", 1_700_000_000), order)
    source.write_bytes(
        section(order) + interface(offset, snaplen=30, order=order) +
        block(SECRETS, bytes(1_500_000), order) + packet(1_000_001, order=order) +
        block(0x80001234, b"", order) + block(PACKET_OLD, old, order) +
        block(PACKET_SIMPLE, struct.pack(order + "I", 60) + FRAME[:30], order) +
        block(PACKET_SIMPLE, struct.pack(order + "I", 14) + FRAME[:14], order))
    said = convert(source, target)
    assert said.status == EX_OK and not said.err
    assert classic(target.read_bytes()) == [
        (1_700_000_001_000_001_000, 60, FRAME), (1_700_000_002_500_000_000, 1500, FRAME),
        (0, 60, FRAME[:30]), (0, 14, FRAME[:14])]


def test_time_before_the_epoch(scratch):
    source, target = scratch / "in.pcapng", scratch / "out.pcap"
    offset = option(TIME_OFFSET, struct.pack("<q", -3))
    source.write_bytes(section() + interface(offset) + packet(3_000_001) + packet(2_000_000))
    assert convert(source, target).status == EX_OK
    assert [time for time, _, _ in classic(target.read_bytes())] == [1000, 0]


BAD = {
    "empty": b"",
    "other": FRAME,
    "short packet": capture(block(PACKET_SIMPLE, struct.pack("<I", 64) + FRAME)),
    "no interface": section() + block(PACKET_SIMPLE, struct.pack("<I", 60) + FRAME),
    "short head": capture(block(PACKET_OLD, bytes(16))),
    "other length": capture(block(SECRETS, bytes(100_000)))[:-4] + b"\0\0\0\1",
    "cut": capture(block(SECRETS, bytes(100_000)))[:-1],
    "odd length": capture(struct.pack("<IIHIH", SECRETS, 18, 0, 0, 18)),
}


@pytest.mark.parametrize("name", BAD)
def test_not_a_capture(scratch, name):
    """One line, from a file or a pipe."""
    source = scratch / "in.pcapng"
    source.write_bytes(BAD[name])
    said = convert(source, scratch / "out.pcap")
    assert said.status == EX_DATAERR and str(source) in said.one_line()
    with open(source, "rb") as stdin:
        said = convert("-", scratch / "out.pcap", stdin=stdin)
    assert said.status == EX_DATAERR and "stdin" in said.one_line()


@pytest.mark.parametrize("name", ("empty", "other"))
def test_outputs_are_spared(scratch, name):
    """By what is no capture from its first block on."""
    source, target, verdicts = (scratch / file for file in ("in.pcapng", "out.pcap", "out.csv"))
    source.write_bytes(BAD[name])
    verdicts.write_bytes(b"before")
    assert convert(source, target, "--verdicts", verdicts).status == EX_DATAERR
    assert verdicts.read_bytes() == b"before" and not target.exists()


def test_output_cannot_be_created(scratch):
    source = scratch / "in.pcapng"
    source.write_bytes(capture(packet(1)))
    for path in (scratch / "none/x", scratch):
        said = convert(source, path)
        assert said.status == EX_CANTCREAT and f"{path}: " in said.one_line()
        assert convert(source, scratch / "out", "--verdicts", path).status == EX_CANTCREAT
    assert "--write" in convert(source, "").one_line()
    said = convert(source, scratch / "out", "--verdicts", "")
    assert said.status == EX_USAGE and "--verdicts" in said.one_line()


def test_unreadable(scratch):
    said = convert(scratch, scratch / "out.pcap")
    assert said.status == EX_IOERR and "Is a directory" in said.one_line()
    said = convert(scratch / "none", scratch / "out.pcap")
    assert said.status == EX_NOINPUT and said.one_line()


@pytest.mark.parametrize("closed", (">&-", "<&- >&-"))
def test_closed_streams(scratch, closed):
    """No file that is opened takes their place."""
    source = scratch / "in.pcapng"
    source.write_bytes(capture(packet(1)))
    done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", str(TO_PCAP), "--read",
                           str(source), "--write", "-"], stderr=subprocess.PIPE, check=False)
    said = Result(done.args, done.returncode, b"", done.stderr.decode())
    assert said.status == EX_IOERR and "closed, or not open for writing" in said.one_line()
    assert source.read_bytes() == capture(packet(1))
