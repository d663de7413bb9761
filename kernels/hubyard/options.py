"""Options of a schedule: what the command and the magic take alike, described once.

Each is a name and what argparse wants to know of it. An option that is not given says
nothing: a new schedule has the contract's default there, one that is changed keeps what
it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import Invalid
from hubyard.contract.notice import NOBODY, OF_RUNS, USUAL
from hubyard.contract.schedule import Missed, Overlap
from hubyard.reading import alias, duration

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    Options = Mapping[str, Mapping[str, Any]]

TRIGGER: Options = {
    "--on-file": {
        "metavar": "PATH",
        "help": "run when it changes: a file, a folder, or a quoted glob",
    },
    "--on-model": {
        "type": alias,
        "metavar": "MODEL@ALIAS",
        "help": "run when the alias moves to another version",
    },
}
"""What wakes it instead of a cron."""

POLICY: Options = {
    "--tz": {
        "dest": "time_zone",
        "metavar": "ZONE",
        "help": "time zone, such as Europe/Berlin (default: UTC)",
    },
    "--missed": {
        "choices": [each.value for each in Missed],
        "help": "runs for what came due while nothing could start it: none, one "
        "(default) or each",
    },
    "--overlap": {
        "choices": [each.value for each in Overlap],
        "help": "what a fire does while the run before is active: nothing "
        "(default), wait, or run",
    },
    "--grace": {
        "dest": "grace_s",
        "type": duration,
        "metavar": "TIME",
        "help": "how late --missed skip still starts a run: 5m, 1h (default)",
    },
    "--notify": {
        "action": "append",
        "metavar": "CHANNEL",
        "help": f"who is told, besides you (hubyard channels), {NOBODY}, or {USUAL}: "
        "those that an administrator chose (default); may be given again",
    },
    "--notify-on": {
        "action": "append",
        "choices": [each.value for each in OF_RUNS],
        "help": "what channels are told of; may be given again (default: failed)",
    },
}
"""When its cron holds, what becomes of its fires, and who is told."""

_FIELDS = ("time_zone", "missed", "overlap", "grace_s", "notify", "notify_on")


def policy_of(given: argparse.Namespace) -> dict[str, Any]:
    """The fields of a schedule that its policy options say; of others nothing.

    Raises:
        Invalid: channels are named beside what is none.
    """
    said = {
        field: getattr(given, field)
        for field in _FIELDS
        if getattr(given, field) is not None
    }
    if "notify" in said:
        said["notify"] = _channels(said["notify"])
    return said


def _channels(names: Sequence[str]) -> Sequence[str] | None:
    if len(names) > 1 and not {NOBODY, USUAL}.isdisjoint(names):
        raise Invalid(f"Write --notify {NOBODY} or --notify {USUAL} alone.")
    return [] if NOBODY in names else None if USUAL in names else names
