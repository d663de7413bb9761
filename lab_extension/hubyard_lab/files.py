"""Files of a workspace: only what lies inside the folder that the server shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.contract.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path


def find_file(root: Path, path: str) -> Path:
    """The file that a path names, with every link followed.

    Raises:
        NotFound: there is no such file, or it lies outside `root`.
    """
    folder = root.expanduser().resolve()
    try:
        file = (folder / path.lstrip("/")).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # absent, a null byte, a ring of links
        file = None
    if file is None or not file.is_relative_to(folder) or not file.is_file():
        raise NotFound("There is no such file in this workspace: save it first.")
    return file
