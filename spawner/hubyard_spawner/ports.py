"""Ports: where on this machine a server may listen."""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

FIRST, LAST = 20_000, 32_000
"""Below the ports that the system lends to outgoing connections, one of which might
otherwise hold a server's port just when it starts. Linux lends 32768 and up:
https://docs.kernel.org/networking/ip-sysctl.html (ip_local_port_range).
"""


def free_port(taken: Collection[int] = ()) -> int:
    """A port that nobody listens on at loopback, and that is not `taken`.

    Raises:
        OSError: there is none.
    """
    for port in random.sample(range(FIRST, LAST), LAST - FIRST):
        if port not in taken and is_free("127.0.0.1", port):
            return port
    raise OSError(f"Every port from {FIRST} to {LAST} is taken: stop what listens.")


def is_free(host: str, port: int) -> bool:
    """Whether a server may listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return True
    except OSError:
        return False
