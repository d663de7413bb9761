"""The hub's own pages: what they show comes from the catalogue and the ledger alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hubyard.contract.base import now
from hubyard.contract.duration import duration_text
from hubyard.contract.identity import Identity
from hubyard.contract.money import MICROS
from hubyard_hub.attribution import accounts_of
from hubyard_hub.budgets import tightest
from hubyard_hub.workloads import Workloads, why_ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyterhub.spawner import Spawner
    from jupyterhub.user import User

    from hubyard.contract.compute import Catalogue as Shown
    from hubyard.contract.compute import Compute
    from hubyard.contract.spend import Spend
    from hubyard.contract.workload import Workload
    from hubyard_hub.parts import Books

_TEMPLATES = Path(__file__).parent / "templates"
_HOUR_S = 3600
_MINUTE_S = 60
_WARNED_S = 15 * _MINUTE_S


@dataclass(frozen=True)
class Pages:
    """What JupyterHub's templates are given."""

    books: Books

    def variables(self) -> dict[str, Any]:
        """Variables of every page; the functions are called with the page's user."""
        return {
            "hy_workloads": self._for_user(self._workloads, ()),
            "hy_spend": self._for_user(self.spend, None),
            "hy_ended": self._for_user(self._ended, None),
            "hy_fault": self._for_user(self._fault, None),
            "hy_warned_s": _WARNED_S,
            "hy_duration": duration_text_of,
        }

    def spawn_form(self, spawner: Spawner) -> str:
        """The compute cards of the spawn page."""
        user = spawner.user
        groups = identity_of(user).groups
        books = self.books
        catalogue = books.catalogue
        shown = catalogue.describe(groups, books.ladder.limits)
        last: dict[str, Any] = spawner.orm_spawner.user_options or {}
        wanted = catalogue.heir(str(last.get("compute") or ""))
        chosen = _chosen(shown, wanted.name if wanted else None)
        wished = last.get("lifetime_s")
        longest = max((c.longest_lifetime_s for c in shown.compute), default=_HOUR_S)
        default = chosen.default_lifetime_s if chosen else _HOUR_S
        if not isinstance(wished, int) or wished < _MINUTE_S:
            wished = default
        limit = tightest(books.prices.limits(user.name, groups))
        return self._environment.get_template("spawn_form.html").render(
            shown=shown,
            chosen=chosen.name if chosen else "",
            hours=f"{min(wished, longest) / _HOUR_S:g}",
            longest_hours=f"{longest / _HOUR_S:g}",
            micros=MICROS,
            duration=duration_text,
            sign=_sign(shown),
            budget=limit.shown() if limit else None,
            notice=catalogue.notice(str(last.get("compute") or "")),
            ended=self._ended(user, spawner.name),
        )

    def spend(self, user: User) -> Spend:
        """What somebody has spent this month."""
        books, asking = self.books, identity_of(user)
        budgets = books.budgets.of(accounts_of(asking.name, asking.groups, None))
        currency = books.catalogue.currency
        return books.spending.month(asking.name, currency, budgets)

    @cached_property
    def _environment(self) -> Environment:
        return Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
        )

    def _for_user(
        self, ask: Callable[[User], Any], nobody: object
    ) -> Callable[[User | None], Any]:
        def asked(user: User | None) -> object:
            return nobody if user is None else ask(user)

        return asked

    def _workloads(self, user: User) -> list[Workload]:
        return Workloads(self.books).list(user.name)

    def _ended(self, user: User, server_name: str = "") -> str | None:
        """Why a server ended that its owner did not stop; None: nothing to tell."""
        line = self.books.ledger.newest(user.name, server_name)
        why = why_ended(line) if line else None
        if line is None or line.end is None or why is None:
            return None
        ago = max(round((now() - line.end.ended_at).total_seconds()), 0)
        return f"Your workspace ended {_to_the_minute(ago)} ago: {why}."

    def _fault(self, user: User) -> str | None:
        """What is wrong with the catalogue's file, for administrators."""
        return self.books.live.fault if user.admin else None


def identity_of(user: User) -> Identity:
    """Who looks at a page."""
    groups = tuple(sorted(group.name for group in user.groups))
    return Identity(name=user.name, admin=bool(user.admin), groups=groups)


def duration_text_of(user: User | None) -> Callable[[int], str]:
    """How pages write seconds: to the minute, above one."""
    del user
    return _to_the_minute


def _to_the_minute(seconds: int) -> str:
    long = seconds > _MINUTE_S
    return duration_text(seconds - seconds % _MINUTE_S if long else seconds)


def _chosen(shown: Shown, last: object) -> Compute | None:
    """The card that is marked: the last choice, else the first that is available."""
    available = [compute for compute in shown.compute if compute.available]
    named = [compute for compute in available if compute.name == last]
    return (named or available or [None])[0]


def _sign(shown: Shown) -> str:
    """What stands before an amount, taken from the text of a price."""
    first = shown.compute[0].price.text if shown.compute else ""
    return first.rstrip("0123456789.,")
