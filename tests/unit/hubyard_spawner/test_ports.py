"""Ports: free, below those of outgoing connections, and none of the taken."""

import functools
import socket
from pathlib import Path

import pytest

from hubyard_spawner.local import ports
from hubyard_spawner.local.ports import FIRST, LAST, free_port, is_free


def test_a_free_port_is_none_that_outgoing_connections_get():
    lent = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    port = free_port()
    assert FIRST <= port < LAST < int(lent[0])
    assert is_free("127.0.0.1", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_where_somebody_listens_it_is_not_free(host):
    port = free_port()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family):
        assert not is_free(host, port)


def test_many_that_start_at_once_meet_at_no_port():
    given = [free_port() for _ in range(500)]
    assert len({*given}) == 500


def test_the_taken_and_the_listening_are_passed_over(monkeypatch):
    first = free_port()
    monkeypatch.setattr(ports, "FIRST", first)
    monkeypatch.setattr(ports, "LAST", first + 3)
    monkeypatch.setattr(ports, "_in_turn", functools.cache(ports._in_turn.__wrapped__))
    with socket.create_server(("127.0.0.1", first)):
        assert free_port({first + 1}) == first + 2
        with pytest.raises(OSError, match="stop what listens"):
            free_port({first + 1, first + 2})
