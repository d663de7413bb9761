"""The controls: that the attack would see an open door, were there one.

Whoever asks in the wrong words is refused everywhere. So what bo must not get is asked
as ana too, to whom it must be given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from security.attackers import PATIENCE_S, Attacker, Jar
from security.judge import SWITCHED, Somebody
from security.objects import objects
from security.routes import WEBSOCKET
from security.victim import NAME, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from security.victim import Victim

ANA = Somebody("ana", "owner", by_browser=True)
_READS = ("search", "graphql")
TELLING = {"platform", "mlflow", "hub", "workspace", "run"}
"""Places that must tell ana's own browser of what is hers."""


def blind_spots(victim: Victim, places: set[str]) -> Iterator[str]:
    """What ana is refused: there, bo's refusal proves nothing."""
    for place in sorted(places & {"mlflow", "platform"}):
        yield from _unread(victim, place)
    if {"workspace", "app"} <= places:
        yield from _unopened(victim)


def _unread(victim: Victim, place: str) -> Iterator[str]:
    for asked in objects(ANA, place, victim):
        if asked.method != "GET" and not asked.path.endswith(_READS):
            continue
        answer = victim.http.request(
            asked.method,
            asked.path,
            content=asked.body or None,
            headers={"Content-Type": "application/json"},
        )
        told = SECRET in answer.text or NAME in answer.text
        if answer.status_code != 200 or ("graphql" in asked.path and not told):
            yield f"{asked} {asked.body} -> {answer.status_code} {answer.text[:200]}"


def _unopened(victim: Victim) -> Iterator[str]:
    """WebSockets of ana's that do not open for ana."""
    url, workspace = victim.hubyard.url, victim.home("workspace")
    jar = Jar.of(victim.person)
    own = Attacker(ANA, url, lambda _, path: {"Origin": url, **jar.headers(path)})
    for path in (
        f"{workspace}/api/kernels/{victim.ids['kernels']}/channels",
        f"{workspace}/terminals/websocket/{victim.ids['terminals']}",
        f"{workspace}/api/events/subscribe",
        f"{victim.home('app')}/_stcore/stream",
    ):
        answer = own.send(WEBSOCKET, path, "", PATIENCE_S)
        if answer is None or answer.status != SWITCHED:
            yield f"WebSocket {path} does not open for ana: {answer}"
