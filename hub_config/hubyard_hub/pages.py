"""The hub's own pages: what they show comes from the catalogue and the ledger alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hubyard.contract.duration import duration_text
from hubyard.contract.money import MICROS

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyterhub.spawner import Spawner
    from jupyterhub.user import User

    from hubyard.contract.compute import Catalogue as Shown
    from hubyard.contract.compute import Compute
    from hubyard.contract.entry import Spend
    from hubyard.contract.workload import Limits, Workload
    from hubyard_hub.ledger import Ledger
    from hubyard_hub.settings import Settings
    from hubyard_spawner.catalogue import Catalogue

_TEMPLATES = Path(__file__).parent / "templates"
_HOUR_S = 3600
_MINUTE_S = 60


@dataclass(frozen=True)
class Pages:
    """What JupyterHub's templates are given."""

    catalogue: Catalogue
    ledger: Ledger
    limits: Limits
    settings: Settings

    def variables(self) -> dict[str, Any]:
        """Variables of every page; the functions are called with the page's user."""
        return {
            "hy_workloads": self._for_user(self._workloads, ()),
            "hy_spend": self._for_user(self._spend, None),
            "hy_duration": duration_text_of,
        }

    def spawn_form(self, spawner: Spawner) -> str:
        """The compute cards of the spawn page."""
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
        )
        shown = self.catalogue.describe(_groups(spawner.user), self.limits)
        last: dict[str, Any] = spawner.orm_spawner.user_options or {}
        chosen = _chosen(shown, last.get("compute"))
        wished = last.get("lifetime_s")
        longest = max((c.longest_lifetime_s for c in shown.compute), default=_HOUR_S)
        default = chosen.default_lifetime_s if chosen else _HOUR_S
        if not isinstance(wished, int) or wished < _MINUTE_S:
            wished = default
        return environment.get_template("spawn_form.html").render(
            shown=shown,
            chosen=chosen.name if chosen else "",
            hours=f"{min(wished, longest) / _HOUR_S:g}",
            longest_hours=f"{longest / _HOUR_S:g}",
            micros=MICROS,
            duration=duration_text,
            sign=_sign(shown),
        )

    def _for_user(
        self, ask: Callable[[str], Any], nobody: object
    ) -> Callable[[User | None], Any]:
        def asked(user: User | None) -> object:
            return nobody if user is None else ask(user.name)

        return asked

    def _workloads(self, owner: str) -> list[Workload]:
        return self.ledger.active(owner, "")

    def _spend(self, owner: str) -> Spend:
        return self.ledger.spend(owner, self.catalogue.currency)


def duration_text_of(user: User | None) -> Callable[[int], str]:
    """How pages write seconds: to the minute, above one."""
    del user

    def to_the_minute(seconds: int) -> str:
        minute = 60
        return duration_text(
            seconds - seconds % minute if seconds > minute else seconds
        )

    return to_the_minute


def _groups(user: User) -> set[str]:
    return {group.name for group in user.groups}


def _chosen(shown: Shown, last: object) -> Compute | None:
    """The card that is marked: the last choice, else the first that is available."""
    available = [compute for compute in shown.compute if compute.available]
    named = [compute for compute in available if compute.name == last]
    return (named or available or [None])[0]


def _sign(shown: Shown) -> str:
    """What stands before an amount, taken from the text of a price."""
    first = shown.compute[0].price.text if shown.compute else ""
    return first.rstrip("0123456789.,")
