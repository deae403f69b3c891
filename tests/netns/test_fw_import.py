# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_fw --from-nft: what nft prints becomes rules, and what can't be is named."""
import json
import shutil
import subprocess

import pytest

from testbed import EX_DATAERR, EX_NOINPUT, EX_OK, FW

pytestmark = pytest.mark.anywhere

RULESET = """
table netdev t {
	set bad { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.0.2.1 } }
	set wide { type ipv4_addr; flags interval; elements = { 10.0.0.1-10.0.0.9 } }
	set web { type inet_service; flags interval; elements = { 80, 8000-8999 } }
	chain c {
		type filter hook ingress device lo priority 0; policy POLICY;
		ip saddr 10.0.0.0/8 tcp dport { 80, 443, 1000-2000 } counter drop comment "web"
		ip saddr @bad drop
		tcp dport @web accept
		ip6 saddr 2001:db8::/32 udp sport 53 drop
		ip protocol icmp icmp type echo-request limit rate over 10/second burst 3 packets drop
		tcp flags & (syn|ack) == syn drop
		ip ttl < 5 accept
		tcp flags syn drop
		tcp flags ! rst drop
		tcp flags == fin drop
		icmp type destination-unreachable icmp code port-unreachable accept
		ip saddr 10.0.0.1-10.0.0.5 ip daddr @wide udp dport 5 drop
		ip saddr != { 1.2.3.4, 5.6.7.8 } ip daddr 10.1.0.0/16 udp dport != 53 drop
		vlan id 5 counter
		UNKNOWN
	}
}
"""

EXPECTED = """order first-match
set nft_bad {
	10.0.0.0/8,
	192.0.2.1
}
set nft_wide {
	10.0.0.1/32, 10.0.0.2/31, 10.0.0.4/30, 10.0.0.8/31
}
ip from { 10.0.0.0/8 } to any tcp dport { 80, 443, 1000-2000 } action drop name "web"
ip from { @nft_bad } to any proto any action drop
ip from any to any tcp dport { 80, 8000-8999 } action pass
ip6 from any to any tcp dport { 80, 8000-8999 } action pass
ip6 from { 2001:db8::/32 } to any udp sport { 53 } action drop
ip from any to any icmp type { 8 } action limit 10/second burst 3
ip from any to any tcp flags { syn } mask { syn, ack } action drop
ip6 from any to any tcp flags { syn } mask { syn, ack } action drop
ip from any to any ttl 0-4 proto any action pass
ip from any to any tcp flags { syn } action drop
ip6 from any to any tcp flags { syn } action drop
ip from any to any tcp flags not { rst } action drop
ip6 from any to any tcp flags not { rst } action drop
ip from any to any tcp flags { fin } mask { cwr, ece, urg, ack, psh, rst, syn, fin } action drop
ip6 from any to any tcp flags { fin } mask { cwr, ece, urg, ack, psh, rst, syn, fin } action drop
ip from any to any icmp type { 3 } code { 3 } action pass
ip from { 10.0.0.1/32, 10.0.0.2/31, 10.0.0.4/31 } to { @nft_wide } udp dport { 5 } action drop
ip from not { 1.2.3.4, 5.6.7.8 } to { 10.1.0.0/16 } udp dport not { 53 } action drop
ip from any to any proto any vlan { 5 } action count
ip6 from any to any proto any vlan { 5 } action count
"""


def convert(bed, ruleset):
    if not shutil.which("nft"):
        pytest.skip("no nft here")
    bed.server.run("ip", "link", "set", "lo", "up")
    loaded = bed.server.run("nft", "-f", "-", stdin=ruleset, expect=None)
    if loaded.status:
        pytest.skip(f"nft here can't: {loaded.err}")
    text = bed.server.run("nft", "-j", "list", "ruleset").out
    return bed.server.run(FW, "--from-nft", "-", stdin=text, expect=None)


def validates(text):
    done = subprocess.run([str(FW), "--validate", "--rules", "-"], input=text, text=True,
                          capture_output=True, check=False)
    return done.returncode == EX_OK


def test_what_can_be_expressed(bed):
    done = convert(bed, RULESET.replace("POLICY", "accept").replace("UNKNOWN", ""))
    assert done.out == EXPECTED and not done.err and done.status == EX_OK
    assert validates(done.out)


LIMIT = "ip from any to any icmp type { 8 } action limit 10/second burst 3\n"


