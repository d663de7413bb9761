"""A departure: how somebody's access and work end.

barred   not admitted for now: all that runs ends, nothing is given away, and an
         administrator may admit the same person again
retired  left for good: what stays goes to a deputy or is set aside, and the name is not
         used again until an administrator releases it
deputy   who takes over schedules, deployments and apps
grace    for how long deployments and apps go on without a deputy
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from hubyard.contract.base import LONGEST_S, Moment, Read, Title, Written

Grace = Annotated[int, Field(ge=0, le=LONGEST_S, strict=True)]
"""Seconds; 0: none."""


class Leaving(StrEnum):
    """How somebody leaves."""

    BARRED = "barred"
    RETIRED = "retired"


class OffboardRequest(Written):
    """End somebody's access for good, and say what becomes of their work."""

    deputy: Title | None = Field(
        default=None, description="takes over schedules, deployments and apps"
    )
    grace_s: Grace = Field(
        default=0, description="for how long deployments and apps go on without one"
    )


class Holdings(Read):
    """What somebody has that a departure ends or moves."""

    name: str
    schedules: tuple[str, ...] = Field(description="names of those that are not paused")
    workloads: tuple[str, ...] = Field(description="what runs now, by its name")
    runs: int = Field(description="that have not ended")
    deployments: tuple[str, ...]
    apps: tuple[str, ...]
    shares: int = Field(description="apps of others that they were let into")
    leaving: Leaving | None = Field(
        default=None, description="None: nobody has taken their access away"
    )


class Departure(Read):
    """One departure, and whether it is done."""

    id: str
    name: str
    how: Leaving
    deputy: str | None
    asked_by: str
    asked_at: Moment
    grace_until: Moment
    closed_at: Moment | None = Field(description="None: something is still ending")
    released_at: Moment | None = Field(
        description="since when the name may be used again; None: it may not"
    )
    left: str | None = Field(description="what is still ending, in words")
