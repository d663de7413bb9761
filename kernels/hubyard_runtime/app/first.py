"""The first visit: before anybody else sees an app, it is shown to its owner.

visit    opens the app as its owner's browser would, and waits until its code has run
failure  why it cannot be shown, in one line; the traceback stands in the log above it

An app whose first execution fails does not become ready: the child prints the failure
as its last line and ends with 1. The visit is cut off after a time, since a start may
not take for ever and some apps never stop computing. Later failures end nothing: the
visitor reads a sentence, and the log has the traceback.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SENTENCE = "This app has failed here. Its owner finds the reason in the app's log."
"""What visitors read; tracebacks hold paths, data and code."""

VISIT_S = 70
"""From the child's start until the visit is cut off: the hub gives a start ninety
seconds."""

_HEADER = "X-Hubyard-First-Visit"
"""Marks the visit. The gate takes such headers from what visitors send."""
_VARIABLE = "HUBYARD_FIRST_VISIT"
_LINE_LIMIT = 300


def environment(visitor: Mapping[str, str]) -> dict[str, str]:
    """What tells a child who its first visitor is, by the headers of the gate."""
    told = {"visitor": dict(visitor), "until": time.monotonic() + VISIT_S}
    return {_VARIABLE: json.dumps(told)}


def shown(socket: Path) -> Path:
    """The file that is there once the visit is over and nothing has failed."""
    return socket.with_name("shown")


def is_first(headers: Mapping[str, str]) -> bool:
    """Whether a request belongs to the first visit."""
    return _HEADER in headers


@dataclass
class FirstVisit:
    """The visit, as the child makes it."""

    socket: Path
    visitor: Mapping[str, str]
    until: float
    """By the monotonic clock, which all processes of a machine share."""
    failure: str | None = None
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {**self.visitor, _HEADER: "1"}

    @classmethod
    def from_environment(cls, socket: Path) -> FirstVisit:
        """Read what `environment` has written, so that the app's code cannot."""
        told = json.loads(os.environ.pop(_VARIABLE, None) or "{}")
        until = told.get("until", time.monotonic() + VISIT_S)
        return cls(socket, told.get("visitor", {}), until)

    @property
    def left_s(self) -> float:
        """Seconds until the visit is cut off."""
        return max(self.until - time.monotonic(), 0.0)

    def fail(self, why: str) -> None:
        """Note the first thing that went wrong."""
        if self.failure is None:
            line = " ".join(why.split())
            self.failure = line[:_LINE_LIMIT]

    def begin(self, visit: Callable[[], None], end: Callable[[], None]) -> None:
        """Make the visit in a thread; `end` ends this process's server."""
        threading.Thread(target=self._go, args=(visit, end), daemon=True).start()

    def _go(self, visit: Callable[[], None], end: Callable[[], None]) -> None:
        visit()
        if self.failure is None:
            shown(self.socket).touch()
            return
        sys.stderr.write(f"The app cannot be shown. {self.failure}\n")
        sys.stderr.flush()
        end()
