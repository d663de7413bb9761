"""Durations as people write them: `90s`, `30m`, `8h`, `2d`, `1h30m`."""

from __future__ import annotations

import re

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?")


def parse_duration(text: str) -> int:
    """Read a duration into whole seconds.

    Raises:
        ValueError: not a duration, or none at all.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    counts = match.groups(default="0") if match else ()
    pairs = zip(counts, _UNITS.values(), strict=False)
    seconds = sum(int(count) * unit for count, unit in pairs)
    if seconds <= 0:
        raise ValueError(f"{text!r} is not a duration: write one such as 30m, 8h or 2d")
    return seconds


def duration_text(seconds: int) -> str:
    """The shortest text that `parse_duration` reads back: `1h30m`, `2d`, `0s`."""
    parts: list[str] = []
    for unit, size in _UNITS.items():
        count, seconds = divmod(max(seconds, 0), size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
