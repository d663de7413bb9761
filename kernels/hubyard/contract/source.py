"""A pinned source: what was chosen is what runs, whatever becomes of the file.

source     a gzipped tar of a notebook or file and the modules beside it, kept under
           the SHA-256 of its bytes
parameter  one name of the notebook's `parameters` cell
"""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue, PlainSerializer

from hubyard.contract.base import Digest, Read

SOURCE_LIMIT_BYTES = 50 * 2**20
"""The largest source that is taken, packed."""
MOST_PARAMETERS = 500
"""A notebook declares no more, and a run sets no more."""

GivenParameters = Annotated[dict[str, JsonValue], Field(max_length=MOST_PARAMETERS)]
"""What a run sets, by name."""


def _shown(values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Strict JSON, which has no NaN and no infinities: they are shown as texts."""
    return {
        name: json.dumps(value)
        if isinstance(value, float) and not math.isfinite(value)
        else value
        for name, value in values.items()
    }


Parameters = Annotated[dict[str, JsonValue], PlainSerializer(_shown, when_used="json")]
"""Values by name, for people to look at. A run is told them as they are."""


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
    compute: str | None = Field(
        default=None, description="what its project file asks for"
    )


class Change(StrEnum):
    """What became of a file between two sources."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class ChangedFile(Read):
    """A file that two sources do not have alike."""

    name: str
    change: Change
    diff: str = Field(
        description="unified, of what people write: a notebook's outputs are left out; "
        "empty where it is none of text, too long, or not among the first fifty"
    )


class Comparison(Read):
    """What of a source is another in a second one."""

    files: tuple[ChangedFile, ...]


class NotebookSource(Source):
    """A kept source, and the parameters of the notebook asked about."""

    notebook: str
    parameters: tuple[Parameter, ...]
