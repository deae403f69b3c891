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
ip from { 10.0.0.0/8 } to any tcp dport { 80, 443, 1000-2000 } action drop name "web"
ip from { @nft_bad } to any proto any action drop
ip from any to any tcp dport { 80, 8000-8999 } action pass
ip6 from any to any tcp dport { 80, 8000-8999 } action pass
ip6 from { 2001:db8::/32 } to any udp sport { 53 } action drop
ip from any to any icmp type { 8 } action limit 10/second burst 3
ip from any to any tcp flags { syn } mask { syn, ack } action drop
ip6 from any to any tcp flags { syn } mask { syn, ack } action drop
ip from any to any ttl 0-4 proto any action pass
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


def test_policy(bed):
    done = convert(bed, RULESET.replace("POLICY", "drop").replace("UNKNOWN", ""))
    assert done.out == EXPECTED + ('ip from any to any proto any name "policy"\n'
                                   'ip6 from any to any proto any name "policy"\n')


def test_what_cannot(bed):
    unknown = ("meta mark 5 drop\n\t\tip saddr @wide drop\n\t\tip saddr 10.0.0.1-10.0.0.3 drop\n"
               "\t\tudp dport 53 limit rate 10/second accept")
    done = convert(bed, RULESET.replace("POLICY", "accept").replace("UNKNOWN", unknown))
    assert done.status == EX_DATAERR and done.out == EXPECTED
    lines = done.err.splitlines()
    assert len(lines) == 5 and lines[4].endswith(": 4 rules could not be expressed")
    for line, words in zip(lines, ("meta: mark", "a set with something else than prefixes: wide",
                                   "a range of addresses", "a limit that isn't 'over'")):
        assert line.startswith("xdp_fw: netdev t c, rule with handle ") and words in line


@pytest.mark.parametrize("text", ("", "{", "[]", json.dumps({"nftables": []}),
                                  json.dumps({"nftables": [{"rule": 5}, 7]})))
def test_no_ruleset(bed, text):
    done = bed.server.run(FW, "--from-nft", "-", stdin=text, expect=EX_DATAERR)
    assert done.one_line()
