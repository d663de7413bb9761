"""Months: tests choose where in a month they stand, and never stand in the real one.

noon    of a month's 15th: nothing that a test reckons with reaches another month
border  the last minutes of a month, or its first: what falls into another month counts
        there
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from hubyard.contract import base

if TYPE_CHECKING:
    from collections.abc import Callable

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
