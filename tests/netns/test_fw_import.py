# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""xdp_fw --from-nft: what nft prints becomes rules, and what can't be is named."""
import json
import shutil
import subprocess

import pytest

from testbed import EX_DATAERR, EX_OK, FW, GUEST

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
    if GUEST:
        pytest.skip("the same everywhere: user space alone reads what nft prints")
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
    assert "a limit before what drops" in done.err.splitlines()[0]


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
            "a limit before what drops", "a limit before what drops", "a limit before what drops")
    assert len(lines) == 7 and lines[6].endswith(": 6 rules could not be expressed")
    for line, words in zip(lines, said):
        assert line.startswith("xdp_fw: netdev t c, rule with handle ") and words in line


def test_limit_of_both_versions(bed):
    done = convert(bed, "table netdev t {\n\tchain c {\n\t\ttype filter hook ingress device lo "
                        "priority 0; policy accept;\n\t\ttcp dport 5 limit rate over 9/second drop\n"
                        "\t}\n}\n")
    assert done.status == EX_DATAERR and done.out == "order first-match\n"
    assert "a limit that both IP versions share" in done.err


@pytest.mark.parametrize("text", ("", "{", "[]", json.dumps({"nftables": []}),
                                  json.dumps({"nftables": [{"rule": 5}, 7]})))
def test_no_ruleset(bed, text):
    done = bed.server.run(FW, "--from-nft", "-", stdin=text, expect=EX_DATAERR)
    assert done.one_line()
