# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""pytest plugin: ends the run with a line per test, for outcomes.py to read."""
OUTCOMES = {"passed": "passed", "failed": "failed", "error": "failed", "skipped": "skipped",
            "xfailed": "passed", "xpassed": "failed"}


def reason(report):
    """Why it was skipped, in one line."""
    if isinstance(report.longrepr, tuple):
        return " ".join(report.longrepr[2].removeprefix("Skipped: ").split())
    return ""


def pytest_terminal_summary(terminalreporter):
    for key, outcome in OUTCOMES.items():
        for report in terminalreporter.stats.get(key, []):
            name = report.nodeid.partition("::")[2] or report.nodeid
            terminalreporter.write_line(f"OUTCOME {outcome} {name} | {reason(report)}")
