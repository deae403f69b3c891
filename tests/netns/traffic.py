# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Frames: built, sent from the client, seen at the server, and answers seen at the client.

No test waits for something that isn't to come: frames stay in order, so once a sentinel sent
after them has arrived, what hasn't arrived never will.
"""
import errno
import itertools
import json
import logging
import re
import select
import socket
import struct
import subprocess
import time

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
# pylint: disable=wrong-import-position
from scapy.layers.inet import IP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6  # noqa: E402
from scapy.layers.l2 import Dot1Q, Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

from testbed import (CLIENT4, CLIENT6, CLIENT_MAC, DEADLINE, HELPERS, SERVER4, SERVER6,  # noqa: E402
                     SERVER_MAC)

ETH_P_ALL = 3
# "Local experimental", which root leaves to the kernel and the kernel to us.
SENTINEL = 0x88B5
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 16 << 20

_serial = itertools.count(1)


def link(vlans=()):
    """Ethernet header towards the server, with VLAN tags inside the frame."""
    frame = Ether(src=CLIENT_MAC, dst=SERVER_MAC)
    for tag in vlans:
        frame /= Dot1Q(vlan=tag)
    return frame


def udp4(source=CLIENT4, port=9, vlans=(), destination=SERVER4, **ip):
    return link(vlans) / IP(src=source, dst=destination, **ip) / UDP(sport=4000, dport=port)


def udp6(source=CLIENT6, port=9, vlans=(), destination=SERVER6, extensions=(), **ip):
    frame = link(vlans) / IPv6(src=source, dst=destination, **ip)
    for extension in extensions:
        frame /= extension
    return frame / UDP(sport=4000, dport=port)


class Tap:
    """An AF_PACKET socket on an end of a veth pair."""

    def __init__(self, namespace, interface="eth0"):
        with namespace.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
            self.socket.bind((interface, ETH_P_ALL))

    def close(self):
        self.socket.close()

    def send(self, frame):
        self.socket.send(bytes(frame))

    def next(self, seconds=DEADLINE):
        """The next frame that came in, None after @seconds without any."""
        end = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            try:
                frame, address = self.socket.recvfrom(65535)
            except OSError as error:
                # The interface was down in between.
                if error.errno != errno.ENETDOWN:
                    raise
                continue
            if address[2] != socket.PACKET_OUTGOING:
                return frame
        return None

    def drain(self):
        while self.next(0) is not None:
            pass

    def until(self, wanted, what):
        """Frames that came in, the last of them the first for which @wanted is true."""
        frames = []
        while True:
            frame = self.next()
            assert frame is not None, f"{what}: did not come within {DEADLINE} s"
            frames.append(frame)
            if wanted(frame):
                return frames


def sentinel():
    payload = b"sentinel" + struct.pack("!Q", next(_serial))
    return bytes(Ether(src=CLIENT_MAC, dst=SERVER_MAC, type=SENTINEL) / Raw(payload)), payload


class Traffic:
    """Both ends of the testbed's eth0."""

    def __init__(self, bed, interface="eth0"):
        self.server = Tap(bed.server, interface)
        self.client = Tap(bed.client, interface)

    def close(self):
        self.server.close()
        self.client.close()

    def exchange(self, **frames):
        """Send @frames by name; the names of those that got past XDP, and in which order."""
        marks = {}
        self.server.drain()
        for name, frame in frames.items():
            mark = f"<{name} {next(_serial)}>".encode()
            marks[name] = mark
            if isinstance(frame, bytes):
                self.client.send(frame + mark)
            else:
                self.client.send(frame / Raw(mark))
        frame, payload = sentinel()
        self.client.send(frame)
        arrived = self.server.until(lambda seen: payload in seen, "a sentinel from the client")
        return [name for name, mark in marks.items() if any(mark in seen for seen in arrived)]

    def passes(self, frame):
        return self.exchange(frame=frame) == ["frame"]

    def answer(self, wanted, what):
        """The first frame at the client that is @wanted, dissected."""
        return Ether(self.client.until(lambda seen: wanted(Ether(seen)), what)[-1])


class Flood:
    """The closed-loop flood of flood.c: dropped-prefix frames around numbered good ones."""

    GOOD, BAD = 7001, 7002
    TAIL = b"\0" * 8 + b"\xff" * 8

    def __init__(self, bed, bad, bad_ports=(BAD,)):
        frames = [udp4(port=self.GOOD), *bad]
        text = "".join(bytes(frame / Raw(self.TAIL)).hex() + "\n" for frame in frames)
        self.process = bed.client.start(
            HELPERS / "flood", "eth0", bed.server.path, self.GOOD, *bad_ports,
            stdin=subprocess.PIPE)
        self.process.stdin.write(text)
        self.process.stdin.close()
        self.process.stdin = None
        line = self.process.stdout.readline()
        assert line == "ready\n", line + self.process.stderr.read()

    def stop(self):
        """Its totals."""
        self.process.terminate()
        out, err = self.process.communicate(timeout=DEADLINE * 4)
        assert self.process.returncode == 0, f"flood: {self.process.returncode}: {out}{err}"
        return json.loads(out)


def counted(text, name):
    """A number in a tool's text status."""
    return int(re.search(rf"^{re.escape(name)}: (\d+)$", text, re.MULTILINE).group(1))
