"""The hub's own pages: what they show comes from the catalogue and the ledger alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hubyard.contract.base import now
from hubyard.contract.duration import duration_text
from hubyard.contract.errors import Unavailable
from hubyard.contract.identity import Identity
from hubyard.contract.money import MICROS
from hubyard_hub.money.budgets import tightest
from hubyard_hub.money.reservation import HORIZON, Month
from hubyard_hub.pages.asking import Asking
from hubyard_hub.workloads.running import Workloads, why_gone
from hubyard_spawner.estimate import offer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyterhub.spawner import Spawner
    from jupyterhub.user import User

    from hubyard.contract.compute import Catalogue as Shown
    from hubyard.contract.compute import Compute
    from hubyard.contract.spend import Spend
    from hubyard.contract.workload import Workload
    from hubyard_hub.money.budgets import Limit
    from hubyard_hub.parts import Books

TEMPLATES = Path(__file__).parent / "templates"
_HOUR_S = 3600
_MINUTE_S = 60
_HOUR = timedelta(hours=1)
_NAMED = re.compile(r"/user/[^/]+/((?:run|endpoint|app)-[a-z0-9-]+)(?=[/?]|$)")
_WARNED_S = 15 * _MINUTE_S
"""How long before its end a workload is marked."""


@dataclass(frozen=True)
class Home:
    """What the home page shows somebody."""

    workloads: list[Workload]
    spend: Spend
    ended: str | None
    """Why the workspace ended, where that is worth telling."""

    @staticmethod
    def ends_soon(workload: Workload) -> bool:
        """Whether its owner should be warned."""
        return workload.seconds_left <= _WARNED_S


@dataclass(frozen=True)
class SpawnStanding:
    """What the spawn page shows of the ledger."""

    limit: Limit | None = None
    """The budget that has the least left."""
    ended: str | None = None
    away: str = ""
    """Why this is not known now, in words."""


@dataclass(frozen=True)
class Viewer:
    """Who looks at a page, as a thread may see them: the hub's own rows may not be."""

    name: str
    admin: bool

    @classmethod
    def of(cls, user: User) -> Viewer:
        """Read in the hub's loop."""
        return cls(name=str(user.name), admin=bool(user.admin))


@dataclass(frozen=True)
class Pages:
    """What JupyterHub's templates are given."""

    books: Books

    @cached_property
    def asking(self) -> Asking:
        """How the pages ask the books."""
        return Asking(self.books.store.ping)

    def variables(self) -> dict[str, Any]:
        """Variables of every page; JupyterHub calls each with the page's user.

        What it gets are functions: a page asks for what it shows, and pages that show
        nothing of it, such as those that tell of an error, read no database. Those
        that read it are coroutines, which the template awaits.
        """
        return {
            "hy_home": _later(self.home),
            "hy_ended": _later(self.ended),
            "hy_fault": _later(self.fault),
            "hy_disk": _later(self.disk),
            "hy_opened": lambda _: opened_server,
            "hy_duration": lambda _: _to_the_minute,
        }

    async def home(self, user: User) -> Home | None:
        """What runs for somebody, what that costs, and what has ended.

        None: the database does not answer.
        """
        asking, viewer = identity_of(user), Viewer.of(user)
        try:
            return await self.asking.quick(lambda: self._home(asking, viewer))
        except Unavailable:
            return None

    def _home(self, asking: Identity, viewer: Viewer) -> Home:
        return Home(
            workloads=Workloads(self.books).list(asking),
            spend=self.spend(asking),
            ended=self._ended(viewer, viewer.name, ""),
        )

    async def spawn_form(self, spawner: Spawner) -> str:
        """The compute cards of the spawn page."""
        user = spawner.user
        groups = identity_of(user).groups
        books = self.books
        catalogue = books.catalogue
        shown = offer(catalogue, groups, books.ladder.limits)
        last: dict[str, Any] = spawner.orm_spawner.user_options or {}
        wanted = catalogue.heir(str(last.get("compute") or ""))
        chosen = _chosen(shown, wanted.name if wanted else None)
        longest = max((c.longest_lifetime_s for c in shown.compute), default=_HOUR_S)
        standing = await self._standing(spawner, groups)
        limit = standing.limit
        return self._environment.get_template("spawn_form.html").render(
            shown=shown,
            chosen=chosen.name if chosen else "",
            hours=f"{min(_lifetime(last, chosen), longest) / _HOUR_S:g}",
            longest_hours=f"{longest / _HOUR_S:g}",
            micros=MICROS,
            duration=duration_text,
            sign=_sign(shown),
            budget=limit.shown() if limit else None,
            payer=limit.account.words if limit else "",
            ahead=_ahead(),
            notice=catalogue.notice(str(last.get("compute") or "")),
            ended=standing.ended,
            away=standing.away,
        )

    async def _standing(
        self, spawner: Spawner, groups: tuple[str, ...]
    ) -> SpawnStanding:
        viewer, name = Viewer.of(spawner.user), str(spawner.name)

        def ask() -> SpawnStanding:
            found = self.books.prices.limits(viewer.name, groups)
            return SpawnStanding(
                limit=tightest(found), ended=self._ended(viewer, viewer.name, name)
            )

        try:
            return await self.asking.quick(ask)
        except Unavailable as error:
            return SpawnStanding(away=error.message)

    def spend(self, asking: Identity) -> Spend:
        """What somebody has spent this month. Not for the hub's loop: it may wait."""
        books = self.books
        return books.spending.of(asking, books.catalogue.currency)

    async def ended(
        self, user: User, owner: str = "", server_name: str = ""
    ) -> str | None:
        """Why a server ended that its owner did not stop; None: nothing to tell.

        It is told to its owner, which is the user where none is named, and to
        administrators.
        """
        viewer = Viewer.of(user)
        asked = owner or viewer.name
        try:
            return await self.asking.quick(
                lambda: self._ended(viewer, asked, server_name)
            )
        except Unavailable:
            return None

    def _ended(self, viewer: Viewer, owner: str, server_name: str) -> str | None:
        if not (viewer.admin or owner == viewer.name):
            return None
        line = self.books.ledger.newest(owner, server_name)
        why = why_gone(line) if line else None
        if line is None or line.end is None or why is None:
            return None
        whose = "Your" if owner == viewer.name else f"{owner}'s"
        ago = _ago(round((now() - line.end.ended_at).total_seconds()))
        return f"{whose} {line.entry.kind} ended {ago}: {why}."

    def fault(self, user: User) -> str | None:
        """What is wrong with the catalogue's file, for administrators."""
        if not user.admin:
            return None
        live = self.books.live
        live()  # looks at the file
        return live.fault

    def disk(self, user: User | None) -> str | None:
        """Why nothing new starts, for people and what administrators can do."""
        lack = self.books.disk.lack() if user is not None else None
        if lack is None or user is None or not user.admin:
            return lack
        return f"{lack} Run `hubyard prune` on the machine, or give it a larger disk."

    @cached_property
    def _environment(self) -> Environment:
        return Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
        )


