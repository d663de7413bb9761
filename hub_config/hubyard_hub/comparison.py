"""Comparison: what of a source is another in a second one, as people read it.

text  what is compared of a file: of a notebook the sources of its cells, each under a
      line that names it, and no output; of any other file its lines, if it is UTF-8

Everything is bounded, as the sources are strangers': so many files, so long a text.
"""

from __future__ import annotations

from difflib import unified_diff
from itertools import islice
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import Invalid, TooLarge
from hubyard.contract.source import Change, ChangedFile
from hubyard_hub.packed import file_digests, read_file
from hubyard_hub.parameters import read_notebook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MOST_DIFFS = 50
_LONGEST_TEXT = 200_000
_MOST_LINES = 4000


def changed_files(before: Path, after: Path) -> tuple[ChangedFile, ...]:
    """The files of two packed sources that are not alike, by name."""
    old, new = file_digests(before), file_digests(after)
    names = sorted(n for n in old.keys() | new.keys() if old.get(n) != new.get(n))
    told = [
        ChangedFile(
            name=name,
            change=_change(name in old, name in new),
            diff=_diff(
                _text(before, name) if name in old else [],
                _text(after, name) if name in new else [],
            ),
        )
        for name in names[:_MOST_DIFFS]
    ]
    rest = [
        ChangedFile(name=name, change=_change(name in old, name in new), diff="")
        for name in names[_MOST_DIFFS:]
    ]
    return (*told, *rest)


def _change(was: bool, is_: bool) -> Change:  # noqa: FBT001  two sides of one question
    if was and is_:
        return Change.CHANGED
    return Change.ADDED if is_ else Change.REMOVED


def _diff(old: list[str] | None, new: list[str] | None) -> str:
    if old is None or new is None:
        return ""
    lines = islice(unified_diff(old, new, lineterm=""), 2, None)  # no file names
    return "\n".join(lines)


def _text(source: Path, name: str) -> list[str] | None:
    """The lines of a file that people read; None where it has none, or too many."""
    try:
        content = read_file(source, name)
        if name.endswith(".ipynb"):
            lines = list(_of_notebook(read_notebook(content, name)))
        else:
            lines = content.decode().splitlines()
    except (Invalid, TooLarge, UnicodeDecodeError):
        return None
    few = len(lines) <= _MOST_LINES and sum(map(len, lines)) <= _LONGEST_TEXT
    return lines if few else None


def _of_notebook(notebook: Mapping[str, Any]) -> Iterator[str]:
    for number, cell in enumerate(notebook["cells"], start=1):
        yield f"# {cell['cell_type']} cell {number}"
        source = cell["source"]
        text = source if isinstance(source, str) else "".join(source)
        yield from text.splitlines()
