"""Sources: what was chosen is what runs, whatever becomes of the file.

A source is kept once as a blob, and belongs to everyone who uploaded its very bytes;
a digest alone opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import select

from hubyard.contract.base import now
from hubyard.contract.errors import Invalid, NotFound
from hubyard.contract.project import Project
from hubyard.contract.source import Comparison, NotebookSource, Source
from hubyard_hub.sandbox import COMPARE, READ
from hubyard_hub.sources.blobs import NO_LONGER_KEPT
from hubyard_hub.sources.comparison import compare
from hubyard_hub.sources.entry import Entry, Files
from hubyard_hub.sources.packed import file_names
from hubyard_hub.sources.reading import read_entry
from hubyard_hub.store import Store, insert_once, tables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from pydantic import JsonValue

    from hubyard_hub.sources.blobs import Blobs, Upload

_NO_TEXTS: Mapping[str, str] = MappingProxyType({})


def read_upload(
    path: Path, notebook: str | None
) -> tuple[tuple[str, ...], Project, Entry | None]:
    """The files of a packed source, its project, and what a file of it is.

    Raises:
        Invalid, TooLarge, NotFound: as `Sources.add`.
    """
    files = file_names(path)
    if not files:
        raise Invalid("The source is empty: choose a notebook or a file.")
    if notebook is None:
        return files, Files(path, files).project(), None
    entry = read_entry(path, notebook)
    return files, entry.project, entry


def read_project(path: Path) -> Project:
    """What the project file of a packed source says."""
    return Files.of(path).project()


def _key(kept: Path, path: str | None = None) -> tuple[object, ...]:
    """What is remembered of a blob, as long as it is the very file that was read."""
    try:
        about = kept.stat()
    except FileNotFoundError:  # it was removed at this very moment
        raise NotFound(NO_LONGER_KEPT) from None
    return kept.name, path, about.st_mtime_ns, about.st_size, about.st_ino


@dataclass(frozen=True)
class Sources:
    """The kept sources, each seen by its owners only."""

    store: Store
    blobs: Blobs

    def add(self, owner: str, upload: Upload, notebook: str | None = None) -> Source:
        """Check an upload and keep it; with `notebook`, read what that file of it is.

        Raises:
            Invalid, TooLarge: it cannot be a source.
            NotFound: it does not hold the notebook asked about.
        """
        upload.flush()
        files, project, entry = READ.call(owner, read_upload, upload.path, notebook)
        source = Source(
            digest=self.blobs.keep(upload),
            files=files,
            size_bytes=upload.size,
            compute=project.compute,
        )
        self.own(owner, source.digest, source.size_bytes)
        if entry is None:
            return source
        READ.remember(_key(self.blobs.path(source.digest), entry.path), entry)
        return NotebookSource(
            **source.model_dump(), notebook=entry.path, parameters=entry.parameters
        )

    def own(self, owner: str, digest: str, size_bytes: int) -> None:
        """Record that a blob is this owner's."""
        row = {
            "owner": owner,
            "digest": digest,
            "size_bytes": size_bytes,
            "created_at": now(),
        }
        self.store.atomically(lambda c: insert_once(c, tables.sources, row))

    def path(self, owner: str, digest: str) -> Path:
        """The blob of a source that this owner uploaded.

        Raises:
            NotFound: never uploaded by this owner, or no longer kept.
        """
        kept = tables.sources.c
        mine = select(kept.digest).where(kept.owner == owner, kept.digest == digest)
        with self.store.read() as connection:
            if connection.execute(mine).first() is None:
                raise NotFound(
                    "There is no such source: upload the notebook first.",
                    field="source",
                )
        return self.blobs.path(digest)

    def project(self, owner: str, digest: str | None) -> Project:
        """What the project file of a source says; nothing where there is none.

        Raises:
            NotFound: the source is not there.
        """
        if digest is None:
            return Project()
        kept = self.path(owner, digest)
        return READ.call_once(_key(kept), owner, read_project, kept)

    def entry(
        self,
        owner: str,
        digest: str,
        path: str,
        given: Mapping[str, JsonValue],
        texts: Mapping[str, str] = _NO_TEXTS,
    ) -> Entry:
        """What a run of a file of a source executes, with these parameters.

        Args:
            owner: whose source it is.
            digest: of the source.
            path: of the file.
            given: parameters as JSON says them.
            texts: parameters as somebody types them.

        Raises:
            NotFound: the source or the file is not there.
            Invalid: the file or a parameter cannot be used; says which.
        """
        self.path(owner, digest)
        return self._read(owner, digest, path).accept(given, texts)

    def read(
        self, person: str, digest: str, path: str, given: Collection[str]
    ) -> Entry:
        """As `entry`, of a source that somebody may see, with parameters unchecked."""
        return self._read(person, digest, path).giving(given)

    def _read(self, person: str, digest: str, path: str) -> Entry:
        kept = self.blobs.path(digest)
        return READ.call_once(_key(kept, path), person, read_entry, kept, path)

    def compare(self, owner: str, before: str, after: str) -> Comparison:
        """What of a source is another in a second one; both are this owner's.

        Raises:
            NotFound: one of them is not there.
            TooLarge: they are too large to compare.
            TooOften: this owner compares two others at this moment.
        """
        paths = self.path(owner, before), self.path(owner, after)
        return COMPARE.call_once(tuple(map(_key, paths)), owner, compare, *paths)

    def check_file(self, owner: str, digest: str, path: str) -> None:
        """Whether a source holds a file.

        Raises:
            NotFound: the source or the file is not there.
        """
        kept = self.path(owner, digest)
        if path not in READ.call_once(_key(kept, ""), owner, file_names, kept):
            raise NotFound(f"The source holds no {path!r}.", field="path")
