"""A call: what crosses between the platform and a worker, and what it may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

from hubyard.contract import errors
from hubyard.contract.errors import HubyardError, TooLarge


@dataclass(frozen=True)
class Limits:
    """What one call may use."""

    cpu_s: int
    memory_bytes: int

    @property
    def words(self) -> str:
        """As a refusal says it."""
        return f"{self.cpu_s} s or {self.memory_bytes // 2**20} MiB"


class Answer(NamedTuple):
    """What came of a call."""

    value: bytes = b""
    """The pickled value; empty where there is an error instead."""
    error: tuple[str, str, str | None] | None = None
    """The name of a public error, its message and its field."""
    is_spent: bool = False
    """Whether the worker shall not be asked again."""

    @classmethod
    def refused(cls, error: HubyardError) -> Answer:
        """The answer of a call that has raised."""
        return cls(error=(type(error).__name__, error.message, error.field))

    def content(self) -> bytes:
        """The pickled value.

        Raises:
            HubyardError: the one that it has instead.
        """
        if self.error is None:
            return self.value
        name, message, field = self.error
        raise cast("type[HubyardError]", getattr(errors, name))(message, field=field)


def too_much(limits: Limits) -> TooLarge:
    """What a call is told that overran."""
    return TooLarge(f"This takes more than {limits.words} to read: make it smaller.")
