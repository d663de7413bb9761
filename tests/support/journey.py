"""A journey through the product: what a person does, counted and timed."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Journey:
    """Counts acts and lines, and times milestones.

    An act is what a person decides and does: a click, or a name typed. A line is a
    line of code that a person had to write for the platform's sake.
    """

    acts: int = 0
    lines: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    @contextmanager
    def act(self, what: str) -> Iterator[None]:
        """One act."""
        self.acts += 1
        print(f"  act {self.acts}: {what}", flush=True)
        yield

    @contextmanager
    def milestone(self, name: str) -> Iterator[None]:
        """The seconds from the first act of a milestone to its goal."""
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began
        print(f"{name}: {self.seconds[name]:.1f} s", flush=True)

    def line(self) -> str:
        """The last line: figures as key=value."""
        times = " ".join(f"{name}_s={s:.1f}" for name, s in self.seconds.items())
        total = time.monotonic() - self._began
        return f"golden acts={self.acts} lines={self.lines} {times} total_s={total:.1f}"