def test_policy(bed):
    """What a limit has room for then goes on to be dropped."""
    done = convert(bed, RULESET.replace("POLICY", "drop").replace("UNKNOWN", ""))
    assert done.out == EXPECTED.replace(LIMIT, "") + (
        'ip from any to any proto any name "policy"\n'
        'ip6 from any to any proto any name "policy"\n')
    assert done.status == EX_DATAERR
    lines = done.err.splitlines()
    assert "policy drop: drops what isn't IP too" in lines[0]
    assert "a limit before what drops" in lines[1] and len(lines) == 3


def test_what_cannot(bed):
    unknown = ("meta mark 5 drop\n\t\ttcp flags syn,ack drop\n"
               "\t\tudp dport 53 limit rate 10/second accept\n"
               "\t\tudp dport 54 limit rate over 10/second drop\n"
               "\t\tip protocol udp limit rate over 10/second drop\n\t\tudp dport 9 drop")
    done = convert(bed, RULESET.replace("POLICY", "accept").replace("UNKNOWN", unknown))
    assert done.status == EX_DATAERR
    assert done.out == EXPECTED.replace(LIMIT, "") + (
        "ip from any to any udp dport { 9 } action drop\n"
        "ip6 from any to any udp dport { 9 } action drop\n")
    lines = done.err.splitlines()
    said = ("a limit before what drops", "meta: mark", "any of several flags",
            "a limit that isn't 'over'", "a limit that both IP versions", "a limit before what drops")
    assert len(lines) == 7 and lines[6].endswith(": 6 rules could not be expressed")
    for line, words in zip(lines, said):
        assert line.startswith("xdp_fw: netdev t c, rule with handle ") and words in line


def test_limit_of_both_versions(bed):
    done = convert(bed, "table netdev t {\n\tchain c {\n\t\ttype filter hook ingress device lo "
                        "priority 0; policy accept;\n\t\ttcp dport 5 limit rate over 9/second drop\n"
                        "\t}\n}\n")
    assert done.status == EX_DATAERR and done.out == "order first-match\n"
    assert "a limit that both IP versions share" in done.err


def chain(rules, family="inet", hook="input", policy="accept", kind="filter", before=""):
    """A table with a chain."""
    return (f"table {family} t {{\n{before}\nchain c {{\ntype {kind} hook {hook} priority 0; "
            f"policy {policy};\n" + "\n".join(rules) + "\n}\n}\n")


def imported(bed, ruleset, status=EX_OK):
    """Lines of rules, and reasons why others aren't."""
    done = convert(bed, ruleset)
    assert done.status == status and validates(done.out), done
    refused = [line.split(": ", 2)[-1] for line in done.err.splitlines()]
    return done.out.splitlines()[1:], refused[:-1]


def test_policy_is_of_the_tables_family(bed):
    rules, _ = imported(bed, chain(["tcp dport 22 accept"], "ip", policy="drop"))
    assert rules == ["ip from any to any tcp dport { 22 } action pass",
                     'ip from any to any proto any name "policy"']
    bed.server.run("nft", "flush", "ruleset")
    rules, _ = imported(bed, chain(["tcp dport 22 accept"], "ip6", policy="drop"))
    assert rules == ["ip6 from any to any tcp dport { 22 } action pass",
                     'ip6 from any to any proto any name "policy"']


def test_chains_for_other_packets(bed):
    """Those that go out, are no IP, or begin connections that are translated."""
    rules, refused = imported(
        bed, chain(["tcp dport 1 drop"], hook="output").replace("table inet t", "table inet a") +
        chain(["tcp dport 2 accept"], "ip", "prerouting", kind="nat") +
        chain(["arp operation request drop"], "arp") + chain(["ip saddr 192.0.2.1 drop"]) +
        chain([], "ip6", "forward", "drop"), EX_DATAERR)
    assert rules == ["ip from { 192.0.2.1 } to any proto any action drop"]
    assert len(refused) == 4 and set(refused) == {
        "in another chain than the first filter for what comes in"}
    bed.server.run("nft", "flush", "ruleset")
    done = convert(bed, chain(["tcp dport 1 drop"], hook="output"))
    assert done.status == EX_DATAERR and not done.out and "no chain of type filter" in done.one_line()


