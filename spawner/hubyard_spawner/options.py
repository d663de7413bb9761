"""Options: the one door through which a start's wishes come in.

`user_options` are stored by the hub before anyone checks them, and whoever may start
a server may send any: hostile until parsed here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydantic import ValidationError

from hubyard.contract.base import LONGEST_S
from hubyard.contract.errors import Invalid, refused
from hubyard.contract.workload import UserOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hubyard.contract.workload import ServerName

_FIELDS = {"_xsrf", "kind", "compute", "hours"}
_HOUR_S = 3600


def from_form(form: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """The options that the spawn page posts: kind, compute and hours.

    Raises:
        Invalid: the hours are not a number that a lifetime can have, or the form holds
            more than the page has put there: a price, for instance.
    """
    if unknown := sorted(form.keys() - _FIELDS):
        raise Invalid(f"{unknown[0][:40]!r} is not known here: remove it.")
    options: dict[str, object] = {"kind": _one(form, "kind") or "workspace"}
    if compute := _one(form, "compute"):
        options["compute"] = compute
    if hours := _one(form, "hours"):
        options["lifetime_s"] = _seconds(hours)
    return options


def parse(raw: object, name: ServerName) -> UserOptions:
    """Turn stored options into trusted ones.

    Raises:
        Invalid: naming the option and what it may be.
    """
    if not isinstance(raw, dict):
        raise Invalid("Options must be an object.", field="user_options")
    raw = {"kind": str(name.kind), **raw}
    try:
        options = UserOptions.model_validate(raw)
    except ValidationError as error:
        raise refused(error) from None
    if options.kind is not name.kind:
        raise Invalid(
            f"{str(name) or '(unnamed)'!r} names no {options.kind}: its server is "
            f"called {options.kind}-<id>.",
            field="kind",
        )
    return options


def _one(form: Mapping[str, Sequence[str]], field: str) -> str | None:
    values = form.get(field) or ()
    return values[0] if values else None


def _seconds(hours: str) -> int:
    try:
        number = float(hours)
    except ValueError:
        number = math.nan
    longest = LONGEST_S // _HOUR_S
    if not 0 < number <= longest:
        raise Invalid(
            f"Hours must be a number above zero, at most {longest}.", field="hours"
        )
    return math.ceil(number * _HOUR_S)
