"""The guides: the pages of `docs/`, as the Lab shows them for help."""

from __future__ import annotations

from pathlib import Path

from hubyard.contract.errors import NotFound


def guides_folder() -> Path:
    """Where the guides are: packed beside this file, or in the checkout."""
    here = Path(__file__).parent
    packed = here / "docs"
    return packed if packed.is_dir() else here.parents[1] / "docs"


def read_guide(name: str) -> str:
    """The Markdown of one page, such as `tracking.md`.

    Raises:
        NotFound: no page is called that.
    """
    pages = {file.name: file for file in guides_folder().glob("*.md")}
    if name not in pages:
        raise NotFound("There is no such page of help.")
    return pages[name].read_text(encoding="utf-8")
