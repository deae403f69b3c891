# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What is wrong gets one line, a sysexits code, and leaves everything as it was."""
import contextlib
import fcntl
import os
import pathlib
import re

import pytest

from testbed import (DEADLINE, EX_DATAERR, EX_IOERR, EX_NOHOST, EX_NOINPUT, EX_NOPERM, EX_OK,
                     EX_TEMPFAIL, EX_UNAVAILABLE, EX_USAGE, FILTER, GUEST, ROOT_LOADER, Bed,
                     data_path, eventually, sample)
from traffic import Traffic, udp4, udp6

NEEDS_INTERFACE = ("--attach", "--detach", "--stage", "--commit", "--abort", "--clear")

# Arguments, exit status, and what the message says; to each "--interface eth0" is added unless
# it has one, or ends in "!".
ROOT_CASES = [
    ("--bogus !", EX_USAGE, "unknown option '--bogus'"),
    ("-Z !", EX_USAGE, "unknown option '-Z'"),
    ("--att", EX_USAGE, "did you mean '--attach'"),
    ("--attach=3", EX_USAGE, "takes no argument"),
    ("--attach operand", EX_USAGE, "unexpected argument 'operand'"),
    ("--attach --detach", EX_USAGE, "--attach and --detach exclude each other"),
    ("--attach --generic --native", EX_USAGE, "--generic and --native exclude each other"),
    ("--attach --native --libxdp", EX_USAGE, "--native and --libxdp exclude each other"),
    ("--attach --nop --libxdp", EX_USAGE, "--nop and --libxdp exclude each other"),
    ("--attach --frags --no-frags", EX_USAGE, "--frags and --no-frags exclude each other"),
    ("--status --json --openmetrics", EX_USAGE, "--json and --openmetrics exclude each other"),
    ("--status --force", EX_USAGE, "--status has no use for --force"),
    ("--detach --generic", EX_USAGE, "--detach has no use for --generic"),
    ("--commit --frags", EX_USAGE, "--commit has no use for --frags"),
    ("--clear --json", EX_USAGE, "--clear has no use for --json"),
    ("--attach --interface !", EX_USAGE, "--interface: argument missing"),
    ("--attach --interface eth0,,eth1", EX_USAGE, "--interface: empty item"),
    ("--attach --interface ,", EX_USAGE, "--interface: empty item"),
    ("--watch 0", EX_USAGE, "--watch: 0 is too short"),
    ("--watch 1y", EX_USAGE, "'1y' is not a duration"),
    ("--watch 99999999999999999999", EX_USAGE, "is too long"),
    *[(f"{mode} !", EX_USAGE, f"{mode} needs --interface") for mode in NEEDS_INTERFACE],
    *[(f"{mode} --interface nosuch", EX_NOINPUT, "nosuch: no such network interface")
      for mode in (*NEEDS_INTERFACE, "--status", "--reasons", "--watch")],
    ("--attach --interface eth0,nosuch,more", EX_NOINPUT, "nosuch and more: no such"),
    ("--attach --interface ../eth0", EX_NOINPUT, "no such network interface"),
    ("--attach --interface a\nb", EX_NOINPUT, "no such network interface"),
    ("--attach --interface farlongerthananameis", EX_NOINPUT, "no such network interface"),
    ("--attach --generic", EX_UNAVAILABLE, "--force"),
    ("--attach --libxdp", EX_UNAVAILABLE, "libxdp"),
    ("--commit", EX_UNAVAILABLE, "no staged generation"),
    ("--abort", EX_UNAVAILABLE, "no staged generation"),
]

PREFIX = "no prefix; write 192.0.2.0/24"

