"""Speed: how long the model takes for a row, and how many rows one request may have.

A call takes some time whatever its rows, and then some for each row; so the time of a
call divided by its rows is never less than what a row takes. The least that was seen
is the estimate. Later calls of a like number of rows move it up again where the model
or the machine has become slower; calls of few rows tell nothing about many.
"""

from __future__ import annotations

from hubyard.contract.errors import TooLarge

LONGEST_S = 20.0
"""What a request may be expected to take: others wait meanwhile."""
UNMEASURED_ROWS = 1000
"""Rows of a request to a model that has answered nothing yet."""
_LIKE = 4
"""A call of at least this fraction of the rows is of a like size."""
_WEIGHT = 0.3
"""How much of the estimate a slower call of a like size makes up."""


class Speed:
    """What the calls so far have shown. Written by one thread, read by another."""

    def __init__(self) -> None:
        """Begin without a measurement."""
        self._row_s: float | None = None
        self._rows = 0

    @property
    def row_s(self) -> float | None:
        """Seconds that a row takes; None: no call yet."""
        return self._row_s

    def saw(self, rows: int, seconds: float) -> None:
        """Take one call into account."""
        if rows < 1:
            return
        row_s = max(seconds, 1e-9) / rows
        if self._row_s is None or row_s < self._row_s:
            self._row_s, self._rows = row_s, rows
        elif rows * _LIKE >= self._rows:
            self._row_s += _WEIGHT * (row_s - self._row_s)

    @property
    def most_rows(self) -> int:
        """How many rows a request may have."""
        if self._row_s is None:
            return UNMEASURED_ROWS
        return max(int(LONGEST_S / self._row_s), 1)

    def check(self, rows: int) -> None:
        """Accept a request of so many rows.

        Raises:
            TooLarge: the model would be busy with it for too long.
        """
        most = self.most_rows
        if rows > most:
            raise TooLarge(
                f"The request has {rows:,} rows, and this model {self._pace()}: "
                f"send at most {most:,} at a time."
            )

    def _pace(self) -> str:
        if self._row_s is None:
            return "has answered nothing yet"
        if self._row_s > 1:
            return f"takes about {self._row_s:,.0f} s for a row"
        return f"answers about {1 / self._row_s:,.0f} rows a second"
