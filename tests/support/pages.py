"""The documentation, as text: its pages, their headings, links and blocks of code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.hub import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCS = REPOSITORY / "docs"
README = REPOSITORY / "README.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_REFUSED = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Block:
    """A block of code: `kind` is what stands behind its first fence."""

    page: str
    line: int
    kind: str
    text: str

    def commands(self) -> Iterator[tuple[int, str]]:
        """What is typed behind each `$`, and the line of the page where it stands."""
        for number, line in enumerate(self.text.splitlines(), self.line + 1):
            if line.startswith("$ "):
                yield number, line.removeprefix("$ ")


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """As it is named below the repository."""
        return str(self.path.relative_to(REPOSITORY))

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """What is outside of its blocks of code."""
        return _BLOCK.sub("", self.text)

    def blocks(self) -> Iterator[Block]:
        """Its blocks of code, in their order."""
        for found in _BLOCK.finditer(self.text):
            line = self.text.count("\n", 0, found.start()) + 1
            yield Block(self.name, line, found[1], found[2])

    def sections(self) -> dict[str, str]:
        """The text below each heading, down to the next one of any level."""
        parts = _HEADING.split(self.text)
        return dict(zip(parts[2::3], parts[3::3], strict=True))

    def anchors(self) -> set[str]:
        """Where a link may lead within this page, as GitHub and JupyterLab name it."""
        headings = (found[2].lower() for found in _HEADING.finditer(self.prose))
        return {_REFUSED.sub("", h).replace(" ", "-") for h in headings}

    def links(self) -> list[str]:
        """The targets of its links and images."""
        return _LINK.findall(self.prose)


def docs() -> list[Page]:
    """The guides, in the order in which their contents list them."""
    contents = Page(DOCS / "README.md")
    names = [n for n in dict.fromkeys(contents.links()) if n.endswith(".md")]
    return [contents, *(Page(DOCS / name) for name in names)]


def pages() -> list[Page]:
    """The README, then the guides."""
    return [Page(README), *docs()]