FILTER_CASES = [
    ("--bogus !", EX_USAGE, "unknown option '--bogus'"),
    ("--drop", EX_USAGE, "--drop needs --ips"),
    ("--allow", EX_USAGE, "--allow needs --ips"),
    ("--no-drop", EX_USAGE, "--no-drop needs --ips"),
    ("--clear --ips 192.0.2.0/24", EX_USAGE, "--clear has no use for --ips"),
    ("--clear-status --stage", EX_USAGE, "--clear-status has no use for --stage"),
    ("--list --openmetrics", EX_USAGE, "--list has no use for --openmetrics"),
    ("--attach --expires 10m", EX_USAGE, "--attach has no use for --expires"),
    ("--attach --frags-drop --no-frags-drop", EX_USAGE, "exclude each other"),
    ("--drop --no-drop --ips 192.0.2.0/24", EX_USAGE, "exclude each other"),
    *[(f"--drop --ips {prefix}", EX_USAGE, PREFIX) for prefix in (
        "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08x",
        "10.0.0.256", "::/129", "::g", "1:2:3", "nonsense", "10.0.0.0/8/8", "/8",
        "fe80::1%eth0", "1\n2")],
    ("--drop --ips 203.0.113.0/24,10.0.0.0/33", EX_USAGE, "'10.0.0.0/33' is " + PREFIX),
    ("--drop --ips 203.0.113.0/24,,", EX_USAGE, "--ips: empty item"),
    ("--drop --ips 203.0.113.0/24 --tags a,b", EX_USAGE, "2 tags for 1 prefixes"),
    (f"--drop --ips 203.0.113.0/24 --tags {'t' * 64}", EX_USAGE, "longer than 63 octets"),
    ("--drop --ips 203.0.113.0/24 --tags a\nb", EX_USAGE, "control characters"),
    ("--drop --ips 203.0.113.0/24 --expires 0", EX_USAGE, "--expires: 0 is too short"),
    ("--drop --ips 203.0.113.0/24 --expires soon", EX_USAGE, "'soon' is not a duration"),
    ("--drop --ips 203.0.113.0/24 --expires 400d", EX_USAGE, "is too long"),
    ("--attach --ptb-max-pps x", EX_USAGE, "'x' is not a number"),
    ("--attach --ptb-max-pps -1", EX_USAGE, "'-1' is not a number"),
    ("--attach --ptb-max-pps 4294967296", EX_USAGE, "out of range"),
    ("--statsd --statsd-port 0", EX_USAGE, "out of range"),
    ("--statsd --statsd-host ..", EX_NOHOST, "statsd host .."),
    ("--drop --ips 203.0.113.0/24 !", EX_USAGE, "--drop needs --interface"),
    *[(f"{mode} --interface nosuch", EX_NOINPUT, "nosuch: no such network interface")
      for mode in ("--attach", "--detach", "--clear", "--clear-status", "--status", "--list",
                   "--drop --ips 203.0.113.0/24", "--statsd")],
    *[(f"{mode} --interface lo", EX_UNAVAILABLE,
       "lo: no root array; run 'xdp_root_loader --attach --interface lo'")
      for mode in ("--attach", "--detach", "--clear", "--drop --ips 203.0.113.0/24")],
    ("--drop --ips 203.0.113.0/24 --interface eth0,lo", EX_UNAVAILABLE, "lo: no root array"),
    ("--no-drop --ips 203.0.113.0/24", EX_UNAVAILABLE, "203.0.113.0/24 is not listed"),
    ("--attach --stage", EX_UNAVAILABLE, "no staged generation"),
    ("--load", EX_USAGE, "--load needs --interface"),
    ("--load /nonexistent/list", EX_NOINPUT, "/nonexistent/list: No such file"),
    ("--load /", EX_IOERR, "/: reading failed"),
]

# A list file's octets, the line that is wrong, and what the message says of it.
FILES = [
    (b"192.0.2.0/24\n203.0.113.0/33\n", 2, "'203.0.113.0/33'"),
    (b"# comment\n\n203.0.113.0/24 fine\nnonsense here\n", 4, "'nonsense here'"),
    (b"allow\n", 1, "'allow'"),
    (b"deny 203.0.113.0/24\n", 1, "'deny 203.0.113.0/24'"),
    (b"203.0.113.0/24\n\xff\xfe\n", 2, ""),
    (b"203.0.113.0/24\r198.51.100.0/24\n", 1, "'203.0.113.0/24?198.51.100.0/24'"),
    (b"203.0.113.0/24\r\n# old\r198.51.100.0/24\r", 2, "'# old?198.51.100.0/24'"),
    (b"203.0.113.0/24 " + b"t" * 64, 1, "63 octets"),
    (b"203.0.113.0/24 bell\a\n", 1, ""),
    (b"203.0.113.0/24\n198.51.100.0/24 a\0b\n", 2, "NUL"),
    (b"203.0.113.0/24\n\0", 2, "NUL"),
    (b"203.0.113.0/24\n" + b" " * 600 + b"\n", 2, "longer than 510 octets"),
]


@pytest.fixture(scope="module")
def module_bed(machine):
    """One testbed for all cases: that nothing changes is what they test."""
    # pylint: disable=unused-argument
    made = Bed()
    made.traffic = Traffic(made)
    made.attach("--frags-drop")
    made.filter("--drop", "--ips", "192.0.2.0/24,2001:db8::/32", "--tags", "listed",
                "--interface", "eth0")
    yield made
    made.traffic.close()
    made.close()


@pytest.fixture
def unchanged(module_bed):
    # pylint: disable=redefined-outer-name
    before = data_path(module_bed)
    yield module_bed
    assert data_path(module_bed) == before
    assert module_bed.traffic.exchange(
        good4=udp4(), bad4=udp4("192.0.2.1"), good6=udp6(), bad6=udp6("2001:db8::1")
    ) == ["good4", "good6"]


