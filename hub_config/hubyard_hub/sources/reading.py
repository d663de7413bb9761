"""Reading an entry: a pipeline, a tagged notebook, or a notebook or script alone."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hubyard.contract.parameters import parameters_of
from hubyard.contract.pipeline import StepPlan, is_pipeline
from hubyard.contract.slug import slug_of
from hubyard_hub.sources.definition import read_pipeline
from hubyard_hub.sources.entry import Entry, Files, read_document
from hubyard_hub.sources.packed import read_file
from hubyard_hub.sources.tagged import is_tagged, read_tagged

if TYPE_CHECKING:
    from pathlib import Path

_NAME_LENGTH = 40
"""Of a step."""


def read_entry(source: Path, path: str) -> Entry:
    """What a run of a file of a packed source executes.

    Args:
        source: the packed source.
        path: of the file, within the source.

    Raises:
        NotFound: the source holds no such file.
        Invalid: it cannot be executed; says why, and where.
    """
    files = Files.of(source)
    project = files.project()
    content = read_file(source, path)
    if is_pipeline(path):
        return read_pipeline(content, path, files, project)
    document = read_document(content, path)
    if is_tagged(document):
        parameters, steps = read_tagged(document, path)
        return Entry(path, parameters, steps, project)
    step = StepPlan(name=_step_name(path), file=path)
    return Entry(path, parameters_of(document), (step,), project)


def _step_name(path: str) -> str:
    """A step's name, made of a file's."""
    slug = slug_of(PurePosixPath(path).stem, _NAME_LENGTH)
    return slug if slug[:1].isalpha() else "notebook"
