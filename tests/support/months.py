"""Months: tests choose where in a month they stand, and never stand in the real one.

noon    of a month's 15th: nothing that a test reckons with reaches another month
border  the last minutes of a month, or its first: what falls into another month counts
        there

The fixtures `stand_at` and `noon` move this process alone; `month` moves all that it
starts as well: hubs, platforms, workloads and browsers.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hubyard.contract import base
from support.wall_clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
BORDER = datetime(2026, 12, 1, tzinfo=UTC)
"""Where November ends."""


@pytest.fixture
def stand_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Let this process's present be another; from there on it passes as ever."""

    def move(moment: datetime) -> None:
        away = moment - datetime.now(UTC)

        class Moved(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + away

        monkeypatch.setattr(base, "datetime", Moved)

    return move


@pytest.fixture
def noon(stand_at: Callable[[datetime], None]) -> None:
    """The middle of a month."""
    stand_at(NOON)


def _a_month_from(moment: datetime) -> datetime:
    """Noon of the 20th of the next month: nearer than two weeks to the month's end.

    It is ahead of the present, as a browser forgets sessions that are over for it, and
    a session lives for two weeks, so that one outlives a step over the border.
    """
    later = moment.replace(day=1) + timedelta(days=32)
    return later.replace(day=20, hour=12, minute=0, second=0, microsecond=0)


def border_after(moment: datetime) -> datetime:
    """When the month of a moment ends."""
    later = moment.replace(day=1) + timedelta(days=32)
    return later.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WallClock | None]:
    """A clock for this process and all that it starts, far from a month's border.

    None: there is no C compiler to make one with, and the month is the real one.
    """
    clock = WallClock.build(tmp_path_factory.mktemp("clock"))
    if clock is None:
        yield None
        return
    clock.set_to(_a_month_from(clock.now()))

    class Moved(datetime):
        @classmethod
        def now(cls, tz=None):
            return clock.now().astimezone(tz)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "datetime", Moved)
        for name, value in clock.environment.items():
            patch.setenv(name, value)
        yield clock
