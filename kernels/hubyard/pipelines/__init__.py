"""What a step of a pipeline hands over to the steps that come after it.

    from hubyard import pipelines

    pipelines.output("rows", len(frame))           # a small value
    pipelines.output("features", Path("f.parquet"))  # a file: later steps get its path

A later step takes them as parameters: `rows: ${prepare.rows}` in the pipeline's file.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.contract.errors import Invalid

if TYPE_CHECKING:
    from pydantic import JsonValue

VALUE_LIMIT_BYTES = 64 * 2**10
FOLDER = "HUBYARD_OUTPUTS"
"""The variable that names the folder where a step leaves what it hands over."""


def output(name: str, value: JsonValue | Path) -> None:
    """Hand a value or a file over to later steps; outside of a run nothing happens.

    Args:
        name: by which later steps take it, an identifier.
        value: what JSON can say, at most 64 KiB of it, or the path of a file, which
            is copied.

    Raises:
        Invalid: it cannot be handed over; says why.
    """
    if not name.isidentifier():
        raise Invalid(f"{name[:80]!r} cannot name an output: write an identifier.")
    folder = os.environ.get(FOLDER)
    if isinstance(value, Path):
        _hand_over_file(folder, name, value)
    else:
        _hand_over_value(folder, name, value)


def _hand_over_value(folder: str | None, name: str, value: JsonValue) -> None:
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Invalid(
            f"The output {name} is nothing that JSON can say ({error}): hand over a "
            "plain value, or the Path of a file."
        ) from None
    if len(text) > VALUE_LIMIT_BYTES:
        raise Invalid(
            f"The output {name} is larger than {VALUE_LIMIT_BYTES // 2**10} KiB: write "
            "it to a file, and hand over its Path."
        )
    if folder:
        _replace(Path(folder) / f"{name}.json", text)


def _hand_over_file(folder: str | None, name: str, file: Path) -> None:
    if not file.is_file():
        raise Invalid(f"The output {name} is no file: {str(file)!r}.")
    if folder:
        place = Path(folder) / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copyfile(file, place / file.name)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.replace(path)
