"""Ports: where on this machine a server may listen."""

from __future__ import annotations

import functools
import itertools
import random
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FIRST, LAST = 20_000, 32_000
"""Below the ports that the system lends to outgoing connections, one of which might
otherwise hold a server's port just when it starts. Linux lends 32768 and up:
https://docs.kernel.org/networking/ip-sysctl.html (ip_local_port_range).
"""


def free_port(taken: Collection[int] = ()) -> int:
    """A port that nobody listens on at loopback, and that is not `taken`.

    A process is given none twice before all have had their turn: what starts at once
    shall not meet at one port before it listens there.

    Raises:
        OSError: there is none.
    """
    for port in itertools.islice(_in_turn(), LAST - FIRST):
        if port not in taken and is_free("127.0.0.1", port):
            return port
    raise OSError(f"Every port from {FIRST} to {LAST} is taken: stop what listens.")


@functools.cache
def _in_turn() -> Iterator[int]:
    """Every port, over and over, in an order that is this process' own."""
    return itertools.cycle(random.sample(range(FIRST, LAST), LAST - FIRST))


def is_free(host: str, port: int) -> bool:
    """Whether a server may listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return True
    except OSError:
        return False
