"""The door of `hubyard up`: what it was told, checked before any of it is kept."""

from __future__ import annotations

import socket
from ipaddress import ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hubyard.contract.errors import Invalid

if TYPE_CHECKING:
    from hubyard_hub.settings import Settings

_PORTS = range(1, 2**16)
_MOST_DAYS = 36_500
_MOST_MIB = 2**30
_BACKENDS = {"postgresql", "sqlite"}


def check(settings: Settings) -> None:
    """Whether a Hubyard can be started like this.

    Raises:
        Invalid: in one line, what is wrong and what to write.
    """
    from hubyard_spawner.catalogue import Catalogue  # noqa: PLC0415  slow to import

    _check_numbers(settings)
    _check_host(settings.host)
    _check_url(settings.url)
    for place in settings.reach:
        _check_place(place)
    for proxy in settings.trusted_proxies:
        _check_proxy(proxy)
    if settings.skeleton is not None and not settings.skeleton.is_dir():
        raise Invalid(f"--skeleton names no folder: {settings.skeleton}.")
    Catalogue.load(settings.catalogue)
    if settings.database:
        _check_database(settings.database)


def _check_numbers(settings: Settings) -> None:
    if settings.port not in _PORTS:
        raise Invalid("--port is a number from 1 to 65535.")
    if settings.late_minutes < 1:
        raise Invalid("--late is a number of minutes, 1 or more.")
    if not 0 <= settings.keep_days <= _MOST_DAYS:
        raise Invalid(
            f"--keep-days is a number of days up to {_MOST_DAYS}; 0 keeps everything."
        )
    if not 0 <= (settings.least_free_mib or 0) <= _MOST_MIB:
        raise Invalid(
            f"--least-free is a number of MiB up to {_MOST_MIB}; 0 lets all start."
        )


def _check_host(host: str) -> None:
    try:
        socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Invalid(
            f"--host {host!r} is no address of a machine: try 0.0.0.0 for all."
        ) from None


def _check_url(url: str) -> None:
    try:
        scheme, host, *more = urlsplit(url)
    except ValueError:
        scheme, host, more = "", "", []
    if url and (scheme not in {"http", "https"} or not host or any(more)):
        raise Invalid(f"--url {url!r} cannot be used: try https://hub.example.org.")


def _check_place(place: str) -> None:
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal() or int(port) not in _PORTS:
        raise Invalid(f"--reach {place!r} cannot be used: try mail.example.org:25.")


def _check_proxy(proxy: str) -> None:
    try:
        ip_network(proxy, strict=False)
    except ValueError:
        raise Invalid(
            f"--trusted-proxy {proxy!r} is no address: try 10.0.0.7 or 10.0.0.0/24."
        ) from None


def _check_database(url: str) -> None:
    from sqlalchemy import make_url  # noqa: PLC0415  slow to import
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  the same

    from hubyard_hub.store import Store  # noqa: PLC0415  the same

    try:
        if make_url(url).get_backend_name() not in _BACKENDS:
            raise Invalid("--database is a URL like postgresql://user@host/name.")
        store = Store(url)
        store.migrate()
        store.close()
    except ModuleNotFoundError:
        raise Invalid(
            "PostgreSQL needs its driver: pip install 'hubyard[postgresql]'."
        ) from None
    except (SQLAlchemyError, OSError) as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise Invalid(f"The database cannot be used: {said[0]}.") from None
