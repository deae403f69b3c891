# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""TCP flows of which everything is known, and monitors that watch them."""
import contextlib
import errno
import json
import os
import signal
import socket
import struct
import tempfile
import time

from testbed import BUILD, DEADLINE, SOURCE, Namespace, Result, eventually

MONITOR = BUILD / "flow_monitor/tcp_monitor/tcp_monitor"
COUNTER = BUILD / "flow_monitor/tcp_counter/tcp_counter"

IPPROTO_MPTCP = 262
V4, V6, MAPPED = "127.0.0.1", "::1", "::ffff:127.0.0.1"


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def reset_at_close(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def receive(connection, count):
    """Exactly so many octets."""
    buffer = memoryview(bytearray(min(count, 1 << 20) or 1))
    while count:
        got = connection.recv_into(buffer, min(count, len(buffer)))
        assert got, f"{count} octets are missing"
        count -= got


def whole_lines(file):
    """Of what somebody writes just now."""
    return file.read_text().rpartition("\n")[0].splitlines()


def validate(document, schema):
    """Where jsonschema is installed; elsewhere nothing is lost but this."""
    try:
        import jsonschema  # pylint: disable=import-outside-toplevel
    except ImportError:
        return
    jsonschema.validate(document, json.loads((SOURCE / "docs/schema" / schema).read_text()),
                        cls=jsonschema.Draft202012Validator)


class Listener:
    """In the namespace that was entered when it was made."""

    def __init__(self, address=V4, protocol=0, options=()):
        # What is mapped comes to a socket that takes both.
        bound = "::" if address == MAPPED else address
        self.socket = socket.socket(family_of(bound), socket.SOCK_STREAM, protocol)
        self.socket.settimeout(DEADLINE)
        if address == MAPPED:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        for option in options:
            self.socket.setsockopt(*option)
        self.socket.bind((bound, 0))
        self.socket.listen(1024)
        self.address, self.protocol = address, protocol
        self.port = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()

    def connect(self, options=()):
        """Both ends of a connection."""
        client = socket.socket(family_of(self.address), socket.SOCK_STREAM, self.protocol)
        client.settimeout(DEADLINE)
        for option in options:
            client.setsockopt(*option)
        client.connect((self.address, self.port))
        server, _ = self.socket.accept()
        server.settimeout(DEADLINE)
        return client, server


# What becomes of a close that no filter leaves out.
ENDS = ("emitted", "ring_full", "table_full", "unseen")


class Monitor:
    """tcp_monitor, which looks at one namespace unless told otherwise."""

    def __init__(self, *arguments, netns=None, json_output=True, env=None, command=MONITOR):
        self.home = Namespace() if netns is None else netns
        self.own_home = netns is None
        words = ["--debug", "--json"] if json_output else []
        if netns is not None and "--netns" not in arguments:
            words += ["--netns", netns.path]
        # A pipe that nobody reads meanwhile would be full.
        self.out = tempfile.TemporaryFile("w+")  # pylint: disable=consider-using-with
        self.process = self.home.start(command, *words, *arguments, env=env, stdout=self.out)
        filters = {"--filter", "--min-bytes", "--min-duration"} & set(arguments)
        self.filters = ("filtered",) if filters else ()
        self.lines = []
        self.summary = None
        self.err = ""
        eventually(lambda: self.process.poll() is not None or self.status(), "a monitor that runs")

    def status(self):
        """Its own part of --status, once all is set up."""
        result = self.home.run(MONITOR, "--status", "--json", expect=None)
        if result.status or not result.out:
            return None
        for instance in result.json["instances"]:
            if instance["pid"] == self.process.pid and instance["since"]:
                return instance
        return None

    def counts(self):
        return self.status()["counts"]

    def closes(self):
        """Seen so far; not those of other namespaces, unless a filter leaves out others, too."""
        counts = self.counts()
        return sum(counts[end] for end in ENDS + self.filters)

    def wait_for(self, closes):
        """Until so many closes were seen."""
        try:
            eventually(lambda: self.closes() >= closes, f"{closes} closes")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.status()}") from None

    def stop(self):
        """End it: the records. Whatever there was is conserved."""
        self.process.send_signal(signal.SIGINT)
        _, self.err = self.process.communicate(timeout=DEADLINE * 4)
        self.out.seek(0)
        out = self.out.read()
        result = Result(self.process.args, self.process.returncode, out, self.err)
        assert result.status == 0, repr(result)
        self.lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        last = self.err.splitlines()[-1]
        if last.startswith("{"):
            self.summary = json.loads(last)
            validate(self.summary, "tcp_monitor-status.schema.json")
            for line in self.lines[:100]:
                validate(line, "tcp_monitor-record.schema.json")
            conserve(self.summary)
        return [line for line in self.lines if line["event"] == "flow"]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate(timeout=DEADLINE)
        self.out.close()
        if self.own_home:
            self.home.close()


def conserve(status):
    counts = status["counts"]
    assert counts["closes"] == counts["filtered"] + sum(counts[end] for end in ENDS), counts
    assert counts["received"] + counts["waiting"] == counts["emitted"], counts
    for name, output in status["outputs"].items():
        assert output["delivered"] + output["lost"] + output["held"] == (
            counts["received"] + counts["interim"] + counts["open"]), (name, status)


@contextlib.contextmanager
def monitoring(*arguments, **options):
    made = Monitor(*arguments, **options)
    try:
        yield made
    finally:
        made.close()


def by_side(records, direction, port=None):
    """Records of one side; port is the listener's."""
    key = "remote_port" if direction == "active" else "local_port"
    return [record for record in records if record["direction"] == direction
            and (port is None or record[key] == port)]


def now():
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


def refused_port():
    """A port of this namespace where nobody listens."""
    with socket.socket() as probe:
        probe.bind((V4, 0))
        return probe.getsockname()[1]


def mptcp_works(namespace):
    with namespace.entered():
        try:
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP).close()
        except OSError as error:
            assert error.errno in (errno.EPROTONOSUPPORT, errno.ENOPROTOOPT, errno.EINVAL)
            return False
    return True


def inode(namespace):
    return os.fstat(namespace.fd).st_ino
