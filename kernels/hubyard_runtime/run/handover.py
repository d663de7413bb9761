"""Handover: what a step has left for the steps that come after it.

In the step's folder of outputs, `<name>.json` holds a value and `<name>/` a file, as
`hubyard.pipelines.output` has left them there. The variables of a tagged notebook lie
beside them, pickled; only kernels read those.
"""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import JsonValue


def read(folder: Path) -> dict[str, JsonValue]:
    """What was handed over, by name; a file by its path."""
    found: dict[str, JsonValue] = {}
    for path in sorted(folder.iterdir() if folder.is_dir() else ()):
        if path.is_dir():
            files = [str(file) for file in path.iterdir()]
            found.update({path.name: files[0]} if files else {})
        elif path.suffix == ".json" and not path.name.startswith("."):
            found[path.stem] = json.loads(path.read_bytes())
    return found


def pack(folder: Path, into: Path) -> bool:
    """Pack what was handed over into a gzipped tar; False: there is nothing."""
    if not any(folder.glob("[!.]*")):
        return False
    new = into.with_name(f".{into.name}.new")
    with tarfile.open(new, "w:gz", compresslevel=1) as archive:
        for path in sorted(folder.iterdir()):
            if not path.name.startswith("."):
                archive.add(path, path.name)
    new.replace(into)
    return True
