"""The guard: lets a process connect to public addresses alone, and to a few by name.

It hears every connection of this process before it is made, at the very address, so a
name that resolves differently the second time, a redirect, and every way to write an
address all come to the same door. It cannot be taken off again: see `sender`.
"""

from __future__ import annotations

import socket
import sys
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_FORBIDDEN = {
    *("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty"),
    *("os.posix_spawn", "pty.spawn", "socket.sendto", "socket.sendmsg", "socket.bind"),
}
"""Ways out that no message needs."""


class Inside(PermissionError):
    """An address of this machine or its network."""


class Guard:
    """What one process may reach, and what it has done so far.

    Args:
        reach: `HOST:PORT` of what may be reached although it is inside.
    """

    def __init__(self, reach: Iterable[str] = ()) -> None:
        self._allowed = {each for place in reach for each in _addresses(place)}
        self.stopped: str | None = None
        """The last address that was not to be reached."""
        self.has_sent = False
        """Whether any of the message may have left."""

    def install(self) -> None:
        """Guard this process until its end."""
        sys.addaudithook(self.hear)

    def admits(self, place: str) -> bool:
        """Whether one of the addresses of `HOST:PORT` may be reached, if it has any."""
        found = _addresses(place)
        return not found or any(
            each in self._allowed or is_public(str(each[0])) for each in found
        )

    def hear(self, event: str, said: tuple[Any, ...]) -> None:
        """Hear what is about to happen.

        Raises:
            Inside: it must not.
        """
        if event == "socket.connect":
            self._check(said[1])
        elif event in _FORBIDDEN:
            raise Inside(f"A message needs no {event}.")
        elif event == "http.client.send":
            self.has_sent = True
        elif event == "smtplib.send":
            self.has_sent |= _bytes(said[1])[:4].lower() == b"data"

    def _check(self, address: Any) -> None:  # noqa: ANN401  each family has its own
        place = address[:2] if isinstance(address, tuple) else ("", 0)
        if place not in self._allowed and not is_public(str(place[0])):
            self.stopped = str(place[0])
            raise Inside(f"{place[0]} is inside.")


def is_public(address: str) -> bool:
    """Whether an address, written in numbers, is one of the open Internet."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and _holds_another(ip):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _holds_another(ip: IPv6Address) -> bool:
    """Whether an IPv4 address is reached through it."""
    inner = ip.ipv4_mapped or ip.sixtofour or ip.teredo
    return inner is not None or any(ip in net for net in _TRANSLATED)


def _addresses(place: str) -> list[tuple[Any, ...]]:
    host, _, port = place.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [each[4][:2] for each in found]


def _bytes(said: str | bytes) -> bytes:
    return said.encode(errors="replace") if isinstance(said, str) else bytes(said)
