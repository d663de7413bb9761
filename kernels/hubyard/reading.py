"""Reading: what a person types for a command or a magic, for argparse."""

from __future__ import annotations

import argparse
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hubyard.contract import environment
from hubyard.contract.base import LONGEST_S
from hubyard.contract.duration import duration_text, parse_duration
from hubyard.contract.literal import parse_pair, split_pair
from hubyard.contract.schedule import TriggerRequest


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


def day_of(text: str) -> date:
    """A date, for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no day: write one such as 2026-11-24"
        ) from None


def zone_of(text: str) -> ZoneInfo:
    """A time zone, for argparse."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f"there is no time zone {text!r}: write one such as Europe/Berlin"
        ) from None


def named(text: str) -> str:
    """A name that is not empty, for argparse."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a name is missing")
    return text


def text_pair(text: str) -> tuple[str, str]:
    """Name and the text of a value, for argparse."""
    try:
        return split_pair(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def pair(text: str) -> tuple[str, Any]:
    """Name and value, for argparse."""
    try:
        return parse_pair(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def alias(text: str) -> tuple[str, str]:
    """Model and alias, for argparse."""
    model, found, name = text.rpartition("@")
    if not (found and model and name):
        raise argparse.ArgumentTypeError(f"{text!r} is not MODEL@ALIAS")
    return model, name


def below_home(text: str) -> str:
    """A path or glob from the home on, which in a workspace may be typed from here on.

    What lies elsewhere stays as it is: the platform says what is wrong with it.
    """
    if environment.ENTRY not in os.environ:
        return text
    typed = Path(os.path.normpath(Path.cwd() / Path(text).expanduser()))
    home = Path.home()
    return str(typed.relative_to(home)) if typed.is_relative_to(home) else text


def trigger_of(given: argparse.Namespace) -> TriggerRequest | None:
    """What shall wake a schedule instead of a cron, of what was given.

    Raises:
        ValidationError: it cannot be like this.
    """
    if given.on_file is not None:
        return TriggerRequest(file=below_home(given.on_file))
    if given.on_model is not None:
        model, name = given.on_model
        return TriggerRequest(model=model, alias=name)
    return TriggerRequest(webhook=True) if given.on_webhook else None


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
