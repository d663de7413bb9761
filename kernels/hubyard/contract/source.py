"""A pinned source: what was chosen is what runs, whatever becomes of the file.

source     a gzipped tar of a notebook or file and the modules beside it, kept under
           the SHA-256 of its bytes
parameter  one name of the notebook's `parameters` cell
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, JsonValue

from hubyard.contract.base import Digest, Read

SOURCE_LIMIT_BYTES = 50 * 2**20
"""The largest source that is taken, packed."""


class ParameterType(StrEnum):
    """What a parameter's default, or its annotation, says that it is."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STR = "str"
    LIST = "list"
    DICT = "dict"
    NONE = "none"
    """The default is None and nothing says more: any JSON value is taken."""


class Parameter(Read):
    """A name that a run may set, read from the cell tagged `parameters`."""

    name: str
    type: ParameterType
    default: JsonValue
    help: str = Field(default="", description="the comment on its line")


class Source(Read):
    """A kept source and what can be said of it without running it."""

    digest: Digest
    files: tuple[str, ...]
    size_bytes: int


class NotebookSource(Source):
    """A kept source, and the parameters of the notebook asked about."""

    notebook: str
    parameters: tuple[Parameter, ...]
