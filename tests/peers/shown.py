"""Shown: what an executed notebook shows, in a form that two executions share.

Streams are joined and lines are as they are drawn at last; addresses, process ids and
places in temporary files become the same for all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from peers.case import Shown

_VOLATILE = (
    (re.compile(r"0x[0-9a-f]{6,}"), "0x"),
    (re.compile(r"\S*ipykernel_\d+\S*\.py"), "cell.py"),
    (re.compile(r"\S*site-packages/\S+:\d+"), "library"),
    (re.compile(r'"[^"]*site-packages/[^"]*", line \d+'), '"library"'),
    (re.compile(r"(?:user|sys|total|Wall time).*?: [^\n]*"), "times"),
)


def of_cells(cells: Sequence[Mapping[str, Any]], last: int | None) -> list[Shown]:
    """What each code cell up to this one shows; None: all of them."""
    reach = cells if last is None else cells[: last + 1]
    return [_of(cell["outputs"]) for cell in reach if cell["cell_type"] == "code"]


def first_error(cells: Sequence[Mapping[str, Any]]) -> tuple[int, str] | None:
    """The first cell that has failed, and the name of the error that it shows."""
    for index, cell in enumerate(cells):
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                return index, output["ename"]
        if cell["metadata"].get("papermill", {}).get("exception"):
            return index, ""
    return None


def texts(shown: Iterable[Shown]) -> str:
    """All that is shown, as one text."""
    return "\n".join(str(each) for each in shown)


def _of(outputs: Sequence[Mapping[str, Any]]) -> Shown:
    return {
        "out": _stream(outputs, "stdout"),
        "err": _stream(outputs, "stderr"),
        "results": [_result(each) for each in outputs if "data" in each],
        "errors": [each["ename"] for each in outputs if "ename" in each],
    }


def _stream(outputs: Sequence[Mapping[str, Any]], name: str) -> str:
    parts = [_joined(each["text"]) for each in outputs if each.get("name") == name]
    return _same("\n".join(map(_drawn, "".join(parts).split("\n"))))


def _drawn(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2]


def _result(output: Mapping[str, Any]) -> str:
    kinds = ", ".join(sorted(output["data"]))
    return f"{kinds}: {_same(_joined(output['data'].get('text/plain', '')))}"


def _joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def _same(value: str) -> str:
    for pattern, instead in _VOLATILE:
        value = pattern.sub(instead, value)
    return value
