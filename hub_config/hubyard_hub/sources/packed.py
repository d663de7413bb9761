"""A packed source: a gzipped tar from a stranger, read without unpacking it.

Everything is bounded before it is believed: members, bytes, names, and how much of
the archive may be held in memory at once.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import unicodedata
import zlib
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from hubyard.contract.errors import Invalid, NotFound, TooLarge

if TYPE_CHECKING:
    from collections.abc import Collection, Generator
    from pathlib import Path

MEMBER_LIMIT = 10_000
UNPACKED_LIMIT_BYTES = 500 * 2**20
FILE_LIMIT_BYTES = 50 * 2**20
"""The largest single file that is read into memory."""

_BLOCK = 512
HEADER_LIMIT_BYTES = 2**20
NAME_LIMIT = 512


class _Bounded:
    """A decompressed stream that yields only so much, and never much at once.

    tarfile reads an extended header in one piece, however long it says it is.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= HEADER_LIMIT_BYTES:
            raise TooLarge("The archive holds a header that is too long.")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset > UNPACKED_LIMIT_BYTES + 2 * _BLOCK * MEMBER_LIMIT:
            raise TooLarge(_too_much())
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _too_much() -> str:
    return (
        f"At most {UNPACKED_LIMIT_BYTES // 2**20} MiB in {MEMBER_LIMIT} files are "
        "taken: move data out of the notebook's folder."
    )


@contextmanager
def _opened(path: Path) -> Generator[tarfile.TarFile]:
    try:
        with (
            gzip.open(path) as stream,
            tarfile.open(fileobj=_Bounded(stream), mode="r:") as archive,  # pyright: ignore[reportCallIssue, reportArgumentType]  tarfile needs only read, seek and tell
        ):
            yield archive
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as error:
        raise Invalid(f"The source is not a gzipped tar: {error}.") from None


def _members(archive: tarfile.TarFile) -> Generator[tuple[str, tarfile.TarInfo]]:
    """The checked files, by clean name. Stops before it reads too much."""
    total, count, names = 0, 0, _Names()
    while (member := archive.next()) is not None:
        archive.members.clear()  # pyright: ignore[reportAttributeAccessIssue]  tarfile keeps all, each with its extended headers
        count, total = count + 1, total + max(member.size, 0)
        if count > MEMBER_LIMIT or total > UNPACKED_LIMIT_BYTES:
            raise TooLarge(_too_much())
        name = _clean_name(member)
        names.add(name, is_folder=member.isdir())
        if not member.isdir():
            yield name, member


class _Names:
    """The names of a source: each must find its own place when it is unpacked."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        """Each by what it looks like: letters and their accents may be one or two."""
        self._folders: set[str] = set()

    def add(self, name: str, *, is_folder: bool) -> None:
        """Take one more name.

        Raises:
            Invalid: another file stands where it shall stand.
        """
        looks = unicodedata.normalize("NFC", name)
        within = [str(each) for each in PurePosixPath(looks).parents][:-1]
        for folder in within if not is_folder else [*within, looks]:
            if folder in self._files:
                raise _collide(self._files[folder], name)
            self._folders.add(folder)
        if is_folder:
            return
        if looks in self._folders:
            raise Invalid(f"The source holds {name!r} as a file and as a folder.")
        if looks in self._files:
            raise _collide(self._files[looks], name)
        self._files[looks] = name


def _collide(before: str, name: str) -> Invalid:
    if before == name:
        return Invalid(f"The source holds {name!r} twice.")
    return Invalid(f"The source holds {before!r} and {name!r}: rename one of them.")


def _clean_name(member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    shown = repr(member.name[:80])
    if not (member.isdir() or (member.isreg() and not member.issparse())):
        raise Invalid(f"The source holds {shown}, which is not a plain file.")
    if path.is_absolute() or ".." in path.parts or len(member.name) > NAME_LIMIT:
        raise Invalid(f"The source holds {shown}, which lies outside its folder.")
    if not member.name.isprintable() or "\\" in member.name:
        raise Invalid(f"The source holds {shown}, whose name cannot be used.")
    return str(path)


def file_names(path: Path) -> tuple[str, ...]:
    """The files of a packed source, sorted.

    Raises:
        Invalid: not a gzipped tar, or it holds what a source may not hold.
        TooLarge: too many files or bytes.
    """
    with _opened(path) as archive:
        names = sorted(name for name, _ in _members(archive))
        _read_to_the_end(archive)
    return tuple(names)


def _read_to_the_end(archive: tarfile.TarFile) -> None:
    """Read what follows the last file: only at its end does gzip check its sums."""
    stream = archive.fileobj
    while stream and stream.read(HEADER_LIMIT_BYTES):
        if stream.tell() > UNPACKED_LIMIT_BYTES:
            raise TooLarge(_too_much())


def file_digests(path: Path) -> dict[str, bytes]:
    """A digest of each file of a packed source, by its name.

    Raises:
        Invalid, TooLarge: as `file_names`.
    """
    with _opened(path) as archive:
        return {name: _digest_of(archive, m) for name, m in _members(archive)}


def _digest_of(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    digest = hashlib.sha256()
    for chunk in _chunks(archive, member):
        digest.update(chunk)
    return digest.digest()


def read_file(path: Path, wanted: str) -> bytes:
    """The bytes of one file of a packed source.

    Raises:
        NotFound: it holds no such file.
        Invalid, TooLarge: as `file_names`.
    """
    found = read_files(path, {wanted})
    if wanted not in found:
        raise NotFound(f"The source holds no {wanted!r}.")
    return found[wanted]


def read_files(path: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """The bytes of those of some files that a packed source holds.

    Raises:
        Invalid, TooLarge: as `file_names`.
    """
    found: dict[str, bytes] = {}
    for name, content in each_file(path, wanted):
        if content is None:
            limit = FILE_LIMIT_BYTES // 2**20
            raise TooLarge(f"A notebook may be at most {limit} MiB.")
        found[name] = content
    return found


def each_file(
    path: Path, wanted: Collection[str]
) -> Generator[tuple[str, bytes | None]]:
    """Those of some files that a packed source holds, one after the other.

    None stands for one that is too large to be held in memory.
    """
    with _opened(path) as archive:
        for name, member in _members(archive):
            if name in wanted:
                fits = member.size <= FILE_LIMIT_BYTES
                yield name, b"".join(_chunks(archive, member)) if fits else None


def _chunks(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Generator[bytes]:
    file = archive.extractfile(member)
    while file and (chunk := file.read(HEADER_LIMIT_BYTES // 4)):
        yield chunk
