# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_sampler over veth: what its outputs hold is what was sent, and every sample is counted."""
import shutil
import subprocess

import pytest
from scapy.packet import Raw

from testbed import (BUILD, DEADLINE, EX_OK, EX_UNAVAILABLE, EX_USAGE, GUEST, SERVER4,
                     eventually, interrupt)
from traffic import Tap, udp4, udp6

SAMPLER = BUILD / "xdp_sampler/xdp_sampler"
TO_PCAP = BUILD / "xdp_sampler/to_pcap/xdp_sampler_to_pcap"
DROPPED = "192.0.2.7"

pytestmark = pytest.mark.skipif(GUEST, reason="tshark and sfcapd take minutes in an emulated guest")


def need(program):
    if not shutil.which(program):
        pytest.skip(f"no {program} here")


@pytest.fixture
def sampled(bed):
    """Root, a filter that drops DROPPED, and a sampler that takes every packet."""
    bed.attach()
    bed.filter("--drop", "--ips", DROPPED, "--interface", "eth0")
    sampler(bed, "--attach", "--rate", 1, "--snaplen", 1500)
    return bed


def sampler(bed, *arguments, **options):
    return bed.server.run(SAMPLER, *arguments, "--interface", "eth0", **options)


def state(bed):
    return sampler(bed, "--status", "--json").json["interfaces"][0]


def counts(bed):
    return state(bed)["counts"]


def send(bed, count, source="10.99.0.9"):
    tap = Tap(bed.client)
    try:
        for number in range(count):
            tap.send(udp4(source) / Raw(b"%08d" % number))
    finally:
        tap.close()


def reading(bed, *arguments, **streams):
    """A reader that has begun."""
    process = bed.server.start(SAMPLER, *arguments, "--interface", "eth0", **streams)
    return process


def payloads(files):
    """Payloads of UDP datagrams, as tshark finds them."""
    found = []
    for file in files:
        done = subprocess.run(["tshark", "-r", str(file), "-Y", "udp", "-T", "fields", "-e",
                               "udp.payload"], capture_output=True, text=True, check=True,
                              timeout=DEADLINE * 4)
        found += [bytes.fromhex(line) for line in done.stdout.split()]
    return found


def test_write(sampled, scratch):
    """tshark and capinfos read it: bytes, verdicts, comments."""
    need("tshark")
    need("capinfos")
    file = scratch / "out.pcapng"
    process = reading(sampled, "--write", file)
    eventually(file.exists, "a file")
    send(sampled, 20)
    send(sampled, 10, DROPPED)
    eventually(lambda: state(sampled)["counts"]["received"] >= 30, "30 samples read")
    assert interrupt(process).status == EX_OK
    assert payloads([file]) == ([b"%08d" % number for number in range(20)] +
                                [b"%08d" % number for number in range(10)])
    subprocess.run(["capinfos", str(file)], check=True, stdout=subprocess.DEVNULL)
    text = subprocess.run(["tshark", "-r", str(file), "-T", "fields", "-e", "ip.src", "-e",
                           "frame.comment", "-e", "frame.interface_name", "-Y", "udp"],
                          capture_output=True, text=True, check=True).stdout.splitlines()
    for line in text:
        source, comment, name = line.split("\t")
        assert name == "eth0"
        assert ("filter_source" in comment and "XDP_DROP" in comment) == (source == DROPPED)


def test_live(sampled):
    need("tshark")
    live = reading(sampled, "--live", "--count", 5, "--action", "drop")
    shark = subprocess.Popen(["tshark", "-r", "-", "-T", "fields", "-e", "ip.src"],
                             stdin=live.stdout, stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.DEVNULL)
    live.stdout.close()
    live.stdout = None
    send(sampled, 3)
    send(sampled, 7, DROPPED)
    out, _ = shark.communicate(timeout=DEADLINE * 4)
    assert out.split() == [DROPPED] * 5
    assert live.wait(DEADLINE) == EX_OK


def test_rotation(sampled, scratch):
    need("tshark")
    process = reading(sampled, "--write", scratch / "out.pcapng", "--rotate-size", 20000)
    eventually(lambda: list(scratch.glob("out-*")), "a file")
    for round_ in range(1, 6):
        send(sampled, 300)
        eventually(lambda want=300 * round_: state(sampled)["counts"]["received"] >= want,
                   "samples read")
    assert interrupt(process).status == EX_OK
    files = sorted(scratch.glob("out-*.pcapng"))
    assert len(files) > 1
    assert payloads(files) == [b"%08d" % number for number in range(300)] * 5


