# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_sampler's files and its pipe: what they hold is what was sent, and what isn't is counted."""
import csv
import os
import signal
import subprocess

import pytest

import testbed
from sampling import (DELIVERED, DROPPED, DROPS, PASSED, SAMPLER, TO_PCAP, as_json, check_conservation,
                      counts, ends, fields, finish, need, payloads_of, reading, received,
                      sampled_bed, sampler, send, state, statistics, terminate)
from testbed import EX_CANTCREAT, EX_NOHOST, EX_OK, EX_USAGE, eventually, scaled

VERDICTS = {DROPPED: "1", PASSED: "2"}
KILOBYTE = 1024


@pytest.fixture
def sampled(bed):
    return sampled_bed(bed)


@pytest.fixture
def small_disk(scratch):
    """A folder with room for little, most of which "ballast" takes."""
    testbed.mount("tmpfs", scratch, "tmpfs", 0, "size=128k")
    (scratch / "ballast").write_bytes(b"\0" * 96 * KILOBYTE)
    yield scratch
    testbed.libc.umount2(os.fsencode(scratch), 2)


def test_write(sampled, scratch):
    """tshark and capinfos read it: octets, lengths, verdicts, queues, comments, times in order."""
    need("tshark")
    need("capinfos")
    file = scratch / "out.pcapng"
    process = reading(sampled, "--write", file)
    eventually(file.exists, "a file")
    payloads = send(sampled, 20, padding=400) + send(sampled, 10, DROPPED, padding=400)
    received(sampled, 30)
    ends(process)
    found = fields(file, "ip.src", "frame.verdict.ebpf_xdp", "frame.comment",
                   "frame.interface_name", "frame.interface_queue", "frame.len", "frame.cap_len",
                   "frame.time_epoch")
    assert [line[0] for line in found] == [PASSED] * 20 + [DROPPED] * 10
    for source, verdict, comment, name, queue, length, captured, _ in found:
        assert verdict == VERDICTS[source]
        assert (name, queue, length, captured) == ("eth0", "0", "450", "256")
        assert ("slot 2: XDP_DROP, filter_source:" if source == DROPPED else
                "root: XDP_PASS, no_opinion:") in comment
    times = [line[-1] for line in found]
    assert times == sorted(times) and len(times[0].split(".")[1]) == 9
    for layers, payload in zip(as_json(file), payloads, strict=True):
        verdict = layers["frame"]["frame.verdict_tree"]["frame.verdict.ebpf_xdp"]
        assert verdict == VERDICTS[layers["ip"]["ip.src"]]
        data = bytes.fromhex(layers["udp"]["udp.payload"].replace(":", ""))
        assert data == payload[:256 - 42]
    done = subprocess.run(["capinfos", "-c", "-M", "-T", "-r", str(file)], check=True,
                          capture_output=True, text=True)
    assert done.stdout.split()[-1] == "30" and not done.stderr


def test_live(sampled):
    need("tshark")
    live = reading(sampled, "--live", "--count", 5, "--action", "drop")
    with subprocess.Popen(["tshark", "-r", "-", "-T", "fields", "-e", "ip.src"],
                          stdin=live.stdout, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL) as shark:
        live.stdout.close()
        live.stdout = None
        send(sampled, 3)
        send(sampled, 7, DROPPED)
        out, _ = shark.communicate(timeout=testbed.DEADLINE * 4)
    assert out.split() == [DROPPED] * 5
    assert live.wait(testbed.DEADLINE) == EX_OK


@pytest.mark.parametrize("traffic_goes_on", (False, True))
def test_pipe_closed(sampled, traffic_goes_on):
    """As by 'head': nothing more to do, and nobody to blame."""
    process = reading(sampled, "--live")
    send(sampled, 3)
    assert process.stdout.buffer.read(100)
    process.stdout.close()
    process.stdout = None
    if traffic_goes_on:
        send(sampled, 10)
    result = finish(process)
    assert result.status == EX_OK and not result.err
    check_conservation(state(sampled), "live")


