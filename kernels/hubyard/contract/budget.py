"""Budgets: what a user, group or project may spend in a month.

account    whom a cost counts for
members    the hub group to which a project with a budget belongs. Only what its members
           start counts for the project: for everybody else its name is a word
spent      what the ledger says the month has cost
reserved   what running workloads may yet cost: to their deadline, at most a day ahead
left       amount - spent - reserved: what a start may still reserve
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from hubyard.contract.base import Moment, Read, Title, Written
from hubyard.contract.money import MOST_UNITS, Money, amount_text, parse_micros


class Scope(StrEnum):
    """What kind of account a budget is for."""

    USER = "user"
    GROUP = "group"
    PROJECT = "project"


class Stop(StrEnum):
    """What a budget does once there is nothing left of it."""

    HARD = "hard"
    """It refuses starts, and ends workspaces and runs after a warning."""
    SOFT = "soft"
    """It warns."""


class WhenSpent(StrEnum):
    """What becomes of endpoints and apps once a hard budget is spent."""

    KEEP = "keep"
    STOP = "stop"


class Account(Read):
    """Whom a cost counts for."""

    scope: Scope
    name: str = Field(min_length=1)

    @property
    def words(self) -> str:
        """As a sentence names it."""
        return {
            Scope.USER: f"budget of {self.name}",
            Scope.GROUP: f"budget of the group {self.name}",
            Scope.PROJECT: f"budget of the project {self.name}",
        }[self.scope]


_LONGEST_AMOUNT = 40
_Amount = (
    Annotated[str, Field(max_length=_LONGEST_AMOUNT)]
    | Annotated[int, Field(ge=0, le=MOST_UNITS)]
    | Annotated[float, Field(ge=0, le=MOST_UNITS)]
)
"""As it may be written."""


def _micros(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str | float | Decimal):
        raise ValueError("write an amount such as 50 or 12.50")  # noqa: TRY004  pydantic reports ValueError alone
    said = str(value)
    if len(said) > _LONGEST_AMOUNT:
        raise ValueError("write an amount such as 50 or 12.50")
    return parse_micros(said)


class BudgetRequest(Written):
    """Set what an account may spend in each month."""

    group: Title | None = Field(
        default=None,
        description="for a project, and only there: the hub group that it belongs to",
    )

    amount: Annotated[
        int,
        BeforeValidator(_micros, json_schema_input_type=_Amount),
        PlainSerializer(amount_text, when_used="json"),
    ] = Field(description="in units of the currency; here in micro-units")
    stop: Stop = Stop.HARD
    endpoints: WhenSpent = WhenSpent.KEEP


class BudgetChange(Read):
    """Who has set a budget to what."""

    scope: Scope
    name: Title
    amount: Money | None = Field(description="None: removed")
    stop: Stop
    endpoints: WhenSpent
    group: str | None = Field(default=None, description="to which a project belongs")
    set_by: str
    set_at: Moment


class Budget(Read):
    """A budget and how much of it the present month has used."""

    scope: Scope
    name: str
    amount: Money
    stop: Stop
    endpoints: WhenSpent
    group: str | None = Field(default=None, description="to which a project belongs")
    set_by: str
    spent: Money
    reserved: Money
    left: Money = Field(description="what a start may still reserve")
    percent: int = Field(description="spent, of the amount; above 100 where exceeded")
    level: int = Field(description="the last warning that was reached: 0, 80, 95, 100")
