#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Says what the demo's counters mean, and fails where one isn't what the traffic makes it."""
import argparse
import json
import sys

from demo_traffic import EXTENSION_FRAMES, VLAN_FRAMES

PINGS = 20
FRAGMENTED_PINGS = 5
FRAGMENTS_EACH = 3


class Checker:
    """Prints a line for each fact and remembers whether all held."""

    def __init__(self):
        self.failed = False

    def fact(self, text, seen, wanted):
        """One line; @seen is shown where it differs."""
        right = seen == wanted
        self.failed |= not right
        print(f"  {'ok' if right else 'WRONG'}  {text}"
              + ("" if right else f": saw {seen}, expected {wanted}"))


def check(reasons, status, pings):
    """Compare everything that the traffic determines."""
    good, good6, scanner, fragments = pings
    prefixes = {entry["prefix"]: entry for entry in status["prefixes"]}
    stats = status["stats"]
    checker = Checker()

    checker.fact(f"the client's {2 * PINGS} pings, IPv4 and IPv6, were all answered",
                 good + good6, 2 * PINGS)
    checker.fact(f"the scanner's {PINGS} pings were dropped by 198.51.100.0/24", scanner, 0)
    checker.fact(f"so were its {VLAN_FRAMES} packets inside two VLAN tags",
                 prefixes["198.51.100.0/24"]["hits"], PINGS + VLAN_FRAMES)
    checker.fact(f"nine extension headers did not hide {EXTENSION_FRAMES} packets of "
                 "2001:db8:bad::/48", prefixes["2001:db8:bad::/48"]["hits"], EXTENSION_FRAMES)
    checker.fact(f"{FRAGMENTED_PINGS} large pings left in {FRAGMENTS_EACH} fragments each: no "
                 "answers to them", fragments, 0)
    checker.fact(f"first fragments were answered 'fragmentation needed' by XDP_TX: "
                 f"{FRAGMENTED_PINGS}", stats["ptb_sent_count"], FRAGMENTED_PINGS)
    checker.fact("all fragments were counted", stats["ip_frag_drop_count"],
                 FRAGMENTED_PINGS * FRAGMENTS_EACH)
    checker.fact("the reasons tell the same: filter_source, filter_source6",
                 [reasons["filter_source"], reasons["filter_source6"]],
                 [stats["ip_drop_count"], stats["ip6_drop_count"]])
    checker.fact("filter_too_big, filter_fragment",
                 [reasons["filter_too_big"], reasons["filter_fragment"]],
                 [FRAGMENTED_PINGS, FRAGMENTED_PINGS * (FRAGMENTS_EACH - 1)])
    return checker


def main():
    """Read what the tools printed as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reasons", required=True, type=argparse.FileType())
    parser.add_argument("--filter", required=True, type=argparse.FileType())
    parser.add_argument("--pings", required=True, nargs=4, type=int)
    args = parser.parse_args()
    reasons = {entry["name"]: entry["packets"]
               for entry in json.load(args.reasons)["interfaces"][0]["reasons"]}
    checker = check(reasons, json.load(args.filter)["interfaces"][0], args.pings)
    if checker.failed:
        print("demo: counters are not what the traffic makes them", file=sys.stderr)
        sys.exit(1)
    print("Every number above was checked.")


if __name__ == "__main__":
    main()
