"""Sources: what was chosen is what runs, whatever becomes of the file.

A source is kept once as a blob, and belongs to everyone who uploaded its very bytes;
a digest alone opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from hubyard.contract.base import now
from hubyard.contract.errors import Invalid, NotFound
from hubyard.contract.project import PROJECT_FILE, Project
from hubyard.contract.source import NotebookSource, Source
from hubyard_hub.packed import file_names, read_file
from hubyard_hub.parameters import check_parameters, parameters_of, read_notebook
from hubyard_hub.project_file import read_project
from hubyard_hub.store import Store, insert_once, tables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from pydantic import JsonValue

    from hubyard.contract.source import Parameter
    from hubyard_hub.blobs import Blobs, Upload


@dataclass(frozen=True)
class Sources:
    """The kept sources, each seen by its owners only."""

    store: Store
    blobs: Blobs

    def add(self, owner: str, upload: Upload, notebook: str | None = None) -> Source:
        """Check an upload and keep it.

        Raises:
            Invalid, TooLarge: it cannot be a source.
            NotFound: it does not hold the notebook asked about.
        """
        upload.flush()
        files = file_names(upload.path)
        if not files:
            raise Invalid("The source is empty: choose a notebook or a file.")
        project = _project(upload.path, files)
        parameters = _parameters(upload.path, notebook) if notebook else None
        source = Source(
            digest=self.blobs.keep(upload),
            files=files,
            size_bytes=upload.size,
            compute=project.compute,
        )
        self.own(owner, source.digest, source.size_bytes)
        if notebook is None or parameters is None:
            return source
        return NotebookSource(
            **source.model_dump(), notebook=notebook, parameters=parameters
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
        path = self.path(owner, digest)
        return _project(path, file_names(path))

    def check_run(
        self, owner: str, digest: str, notebook: str, given: Mapping[str, JsonValue]
    ) -> None:
        """Whether a notebook of a source can run with these parameters.

        Raises:
            NotFound: the source or the notebook is not there.
            Invalid: the notebook or a parameter cannot be used; says which.
        """
        check_parameters(_parameters(self.path(owner, digest), notebook), given)

    def check_file(self, owner: str, digest: str, path: str) -> None:
        """Whether a source holds a file.

        Raises:
            NotFound: the source or the file is not there.
        """
        if path not in file_names(self.path(owner, digest)):
            raise NotFound(f"The source holds no {path!r}.", field="path")


def _project(source: Path, files: Collection[str]) -> Project:
    if PROJECT_FILE not in files:
        return Project()
    return read_project(read_file(source, PROJECT_FILE))


def _parameters(source: Path, notebook: str) -> tuple[Parameter, ...]:
    content = read_file(source, notebook)
    return parameters_of(read_notebook(content, notebook))
