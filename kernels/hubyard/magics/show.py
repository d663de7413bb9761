"""Showing: what a magic reads from its line, asks, and leaves below its cell."""

from __future__ import annotations

import html
import os
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.core.error import StdinNotImplementedError, UsageError
from pydantic import ValidationError

from hubyard.client import Client
from hubyard.contract import environment
from hubyard.contract.errors import HubyardError, Invalid, refused
from hubyard.showing import table
from hubyard.tracking.notebook import notebook_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path


_SAFE_LINKS = ("https://", "http://", "/")


def read(magic: Callable[..., Any], line: str) -> argparse.Namespace:
    """The arguments of a magic, split as a terminal would.

    IPython's own splitting leaves quotes where they stand.

    Raises:
        UsageError: they are not what the magic takes.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"The line cannot be read: {error}.") from None
    if {"-h", "--help"} & {*words}:
        raise UsageError(f"Write %{magic.__name__}? for what it takes.")
    return magic.parser.parse_args(words)  # pyright: ignore[reportFunctionMemberAccess]  magic_arguments puts it there


@contextmanager
def asking() -> Generator[Client]:
    """The client; what is refused becomes one line below the cell.

    Raises:
        UsageError: Hubyard, or the shape of a request, refuses.
    """
    try:
        with Client.from_environment() as client:
            yield client
    except HubyardError as error:
        raise UsageError(error.message) from None
    except ValidationError as error:
        raise UsageError(refused(error).message) from None


def confirmed(question: str) -> bool:
    """Whether a person says yes. In a run there is nobody to ask, and it is yes."""
    if os.environ.get(environment.RUN):
        return True
    try:
        answer = input(f"{question} [y/N] ")
    except StdinNotImplementedError:
        return True
    except EOFError:
        answer = ""
    if answer.strip().lower() in {"y", "yes"}:
        return True
    say("Nothing was started.")
    return False


def this_notebook() -> Path:
    """The notebook that the magic stands in.

    Raises:
        Invalid: nobody has told this kernel.
    """
    path = notebook_path()
    if path is None:
        raise Invalid("This kernel does not know its notebook: name the file.")
    return path


def say(line: str) -> None:
    """One line below the cell, now."""
    print(line, flush=True)  # noqa: T201  where its owner looks


class Lines:
    """A result of a few lines, and a link under the last."""

    def __init__(self, *lines: str, link: str | None = None) -> None:
        self.lines = lines
        self.link = link

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:  # noqa: ANN401  IPython's
        plain = [*self.lines, *filter(None, [self.link])]
        shown = [html.escape(line) for line in self.lines]
        if self.link:
            shown.append(_anchor(self.link))
        return {
            "text/plain": "\n".join(plain),
            "text/html": _no_math("<br>".join(shown)),
        }


class Table:
    """A result of rows, under a line that sums it up."""

    def __init__(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        empty: str,
        above: str = "",
    ) -> None:
        self.head, self.rows, self.empty, self.above = head, rows, empty, above

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:  # noqa: ANN401  IPython's
        lines = [*filter(None, [self.above]), *table(self.head, self.rows, self.empty)]
        return {"text/plain": "\n".join(lines), "text/html": _no_math(self._html())}

    def _html(self) -> str:
        above = f"<p>{html.escape(self.above)}</p>" if self.above else ""
        if not self.rows:
            return f"{above}<p>{html.escape(self.empty)}</p>"
        rows = "".join(_row("td", row) for row in self.rows)
        return (
            f"{above}<table><thead>{_row('th', self.head)}</thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def _no_math(inside: str) -> str:
    """HTML in which two amounts of dollars are no formula: Jupyter takes `$` for one.

    The class is MathJax's: https://docs.mathjax.org/en/latest/options/document.html
    """
    return f'<div class="mathjax_ignore">{inside}</div>'


def _row(tag: str, cells: Sequence[str]) -> str:
    inside = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inside}</tr>"


def _anchor(url: str) -> str:
    """A link, unless its scheme is one that runs code."""
    shown = html.escape(url)
    if not url.startswith(_SAFE_LINKS):
        return shown
    return f'<a href="{shown}" target="_blank" rel="noopener noreferrer">{shown}</a>'
