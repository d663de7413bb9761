"""The pipelines of a workspace, found where projects keep them.

They are the YAML files in a folder `pipelines`, of the workspace itself or of a folder
at most three below it, and each `hubyard.yml` that holds steps. Nothing hidden is
looked into, and no link is followed.
"""

from __future__ import annotations

import os
import stat
from itertools import islice
from typing import TYPE_CHECKING, Any

import yaml

from hubyard.client.source import is_ours
from hubyard.contract.base import Read
from hubyard.contract.pipeline import PIPELINES_FOLDER, is_pipeline
from hubyard.contract.project import PROJECT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DEEPEST = 4
_MOST_FOLDERS = 2000
_MOST = 200
_READ_BYTES = 2**16


class FoundPipeline(Read):
    """A file that describes a pipeline, by what it says of itself."""

    path: str
    """From the workspace's folder on."""
    name: str
    steps: int | None
    """None: they cannot be read; a run says what is wrong with them."""


def find_pipelines(root: Path) -> list[FoundPipeline]:
    """The pipelines below a folder, those of the nearest projects first."""
    root = root.expanduser()
    found = (
        _read(root, file)
        for folder in islice(_folders(root), _MOST_FOLDERS)
        for file in _files(folder)
    )
    return list(islice((each for each in found if each is not None), _MOST))


def _folders(root: Path) -> Iterator[Path]:
    level = [root]
    for _ in range(_DEEPEST + 1):
        yield from level
        level = [
            each
            for folder in level
            for each in _inside(folder, folders=True)
            if is_ours(each)
        ]


def _files(folder: Path) -> Iterator[Path]:
    """Those of a folder that may describe a pipeline."""
    if folder.name == PIPELINES_FOLDER:
        inside = _inside(folder, folders=False)
        yield from (each for each in inside if is_pipeline(each.name))
    elif _is_plain(folder / PROJECT_FILE):
        yield folder / PROJECT_FILE


def _is_plain(path: Path) -> bool:
    """Whether it is a file, and no link or pipe."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _inside(folder: Path, *, folders: bool) -> list[Path]:
    """The folders, or the files, of a folder, by their names."""
    try:
        with os.scandir(folder) as found:
            names = [
                each.name
                for each in found
                if (each.is_dir if folders else each.is_file)(follow_symlinks=False)
                and not each.name.startswith(".")
            ]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def _read(root: Path, file: Path) -> FoundPipeline | None:
    """What a file says of its pipeline; None: it is a project's, and has none."""
    said = _said(file)
    name, steps = said.get("name"), said.get("steps")
    if file.name == PROJECT_FILE and not steps:
        return None
    return FoundPipeline(
        path=file.relative_to(root).as_posix(),
        name=name if isinstance(name, str) and name.strip() else file.stem,
        steps=len(steps) if isinstance(steps, dict) else None,
    )


def _said(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            said = yaml.safe_load(opened.read(_READ_BYTES))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return said if isinstance(said, dict) else {}
