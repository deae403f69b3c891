#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Puts figures of './build.sh bench --json' between the marks in README.md."""
import argparse
import json
import pathlib
import textwrap

BEGIN, END = "<!-- bench: begin -->\n", "<!-- bench: end -->\n"
README = pathlib.Path(__file__).resolve().parent.parent / "README.md"

ROOT = [("root, no slots", "no slots, IPv{} TCP"),
        ("root, one slot without opinion", "1 empty slot, IPv{} TCP"),
        ("root, four slots without opinion", "4 empty slots, IPv{} TCP")]
LISTS = ["0", "1 000", "100 000", "1 000 000"]
LIVE = "Live frames over veth, one CPU: dropped by root and filter"
RULES = "Root and firewall"
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
    peers = [case["ratio"] for (section, _), case in figures.cases.items()
             if section.startswith("Beside xdp-filter")]
    if peers:
        yield ("Beside xdp-filter (xdp-tools) with as many addresses, no match: "
               f"{min(peers):.2f} to {max(peers):.2f} of its time.")
    live = figures.case(LIVE, "1 000 000 prefixes, hot")
    if live:
        yield (f"Live frames over veth, one CPU, a list of a million: {live['best']:.1f} million "
               f"dropped a second, {live['ratio']:.2f} of a bare `XDP_DROP`.")
    rules = [figures.case(RULES, f"IPv{version}, {count} rules, no match, random")
             for version in (4, 6) for count in ("64", "4 096")]
    if all(rules):
        few4, many4, few6, many6 = (rule["difference"] for rule in rules)
        yield (f"`xdp_fw`, no match, random: {few4:.1f} ns over root alone for 64 rules, "
               f"{many4:.1f} for 4 096; IPv6 {few6:.1f} and {many6:.1f}.")
    sampler = figures.case(SAMPLER, "IPv4 TCP, 1 in 2 500 sampled")
    if sampler:
        yield (f"`xdp_sampler` attached, a packet between two samples: "
               f"{sampler['difference']:.1f} ns more.")
    for version in (4, 6):
        load = figures.case(TOOL, f"xdp_filter --load, 1 000 000 IPv{version} prefixes")
        if load:
            yield f"A list of a million IPv{version} prefixes is loaded in {load['best']:.1f} s."


def text_of(figures, note):
    """What goes between the marks."""
    machine = figures.document["machine"]
    packets = f"{figures.document['repeat']:,}".replace(",", " ")
    kernel = machine["kernel"].split("-")[0]
    runs = figures.document["passes"] * figures.document["rounds"]
    yield textwrap.fill(f"{machine['processor']}, kernel {kernel}; best of "
                        f"{runs} runs of {packets} packets{note}:", 99)
    yield ""
    yield from table(figures)
    yield ""
    for fact in facts(figures):
        yield textwrap.fill("- " + fact, 99, subsequent_indent="  ")


def main():
    """Read the figures, write README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=argparse.FileType(), help="JSON, - for stdin")
    parser.add_argument("--note", default="", help="what else there is to know of the machine")
    args = parser.parse_args()
    lines = text_of(Figures(args.figures.read()), args.note and "; " + args.note)
    before, rest = README.read_text().split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(before + BEGIN + "".join(line + "\n" for line in lines) + END + after)


if __name__ == "__main__":
    main()
