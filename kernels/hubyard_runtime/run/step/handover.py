"""Handover: what a step has left for the steps that come after it.

In the step's folder of outputs, `<name>.json` holds a value and `<name>/` a file, as
`hubyard.pipelines.output` has left them there. The variables of a tagged notebook lie
beside them, pickled; only kernels read those. `kept.files/` holds files that the step
has left in its own folder, by their path within the source, for a run that is resumed.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

from hubyard.client.source import MEMBER_LIMIT, UNPACKED_LIMIT_BYTES
from hubyard.contract.run import OUTPUT_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pydantic import JsonValue

_SAMPLE_BYTES = 256 * 2**10
_SAMPLES = 16
_WORTH_IT = 0.9
"""What compression must bring a sample down to: archives and models are compressed."""


class TooMuch(Exception):
    """More was handed over than is kept; says how much is."""


FILES = "kept.files"
"""No output is called so: it is no identifier."""


def keep_files(
    source: Path, below: Path, patterns: Iterable[str], folder: Path
) -> list[str]:
    """Keep the files that a step has left; returns the patterns that match none.

    Args:
        source: the folder that all steps share.
        below: the folder of the step's notebook, within it.
        patterns: of paths below that folder.
        folder: of the step's outputs.

    Raises:
        OSError: one cannot be copied.
    """
    missing: list[str] = []
    for pattern in patterns:
        found = [path for path in below.glob(pattern) if path.is_file()]
        missing += [] if found else [pattern]
        for path in found:
            kept = folder / FILES / path.relative_to(source)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)
    return missing


def restore_files(folder: Path, source: Path) -> None:
    """Put the files that a step run had left where it had left them."""
    kept = folder / FILES
    if kept.is_dir():
        shutil.copytree(kept, source, dirs_exist_ok=True)


def read(folder: Path) -> dict[str, JsonValue]:
    """What was handed over, by name; a file by its path."""
    found: dict[str, JsonValue] = {}
    for path in sorted(folder.iterdir() if folder.is_dir() else ()):
        if path.name == FILES:
            continue
        if path.is_dir():
            files = [str(file) for file in path.iterdir()]
            found.update({path.name: files[0]} if files else {})
        elif path.suffix == ".json" and not path.name.startswith("."):
            found[path.stem] = json.loads(path.read_bytes())
    return found


def pack(folder: Path, into: Path, limit_bytes: int = OUTPUT_LIMIT_BYTES) -> bool:
    """Pack what was handed over into a gzipped tar; False: there is nothing.

    Raises:
        TooMuch: it is more than is kept, packed or unpacked.
        OSError: it cannot be read, or not be written.
    """
    parts = sorted(folder.glob("[!.]*"))
    if not parts:
        return False
    files = [path for path in folder.rglob("*") if path.is_file()]
    _check(files)
    new = into.with_name(f".{into.name}.new")
    try:
        with new.open("wb") as file:
            _write(_Bounded(file, limit_bytes), parts, _level(files, limit_bytes))
        new.replace(into)
    finally:
        new.unlink(missing_ok=True)
    return True


class _Bounded:
    """A file that takes so many bytes and no more."""

    def __init__(self, file: BinaryIO, limit_bytes: int) -> None:
        self._file = file
        self._limit_bytes = limit_bytes
        self._size = 0

    def write(self, data: bytes) -> int:
        self._size += memoryview(data).nbytes
        if self._size > self._limit_bytes:
            raise TooMuch(f"at most {self._limit_bytes / 2**20:g} MiB, packed,")
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _check(files: Sequence[Path]) -> None:
    """Refuse what could be packed and then not be unpacked."""
    if len(files) > MEMBER_LIMIT // 2:  # a folder for each
        raise TooMuch(f"at most {MEMBER_LIMIT // 2:,} outputs")
    if sum(path.stat().st_size for path in files) > UNPACKED_LIMIT_BYTES:
        raise TooMuch(f"at most {UNPACKED_LIMIT_BYTES / 2**30:g} GiB, unpacked,")


def _write(bounded: _Bounded, parts: Sequence[Path], level: int) -> None:
    with tarfile.open(
        fileobj=cast("BinaryIO", bounded),  # it has all that gzip calls
        mode="w:gz",
        compresslevel=level,
    ) as archive:
        for path in parts:
            archive.add(path, path.name)


def _level(files: Sequence[Path], limit_bytes: int) -> int:
    """1, zlib's quickest; 0 where the largest files would not become smaller.

    What is kept only if it becomes smaller is never packed with 0.
    """
    sizes = {path: path.stat().st_size for path in files}
    if sum(sizes.values()) > limit_bytes:
        return 1
    largest = sorted(files, key=lambda path: sizes[path])[-_SAMPLES:]
    sample = b"".join(map(_beginning, largest))
    return int(len(zlib.compress(sample, 1)) < _WORTH_IT * len(sample))


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return os.read(file.fileno(), _SAMPLE_BYTES)
