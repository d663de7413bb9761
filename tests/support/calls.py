"""Calls for a worker of the sandbox, which imports them by name."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from hubyard.contract.errors import Invalid

if TYPE_CHECKING:
    from pathlib import Path


def refuse(field: str) -> None:
    raise Invalid("No.", field=field)


def break_down() -> None:
    raise ValueError("nobody foresaw this")


def spin(*_: object) -> None:
    while True:
        pass


def allocate(size: int) -> int:
    return len(b"x" * size)


def wait_for(path: Path) -> str:
    path.with_suffix(".begun").touch()
    while not path.exists():
        time.sleep(0.01)
    return path.name


def count(path: Path) -> int:
    with path.open("a") as file:
        file.write(".")
    return len(path.read_text())


def environment() -> dict[str, str]:
    return dict(os.environ)
