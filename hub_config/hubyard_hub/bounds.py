"""Bounds: how much of what somebody sends is taken, at each door, before it is read.

The table of `docs/security.md` is made of these; a test sends what is beyond each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hubyard.contract.parameters import CELL_LIMIT_BYTES
from hubyard.contract.run import MOST_CELLS, OUTPUT_LIMIT_BYTES
from hubyard.contract.source import MOST_PARAMETERS, SOURCE_LIMIT_BYTES
from hubyard_hub.api import body
from hubyard_hub.mlflow import bounds as mlflow
from hubyard_hub.mlflow.fields import MOST_FIELDS
from hubyard_hub.mlflow.spans import LARGEST_BYTES
from hubyard_hub.runs.kept import RECORD_BOUND
from hubyard_hub.sandbox import COMPARE, READ
from hubyard_hub.sources import entry, notebook, packed, tagged, yaml_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_KIB, _MIB = 2**10, 2**20


class Bound(NamedTuple):
    """One bound of one door."""

    door: str
    takes: str
    answer: int
    """The status of what is beyond it."""


BOUNDS = (
    Bound("Address", f"{body.TARGET_LIMIT_BYTES // _KIB} KiB of path and query", 414),
    Bound("JSON, size", f"{body.JSON.size_bytes // _MIB} MiB", 413),
    Bound("JSON, values", f"{body.JSON.values:,}", 413),
    Bound("JSON, depth", f"{body.JSON.depth} brackets within one another", 422),
    Bound("JSON, text", "whole characters", 422),
    Bound("JSON, parameters", f"{MOST_PARAMETERS} of a run", 422),
    Bound("JSON, numbers", "each field's own range, never beyond 53 bits", 422),
    Bound("JSON, dates", "what the calendar holds in UTC", 422),
    Bound("Record, size", f"{RECORD_BOUND.size_bytes // _MIB} MiB", 413),
    Bound("Record, values", f"{RECORD_BOUND.values:,}", 413),
    Bound("Record, cells", f"{MOST_CELLS:,}", 422),
    Bound("File of a step run", f"{OUTPUT_LIMIT_BYTES // _MIB} MiB", 413),
    Bound("Source, packed", f"{SOURCE_LIMIT_BYTES // _MIB} MiB", 413),
    Bound("Source, unpacked", f"{packed.UNPACKED_LIMIT_BYTES // _MIB} MiB", 413),
    Bound("Source, files", f"{packed.MEMBER_LIMIT:,}", 413),
    Bound("Source, header", f"{packed.HEADER_LIMIT_BYTES // _MIB} MiB", 413),
    Bound("Source, name", f"{packed.NAME_LIMIT} characters", 422),
    Bound("Source, places", "one for each file", 422),
    Bound("Notebook, size", f"{packed.FILE_LIMIT_BYTES // _MIB} MiB", 413),
    Bound("Notebook, values", f"{notebook.NOTEBOOK.values:,}", 413),
    Bound("Notebook, depth", f"{notebook.NOTEBOOK.depth} brackets", 422),
    Bound("Notebook, cells", f"{MOST_CELLS:,}", 422),
    Bound("Notebook, text", "whole characters", 422),
    Bound("Script", f"{entry.SCRIPT_LIMIT_BYTES // _MIB} MiB", 413),
    Bound("Parameters cell, size", f"{CELL_LIMIT_BYTES // _KIB} KiB", 413),
    Bound("Parameters cell, names", f"{MOST_PARAMETERS}", 413),
    Bound("Parameters cell, text", "whole characters", 422),
    Bound("Tagged notebook, code", f"{tagged.CODE_LIMIT_BYTES // _MIB} MiB", 413),
    Bound(
        "Tagged notebook, magics",
        f"a cell's size times its magics: {tagged.MAGIC_LIMIT_BYTES // _MIB} MiB",
        422,
    ),
    Bound("YAML, size", f"{yaml_text.LIMIT_BYTES // _KIB} KiB", 422),
    Bound("YAML, depth", f"{yaml_text.DEEPEST} brackets within one another", 422),
    Bound("YAML, numbers", "64 bits", 422),
    Bound("YAML, text", "whole characters", 422),
    Bound("Reading one source", f"{READ.limits.words}", 413),
    Bound("Reading sources", f"{READ.per_person} at once for each person", 429),
    Bound("Comparing two sources", f"{COMPARE.limits.words}", 413),
    Bound("Comparing sources", f"{COMPARE.per_person} at once for each person", 429),
)
MLFLOW_BOUNDS = (
    Bound("JSON, size", f"{mlflow.JSON.size_bytes // _MIB} MiB", 413),
    Bound("JSON, values", f"{mlflow.JSON.values:,}", 413),
    Bound("JSON, depth", f"{mlflow.JSON.depth} brackets within one another", 400),
    Bound("JSON, text", "whole characters", 400),
    Bound("Numbers", "64 bits, also in filters, ids and the address", 400),
    Bound("GraphQL, depth", f"{mlflow.DEEPEST_QUERY} brackets", 400),
    Bound("Traces, as sent", f"{mlflow.EXPORT_LIMIT_BYTES // _MIB} MiB", 413),
    Bound("Traces, unpacked", f"{LARGEST_BYTES // _MIB} MiB", 413),
    Bound("Traces, fields", f"{MOST_FIELDS:,}", 413),
    Bound("Artifact", f"{mlflow.ARTIFACT_LIMIT_BYTES // 2**30} GiB, streamed", 413),
    Bound("Path of an artifact", f"{mlflow.PATH_LIMIT_BYTES // _KIB} KiB", 400),
    Bound("Name in a path", f"{mlflow.NAME_LIMIT_BYTES} bytes", 400),
)
"""What stands in front of MLflow."""


def table(bounds: Sequence[Bound]) -> str:
    """The bounds as the documentation shows them."""
    rows = [f"| {b.door} | {b.takes} | {b.answer} |" for b in bounds]
    return "\n".join(["| door | takes at most | else |", "|---|---|---|", *rows])
