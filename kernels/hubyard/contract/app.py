"""An app: a web app made from a notebook or a file."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from hubyard.contract.base import (
    ComputeName,
    Digest,
    Moment,
    Read,
    Seconds,
    SourcePath,
    Title,
    Written,
)
from hubyard.contract.errors import Invalid
from hubyard.contract.money import Money
from hubyard.contract.workload import Status, Target


class Framework(StrEnum):
    """What turns the notebook or file into a web app."""

    VOILA = "voila"
    STREAMLIT = "streamlit"

    @classmethod
    def of(cls, path: str) -> Framework | None:
        """The framework that a file's name asks for; None: none does."""
        if path.endswith(".ipynb"):
            return cls.VOILA
        return cls.STREAMLIT if path.endswith(".py") else None


class AppRequest(Written):
    """Publish a notebook or file as an app."""

    source: Digest
    path: SourcePath = Field(description="of the file within the source")
    name: Title | None = None
    framework: Framework | None = Field(
        default=None, description="None: by the file's name"
    )
    compute: ComputeName | None = None
    lifetime_s: Seconds | None = None


class AppJob(Read):
    """What the platform tells an app that asks what it shall show."""

    app_id: str
    name: str
    framework: Framework
    source: Digest
    path: str


class Share(Written):
    """Exactly one user or group that may open an app."""

    user: str | None = Field(default=None, min_length=1, max_length=255)
    group: str | None = Field(default=None, min_length=1, max_length=255)

    @model_validator(mode="after")
    def _one_of_two(self) -> Share:
        if (self.user is None) == (self.group is None):
            raise ValueError("share with exactly one of user or group")
        return self


def parse_share(text: str) -> Share:
    """Read `user:NAME` or `group:NAME`.

    Raises:
        Invalid: it is neither.
    """
    kind, _, name = text.partition(":")
    if kind not in {"user", "group"} or not name:
        raise Invalid(f"{text!r} is nobody: write user:NAME or group:NAME.")
    return Share(user=name) if kind == "user" else Share(group=name)


class App(Read):
    """An app as its owner sees it."""

    id: str
    name: str
    owner: str
    framework: Framework
    path: str
    source: Digest
    compute: str
    price: Money
    cost: Money | None
    lifetime_s: int
    deadline: Moment | None
    status: Status
    target: Target
    reason: str | None
    log_tail: str | None
    url: str
    created_at: Moment
    shares: tuple[Share, ...]