def test_words_for_numbers(bed):
    """All that nft has for ICMP, and the machine for protocols."""
    types = {"router-advertisement": 9, "router-solicitation": 10, "info-request": 15,
             "info-reply": 16, "address-mask-request": 17, "address-mask-reply": 18}
    types6 = {"mld-listener-report": 131, "mld-listener-done": 132, "nd-redirect": 137,
              "router-renumbering": 138, "ind-neighbor-solicit": 141, "ind-neighbor-advert": 142,
              "mld2-listener-report": 143}
    rules, _ = imported(bed, chain([f"icmp type {name} drop" for name in types] +
                                   [f"icmpv6 type {name} drop" for name in types6] +
                                   ["ip protocol { 2, 89 } drop", "ip6 nexthdr 103 drop"]))
    assert rules == ([f"ip from any to any icmp type {{ {number} }} action drop"
                      for number in types.values()] +
                     [f"ip6 from any to any icmp6 type {{ {number} }} action drop"
                      for number in types6.values()] +
                     ["ip from any to any proto { 2, 89 } action drop",
                      "ip6 from any to any proto { 103 } action drop"])


def test_limits_before_other_packets_drops(bed):
    """What a limit lets pass meets none of the rules behind it."""
    limits = ["tcp dport 5 limit rate over 10/second burst 7 packets drop",
              "ip saddr 192.0.2.0/25 udp dport 9 limit rate over 9/second drop",
              "tcp dport != 5-65535 limit rate over 8/second drop",
              "icmp type 8 limit rate over 7/second drop"]
    behind = ["ip daddr 198.51.100.1 tcp dport 6 drop", "ip saddr 192.0.2.128/25 drop",
              "icmp type 9 drop"]
    rules, refused = imported(bed, chain(limits + behind[:1] + behind[2:], "ip"))
    assert not refused and rules == [
        "ip from any to any tcp dport { 5 } action limit 10/second burst 7",
        "ip from { 192.0.2.0/25 } to any udp dport { 9 } action limit 9/second burst 5",
        "ip from any to any tcp dport not { 5-65535 } action limit 8/second burst 5",
        "ip from any to any icmp type { 8 } action limit 7/second burst 5",
        "ip from any to { 198.51.100.1 } tcp dport { 6 } action drop",
        "ip from any to any icmp type { 9 } action drop"]
    bed.server.run("nft", "flush", "ruleset")
    rules, refused = imported(bed, chain(limits + behind, "ip"), EX_DATAERR)
    assert refused == ["a limit before what drops"] * 3 and "limit 9/second" in rules[0]


def test_limits_that_do_something_else(bed):
    rules, refused = imported(bed, chain([
        "tcp dport 5 limit rate over 10/second counter",
        "limit rate over 10/second tcp dport 5 drop",
        "tcp dport 5 limit rate over 10/second accept",
        "tcp dport 5 limit rate over 10/minute drop"], "ip"), EX_DATAERR)
    assert not rules
    assert refused == ["a limit that doesn't drop", "a limit that others count against",
                       "a limit with: pass",
                       "a limit that isn't 'over' so many packets a second"]


def test_sets(bed):
    """Of many entries; such as change can't be."""
    many = ", ".join(f"10.{number >> 8}.{number & 255}.0/25" for number in range(2000))
    sets = ("set out { type ipv4_addr; timeout 1h; elements = { 192.0.2.1 timeout 10m } }\n"
            "set none { type ipv4_addr; }\n"
            'set said { type ipv4_addr; elements = { 192.0.2.1 comment "x" } }\n')
    rules, refused = imported(bed, chain([
        f"ip saddr {{ {many} }} drop", "ip saddr @out drop",
        "ip saddr @none drop", "ip saddr @said drop"], before=sets), EX_DATAERR)
    assert rules[-2] == f"ip from {{ {many} }} to any proto any action drop"
    assert rules[-1] == "ip from { @nft_said } to any proto any action drop"
    assert refused == ["a set whose entries come and go: out", "an empty set: none"]


