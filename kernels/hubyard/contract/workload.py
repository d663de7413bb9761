"""What the hub starts, and the one shape that all of it shares.

workload     a server of the hub: workspace, run, endpoint or app
server name  `<kind>-<id>`, at most 30 of `[a-z0-9-]`; the hub's unnamed server is
             the owner's personal workspace
status       where it is; target: where it shall be. A reconciler closes the gap
"""

from __future__ import annotations

import os
import re
import time
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from hubyard.contract.base import Moment, Read, Seconds, Written
from hubyard.contract.errors import Invalid
from hubyard.contract.money import Money
from hubyard.contract.slug import slug_of

SERVER_NAME_LENGTH = 30
_ID = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
_RANDOM_LENGTH = 8
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class Kind(StrEnum):
    """The four workloads."""

    WORKSPACE = "workspace"
    RUN = "run"
    ENDPOINT = "endpoint"
    APP = "app"


class Status(StrEnum):
    """Where a workload is. The three last are final for a run."""

    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    READY = "ready"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def is_active(self) -> bool:
        """Whether something is, or soon will be, running and costing."""
        return self in _ACTIVE


_ACTIVE = {Status.PENDING, Status.STARTING, Status.RUNNING, Status.READY}


class Target(StrEnum):
    """Where a workload shall be."""

    RUNNING = "running"
    STOPPED = "stopped"


class ServerName(Read):
    """The name of a workload's hub server, in its two parts."""

    kind: Kind
    id: str

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a hub server's name; the unnamed server is the personal workspace.

        Raises:
            Invalid: no workload can be called that.
        """
        if not name:
            return cls(kind=Kind.WORKSPACE, id="")
        kind, _, rest = name.partition("-")
        fits = len(name) <= SERVER_NAME_LENGTH and _ID.match(rest)
        if kind not in set(Kind) or not fits:
            kinds = ", ".join(f"{k}-<id>" for k in Kind)
            raise Invalid(
                f"{name[:40]!r} cannot name a server: write one of {kinds}, in at most "
                f"{SERVER_NAME_LENGTH} characters of a-z, 0-9 and single hyphens.",
                field="server name",
            )
        return cls(kind=Kind(kind), id=rest)

    def __str__(self) -> str:
        return f"{self.kind}-{self.id}" if self.id else ""


def new_id() -> str:
    """A fresh lower-case ULID: 26 characters, sorted by time of making.

    Format: https://github.com/ulid/spec (48 bits of milliseconds, 80 random bits).
    """
    value = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10), "big")
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -5, -5))


def new_readable_id(kind: Kind, name: str) -> str:
    """A fresh id that begins with what it names and fits the kind's server name."""
    random = "".join(_CROCKFORD[byte & 31] for byte in os.urandom(_RANDOM_LENGTH))
    room = SERVER_NAME_LENGTH - len(kind) - _RANDOM_LENGTH - 2
    slug = slug_of(name, room)
    return f"{slug}-{random}" if slug else random


class UserOptions(Written):
    """All that a hub server's start may be told; the rest is looked up."""

    kind: Kind = Kind.WORKSPACE
    compute: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="name of a compute profile; None: the first allowed"
    )
    lifetime_s: Seconds | None = Field(
        default=None, description="None: the default lifetime of the compute profile"
    )


class Limits(StrEnum):
    """Which rung of the ladder holds a workload to its compute."""

    CGROUP_V2 = "cgroup-v2"
    CGROUP_V1 = "cgroup-v1"
    SOFT = "soft"

    @property
    def enforced(self) -> bool:
        """Whether the kernel itself holds the limit of memory and CPU."""
        return self is not Limits.SOFT


class Extension(Read):
    """More time for a workload that runs: what it costs, or why there is none."""

    seconds: int
    cost: Money
    refusal: str | None = None


class ExtensionRequest(Written):
    """Let a workload live longer than was chosen at its start."""

    seconds: Seconds = 3600


class Workload(Read):
    """A workload as its owner sees it: the same columns for all four kinds."""

    entry_id: str = Field(description="the ledger entry that pays for it")
    kind: Kind
    owner: str
    server_name: str
    name: str = Field(description="what its owner calls it")
    url: str
    compute: str
    price: Money
    cost: Money = Field(description="so far, or in all once it has ended")
    limits: Limits
    started_at: Moment
    deadline: Moment = Field(description="when it ends by itself")
    ends: str = Field(
        default="lifetime", description="why it ends then: lifetime, idle or budget"
    )
    ended_at: Moment | None = None
    seconds_left: int
    extension: Extension | None = Field(
        default=None, description="what one more hour costs; None: it has ended"
    )
