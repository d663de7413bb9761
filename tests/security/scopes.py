"""The scopes: what a stolen token of a service or of a workload could do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import psutil

from hubyard_hub.settings import ROUTES_SERVICE
from hubyard_spawner.workloads import PLATFORM_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from security.victim import Victim

SERVICES = {
    PLATFORM_SERVICE: {
        *("start:servers", "delete:servers", "read:servers"),
        "read:users:name",  # the hub adds it to each token that may read a server
        "access:services!service=mlflow",  # where it may ask for little
    },
    # Who is in which group, which it follows.
    "mlflow": {"list:users", "read:users:name", "read:users:groups"},
    ROUTES_SERVICE: {"proxy"},
}
_OWN = {
    *("access:servers!server={user}/{server}", "access:services!service=hubyard"),
    *("users:activity!user={user}", "read:users:activity!user={user}"),
    *("read:users:name!user={user}", "read:users:groups!user={user}"),
}
_MLFLOW = {"access:services!service=mlflow"}
WORKLOADS = {"run": _OWN | _MLFLOW, "endpoint": _OWN, "app": _OWN}
"""A workspace is its owner's own hand, and not among them."""


def too_much(victim: Victim) -> Iterator[str]:
    """Tokens whose scopes are others than those that their work needs."""
    settings = victim.hubyard.settings
    for name, expected in SERVICES.items():
        token = settings.secret(f"service_{name}")
        yield from _compare(victim, f"the service {name}", token, expected)
    for kind, scopes in WORKLOADS.items():
        server, user = victim.kinds[kind], victim.person.name
        expected = {scope.format(user=user, server=server) for scope in scopes}
        yield from _compare(victim, f"ana's {kind}", _own_token(server), expected)


def _compare(
    victim: Victim, whose: str, token: str | None, expected: set[str]
) -> list[str]:
    if token is None:
        return [f"{whose} does not run any more: its token cannot be looked at"]
    answer = httpx.get(
        f"{victim.hubyard.url}/hub/api/user",
        headers={"Authorization": f"token {token}"},
    )
    found = set(answer.raise_for_status().json()["scopes"])
    if found == expected:
        return []
    return [f"the token of {whose} may {sorted(found)} instead of {sorted(expected)}"]


def _own_token(server: str) -> str | None:
    """A workload's own token, from where any process of the same Unix user finds it."""
    for process in psutil.process_iter():
        try:
            environ = process.environ()
        except psutil.Error:
            continue
        token = environ.get("JUPYTERHUB_API_TOKEN", "")
        if token and environ.get("JUPYTERHUB_SERVER_NAME") == server:
            return token
    return None
