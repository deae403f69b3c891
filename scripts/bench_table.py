#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Puts figures of './build.sh bench --json' between marks in README.md, where they were measured."""
import argparse
import json
import pathlib
import textwrap

# Of each part of README.md that figures go to.
BEGIN, END = "<!-- {}: begin -->\n", "<!-- {}: end -->\n"
README = pathlib.Path(__file__).resolve().parent.parent / "README.md"

ROOT = [("root, no slots", "no slots, IPv{} TCP"),
        ("root, one slot without opinion", "1 empty slot, IPv{} TCP"),
        ("root, four slots without opinion", "4 empty slots, IPv{} TCP")]
LISTS = ["0", "1 000", "100 000", "1 000 000"]
LIVE = "Live frames over veth, one CPU: dropped by root and filter"
RULES = "Root and firewall"
MANY_RULES = "4 096 rules, packets near them"
NFT = "Live frames, root and firewall"
RULES_TOOL = "Changing rules, end to end"
MEMORY = "This machine's memory: dependent random reads"
SAMPLER = "Sampler attached, most packets not sampled"
TOOL = "Changing a list, end to end"


class Figures:
    """Cases by section and name."""

    def __init__(self, text):
        self.document = json.loads(text)
        self.cases = {(case["section"], case["name"]): case for case in self.document["cases"]}

    def case(self, section, name):
        """None where that wasn't measured."""
        return self.cases.get((section, name))

    def cell(self, section, name):
        """Nanoseconds, and how many times the bare program's."""
        case = self.case(section, name)
        return f"{case['best']:.1f} ns, {case['ratio']:.1f} ×" if case else "-"


def table(figures):
    """What a packet costs, a row for each case."""
    yield "| | IPv4 | IPv6 |"
    yield "|---|---|---|"
    for title, name in ROOT:
        cells = [figures.cell("Root array", name.format(version)) for version in (4, 6)]
        yield f"| {title} | {' | '.join(cells)} |"
    for kind in ("no match", "listed"):
        for size in LISTS if kind == "no match" else LISTS[1:]:
            for draw in ("hot", "random"):
                cells = [figures.cell(f"Root and filter, IPv{version} sources",
                                      f"{size} prefixes, {kind}, {draw}") for version in (4, 6)]
                yield f"| root and filter, {size} prefixes, {kind}, {draw} | {' | '.join(cells)} |"


def facts(figures):
    """The rest, one sentence each."""
    read = figures.case(MEMORY, "within 32 MiB")
    if read:
        yield ("Random sources of a million wait for this machine's memory: a read at random within "
               f"32 MiB takes {read['best']:.0f} ns.")
    peers = [case["ratio"] for (section, _), case in figures.cases.items()
             if section.startswith("Beside xdp-filter")]
    if peers:
        yield ("Beside xdp-filter (xdp-tools) with as many addresses, no match: "
               f"{min(peers):.2f} to {max(peers):.2f} of its time.")
    live, random = (figures.case(LIVE, f"1 000 000 prefixes, {draw}") for draw in ("hot", "random"))
    if live and random:
        yield (f"Live frames over veth, one CPU, a list of a million: {live['best']:.1f} million "
               f"dropped a second, {live['ratio']:.2f} of a bare `XDP_DROP`; each from another "
               f"source of the list, {random['best']:.1f} million, {random['ratio']:.2f}.")
    sampler = figures.case(SAMPLER, "IPv4 TCP, 1 in 2 500 sampled")
    if sampler:
        yield (f"`xdp_sampler` attached, a packet between two samples: "
               f"{max(sampler['difference'], 0):.1f} ns more.")
    for version in (4, 6):
        load = figures.case(TOOL, f"xdp_filter --load, 1 000 000 IPv{version} prefixes")
        if load:
            yield f"A list of a million IPv{version} prefixes is loaded in {load['best']:.1f} s."


