"""Showing: values as tables and lines, the same in a terminal and below a cell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hubyard.contract.base import now
from hubyard.contract.duration import duration_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hubyard.contract.budget import Budget
    from hubyard.contract.compute import Catalogue, Estimate
    from hubyard.contract.run import Run
    from hubyard.contract.schedule import Preview, Schedule
    from hubyard.contract.spend import Spend
    from hubyard.contract.workload import Status

T = TypeVar("T")

_WIDEST = 40
_GIB = 2**30


@dataclass(frozen=True)
class Shown:
    """A table: its head, its rows, and what is said where there are none."""

    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    empty: str

    def lines(self) -> list[str]:
        """As text."""
        return table(self.head, self.rows, self.empty)


def price_line(estimate: Estimate) -> str:
    """Price x time, before, and how much of what is left that would take."""
    notice = f". {estimate.notice}" if estimate.notice else ""
    return (
        f"{estimate.compute} costs {estimate.price.text} an hour, at most "
        f"{estimate.total.text} for {duration_text(estimate.lifetime_s)}"
        f"{_budget_words(estimate)}{notice}"
    )


def _budget_words(estimate: Estimate) -> str:
    """What the tightest budget says to an estimate, if there is one."""
    if estimate.left is None:
        return ""
    share = "" if estimate.share is None else f"{estimate.share} % of "
    return f" ({share}{estimate.left.text} left of the budget)"


def compute_table(catalogue: Catalogue) -> Shown:
    """The compute that one may use, and its prices."""
    rows = [
        (
            each.name,
            each.price.text,
            f"{each.cpu:g}",
            f"{each.memory_bytes / _GIB:g} GiB",
            duration_text(each.longest_lifetime_s),
            each.description if each.available else f"not available: {each.reason}",
        )
        for each in catalogue.compute
    ]
    head = ("NAME", "PRICE/H", "CPU", "MEMORY", "LONGEST", "DESCRIPTION")
    return Shown(head, rows, "No compute is offered to you.")


def spend_table(spend: Spend) -> Shown:
    """The workloads that a month's cost is made of."""
    rows = [
        (
            each.name,
            *([each.owner] if not spend.owner else []),
            each.compute,
            moment(each.started_at),
            moment(each.ended_at),
            each.cost_this_month.text,
        )
        for each in spend.lines
    ]
    owner = ["OWNER"] if not spend.owner else []
    head = ("WORKLOAD", *owner, "COMPUTE", "STARTED", "ENDED", "COST")
    return Shown(head, rows, "Nothing has run this month.")


def spend_lines(spend: Spend) -> list[str]:
    """A month in a few lines: spent, what it may come to, and the budgets."""
    whose = "Everybody" if not spend.owner else "You"
    have = "has" if not spend.owner else "have"
    so_far = (
        f"{whose} {have} spent {spend.total.text} since {spend.since:%d %B}, and "
        f"{spend.per_hour.text} an hour now; at this rate {spend.forecast.text} by "
        "the end of the month."
    )
    lines = [so_far]
    if spend.unused.micros:
        lines.append(f"{spend.unused.text} of it paid for nothing: it stood unused.")
    return [*lines, *(budget_line(budget) for budget in spend.budgets)]


def budget_line(budget: Budget) -> str:
    """A budget and how it stands."""
    warning = "  (spent)" if budget.level >= 100 else ""  # noqa: PLR2004  percent
    return (
        f"budget of the {budget.scope} {budget.name}: {budget.spent.text} of "
        f"{budget.amount.text} spent ({budget.percent} %), {budget.reserved.text} "
        f"reserved, {budget.left.text} left{warning}"
    )


def preview_lines(preview: Preview) -> list[str]:
    """What a schedule would do and cost, in a few lines."""
    lines = [preview.text]
    if preview.next_fires:
        zone = preview.time_zone
        fires = ", ".join(_in_zone(fire, zone) for fire in preview.next_fires)
        lines = [f"{preview.text} ({zone})", f"next: {fires} ({zone})"]
    if preview.files is not None:
        files = "1 file is" if preview.files == 1 else f"{preview.files} files are"
        lines.append(f"{files} there now")
    month = preview.per_month and f", {preview.per_month.text} a month"
    price = f"{preview.per_run.text} a run{month or ''}"
    return [*lines, f"{price} ({preview.basis})"]


def rate(priced: Preview | Schedule) -> str:
    """What a schedule costs a month; where nobody knows how often it fires, a run."""
    if priced.per_month is None:
        return f"{priced.per_run.text} a run"
    return f"{priced.per_month.text} a month"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> list[str]:
    """Lines of a table whose columns are as wide as they must be.

    What one types again stands in the first column and an address in the last; what is
    long between them is cut.
    """
    if not rows:
        return [empty]
    lines = [tuple(head), *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def _cells(row: Sequence[str]) -> tuple[str, ...]:
    """A row's texts, none of which can break the line or move the cursor."""
    plain = ["".join(c if c.isprintable() else " " for c in cell) for cell in row]
    first, *between, last = plain
    return (first, *(_cut(cell) for cell in between), last)


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…"


class Progress(Generic[T]):
    """Says a line of what is waited for, whenever it changes."""

    def __init__(self, line: Callable[[T], str], say: Callable[[str], None]) -> None:
        self._line, self._say = line, say
        self._said = ""

    def __call__(self, now: T) -> None:
        """Hear how it is now."""
        line = self._line(now)
        if line != self._said:
            self._say(line)
        self._said = line


def progress_text(run: Run) -> str:
    """How far a run is: `running: step 2 of 5, cell 7 of 12`; or what it waits for."""
    if run.waits_for:
        return f"{run_status(run.status)}: {run.waits_for}"
    steps = f"step {run.steps_done} of {run.steps_total}, " * (run.steps_total > 1)
    status = run_status(run.status)
    return f"{status}: {steps}cell {run.cells_done} of {run.cells_total}"


def run_status(status: Status) -> str:
    """Where a run is, as people read it: one that has not begun waits for its turn."""
    return "queued" if status == "pending" else str(status)


def moment(value: datetime | None) -> str:
    """A moment, in this machine's own zone; of another year with its year."""
    if value is None:
        return "-"
    own = value.astimezone()
    is_near = own.year == now().astimezone().year
    return own.strftime("%d %b %H:%M" if is_near else "%d %b %Y %H:%M")


def due(value: datetime | None, time_zone: str) -> str:
    """A due time, in the zone of its schedule."""
    return f"{_in_zone(value, time_zone)} ({time_zone})" if value else "-"


def _in_zone(value: datetime, time_zone: str) -> str:
    try:
        return value.astimezone(ZoneInfo(time_zone)).strftime("%d %b %Y %H:%M")
    except (ZoneInfoNotFoundError, ValueError, OSError):  # this machine knows it not
        return value.astimezone(UTC).strftime("%d %b %Y %H:%M UTC")