def test_pipe_closed_beside_file(sampled, scratch):
    """The file goes on; what the pipe would have got is counted."""
    need("tshark")
    file = scratch / "out.pcapng"
    process = reading(sampled, "--live", "--write", file)
    payloads = send(sampled, 3)
    received(sampled, 3)
    process.stdout.close()
    process.stdout = None
    payloads += send(sampled, 10)
    received(sampled, 13)
    result = terminate(process)
    assert result.status == EX_OK
    assert "stdout: closed by its reader" in result.one_line()
    assert payloads_of([file]) == payloads
    seen = state(sampled)
    check_conservation(seen, "live", "file")
    assert seen["outputs"]["live"]["lost"] >= 10


@pytest.mark.long
def test_pipe_not_read(sampled):
    """A reader that hangs keeps neither the data path nor the end waiting."""
    process = reading(sampled, "--live")
    send(sampled, 400)
    received(sampled, 400)
    process.send_signal(signal.SIGTERM)
    assert process.wait(testbed.DEADLINE) == EX_OK
    process.stdout.close()
    process.stdout = None
    assert "stdout: its reader is too slow" in finish(process).one_line()
    seen = state(sampled)
    check_conservation(seen, "live")
    assert seen["outputs"]["live"]["lost"] > 0


def live_to_terminal(sampled, *arguments):
    master, slave = os.openpty()
    process = reading(sampled, "--live", *arguments, stdout=slave)
    os.close(slave)
    result = finish(process)
    os.close(master)
    assert result.status == EX_USAGE and "tshark -r -" in result.one_line()


def test_terminal_is_spared(sampled):
    live_to_terminal(sampled)


def test_file_is_spared(sampled, scratch):
    """Neither emptied nor left behind, whatever else is refused."""
    old, new = scratch / "old.pcapng", scratch / "new.pcapng"
    old.write_bytes(b"old")
    for file in (old, new):
        said = sampler(sampled, "--write", file, "--sflow", "..:6343", expect=EX_NOHOST)
        assert "--sflow '..:6343'" in said.one_line()
        live_to_terminal(sampled, "--write", file)
    assert sampler(sampled, "--write", old, "--filter", "tcp prot 80", expect=None).status
    assert old.read_bytes() == b"old" and not new.exists()


def test_file_cannot_be_created(sampled, scratch):
    for path in (scratch / "none/x", scratch):
        said = sampler(sampled, "--write", path, expect=EX_CANTCREAT)
        assert f"{path}: " in said.one_line()
    assert "--write" in sampler(sampled, "--write", "", expect=EX_USAGE).one_line()


def test_output_is_closed(sampled):
    """As by '>&-': nothing else that the process opens takes its place."""
    live = sampled.server.run("sh", "-c", 'exec "$@" >&-', "sh", SAMPLER, "--live", "--interface",
                              "eth0", "--count", 1, expect=testbed.EX_IOERR)
    assert "stdout: closed, or not open for writing" in live.one_line()


def test_rotation(sampled, scratch):
    """By size, in the midst of a burst: each file is whole, and together they hold it all."""
    need("tshark")
    process = reading(sampled, "--write", scratch / "out.pcapng", "--rotate-size", 20000)
    eventually(lambda: list(scratch.glob("out-*")), "a file")
    payloads = []
    for _ in range(5):
        payloads += send(sampled, scaled(300))
        received(sampled, len(payloads))
    ends(process)
    files = sorted(scratch.glob("out-*.pcapng"))
    assert len(files) > 1
    assert all(file.stat().st_size < 30000 for file in files)
    assert payloads_of(files) == payloads
    assert sum(statistics(file.read_bytes())[0][DELIVERED] for file in files) == len(payloads)


def test_rotation_below_the_least(bed, scratch):
    bed.attach()
    said = sampler(bed, "--write", scratch / "out.pcapng", "--rotate-size", 4095, expect=EX_USAGE)
    assert "4096" in said.one_line()
    assert not list(scratch.iterdir())


def test_rotation_by_time(sampled, scratch):
    """The newest files are kept."""
    process = reading(sampled, "--write", scratch / "out.pcapng", "--rotate-seconds", "1s",
                      "--files", 2)
    eventually((scratch / "out-00004.pcapng").exists, "the fourth file")
    ends(process)
    names = sorted(file.name for file in scratch.glob("out-*"))
    assert len(names) == 2 and names[0] > "out-00002"