def head(figures, note):
    """Where this was measured."""
    machine = figures.document["machine"]
    packets = f"{figures.document['repeat']:,}".replace(",", " ")
    kernel = machine["kernel"].split("-")[0]
    runs = figures.document["passes"] * figures.document["rounds"]
    yield textwrap.fill(f"{machine['processor']}, kernel {kernel}; best of "
                        f"{runs} runs of {packets} packets{note}:", 99)
    yield ""


def costs(figures):
    """The costs of root array and filter."""
    yield from table(figures)
    yield ""
    for fact in facts(figures):
        yield textwrap.fill("- " + fact, 99, subsequent_indent="  ")


def rules_table(figures):
    """What packets that no rule matches cost."""
    kinds = [f"{draw}, IPv{version}" for draw in ("hot", "random", "near") for version in (4, 6)]
    yield f"| rules | {' | '.join(kinds)} |"
    yield "|---" * (len(kinds) + 1) + "|"
    for count in ("64", "1 024", "4 096"):
        cells = [figures.case(RULES, f"IPv{version}, {count} rules, no match, {draw}")
                 for draw in ("hot", "random", "near") for version in (4, 6)]
        yield f"| {count} | " + " | ".join(
            f"{case['difference']:.1f} ns" if case else "-" for case in cells) + " |"


def many_table(figures):
    """Unkind rulesets, by how many times 64 of the kind cost."""
    names = sorted({name.split(", ", 2)[2] for section, name in figures.cases
                    if section == MANY_RULES})
    yield "| 4 096 rules | IPv4 | IPv6 |"
    yield "|---|---|---|"
    for name in names:
        cells = [figures.case(MANY_RULES, f"IPv{version}, 4 096 rules, {name}")
                 for version in (4, 6)]
        yield f"| {name} | " + " | ".join(
            f"{case['best']:.0f} ns, {case['ratio']:.1f} ×" if case else "-"
            for case in cells) + " |"


def nft_table(figures):
    """Beside nftables."""
    yield "| 1 024 rules; nft has | root and xdp_fw | nft | ratio |"
    yield "|---|---|---|---|"
    for (section, name), case in figures.cases.items():
        if section == NFT:
            traffic, rules = name.split(", ", 1)[1].split("; nft: ")
            yield (f"| {rules}; {traffic} | {case['best']:.2f} | {case['baseline']:.2f} | "
                   f"{case['ratio']:.1f} × |")


def firewall(figures):
    """All of the firewall's."""
    yield "Over root alone, for packets that match none of the rules:"
    yield ""
    yield from rules_table(figures)
    yield ""
    yield "Root and firewall, for packets near rulesets made to be unkind; × is the ratio to"
    yield "64 rules of the kind:"
    yield ""
    yield from many_table(figures)
    yield ""
    if any(section == NFT for section, _ in figures.cases):
        yield "Live frames over veth beside nftables' ingress hook, million frames a second:"
        yield ""
        yield from nft_table(figures)
        yield ""
    for (section, name), case in figures.cases.items():
        if section == RULES_TOOL:
            yield f"- `{name.split(', ')[0]}`, {name.split(', ', 1)[1]}: {case['best']:.2f} s"


# Part of README.md, the section that tells whether it was measured, and what is written there.
PARTS = (("bench", "Root array", costs), ("bench firewall", RULES, firewall))


def main():
    """Read the figures, write README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=argparse.FileType(), help="JSON, - for stdin")
    parser.add_argument("--note", default="", help="what else there is to know of the machine")
    args = parser.parse_args()
    figures = Figures(args.figures.read())
    text = README.read_text()
    for part, section, lines in PARTS:
        if any(case_section == section for case_section, _ in figures.cases):
            before, rest = text.split(BEGIN.format(part))
            after = rest.split(END.format(part))[1]
            body = "".join(line + "\n" for line in
                           (*head(figures, args.note and "; " + args.note), *lines(figures)))
            text = before + BEGIN.format(part) + body + END.format(part) + after
    README.write_text(text)


if __name__ == "__main__":
    main()
