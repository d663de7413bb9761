"""Reading: what a person types for a command or a magic, for argparse."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from hubyard.contract.base import LONGEST_S
from hubyard.contract.duration import duration_text, parse_duration
from hubyard.contract.literal import parse_pair


def duration(text: str) -> int:
    """Seconds, for argparse."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if seconds > LONGEST_S:
        longest = duration_text(LONGEST_S)
        raise argparse.ArgumentTypeError(
            f"{text!r} is too long: write at most {longest}"
        )
    return seconds


def moment_of(text: str) -> datetime:
    """A date, with or without a time and a zone, for argparse."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no moment: write one such as 2026-11-24 or 2026-11-24T02:30"
        ) from None


def named(text: str) -> str:
    """A name that is not empty, for argparse."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a name is missing")
    return text


def pair(text: str) -> tuple[str, Any]:
    """Name and value, for argparse."""
    try:
        return parse_pair(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class Pairs(argparse.Action):
    """Names and values, gathered; a name that is given twice is a mistake."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002  argparse's
        namespace: argparse.Namespace,
        values: Any,  # noqa: ANN401  argparse's
        option_string: str | None = None,  # noqa: ARG002  argparse's
    ) -> None:
        """Take one more."""
        name, value = values
        known: dict[str, Any] = getattr(namespace, self.dest)
        if name in known:
            raise argparse.ArgumentError(self, f"{name} is given twice")
        setattr(namespace, self.dest, {**known, name: value})