def test_sets_that_rules_add_to(bed):
    """As newer versions of nft print them."""
    place = {"family": "ip", "table": "t"}
    match = {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@s"}
    document = {"nftables": [
        {"set": {**place, "name": "s", "type": "ipv4_addr", "flags": ["dynamic"],
                 "elem": ["192.0.2.1"]}},
        {"chain": {**place, "name": "c", "type": "filter", "hook": "input", "policy": "accept"}},
        {"rule": {**place, "chain": "c", "handle": 1, "expr": [{"match": match}, {"drop": None}]}},
    ]}
    done = bed.server.run(FW, "--from-nft", "-", stdin=json.dumps(document), expect=EX_DATAERR)
    assert "a set whose entries come and go: s" in done.err
    del document["nftables"][0]["set"]["flags"]
    done = bed.server.run(FW, "--from-nft", "-", stdin=json.dumps(document))
    assert "ip from { @nft_s } to any proto any action drop" in done.out.splitlines()


def test_fragments(bed):
    rules, refused = imported(bed, chain(["ip frag-off & 0x3fff != 0 drop",
                                          "ip frag-off & 0x3fff == 0 accept",
                                          "ip frag-off & 0x1fff != 0 drop"]), EX_DATAERR)
    assert rules == ["ip from any to any proto any fragment action drop",
                     "ip from any to any proto any not fragment action pass"]
    assert refused == ["a mask on: frag-off"]


def test_orders(bed):
    """What isn't equal is so only where rules have words for it."""
    rules, refused = imported(bed, chain([
        "ip frag-off & 0x3fff > 0 drop", "ip frag-off & 0x3fff < 1 drop", "tcp flags > syn drop",
        "tcp flags & (fin|syn) > fin drop", "tcp flags & (fin|syn) <= fin drop",
        "ip ttl > 5 drop", "tcp dport <= 1023 drop"], "ip"), EX_DATAERR)
    assert rules == ["ip from any to any proto any fragment action drop",
                     "ip from any to any ttl 6-255 proto any action drop",
                     "ip from any to any tcp dport 0-1023 action drop"]
    assert refused == ["a mask on: frag-off", "a comparison: >", "a comparison: >",
                       "a comparison: <="]


def document(*statements, **place):
    """What nft would print of a chain whose rules have a statement each before their drop."""
    place = {"family": "ip", "table": "t", **place}
    return {"nftables": [
        {"chain": {**place, "name": "c", "type": "filter", "hook": "input", "policy": "accept"}},
        *({"rule": {**place, "chain": "c", "handle": handle, "expr": [statement, {"drop": None}]}}
          for handle, statement in enumerate(statements))]}


def refused_of(bed, printed):
    done = bed.server.run(FW, "--from-nft", "-", stdin=json.dumps(printed), expect=EX_DATAERR)
    assert done.out == "order first-match\n"
    return [line.split(": ", 2)[-1] for line in done.err.splitlines()][:-1]


MASK = {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, ["fin", "syn"]]}
FRAGMENT = {"&": [{"payload": {"protocol": "ip", "field": "frag-off"}}, 0x3fff]}


@pytest.mark.parametrize("op", (5, "foo", "", "=", "== ", "!=!", "== !=", None, ["=="]))
def test_comparisons_that_nobody_knows(bed, op):
    left = [{"payload": {"protocol": "tcp", "field": "flags"}}, MASK, FRAGMENT,
            {"payload": {"protocol": "tcp", "field": "dport"}}, {"meta": {"key": "l4proto"}}]
    right = ["syn", "fin", 0, 5, "tcp"]
    reasons = refused_of(bed, document(*({"match": {"op": op, "left": what, "right": value}}
                                         for what, value in zip(left, right))))
    assert len(reasons) == 5 and all(line.startswith("a comparison") for line in reasons)


@pytest.mark.parametrize("value", (-2**63, -1, 65536, 2**63 - 1))
def test_orders_beyond_a_field(bed, value):
    port = {"payload": {"protocol": "tcp", "field": "dport"}}
    printed = document(*({"match": {"op": op, "left": port, "right": value}} for op in "<>"))
    assert refused_of(bed, printed) == [f"a value: {value}"] * 2


@pytest.mark.parametrize("statement", (None, 5, "drop", [], [[]], True, 1.5))
def test_statements_that_are_none(bed, statement):
    reason, = refused_of(bed, document(statement))
    assert reason.startswith("a statement: ")
    refused_of(bed, document({"counter": None, "reject": None}))


def test_other_vlans(bed):
    """A frame without a tag is in none of them."""
    rules, refused = imported(bed, chain([
        "vlan id != 5 counter", "vlan id != { 0, 7-9, 99 } counter", "vlan id != 10-4095 counter",
        "vlan id != 0-4095 counter", "vlan id > 4000 counter"], "netdev", "ingress device lo"),
        EX_DATAERR)
    assert rules == [f"{ip} from any to any proto any vlan {vlans} action count"
                     for vlans in ("{ 0-4, 6-4095 }", "{ 1-6, 10-98, 100-4095 }", "{ 0-9 }",
                                   "4001-4095")
                     for ip in ("ip", "ip6")]
    assert refused == ["a comparison that never matches: !="]