def test_conservation(bed, scratch):
    """With a ring of a page: picked = in the ring + lost, received = delivered + lost."""
    bed.attach()
    sampler(bed, "--attach", "--rate", 1, "--ring", 4096)
    send(bed, 500)
    full = eventually(lambda: counts(bed)["picked"] >= 500 and counts(bed), "all picked")
    assert full["ring_full"] > 0
    assert full["picked"] == sum(full[key] for key in ("emitted", "filtered", "ring_full",
                                                       "abandoned"))
    file = scratch / "out.pcapng"
    process = reading(bed, "--write", file)
    eventually(lambda: state(bed)["counts"]["received"] >= full["emitted"], "the ring read")
    assert interrupt(process).status == EX_OK
    now = state(bed)
    assert now["counts"]["emitted"] == now["counts"]["received"]


def test_filter_in_kernel(sampled):
    sampler(sampled, "--attach", "--filter", "udp port 53")
    tap = Tap(sampled.client)
    for number in range(10):
        tap.send(udp6(port=53 if number % 2 else 54))
    tap.close()
    eventually(lambda: counts(sampled)["emitted"] >= 5 and counts(sampled)["filtered"] >= 5,
               "samples")


def test_sflow(sampled, scratch):
    need("sfcapd")
    need("nfdump")
    with_port = 16343
    collector = sampled.server.start("sfcapd", "-p", with_port, "-b", "127.0.0.1", "-w", scratch,
                                     "-t", "300")
    eventually(lambda: f":{with_port} " in sampled.server.run("ss", "-lnuH").out, "sfcapd")
    process = reading(sampled, "--sflow", f"127.0.0.1:{with_port}")
    send(sampled, 40)
    eventually(lambda: state(sampled)["counts"]["received"] >= 40, "40 samples read")
    assert interrupt(process).status == EX_OK
    collector.terminate()
    collector.communicate(timeout=DEADLINE)
    done = subprocess.run(["nfdump", "-R", str(scratch), "-q", "-o", "fmt:%sa %da",
                           f"dst ip {SERVER4} and src ip 10.99.0.9"], capture_output=True,
                          text=True, check=True)
    assert len(done.stdout.splitlines()) == 40


def test_one_reader(sampled, scratch):
    process = reading(sampled, "--write", scratch / "a.pcapng")
    eventually((scratch / "a.pcapng").exists, "a file")
    said = sampler(sampled, "--write", scratch / "b.pcapng", expect=None)
    assert said.status not in (EX_OK, EX_USAGE)
    assert "another xdp_sampler reads" in said.one_line()
    assert not (scratch / "b.pcapng").exists()
    assert interrupt(process).status == EX_OK


def test_to_pcap(sampled, scratch):
    file, verdicts = scratch / "out.pcapng", scratch / "out.csv"
    process = reading(sampled, "--write", file, "--count", 6)
    eventually(file.exists, "a file")
    send(sampled, 6, DROPPED)
    assert process.wait(DEADLINE) == EX_OK
    sampled.server.run(TO_PCAP, "--read", file, "--write", scratch / "out.pcap", "--verdicts",
                       verdicts)
    lines = verdicts.read_text().splitlines()
    assert len(lines) == 7
    assert (scratch / "out.pcap").stat().st_size > 6 * 50


@pytest.mark.parametrize("arguments, words", (
    (("--filter", "tcp prot 80"), "--filter 'tcp prot 80':"),
    (("--rate", "0"), "--rate"),
    (("--snaplen", "13"), "--snaplen"),
    (("--snaplen", "65536"), "--snaplen"),
    (("--write", "/nowhere/at/all"), "/nowhere/at/all"),
))
def test_bad_input(bed, arguments, words):
    bed.root("--attach", "--interface", "eth0")
    before = bed.pin_tree()
    mode = () if arguments[0] == "--write" else ("--attach",)
    said = sampler(bed, *mode, *arguments, expect=None)
    assert said.status != EX_OK
    assert words in said.one_line()
    assert bed.pin_tree() == before


def test_no_root_array(bed):
    said = sampler(bed, "--attach", expect=EX_UNAVAILABLE)
    assert "no root array" in said.one_line()


def test_detached(sampled):
    sampler(sampled, "--detach")
    assert not [slot for slot in sampled.status()["slots"] if slot["slot"] == 1 and slot["id"]]
