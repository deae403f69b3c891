#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Writes rulesets that are unkind to a matcher of bit vectors, and those that nftables gets too.

The same in every run. What is unkind, each with 64 and with 4 096 rules:
  covered  prefixes within prefixes, sources and destinations, the order drawn at random
  fields   every field is used, by most rules
  mixed    each rule is wide in all fields but one, neighbours in another one
  halves   each rule takes half of two ranges of ports; a packet may satisfy either of two
           neighbours in one port, and none in both
  last     rules that differ in the last field, of which one at the end matches
"""
import ipaddress
import pathlib
import random
import re
import sys

COUNTS = (64, 4096)
NOTICE = "# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause\n"
WORDS = {4: "ip", 6: "ip6"}
BITS = {4: 32, 6: 128}
# The longest prefixes of chains, and where they begin.
SHORTEST = {4: 4, 6: 16}
NFT_DEVICE = "nft0"


class Draw:
    """Random parts of rules."""

    def __init__(self, family, seed):
        self.family, self.random = family, random.Random(f"{family} {seed}")

    def address(self):
        top = {4: 10 << 24, 6: 0x20010db8 << 96}[self.family]
        return top | self.random.getrandbits({4: 24, 6: 96}[self.family])

    def prefix(self, address, length):
        bits = BITS[self.family]
        kept = address >> (bits - length) << (bits - length)
        kind = ipaddress.IPv4Network if self.family == 4 else ipaddress.IPv6Network
        return str(kind((kept, length)))

    def port(self, first=1024, last=65535):
        return self.random.randint(first, last)


def covered(draw, count):
    """Every prefix of 16 chains, each with many rules that tell even from odd pairs of ports."""
    chains = [draw.address() for _ in range(16)]
    lengths = range(SHORTEST[draw.family], BITS[draw.family] + 1, BITS[draw.family] // 16)
    for _ in range(count):
        source = draw.prefix(draw.random.choice(chains), draw.random.choice(lengths))
        to = draw.prefix(draw.random.choice(chains), draw.random.choice(lengths))
        sport, dport = draw.port(1000, 1007), 2 * draw.port(500, 503)
        yield (f"{WORDS[draw.family]} from {{ {source} }} to {{ {to} }} tcp "
               f"sport {sport} dport {dport + sport % 2} flags {{ syn }} mask {{ syn, ack }}")


def fields(draw, count):
    """Something of everything, anywhere."""
    flags = ("syn", "ack", "rst", "fin", "syn, ack")
    for _ in range(count):
        source = draw.prefix(draw.address(), draw.random.choice((12, 16, 20, 24, 32)) *
                             BITS[draw.family] // 32)
        to = draw.prefix(draw.address(), draw.random.choice((12, 16, 20, 24, 32)) *
                         BITS[draw.family] // 32)
        first, ttl, window = draw.port(), draw.random.randint(1, 200), draw.port(1, 60000)
        yield " ".join((
            f"packet length {{ 54-{draw.random.randint(60, 1500)} }}",
            f"{WORDS[draw.family]} from {draw.random.choice(('', 'not '))}{{ {source} }}",
            f"to {{ {to}, {draw.prefix(draw.address(), BITS[draw.family])} }}",
            f"ttl {{ {ttl}-{ttl + 50} }}",
            f"tcp sport {{ {first}, {draw.port()}-65535 }} dport not {{ {draw.port()} }}",
            f"window {{ {window}-{window + 5000} }}",
            f"flags {{ {draw.random.choice(flags)} }} mask {{ syn, ack, rst, fin }}",
            f"vlan not {{ {draw.random.randint(1, 4094)} }} not fragment"))


def mixed(draw, count):
    """Near one address and in the lower ports all fields match but one."""
    centre_from, centre_to = draw.address(), draw.address()
    half = {4: 12, 6: 40}[draw.family]
    for number in range(count):
        source, to = draw.prefix(centre_from, half), draw.prefix(centre_to, half)
        sport, dport = "1-30000", "1-30000"
        if number % 4 == 0:
            source = draw.prefix(draw.address(), BITS[draw.family])
        elif number % 4 == 1:
            to = draw.prefix(draw.address(), BITS[draw.family])
        elif number % 4 == 2:
            sport = draw.port(30001)
        else:
            dport = draw.port(30001)
        yield (f"{WORDS[draw.family]} from {{ {source} }} to {{ {to} }} tcp sport {{ {sport} }} "
               f"dport {{ {dport} }}")


def halves(draw, count):
    """The halves alternate; a port of their own hides that."""
    for number in range(count):
        sport, dport = ("20000-29999", "30000-39999")[::1 if number % 2 else -1]
        yield (f"{WORDS[draw.family]} from any to any tcp sport {{ {1 + number}, {sport} }} "
               f"dport {{ {1 + number * 7 % count}, {dport} }}")


def last(draw, count):
    """Source and destination take all that comes; the port of the last one does."""
    for number in range(count):
        yield (f"{WORDS[draw.family]} from {{ {draw.prefix(0, 0)} }} to {{ {draw.prefix(0, 0)} }} "
               f"tcp sport {{ 1-65535 }} dport {{ {60000 + number} }}")


UNKIND = {"covered": covered, "fields": fields, "mixed": mixed, "halves": halves, "last": last}

RULE = re.compile(r"ip from (any|\{ (?P<from>\S+) \}) to (any|\{ (?P<to>\S+) \}) (?P<proto>tcp|udp) "
                  r"(?P<side>[sd])port \{? ?(?P<port>[0-9-]+) ?\}?"
                  r"( flags \{ (?P<flags>syn|rst) \})?(?P<mask> mask \{ syn, ack \})?$")


def nft_rule(rule):
    """The same as a rule of nftables."""
    parts = [f"ip {key}addr {rule[name]}" for key, name in (("s", "from"), ("d", "to"))
             if rule[name]]
    parts.append(f"{rule['proto']} {rule['side']}port {rule['port']}")
    if rule["flags"]:
        parts.append(NFT_FLAGS[rule["flags"]])
    return " ".join(parts) + " drop"


NFT_FLAGS = {"syn": "tcp flags & (syn | ack) == syn", "rst": "tcp flags & rst == rst"}


def nft_chain(body, head=""):
    return (f"table netdev bench {{\n{head}\tchain ingress {{\n\t\ttype filter hook ingress device "
            f"{NFT_DEVICE} priority 0; policy accept;\n" +
            "".join(f"\t\t{line}\n" for line in body) + "\t}\n}\n")


def nft_sets(rules):
    """One look-up of source, destination and port for each kind of rule; ports by verdict map."""
    groups = {"tcp": [], "syn": [], "rst": [], "udp": []}
    for rule in rules:
        value = " . ".join((rule["from"] or "0.0.0.0/0", rule["to"] or "0.0.0.0/0", rule["port"]))
        groups[rule["flags"] or rule["proto"]].append(value)
    head = ""
    for name, values in groups.items():
        elements = ",\n\t\t\t".join(f"{value} : drop" for value in values)
        head += (f"\tmap {name}_verdicts {{\n\t\ttype ipv4_addr . ipv4_addr . inet_service : verdict\n"
                 f"\t\tflags interval\n\t\telements = {{ {elements} }}\n\t}}\n")
    look = "ip saddr . ip daddr . {} {}port vmap @{}_verdicts"
    head += ("\tchain tcp_rules {\n"
             f"\t\t{look.format('tcp', 'd', 'tcp')}\n"
             f"\t\t{NFT_FLAGS['syn']} {look.format('tcp', 'd', 'syn')}\n"
             f"\t\t{NFT_FLAGS['rst']} {look.format('tcp', 's', 'rst')}\n\t}}\n"
             "\tchain udp_rules {\n"
             f"\t\t{look.format('udp', 'd', 'udp')}\n\t}}\n")
    return nft_chain(["meta l4proto vmap { tcp : goto tcp_rules, udp : goto udp_rules }"], head)


def write_nft(kind_rules, folder):
    """The plain rules, the last of which drops what the bench sends, in three languages."""
    lines = [line for line in kind_rules.read_text().splitlines() if line and line[0] != "#"]
    lines[-1] = "ip from any to any tcp dport { 80 }"
    rules = [RULE.match(line) for line in lines]
    (folder / "ipv4-nft.rules").write_text(NOTICE + "".join(line + "\n" for line in lines))
    (folder / "nft-plain.nft").write_text(NOTICE + nft_chain([nft_rule(rule) for rule in rules]))
    (folder / "nft-sets.nft").write_text(NOTICE + nft_sets(rules))


def main():
    """Into the folder given."""
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for family in (4, 6):
        for name, make in UNKIND.items():
            for count in COUNTS:
                (folder / f"ipv{family}-{name}-{count}.rules").write_text(
                    NOTICE + "".join(rule + "\n" for rule in make(Draw(family, name), count)))
    write_nft(pathlib.Path(__file__).resolve().parent / "rules/ipv4-1024.rules", folder)


if __name__ == "__main__":
    main()