def identity_of(user: User) -> Identity:
    """Who looks at a page."""
    groups = tuple(sorted(group.name for group in user.groups))
    return Identity(name=user.name, admin=bool(user.admin), groups=groups)


def opened_server(server_name: str, spawn_url: str) -> str:
    """The name of the server that somebody opened, who was shown that it is stopped.

    The hub forgets the names of runs, endpoints and apps that have ended, and then
    takes their addresses for the workspace's; what was asked for is in `spawn_url`.
    """
    came_from = parse_qs(urlsplit(spawn_url).query).get("next", [""])[0]
    found = _NAMED.search(came_from)
    return found[1] if found else server_name


def _to_the_minute(seconds: int) -> str:
    long = seconds > _MINUTE_S
    return duration_text(seconds - seconds % _MINUTE_S if long else seconds)


def _later(ask: Callable[..., Any]) -> Callable[[User | None], Callable[..., Any]]:
    """A variable of pages: a function that asks for the page's user, once called."""
    return lambda user: partial(ask, user)


def _ago(seconds: int) -> str:
    return "just now" if seconds < _MINUTE_S else f"{_to_the_minute(seconds)} ago"


def _lifetime(last: Mapping[str, Any], chosen: Compute | None) -> int:
    """The seconds that stand in the form: those of the last choice, if it had any."""
    wished = last.get("lifetime_s")
    if isinstance(wished, int) and wished >= _MINUTE_S:
        return wished
    return chosen.default_lifetime_s if chosen else _HOUR_S


def _ahead() -> dict[str, float]:
    """For how many hours from now a start reserves at most, and its month lasts."""
    moment = now()
    month = (Month.of(moment).until - moment) / _HOUR
    return {"month": month, "reserved": min(month, HORIZON / _HOUR)}


def _chosen(shown: Shown, last: object) -> Compute | None:
    """The card that is marked: the last choice, else the first that is available."""
    available = [compute for compute in shown.compute if compute.available]
    named = [compute for compute in available if compute.name == last]
    return (named or available or [None])[0]


def _sign(shown: Shown) -> str:
    """What stands before an amount, taken from the text of a price."""
    first = shown.compute[0].price.text if shown.compute else ""
    return first.rstrip("0123456789.,")
