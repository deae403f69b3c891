# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What single tests came to, read from what ctest wrote about a run of the suites."""
import re
import xml.etree.ElementTree

PYTEST = re.compile(r"OUTCOME (passed|failed|skipped) (.*) \| (.*)")
CMOCKA = re.compile(r"\[ +(OK|FAILED|ERROR|SKIPPED) +\] (?!\d+ test\(s\))(.+)")
CMOCKA_OUTCOMES = {"OK": "passed", "FAILED": "failed", "ERROR": "failed", "SKIPPED": "skipped"}
REASON = re.compile(r"(?:SKIP|skipped|not run)\b:? *(.*)")


def tests_inside(output):
    """{name: (outcome, reason)} of the tests that a ctest's program ran; it need not say."""
    found, reason = {}, ""
    for line in output.splitlines():
        if match := PYTEST.fullmatch(line):
            found[match[2]] = (match[1], match[3])
        elif match := CMOCKA.fullmatch(line):
            # A summary at the end names some again.
            found.setdefault(match[2], (CMOCKA_OUTCOMES[match[1]], reason))
        elif match := REASON.match(line):
            reason = match[1]
    return found


def reason_of(output):
    """The last line that gives one."""
    matches = [REASON.match(line) for line in output.splitlines()]
    return next((match[1] for match in reversed(matches) if match), "")


def whole_outcome(case):
    """(outcome, reason) of a ctest."""
    output = case.findtext("system-out") or ""
    if case.get("status") == "run":
        return "passed", ""
    if case.get("status") == "notrun" and "Unable to find" not in output:
        return "skipped", reason_of(output)
    return "failed", ""


def read(path):
    """{"CTEST" or "CTEST/TEST": (outcome, reason)} from ctest's JUnit file."""
    outcomes = {}
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        name = case.get("name")
        outcome, reason = whole_outcome(case)
        inside = tests_inside(case.findtext("system-out") or "")
        for test, found in inside.items():
            outcomes[f"{name}/{test}"] = found
        # A program that fails after its tests, or before them, fails for none of them.
        unexplained = outcome == "failed" and not any(
            found[0] == "failed" for found in inside.values())
        if not inside or unexplained:
            outcomes[name] = (outcome, reason)
    return outcomes
