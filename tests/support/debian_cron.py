"""When Debian's cron runs a job, told a minute at a time: the oracle of our own Cron.

The rule is that of the loop in `cron.c` of Debian's package `cron`, 3.0pl1-162, which
ran all these cases on a false clock and agreed.

wall      what the clock shows
wildcard  a job whose minute or hour starts with `*`: it runs by the wall, so what a gap
          skips is not run, and what an overlap shows twice is run twice
fixed     any other: it runs by virtual time, which the wall drags along and which never
          goes back, so all that a gap skips runs in the first minute after it, and what
          an overlap shows again does not run again

The day must match both of its fields where one of them starts with `*`, else either.
A clock that moves by more than three hours is put right, says Debian: none here does.

`python tests/support/debian_cron.py` writes the table anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TABLE = Path(__file__).parents[1] / "unit" / "hubyard_hub" / "cron_oracle.txt"
MINUTE = timedelta(minutes=1)
ROUND = timedelta(hours=30)
"""So much is told before a clock change, and after it."""
_FEW, _FAR = 3, timedelta(hours=1)

CHANGES = {
    "America/New_York": ("2026-03-08T07:00", "2026-11-01T06:00"),
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00"),
    # By half an hour, in the south.
    "Australia/Lord_Howe": ("2025-10-04T15:30", "2026-04-04T15:00"),
    # At midnight: the day begins at one; the day before ends twice.
    "Africa/Cairo": ("2026-04-23T22:00", "2026-10-29T21:00"),
    "America/Santiago": ("2025-09-07T04:00", "2026-04-05T03:00"),
    # At a quarter to three, of an offset of 12:45.
    "Pacific/Chatham": ("2025-09-27T14:00", "2026-04-04T14:00"),
    # By two hours.
    "Antarctica/Troll": ("2026-03-29T01:00", "2026-10-25T01:00"),
    # One minute after midnight, as it was then.
    "America/St_Johns": ("2010-03-14T03:31", "2010-11-07T02:31"),
    # Never: on the days when Berlin does.
    "Asia/Kathmandu": ("2026-03-29T01:00", "2026-10-25T01:00"),
}
"""Of each zone the moments, in UTC, when its clock goes forward and back."""

CRONS = (
    # wildcard
    "*/5 * * * *",
    "*/20 * * * *",
    "0 * * * *",
    "15 * * * *",
    "45 * * * *",
    "0,30 * * * *",
    "*/10 0 * * *",
    "*/10 1 * * *",
    "*/10 2 * * *",
    "*/15 3 * * *",
    "*/30 23 * * *",
    "*/30 0-3 * * *",
    "10 */2 * * *",
    "0 */3 * * 0",
    # fixed
    "0 0 * * *",
    "30 0 * * *",
    "1 0 * * *",
    "0 1 * * *",
    "30 1 * * *",
    "0 2 * * *",
    "15 2 * * *",
    "30 2 * * *",
    "50 2 * * *",
    "0 3 * * *",
    "30 23 * * *",
    "0,30 1-3 * * *",
    "0-59/20 0-3 * * *",
    "30 0-23 * * *",
    "15 1,2 */2 * 0",
    "45 1-3 1-8 * 7",
)


@dataclass(frozen=True)
class Job:
    """One line of a crontab."""

    fields: tuple[frozenset[int], ...]
    """What each of the five matches."""
    wildcard: bool
    both_days: bool

    @classmethod
    def of(cls, cron: str) -> Job:
        """Read five fields of numbers, `*`, ranges, steps and lists."""
        texts = cron.split()
        lowest, highest = (0, 0, 1, 1, 0), (59, 23, 31, 12, 7)
        fields = [
            frozenset(_matched(*each))
            for each in zip(texts, lowest, highest, strict=True)
        ]
        if 7 in fields[4]:
            fields[4] |= {0}
        starred = [text.startswith("*") for text in texts]
        return cls(tuple(fields), starred[0] or starred[1], starred[2] or starred[4])

    def matches(self, wall: datetime) -> bool:
        """Whether it is for what a clock on the wall shows."""
        minutes, hours, dates, months, days = self.fields
        date, day = wall.day in dates, wall.isoweekday() % 7 in days
        return (
            wall.minute in minutes
            and wall.hour in hours
            and wall.month in months
            and ((date and day) if self.both_days else (date or day))
        )


def _matched(text: str, lowest: int, highest: int) -> Iterator[int]:
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            first, last = str(lowest), str(highest)
        yield from range(int(first), int(last or first) + 1, int(step or 1))


def minutes_round(zone: str, change: datetime) -> list[tuple[datetime, datetime]]:
    """Each minute of UTC round a clock change, and what the wall shows then."""
    first, count = change - ROUND, 2 * ROUND // MINUTE
    moments = [first + number * MINUTE for number in range(count + 1)]
    here = ZoneInfo(zone)
    return [(m, m.astimezone(here).replace(tzinfo=None)) for m in moments]


def fires(cron: str, minutes: list[tuple[datetime, datetime]]) -> Iterator[datetime]:
    """In which of them, save the first, Debian's cron runs a job."""
    job = Job.of(cron)
    virtual = minutes[0][1]
    for moment, wall in minutes[1:]:
        runs = job.wildcard and job.matches(wall)
        while virtual < wall:
            virtual += MINUTE
            runs |= not job.wildcard and job.matches(virtual)
        if runs:
            yield moment


def in_words(moments: Iterable[datetime]) -> str:
    """Moments of UTC as the table has them.

    `03-08T07:00+5x24` is that minute and 23 more, each five minutes after the last.
    """
    words: list[str] = []
    rest = list(moments)
    while rest:
        first, *others = rest
        step = others[0] - first if others else MINUTE
        count = next(
            (n for n, each in enumerate(rest) if each != first + n * step), len(rest)
        )
        told_apart = count < _FEW or step > _FAR
        count = 1 if told_apart else count
        many = "" if told_apart else f"+{step // MINUTE}x{count}"
        words.append(f"{first:%m-%dT%H:%M}{many}")
        del rest[:count]
    return " ".join(words)


def table() -> str:
    """A line for each clock change, and below it one for each cron with its fires."""
    lines: list[str] = []
    for zone, changes in CHANGES.items():
        for change in changes:
            lines.append(f"{zone} {change}")
            minutes = minutes_round(zone, moment_of(change))
            told = ((cron, in_words(fires(cron, minutes))) for cron in CRONS)
            lines += [f"{cron} | {words}".rstrip() for cron, words in told]
    return "\n".join(lines) + "\n"


def moment_of(text: str) -> datetime:
    """A moment of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


if __name__ == "__main__":
    TABLE.write_text(table())
