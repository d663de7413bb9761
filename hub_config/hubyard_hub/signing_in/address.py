"""The address of a client: what our own proxy saw, and nothing that a client wrote.

peer      who has opened the connection to the hub: our proxy, or a program of this
          machine that calls the hub's port itself
chain     `X-Forwarded-For`: each proxy appends the address from which it was asked,
          so only the last entry is our proxy's word. What stands before it may be a
          client's invention, unless that last entry is a proxy that a setting names
"""

from __future__ import annotations

import asyncio
import re
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from ipaddress import IPv4Address, IPv4Network, IPv6Network
    from socket import socket as Socket  # noqa: N812  a class in all but its name

    from tornado.httputil import HTTPServerRequest

    Address = IPv4Address | IPv6Address
    Network = IPv4Network | IPv6Network
    _End = tuple[str, int]

_WITH_PORT = re.compile(r"(?:([\d.]+)|\[([^\]]+)\])(?::\d+)?")
DIRECT = "this machine"
"""Stands for everybody who calls the hub's port without our proxy."""
CHAIN = "X-Forwarded-For"
_ONE_HOUSE = 64
"""Leading bits of an IPv6 address that one customer commonly gets; the rest is theirs
to choose."""


def seen(chain: str, proxies: Sequence[Network] = ()) -> str:
    """The client's address in a chain that our own proxy has ended; "" for none.

    Each named proxy vouches for one entry, the one before its own, so a client at the
    same address as a proxy cannot invent what comes before.
    """
    entries = [_parsed(entry) for entry in chain.split(",")]
    left = list(proxies)
    client = entries.pop()
    while client and entries and (proxy := _of(client, left)):
        before = entries.pop()
        if before is None:
            break
        left.remove(proxy)
        client = before
    return str(client or "")


def counted(address: str) -> str:
    """What an address is counted as: all IPv6 addresses of one customer are one."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _ONE_HOUSE), strict=False))
    return address


def _parsed(entry: str) -> Address | None:
    """An entry's address; some proxies write the client's port behind it."""
    found = _WITH_PORT.fullmatch(entry.strip())
    try:
        address = ip_address((found[1] or found[2]) if found else entry.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _of(address: Address, proxies: Sequence[Network]) -> Network | None:
    return next((proxy for proxy in proxies if address in proxy), None)


class Clients:
    """Tells the addresses of clients, for one hub behind one proxy."""

    def __init__(
        self,
        proxies: Sequence[str] = (),
        proxy_pid: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Believe what our proxy says.

        Args:
            proxies: addresses or networks of proxies in front of ours.
            proxy_pid: the process that is our proxy now.
        """
        self._proxies = [ip_network(proxy, strict=False) for proxy in proxies]
        self._proxy_pid = proxy_pid
        self._checked: WeakKeyDictionary[object, bool] = WeakKeyDictionary()

    def shown(self, request: HTTPServerRequest) -> str:
        """The address for logs: not proven to be our proxy's word."""
        connection: Any = request.connection
        said = seen(request.headers.get(CHAIN, ""), self._proxies)
        return said or connection.context.address[0]

    async def address(self, request: HTTPServerRequest) -> str:
        """The address to count by."""
        chain = request.headers.get(CHAIN, "")
        if chain and await self._comes_from_proxy(request):
            return counted(seen(chain, self._proxies)) or DIRECT
        return DIRECT

    async def _comes_from_proxy(self, request: HTTPServerRequest) -> bool:
        """Whether our proxy holds the other end; asked once for each connection."""
        connection: Any = request.connection
        known = self._checked.get(connection.context)
        if known is None:
            ends = _ends(connection.stream.socket)
            known = await asyncio.to_thread(_holds, self._proxy_pid, ends)
            self._checked[connection.context] = known
        return known


def _ends(socket: Socket | None) -> tuple[_End, _End] | None:
    """Both ends of a connection, the other one first; None: it is closed."""
    try:
        return (socket.getpeername(), socket.getsockname()) if socket else None
    except OSError:
        return None


def _holds(proxy_pid: Callable[[], int | None], ends: tuple[_End, _End] | None) -> bool:
    """Whether the proxy is the process at the other end of this connection."""
    pid = proxy_pid()
    if pid is None or ends is None:
        return False
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any((tuple(each.laddr), tuple(each.raddr)) == ends for each in connections)
