# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What single tests came to, read from what ctest and pytest wrote about a run of the suites."""
import re
import xml.etree.ElementTree

CTEST_REPORT, PYTEST_REPORT = "ctest.xml", "pytest-{}.xml"

CMOCKA = re.compile(r"\[ +(OK|FAILED|ERROR|SKIPPED) +\] (?!\d+ test\(s\))(.+)")
CMOCKA_OUTCOMES = {"OK": "passed", "FAILED": "failed", "ERROR": "failed", "SKIPPED": "skipped"}
REASON = re.compile(r"(?:SKIP|skipped|not run)\b:? *(.*)")


def tests_inside(output):
    """{name: (outcome, reason)} of the tests that a ctest's program ran; it need not say."""
    found, reason = {}, ""
    for line in output.splitlines():
        if match := CMOCKA.fullmatch(line):
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


def cases(path):
    return xml.etree.ElementTree.parse(path).getroot().iter("testcase") if path.exists() else ()


def of_ctest(path):
    found = {}
    for case in cases(path):
        name = case.get("name")
        outcome, reason = whole_outcome(case)
        inside = tests_inside(case.findtext("system-out") or "")
        for test, single in inside.items():
            found[f"{name}/{test}"] = single
        # A program that fails after its tests, or before them, fails for none of them.
        unexplained = outcome == "failed" and not any(
            single[0] == "failed" for single in inside.values())
        if not inside or unexplained:
            found[name] = (outcome, reason)
    return found


def pytest_name(case):
    """Test test_b of test_a.py is netns.a/test_b, as ctest names the file."""
    # A file that can't be read has no class, and its own name for a test's.
    file, test = case.get("classname") or case.get("name"), case.get("name")
    return f"netns.{file.rpartition('.')[2].removeprefix('test_')}/{test}"


def of_pytest(path):
    found = {}
    for case in cases(path):
        name, skipped = pytest_name(case), case.find("skipped")
        wrong = [part for part in case if part.tag in ("failure", "error")]
        if wrong:
            found[name] = ("failed", " ".join((wrong[0].get("message") or "").split()))
        elif skipped is not None:
            found[name] = ("skipped", " ".join((skipped.get("message") or "").split()))
        else:
            # A test that passed and failed in its teardown has two entries.
            found.setdefault(name, ("passed", ""))
    return found


def read(folder):
    """{"CTEST" or "CTEST/TEST": (outcome, reason)} from the reports in folder, as far as they
    were written."""
    found = of_ctest(folder / CTEST_REPORT)
    for path in folder.glob(PYTEST_REPORT.format("*")):
        found.update(of_pytest(path))
    return found


def slowest(folder, count):
    """[(seconds, name)] of the tests that took longest; of a ctest as a whole."""
    times = [(float(case.get("time")), case.get("name")) for case in cases(folder / CTEST_REPORT)]
    for path in folder.glob(PYTEST_REPORT.format("*")):
        times += [(float(case.get("time")), pytest_name(case)) for case in cases(path)]
    return sorted(times, reverse=True)[:count]