def test_extension_headers(bed):
    """A packet's protocol is what is behind them."""
    rules, refused = imported(bed, chain([
        "ip6 nexthdr 0 drop", "ip6 nexthdr { 6, 44 } drop", "ip6 nexthdr != 60 drop",
        "ip6 nexthdr 40-50 drop", "ip6 nexthdr > 52 drop", "ip6 nexthdr 51 drop",
        "ip6 nexthdr 59 drop", "ip protocol 51 drop"]), EX_DATAERR)
    assert rules == ["ip6 from any to any proto { 59 } action drop",
                     "ip from any to any proto { 51 } action drop"]
    assert refused == ["an extension header as protocol"] * 6


def large(sets, matches, *statements):
    """Sets of so many addresses each, and a rule for each match."""
    place = {"family": "ip", "table": "t"}
    rules = document(*matches)["nftables"]
    for rule in rules[1:]:
        rule["rule"]["expr"][1:1] = statements
    return {"nftables": [
        *({"set": {**place, "name": f"s{number}", "type": "ipv4_addr",
                   "elem": [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(count)]}}
          for number, count in enumerate(sets)), *rules]}


def equal(protocol, field, value):
    return {"match": {"op": "==", "left": {"payload": {"protocol": protocol, "field": field}},
                      "right": value}}


LIMIT_OVER = {"limit": {"rate": 10, "burst": 5, "per": "second", "inv": True}}


def test_large(bed):
    """Many rules, sets and limits; in a guest fewer."""
    addresses = [f"10.{i >> 8}.{i & 255}.1" for i in range(4000)]
    rules, ports = 4096, 2000
    for printed, count, status in (
            (large([100000], [equal("ip", "saddr", "@s0")] * 50), 50, EX_OK),
            (large([1] * 50, [equal("ip", "saddr", f"@s{i % 50}") for i in range(rules)]), rules,
             EX_OK),
            (large([], [equal("tcp", "dport", i) for i in range(ports)], LIMIT_OVER), ports, EX_OK),
            (large([], [equal("ip", "saddr", {"set": [f"11.0.0.{i}"] + addresses})
                        for i in range(20)], LIMIT_OVER), 1, EX_DATAERR)):
        done = bed.server.run(FW, "--from-nft", "-", stdin=json.dumps(printed), expect=status)
        assert done.out.count("action") == count


def test_mapped_addresses_in_sets(bed):
    """Those of IPv6 stay IPv6."""
    place = {"family": "ip6", "table": "t"}
    printed = document(equal("ip6", "saddr", "@s"), **place)
    printed["nftables"].insert(0, {"set": {**place, "name": "s", "type": "ipv6_addr", "elem": [
        "2001:db8::1", {"prefix": {"addr": "::ffff:192.0.2.0", "len": 120}}]}})
    done = bed.server.run(FW, "--from-nft", "-", stdin=json.dumps(printed))
    assert "::ffff:192.0.2.0/120\n" in done.out
    assert done.out.endswith("ip6 from { @nft_s } to any proto any action drop\n")
    bed.server.run(FW, "--validate", "--rules", "-", stdin=done.out)


@pytest.mark.parametrize("family, hook", (("netdev", "ingress device lo"), ("bridge", "input")))
def test_drops_of_what_is_no_ip(bed, family, hook):
    """ARP comes there too; the rules are written, and that is said."""
    more = "drops what isn't IP too, which rules can't"
    rules, refused = imported(bed, chain([
        "vlan id 5 drop", "tcp dport 5 drop", "meta l4proto != tcp drop", "counter", "accept", "drop"],
        family, hook, "drop"), EX_DATAERR)
    assert refused == [more] * 3
    assert rules[-4:] == ["ip from any to any proto any action drop",
                          "ip6 from any to any proto any action drop",
                          'ip from any to any proto any name "policy"',
                          'ip6 from any to any proto any name "policy"']
    bed.server.run("nft", "flush", "ruleset")
    _, refused = imported(bed, chain(["drop"], policy="drop"))
    assert not refused


def test_no_file(bed, scratch):
    done = bed.server.run(FW, "--from-nft", scratch / "nothing", expect=EX_NOINPUT)
    assert done.one_line() == f"xdp_fw: {scratch}/nothing: No such file or directory"


@pytest.mark.parametrize("text", ("", "{", "[]", json.dumps({"nftables": []}),
                                  json.dumps({"nftables": [{"rule": 5}, 7]})))
def test_no_ruleset(bed, text):
    done = bed.server.run(FW, "--from-nft", "-", stdin=text, expect=EX_DATAERR)
    assert done.one_line()