def words(arguments):
    if arguments.endswith("!"):
        return arguments[:-1].split()
    # Only blanks separate; newlines are what some arguments are made of.
    split = arguments.split(" ")
    return split if "--interface" in split or split[-1] == "--load" else [
        *split, "--interface", "eth0"]


def refused(run, arguments, status, said):
    line = run(*words(arguments), expect=status).one_line()
    assert re.match(r"xdp_(root_loader|filter): ", line) and said in line, line


@pytest.mark.anywhere
@pytest.mark.parametrize("arguments, status, said", sample(ROOT_CASES, 6),
                         ids=lambda value: repr(value)[:60])
def test_xdp_root_loader(unchanged, arguments, status, said):
    refused(unchanged.root, arguments, status, said)


@pytest.mark.anywhere
@pytest.mark.parametrize("arguments, status, said", sample(FILTER_CASES, 6),
                         ids=lambda value: repr(value)[:60])
def test_xdp_filter(unchanged, arguments, status, said):
    if arguments == "--load":
        arguments, said = "--load !", "--load: argument missing"
    refused(unchanged.filter, arguments, status, said)


@pytest.mark.anywhere
@pytest.mark.parametrize("tool", [ROOT_LOADER, FILTER], ids=lambda tool: tool.name)
def test_no_mode(unchanged, tool):
    """Usage, and what is missing."""
    for arguments in ([], ["--interface", "eth0"], ["--debug"]):
        result = unchanged.server.run(tool, *arguments, expect=EX_USAGE)
        assert result.out == ""
        assert result.err.startswith("Usage:") or "\nUsage:" in result.err
        assert result.err.splitlines()[-1].startswith(f"{tool.name}: no mode given")


@pytest.mark.parametrize("content, number, said", sample(FILES, 2),
                         ids=lambda value: repr(value)[:40])
def test_file_with_one_bad_line(unchanged, scratch, content, number, said):
    path = scratch / "list"
    path.write_bytes(content)
    line = unchanged.filter("--load", path, "--interface", "eth0", expect=EX_DATAERR).one_line()
    assert line.startswith(f"xdp_filter: {path}:{number}: ") and said in line
    assert "nothing changed" in line
    line = unchanged.filter("--load", "-", "--interface", "eth0", stdin=content,
                            expect=EX_DATAERR).one_line()
    assert line.startswith(f"xdp_filter: stdin:{number}: ")


@pytest.mark.skipif(GUEST, reason="a million prefixes take too long in an emulated guest")
def test_file_with_too_many_prefixes(unchanged):
    lines = "".join(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}\n"
                    for number in range(1000001))
    line = unchanged.filter("--load", "-", "--interface", "eth0", stdin=lines,
                            expect=EX_DATAERR).one_line()
    assert "stdin:1000001: more than 1000000 prefixes" in line


def test_closed_output(unchanged):
    """Neither a closed nor a full stdout passes for success."""
    for redirection in (">&-", ">/dev/full"):
        for tool, mode in ((ROOT_LOADER, "--status"), (FILTER, "--status"), (FILTER, "--list")):
            unchanged.server.run("sh", "-c", f'exec "$0" "$@" {redirection}', tool, mode,
                                 "--interface", "eth0", expect=EX_IOERR)


