#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Frames of the demo that no ordinary program sends: VLAN tags, IPv6 extension headers."""
import argparse
import socket

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting)
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether

VLAN_FRAMES = 7
EXTENSION_FRAMES = 6


def extension_chain(count):
    """@count extension headers, hop-by-hop first, of the kinds that may repeat after it."""
    chain = IPv6ExtHdrHopByHop()
    for index in range(1, count):
        chain = chain / (IPv6ExtHdrRouting() if index % 2 else IPv6ExtHdrDestOpt())
    return chain


def frames(args):
    """All frames, in the order in which they are sent."""
    ether = Ether(dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:02")
    udp = UDP(sport=4000, dport=9) / b"demo"
    tags = Dot1AD(vlan=10) / Dot1Q(vlan=42)
    for _ in range(VLAN_FRAMES):
        yield ether / tags / IP(src=args.scanner4, dst=args.server4) / udp
        yield ether / Dot1Q(vlan=42) / IP(src=args.client4, dst=args.server4) / udp
    for _ in range(EXTENSION_FRAMES):
        yield ether / IPv6(src=args.botnet6, dst=args.server6) / extension_chain(9) / udp
        yield ether / IPv6(src=args.client6, dst=args.server6) / extension_chain(4) / udp


def main():
    """Send the frames through a raw socket."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interface", required=True)
    for name in ("server4", "client4", "scanner4", "server6", "client6", "botnet6"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((args.interface, 0))
        for frame in frames(args):
            raw.send(bytes(frame))
    print(f"sent {2 * VLAN_FRAMES} frames with VLAN tags, half of them from the scanner, and "
          f"{2 * EXTENSION_FRAMES} with IPv6 extension headers, half of them from the botnet")


if __name__ == "__main__":
    main()
