# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""tcp_stats: what its programs read is what the kernel itself says by sock_diag."""
import contextlib
import json
import pathlib
import select
import signal
import socket

import pytest

from flows import MAPPED, V4, V6, Listener, receive, validate, whole_lines
from testbed import (BUILD, DEADLINE, EX_NOINPUT, EX_NOPERM, EX_USAGE, eventually,
                     interrupt, kernel_release)

STATS = BUILD / "flow_monitor/tcp_stats/tcp_stats"
SCHEMA = "tcp_stats.schema.json"
# They don't change once all is acknowledged, nor between the measured round trip and its end.
STEADY = ("rtt", "rttvar", "min_rtt", "snd_mss", "rcv_mss", "pmtu", "advmss", "options",
          "snd_wscale", "rcv_wscale", "snd_ssthresh", "bytes_sent", "bytes_acked", "bytes_retrans",
          "bytes_received", "total_retrans", "segs_out", "data_segs_out", "reordering",
          "rcv_ssthresh", "rcv_space", "max_pacing_rate", "notsent_bytes", "sndbuf_limited",
          "rwnd_limited", "fackets", "backoff", "probes", "retransmits")

# Older ones call back before they note the round trip time.
TELLS_RTT = kernel_release() >= (6, 12)


@contextlib.contextmanager
def sampling(host, scratch, *arguments):
    """Lines until now, by a call. The first connection to be sampled tells that it has begun."""
    file = scratch / "samples"
    with open(file, "w", encoding="ascii") as out:
        process = host.start(STATS, *arguments, stdout=out)

    def lines():
        return [json.loads(line) for line in whole_lines(file)]
    try:
        yield process, lines
    finally:
        process.kill()
        process.wait()


def begin(listener, lines):
    """Connections until one of them was sampled; that one."""
    made = []

    def sampled():
        client, server = listener.connect()
        client.sendall(b"x")
        receive(server, 1)
        made.append((client, server))
        return lines()
    eventually(sampled, "a first sample")
    for client, server in made[:-1]:
        client.close()
        server.close()
    return made[-1]


def netlink(host, flow):
    """What the kernel itself says."""
    samples = [json.loads(line) for line in
               host.run(STATS, "--netlink", "--count", 1, "--flow", flow).out.splitlines()]
    for sample in samples:
        validate(sample, SCHEMA)
        assert sample["reason"] == "netlink"
    return samples


def connect_and_close(listener):
    for end in listener.connect():
        end.close()


def test_reader_that_takes_nothing(host):
    """What fits no pipe, and is in the ring when it is told to end, is counted."""
    process = host.start(STATS, "--on-state-change")
    begun = select.poll()
    begun.register(process.stdout, select.POLLIN)
    try:
        with host.entered():
            listener = Listener()
            while not begun.poll(20):
                connect_and_close(listener)
            for _ in range(100):
                connect_and_close(listener)
            listener.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0
        assert "samples were lost, as nobody read them" in process.communicate()[1]
    finally:
        process.kill()


@pytest.mark.parametrize("address", (V4, V6, MAPPED))
@pytest.mark.parametrize("congestion", ("reno", "cubic", "bbr"))
def test_as_the_kernel_says(host, scratch, address, congestion):
    available = pathlib.Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text()
    if congestion not in available.split():
        pytest.skip(f"this kernel has no {congestion} at hand")
    with host.entered():
        listener = Listener(address)
    shown = V4 if address == MAPPED else address
    flow = f"[{shown}]:*-[{shown}]:{listener.port}"
    with sampling(host, scratch, "--poll", 1, "--flow", flow) as (process, lines):
        with host.entered():
            begin(listener, lines)
            client, server = listener.connect(
                [(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())])
        port = client.getsockname()[1]

        def mine():
            return [line for line in lines() if line["local_port"] == port]
        client.sendall(bytes(100000))
        receive(server, 100000)
        server.sendall(bytes(5000))
        receive(client, 5000)
        steady = [key for key in STEADY if key != "rtt" or TELLS_RTT]
        pair = []

        def agree():
            """Whether nothing came between a sample and what netlink says then."""
            client.sendall(b"x")
            receive(server, 1)
            said, = netlink(host, f":{port}-:{listener.port}")
            if not mine():
                return False
            pair[:] = mine()[-1], said
            ours, truth = (line["tcp_info"] for line in pair)
            return all(ours[key] == truth[key] for key in steady)
        eventually(agree, "the same from both")
        sample, said = pair
        result = interrupt(process)
        assert result.status == 0, repr(result)
    validate(sample, SCHEMA)
    assert sample["reason"] == "rtt"
    for key in ("family", "local_address", "remote_address", "remote_port", "netns"):
        assert sample[key] == said[key]
    assert sample["congestion"]["name"] == said["congestion"]["name"] == congestion
    info, truth = sample["tcp_info"], said["tcp_info"]
    assert set(info) == set(truth)
    assert truth["bytes_acked"] > 100001 and truth["bytes_received"] == 5000
    assert truth["state"] == "ESTABLISHED"


