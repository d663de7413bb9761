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
from hubyard.contract.source import Change, ChangedFile, Comparison
from hubyard_hub.sources.notebook import read_notebook
from hubyard_hub.sources.packed import each_file, file_digests

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

_MOST_DIFFS = 50
_LONGEST_TEXT = 200_000
_MOST_LINES = 4000
_NO_LINES: list[str] = []
_LONGEST_ANSWER = 2_000_000
"""Characters of all diffs together; what comes after that has none."""


def compare(before: Path, after: Path) -> Comparison:
    """What of a packed source is another in a second one."""
    return Comparison(files=changed_files(before, after))


def changed_files(before: Path, after: Path) -> tuple[ChangedFile, ...]:
    """The files of two packed sources that are not alike, by name."""
    old, new = file_digests(before), file_digests(after)
    names = sorted(n for n in old.keys() | new.keys() if old.get(n) != new.get(n))
    diffs = _diffs(before, after, names[:_MOST_DIFFS])
    return tuple(
        ChangedFile(
            name=name,
            change=_change(name in old, name in new),
            diff=diffs.get(name, ""),
        )
        for name in names
    )


def _diffs(before: Path, after: Path, names: Collection[str]) -> dict[str, str]:
    """The diffs of some files, as long as there is room in the answer."""
    old, new = _texts(before, names), _texts(after, names)
    found: dict[str, str] = {}
    left = _LONGEST_ANSWER
    for name in names:
        diff = _diff(old.get(name, _NO_LINES), new.get(name, _NO_LINES))
        if len(diff) <= left:
            found[name] = diff
            left -= len(diff)
    return found


def _texts(source: Path, names: Collection[str]) -> dict[str, list[str] | None]:
    """The lines of those of some files that a source holds."""
    return {name: _text(name, content) for name, content in each_file(source, names)}


def _change(was: bool, is_: bool) -> Change:  # noqa: FBT001  two sides of one question
    if was and is_:
        return Change.CHANGED
    return Change.ADDED if is_ else Change.REMOVED


def _diff(old: list[str] | None, new: list[str] | None) -> str:
    if old is None or new is None:
        return ""
    lines = islice(unified_diff(old, new, lineterm=""), 2, None)  # no file names
    return "\n".join(lines)


def _text(name: str, content: bytes | None) -> list[str] | None:
    """The lines of a file that people read; None where it has none, or too many."""
    if content is None:
        return None
    try:
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
