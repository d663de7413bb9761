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
from hubyard.contract.kind import Kind, read_kind
from hubyard.contract.literal import LITERAL_LIMIT_BYTES

SOURCE_LIMIT_BYTES = 50 * 2**20
"""The largest source that is taken, packed."""
MOST_PARAMETERS = 500
"""A notebook declares no more, and a run sets no more."""

GivenParameters = Annotated[dict[str, JsonValue], Field(max_length=MOST_PARAMETERS)]
"""What a run sets, by name."""


GivenTexts = Annotated[
    dict[str, Annotated[str, Field(max_length=LITERAL_LIMIT_BYTES)]],
    Field(max_length=MOST_PARAMETERS),
]
"""What a run sets, by name, as somebody types it: read as each is declared."""


def _shown(value: JsonValue) -> JsonValue:
    """Strict JSON, which has no NaN and no infinities: they are shown as texts."""
    if isinstance(value, dict):
        return {name: _shown(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shown(each) for each in value]
    is_odd = isinstance(value, float) and not math.isfinite(value)
    return json.dumps(value) if is_odd else value


def _all_shown(values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: _shown(each) for name, each in values.items()}


_AS_SHOWN = PlainSerializer(_shown, when_used="json")
Parameters = Annotated[
    dict[str, JsonValue], PlainSerializer(_all_shown, when_used="json")
]
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
    """Nothing says more: any JSON value is taken."""
    OTHER = "other"
    """As `declared` says."""


class Parameter(Read):
    """A name that a run may set, read from the cell tagged `parameters`."""

    name: str
    type: ParameterType
    declared: str = Field(
        default="Any", description="the type as Python writes it: `dict[str, int]`"
    )
    default: Annotated[JsonValue, _AS_SHOWN] = Field(
        description="None also where the cell must be executed to know it"
    )
    help: str = Field(default="", description="the comment on its line")

    @property
    def kind(self) -> Kind:
        """Its declared type, read."""
        return read_kind(self.declared)


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