def test_states(host, scratch):
    """In their order, with times that rise."""
    with host.entered():
        listener = Listener()
    with sampling(host, scratch, "--on-state-change", "--flow",
                  f":*-:{listener.port}") as (process, lines):
        with host.entered():
            client, server = begin(listener, lines)
            port = client.getsockname()[1]
        client.close()
        assert server.recv(1) == b""
        server.close()

        def changes():
            return [line for line in lines() if line["local_port"] == port]
        eventually(lambda: changes() and changes()[-1]["new_state"] == "CLOSE", "its end")
        mine = changes()
        interrupt(process)
    assert [(line["old_state"], line["new_state"]) for line in mine] == [
        ("SYN_SENT", "ESTABLISHED"), ("ESTABLISHED", "FIN_WAIT1"), ("FIN_WAIT1", "FIN_WAIT2"),
        ("FIN_WAIT2", "CLOSE")]
    times = [line["monotonic_ns"] for line in mine]
    assert times == sorted(times)
    for line in mine:
        validate(line, SCHEMA)
        assert line["tcp_info"]["state"] == line["new_state"]


def test_interval(host, scratch):
    """Never two samples of a connection within it."""
    with host.entered():
        listener = Listener()
    with sampling(host, scratch, "--poll", 20, "--flow", f":*-:{listener.port}") as (_, lines):
        with host.entered():
            client, server = begin(listener, lines)
        port = client.getsockname()[1]

        def mine():
            client.sendall(b"x")
            receive(server, 1)
            return [line for line in lines() if line["local_port"] == port]
        eventually(lambda: len(mine()) >= 5, "five samples")
        times = [line["monotonic_ns"] for line in mine()]
    assert all(after - before >= 20_000_000 for before, after in zip(times, times[1:]))


def test_flows(host, scratch):
    """Both ends' addresses and ports count."""
    with host.entered():
        listener, other = Listener(), Listener(V6)
    flows = f"[]:*-[127.0.0.1]:{listener.port},[::1]:{other.port}-[]:*"
    with sampling(host, scratch, "--on-state-change", "--flow", flows) as (_, lines):
        with host.entered():
            client, _server = begin(listener, lines)
            six, _server6 = other.connect()
            six.close()
            eventually(lambda: any(line["family"] == 6 for line in lines()), "IPv6")
        client.close()
        for line in lines():
            assert (line["remote_port"] == listener.port if line["family"] == 4
                    else line["local_port"] == other.port), line


def test_lasting_timeout(host, scratch):
    """While retransmissions get no answer, the time since they began is in the sum."""
    with host.entered():
        listener = Listener()
    with sampling(host, scratch, "--on-state-change", "--flow",
                  f":*-:{listener.port}") as (_, lines):
        with host.entered():
            client, server = begin(listener, lines)
        port = client.getsockname()[1]
        said, = netlink(host, f":{port}-:*")
        if "total_rto_time" not in said["tcp_info"]:
            pytest.skip("this kernel doesn't sum timeouts")
        host.run("ip", "link", "set", "lo", "down")
        client.sendall(b"x")

        def times_out():
            said, = netlink(host, f":{port}-:*")
            return said["tcp_info"]["total_rto_time"]
        truth = eventually(times_out, "a timeout")
        client.close()

        def closing():
            return [line for line in lines() if line["local_port"] == port
                    and line["new_state"] == "FIN_WAIT1"]
        sample, = eventually(closing, "its close")
        host.run("ip", "link", "set", "lo", "up")
        server.close()
    # Two clocks, of which either may be rounded.
    assert sample["tcp_info"]["total_rto_time"] >= truth - 1


def test_mapped_flow(host):
    """An address of IPv4 in IPv6's clothes is what samples show: IPv4."""
    with host.entered():
        listener = Listener(MAPPED)
        client, server = listener.connect()
    flow = f"[{MAPPED}]:{client.getsockname()[1]}-[{MAPPED}]:{listener.port}"
    said, = netlink(host, flow)
    assert said["family"] == 4 and said["remote_address"] == V4
    client.close()
    server.close()


@pytest.mark.parametrize("arguments,status,words", (
    ((), EX_USAGE, "no mode given"),
    (("--poll", "0"), EX_USAGE, "--poll"),
    (("--poll", "100", "--cgroup", "/tmp"), EX_USAGE, "/tmp"),
    (("--poll", "100", "--cgroup", "/nowhere"), EX_NOINPUT, "/nowhere"),
    (("--poll", "100", "--flow", "1.2.3.4:5"), EX_USAGE, "1.2.3.4:5"),
    (("--netlink", "--flow", ":1-:65536"), EX_USAGE, ":1-:65536"),
    (("--netlink", "--flow", ":0-:1"), EX_USAGE, ":0-:1"),
    (("--netlink", "--flow", "[1.2.3.4]:1-[::1]:1"), EX_USAGE, "[::1]"),
    (("--netlink", "--flow", "[1.2.3]:1-:1"), EX_USAGE, "[1.2.3]"),
    (("--poll", "100", "--netlink"), EX_USAGE, "exclude each other"),
    (("--on-state-change", "--btf", "/nowhere"), EX_NOINPUT, "/nowhere"),
))
def test_refused(host, arguments, status, words):
    result = host.run(STATS, *arguments, expect=status)
    assert words in result.err.splitlines()[-1]


def test_without_capabilities(host):
    result = host.run("setpriv", "--bounding-set=-all", "--inh-caps=-all", STATS, "--poll", "100",
                      expect=EX_NOPERM)
    assert "CAP_BPF" in result.one_line()
