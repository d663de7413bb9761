"""Words of a cron: when it fires, in English, and what is wrong with one of its fields.

step    `*/15`; one that does not go into its range evenly is told by its values, since
        `*/45` fires at 0 and 45 minutes past each hour, not every 45 minutes
days    where both fields of days say something, Debian takes a day that one of them
        names; where one of them begins with `*`, a day that both name
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, cast

from cron_descriptor import Options, get_description
from cron_descriptor.Exception import FormatError, WrongArgumentError
from cronsim import CronSimError
from cronsim.cronsim import Field

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN = re.compile(r"[0-9*,/-]+")
_EVEN = re.compile(r"\*/(\d+)")
_SUNDAY_TOO = 7
_OPTIONS = Options(use_24hour_time_format=True, locale_code="en_US")


class _Range(NamedTuple):
    """What a field may hold."""

    field: Field
    called: str
    says: str
    size: int | None
    """How many values follow one another again and again; None: it differs."""


_RANGES = (
    _Range(Field.MINUTE, "minute", "0 to 59, such as 5, 0-30, */15 or 5,35", 60),
    _Range(Field.HOUR, "hour", "0 to 23, such as 6, 9-17, */2 or 6,18", 24),
    _Range(Field.DAY, "day of month", "1 to 31, such as 1, 1-7 or 1,15, or L", None),
    _Range(Field.MONTH, "month", "1 to 12 or JAN to DEC, such as 1, 6-8 or */3", 12),
    _Range(
        Field.DOW,
        "day of week",
        "0 to 7 or SUN to SAT, such as 1 for Monday, 1-5 or 5#2 for the second Friday",
        None,
    ),
)


def mistake_in(text: str) -> str:
    """What is wrong with a cron of five fields that cannot be read."""
    for part, known in zip(text.upper().split(), _RANGES, strict=False):
        try:
            known.field.parse(part)
        except (CronSimError, ValueError, AssertionError):
            shown = part if len(part) <= len("*/15,*/30") else f"{part[:9]}..."
            return f"its {known.called} is {shown!r}: write {known.says}"
    return "none of its months has so many days"


def words_of(text: str) -> str:
    """What a cron says, in English and with 24 hours."""
    parts = [
        _stepless(part, known)
        for part, known in zip(text.split(), _RANGES, strict=True)
    ]
    try:
        return _with_days(parts, text.split())
    except (FormatError, WrongArgumentError, ValueError, IndexError):
        return text


def _stepless(part: str, known: _Range) -> str:
    """A field without a step that is uneven."""
    if "/" not in part or not _PLAIN.fullmatch(part):
        return part
    if _is_even(part, known.size):
        return part
    values = cast("set[int]", known.field.parse(part))
    if known.field is Field.DOW:
        values = {value % _SUNDAY_TOO for value in values}
    everything = cast("set[int]", known.field.parse("*")) - {_SUNDAY_TOO}
    if values >= everything:
        return "*"
    return ",".join(map(str, sorted(values)))


def _is_even(part: str, size: int | None) -> bool:
    """Whether a step goes into its range without a rest."""
    even = _EVEN.fullmatch(part)
    if even is None or size is None:
        return False
    step = int(even[1])
    return 1 < step < size and size % step == 0


def _with_days(parts: Sequence[str], written: Sequence[str]) -> str:
    minute, hour, day, month, weekday = parts
    if "*" in (day, weekday):
        return get_description(" ".join(parts), _OPTIONS)
    time = get_description(f"{minute} {hour} * * *", _OPTIONS)
    days = _phrase(time, f"{minute} {hour} {day} * *")
    weekdays = _phrase(time, f"{minute} {hour} * * {weekday}")
    months = _phrase(time, f"{minute} {hour} * {month} *")
    is_both = written[2].startswith("*") or written[4].startswith("*")
    join = "and only" if is_both else "or"
    either = weekdays.removeprefix(", ").removeprefix("only ")
    return f"{time}{days}, {join} {either}{months}"


def _phrase(time: str, text: str) -> str:
    """What a cron says beside its time of day.

    Raises:
        ValueError: it does not begin with that.
    """
    whole = get_description(text, _OPTIONS)
    if not whole.startswith(time):
        raise ValueError(text)
    return whole.removeprefix(time)
