# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""How flows end that are shut down first: each is one, and ends as it did."""
import os
import select
import socket

import pytest

from flows import V4, Listener, by_side, monitoring, receive, reset_at_close
from testbed import eventually

# <asm-generic/socket.h>; Python has no name for it.
SO_SNDBUFFORCE = 32


def serve(listener, count):
    """In a process of its own: accept so many, read each to its end, close it."""
    pid = os.fork()
    if pid:
        return pid
    try:
        for _ in range(count):
            connection, _ = listener.socket.accept()
            while connection.recv(1 << 20):
                pass
            connection.close()
        os._exit(0)
    finally:
        os._exit(1)


def test_closed_after_shutdown(host):
    """close() sets the state again that shutdown() has set: that is no other flow."""
    octets, count = 300_000, 5
    with monitoring(netns=host) as monitor:
        with host.entered():
            listener = Listener(options=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),))
            child = serve(listener, 1 + count)
            # The first ends upon the other process: after that, what closes is noted.
            for number in range(1 + count):
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 4 * octets)
                client.connect((V4, listener.port))
                client.sendall(bytes(octets if number else 10))
                client.shutdown(socket.SHUT_WR)
                client.close()
                monitor.wait_for(2 * (number + 1))
            listener.close()
            assert os.waitpid(child, 0)[1] == 0
        records = monitor.stop()
    assert len(records) == 2 * (1 + count)
    active, passive = by_side(records, "active"), by_side(records, "passive")
    assert sorted(record["bytes_sent"] for record in active) == [10, *[octets] * count]
    assert sorted(record["bytes_received"] for record in passive) == [10, *[octets] * count]
    assert all(record["flags"] == [] and record["end"] == "fin" for record in active)


@pytest.mark.parametrize("how", ("unread", "linger", "impatient"))
def test_reset_when_half_closed(host, how):
    """The side that sent a FIN first resets what the other sends still."""
    with monitoring(netns=host) as monitor:
        with host.entered():
            listener = Listener()
            client, server = listener.connect()
            client.sendall(bytes(100))
            client.shutdown(socket.SHUT_WR)
            receive(server, 100)
            assert server.recv(1) == b""
            if how == "unread":
                server.sendall(bytes(500))
                eventually(lambda: select.select([client], [], [], 0)[0], "data")
            elif how == "linger":
                reset_at_close(client)
            else:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, -1)
            client.close()
            eventually(lambda: monitor.counts()["closes"], "a close")
            server.close()
            listener.close()
        monitor.wait_for(2)
        records = monitor.stop()
    assert [record["end"] for record in records] == ["rst", "rst"]
    assert all("reset" in record["flags"] for record in records)
    (active,) = by_side(records, "active")
    assert (active["bytes_sent"], active["bytes_received"]) == (100, 500 if how == "unread" else 0)
