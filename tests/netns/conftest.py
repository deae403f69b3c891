# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Fixtures: testbeds of two namespaces, and a bpffs that only this run sees."""
import contextlib
import os
import pathlib
import resource
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

# pylint: disable=wrong-import-position
import testbed  # noqa: E402
from traffic import Traffic  # noqa: E402

TOOLS = (testbed.ROOT_LOADER, testbed.FILTER, testbed.HELPERS / "flood")


def missing():
    """Why nothing can be tested here, or None."""
    if os.geteuid():
        return "network namespaces and XDP take root"
    for program in ("ip", "ethtool", "setpriv", "bpftool"):
        if not shutil.which(program):
            return f"no {program} here"
    return None


def pytest_configure(config):
    config.addinivalue_line("markers", "anywhere: no kernel has a part in it")
    config.addinivalue_line("markers", "long: left out of a quick run in a guest")


def pytest_sessionfinish(session, exitstatus):
    """77, as for ctest, if nothing ran."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == pytest.ExitCode.OK and "passed" not in reporter.stats:
        session.exitstatus = 77


@pytest.fixture(scope="session", autouse=True)
def machine():
    """Own mounts: bpffs and tracefs at their usual places, a scratch folder in memory."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    for tool in TOOLS:
        assert tool.exists(), f"{tool} is not built"
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK,
                           (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.environ.pop("ECBPF_BPFFS", None)
    top = tempfile.mkdtemp(prefix="ecbpf-netns-")
    try:
        try:
            testbed.unshare_mounts()
            testbed.mount("bpf", testbed.BPFFS, "bpf", 0, "mode=0700")
        except OSError as error:
            pytest.skip(f"no bpffs of one's own here: {error}")
        # It may be there already.
        with contextlib.suppress(OSError):
            testbed.mount("tracefs", testbed.TRACEFS, "tracefs")
        testbed.mount("tmpfs", top, "tmpfs", 0, "mode=0755")
        yield pathlib.Path(top)
    finally:
        testbed.libc.umount2(os.fsencode(top), 2)
        os.rmdir(top)


@pytest.fixture
def scratch(machine, request):
    """A folder for this test's files, which any user can read."""
    # pylint: disable=redefined-outer-name
    folder = pathlib.Path(tempfile.mkdtemp(prefix=request.node.originalname + "-", dir=machine))
    folder.chmod(0o755)
    return folder


@pytest.fixture
def bed(machine):
    """Server and client, nothing attached."""
    # pylint: disable=redefined-outer-name,unused-argument
    made = testbed.Bed()
    yield made
    made.close()


@pytest.fixture
def host(machine):
    """A namespace with loopback alone, for what stays inside a host."""
    # pylint: disable=redefined-outer-name,unused-argument
    made = testbed.Namespace()
    made.run("ip", "link", "set", "lo", "up")
    yield made
    made.close()


@pytest.fixture
def traffic(bed):
    # pylint: disable=redefined-outer-name
    made = Traffic(bed)
    yield made
    made.close()