@contextlib.contextmanager
def held(bed, name="eth0"):
    """The lock of an interface's pins."""
    folder = os.open(bed.server.pins / name, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(folder)


CHANGES = [
    (ROOT_LOADER, "--attach"), (ROOT_LOADER, "--detach"), (ROOT_LOADER, "--stage"),
    (ROOT_LOADER, "--clear"), (FILTER, "--attach"), (FILTER, "--detach"), (FILTER, "--clear"),
    (FILTER, "--drop --ips 203.0.113.0/24"), (FILTER, "--clear-status"),
]


@pytest.mark.anywhere
def test_lock_held_for_too_long(unchanged):
    """Readers don't wait for it; others give up after ten seconds."""
    with held(unchanged):
        started = [unchanged.server.start(tool, *mode.split(), "--interface", "eth0")
                   for tool, mode in CHANGES]
        assert unchanged.status()["attached"]
        assert "192.0.2.0/24" in unchanged.filter("--list", "--interface", "eth0").out
        for process in started:
            out, err = process.communicate(timeout=DEADLINE + 30)
            assert process.returncode == EX_TEMPFAIL, err
            assert out == "" and re.fullmatch(
                r"xdp_\w+: eth0: another loader has held the lock for 10 s; try again .*\n", err)


def waits_for_lock(process, folder):
    """Whether it has opened the pin folder, which is just before it locks it."""
    def look():
        for link in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if os.readlink(link) == str(folder):
                    return True
        return False

    eventually(look, "a loader to wait for the lock")


def test_two_loaders_at_once(unchanged):
    """The second goes on when the first is done."""
    with held(unchanged):
        process = unchanged.server.start(FILTER, "--clear-status", "--interface", "eth0")
        waits_for_lock(process, unchanged.server.pins / "eth0")
        assert process.poll() is None
    _, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (EX_OK, "")


@pytest.mark.long
@pytest.mark.parametrize("anew", [False, True], ids=["deleted", "made anew"])
@pytest.mark.parametrize("tool, mode", [(ROOT_LOADER, "--attach"), (ROOT_LOADER, "--stage"),
                                        (FILTER, "--drop --ips 203.0.113.0/24"),
                                        (FILTER, "--attach")],
                         ids=lambda value: getattr(value, "name", value))
def test_interface_that_goes_meanwhile(bed, tool, mode, anew):
    """A loader has looked at it and waits for the lock when it is deleted."""
    bed.add_veth("eth1")
    bed.root("--attach", "--interface", "eth1")
    bed.filter("--attach", "--interface", "eth1")
    with held(bed, "eth1"):
        process = bed.server.start(tool, *mode.split(), "--interface", "eth1")
        waits_for_lock(process, bed.server.pins / "eth1")
        bed.server.run("ip", "link", "delete", "eth1")
        if anew:
            bed.add_veth("eth1")
    _, err = process.communicate(timeout=DEADLINE)
    if anew and tool == ROOT_LOADER:
        assert process.returncode == EX_OK and "former interface" in err, err
        assert bed.status("eth1")["attached"] == (mode == "--attach")
    else:
        assert process.returncode == (EX_UNAVAILABLE if anew else EX_NOINPUT), err
        assert re.fullmatch(r"xdp_\w+: eth1: .*\n", err), err
        assert bed.status("eth1")["attachment"] == "stale"
    bed.root("--detach", "--interface", "eth1")
    assert not bed.server.pins.exists()


def test_bpffs_is_mounted_where_there_is_none(bed, scratch):
    folder = scratch / "bpf"
    folder.mkdir()
    env = {"ECBPF_BPFFS": str(folder)}
    bed.root("--attach", "--interface", "eth0", env=env)
    assert bed.server.run("stat", "-f", "-c", "%T", folder).out == "bpf_fs\n"
    assert bed.root("--status", "--json", env=env).json["interfaces"][0]["attached"]
    assert bed.pin_tree() == set()
    bed.root("--detach", "--interface", "eth0", env=env)
    bed.server.run("umount", folder)


def test_bpffs_that_cannot_be_mounted(unchanged, scratch):
    missing = scratch / "nowhere"
    for run in (unchanged.root, unchanged.filter):
        line = run("--attach", "--interface", "lo", env={"ECBPF_BPFFS": str(missing)},
                   expect=EX_UNAVAILABLE).one_line()
        assert str(missing) in line and "bpffs" in line and "mount" in line


def test_bpffs_without_the_right_to_mount(unchanged, scratch):
    folder = scratch / "bpf"
    folder.mkdir()
    line = unchanged.server.run(
        "setpriv", "--bounding-set=-sys_admin", ROOT_LOADER, "--attach", "--interface", "lo",
        env={"ECBPF_BPFFS": str(folder)}, expect=EX_NOPERM).one_line()
    assert str(folder) in line and f"mount -t bpf bpf {folder}" in line


def test_bpffs_under_another_sysfs(bed):
    """As `ip netns exec` mounts one: the bpffs of who called is used."""
    command = f"mount -t sysfs sysfs /sys; exec {ROOT_LOADER} --attach --interface eth0"
    bed.server.run("unshare", "--mount", "sh", "-c", command)
    assert bed.status()["attached"]


@pytest.mark.parametrize("tool, mode", [(ROOT_LOADER, "--attach"), (ROOT_LOADER, "--stage"),
                                        (FILTER, "--attach"),
                                        (FILTER, "--drop --ips 203.0.113.0/24")],
                         ids=lambda value: getattr(value, "name", value))
def test_no_capabilities(unchanged, tool, mode):
    line = unchanged.server.run("setpriv", "--bounding-set=-all", "--inh-caps=-all", tool,
                                *mode.split(), "--interface", "eth0", expect=EX_NOPERM).one_line()
    assert "missing: CAP_BPF CAP_PERFMON CAP_NET_ADMIN" in line


@pytest.mark.parametrize("lacking", ["net_admin", "bpf", "perfmon"])
@pytest.mark.parametrize("tool, mode", [(ROOT_LOADER, "--attach"), (FILTER, "--attach")],
                         ids=["root", "filter"])
def test_a_capability_that_lacks(unchanged, tool, mode, lacking):
    """It is named."""
    line = unchanged.server.run(
        "setpriv", f"--bounding-set=-sys_admin,-{lacking}", tool, *mode.split(), "--interface",
        "eth0", expect=EX_NOPERM).one_line()
    assert f"missing: CAP_{lacking.upper()}" in line, line
