"""Loopback: how the hub side asks its own processes, which all are on this machine.

By no proxy of the environment's: it would be sent everybody's tokens.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpx


def client(url: str, **more: Any) -> httpx.Client:  # noqa: ANN401  httpx's arguments
    """A client of one process, at an address of plain HTTP."""
    return httpx.Client(base_url=url, verify=_nobody(), trust_env=False, **more)


def async_client(**more: Any) -> httpx.AsyncClient:  # noqa: ANN401  as above
    """A client of several processes."""
    return httpx.AsyncClient(verify=_nobody(), trust_env=False, **more)


def _nobody() -> ssl.SSLContext:
    """Trust in no authority: there is no TLS, and to read them all takes 50 ms."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