def test_disk_full(sampled, small_disk):
    """Said once and counted; what is in the file can be read."""
    need("tshark")
    file = small_disk / "out.pcapng"
    process = reading(sampled, "--write", file)
    eventually(file.exists, "a file")
    payloads = []
    for _ in range(4):
        payloads += send(sampled, 100, padding=200)
        received(sampled, len(payloads))
    result = ends(process, quiet=False)
    assert "No space left on device; samples are counted as lost" in result.one_line()
    seen = state(sampled)
    check_conservation(seen, "file")
    fate = seen["outputs"]["file"]
    assert fate["lost"] > 0 and fate["delivered"] > 0
    found = payloads_of([file])
    assert found == payloads[:fate["delivered"]]


def test_disk_full_for_a_while(sampled, small_disk):
    """What waited for room is written once there is some."""
    need("tshark")
    file = small_disk / "out.pcapng"
    process = reading(sampled, "--write", file)
    eventually(file.exists, "a file")
    payloads = send(sampled, 200, padding=200)
    received(sampled, len(payloads))
    # The first words on stderr.
    assert "No space left" in process.stderr.readline()
    (small_disk / "ballast").unlink()
    payloads += send(sampled, 10)
    received(sampled, len(payloads))
    eventually(lambda: state(sampled)["outputs"]["file"]["delivered"] == len(payloads),
               "all written")
    ends(process)
    assert payloads_of([file]) == payloads
    assert statistics(file.read_bytes())[0][DROPS] == 0
    check_conservation(state(sampled), "file")


@pytest.mark.long
def test_to_pcap(sampled, scratch):
    need("tshark")
    file, verdicts, classic = (scratch / name for name in ("out.pcapng", "out.csv", "out.pcap"))
    process = reading(sampled, "--write", file)
    eventually(file.exists, "a file")
    payloads = send(sampled, 6, DROPPED) + send(sampled, 4)
    received(sampled, 10)
    ends(process)
    sampled.server.run(TO_PCAP, "--read", file, "--write", classic, "--verdicts", verdicts)
    assert payloads_of([classic]) == payloads
    rows = list(csv.DictReader(verdicts.open(newline="")))
    assert [row["action"] for row in rows] == ["XDP_DROP"] * 6 + ["XDP_PASS"] * 4
    same = fields(file, "frame.time_epoch", "frame.comment", "frame.len", "frame.cap_len")
    assert same == [[row["time"], row["comment"], row["length"], row["captured"]] for row in rows]
    assert [line[0] for line in same] == [line[0] for line in fields(classic, "frame.time_epoch")]
    piped = subprocess.run([TO_PCAP, "--read", "-", "--write", "-"], input=file.read_bytes(),
                           capture_output=True, check=True)
    assert piped.stdout == classic.read_bytes()


def test_to_pcap_of_damage(sampled, scratch):
    """What stands before it is kept, and where it is, is said."""
    need("tshark")
    file, classic = scratch / "out.pcapng", scratch / "out.pcap"
    process = reading(sampled, "--write", file)
    eventually(file.exists, "a file")
    payloads = send(sampled, 5)
    received(sampled, 5)
    ends(process)
    whole = file.read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, 40, 3):
        file.write_bytes(whole[:size])
        said = sampled.server.run(TO_PCAP, "--read", file, "--write", classic, expect=None)
        assert said.status == testbed.EX_DATAERR and "file ends" in said.one_line()
    file.write_bytes(whole[:len(whole) // 2])
    sampled.server.run(TO_PCAP, "--read", file, "--write", classic, expect=testbed.EX_DATAERR)
    found = payloads_of([classic])
    assert 0 < len(found) < 5 and found == payloads[:len(found)]


def test_live_of_everything(sampled):
    """Rate, filter and sampler are where they were once a reader of its own choice has ended."""
    before = state(sampled)["config"]
    process = reading(sampled, "--live", "--count", 1)
    send(sampled, 1)
    process.stdout.close()
    process.stdout = None
    finish(process)
    assert state(sampled)["config"] == before
    assert counts(sampled)["picked"] == 1
    sampler(sampled, "--detach")
