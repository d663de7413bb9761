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
from typing import TYPE_CHECKING, Any, cast

from hubyard.contract import environment
from hubyard.contract.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

VALUE_LIMIT_BYTES = 64 * 2**10
"""The variable that names the folder where a step leaves what it hands over."""


def output(name: str, value: JsonValue | Path) -> None:
    """Hand a value or a file over to later steps; outside of a run nothing happens.

    Args:
        name: by which later steps take it, an identifier.
        value: what JSON can say, at most 64 KiB of it, or the path of a file, which
            is copied. A scalar of numpy or pandas counts as the number that it is.

    Raises:
        Invalid: it cannot be handed over; says why.
    """
    if not name.isidentifier():
        raise Invalid(f"{name[:80]!r} cannot name an output: write an identifier.")
    folder = os.environ.get(environment.OUTPUTS)
    if isinstance(value, Path):
        _hand_over_file(folder, name, value)
    else:
        _hand_over_value(folder, name, value)


def _hand_over_value(folder: str | None, name: str, value: JsonValue) -> None:
    try:
        text = json.dumps(_plain(value), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
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
        shutil.rmtree(Path(folder) / name, ignore_errors=True)
        _replace(Path(folder) / f"{name}.json", text)


def _plain(value: object) -> object:
    """A value whose numbers are Python's own.

    Raises:
        TypeError: a key would become text on the way.
    """
    match value:
        case dict():
            pairs = cast("dict[object, object]", value).items()
            return {_key(key): _plain(each) for key, each in pairs}
        case list() | tuple():
            return [_plain(each) for each in cast("Sequence[object]", value)]
        case _:
            return _number(value)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"keys must be text, not {type(key).__name__}")
    return key


_NO_NUMBERS = {None, "M", "m"}
"""Kinds of dtypes: none, moments and spans of time, whose item may be a count."""


def _number(value: object) -> object:
    """The number that a scalar of numpy, pandas or a tensor of no dimension holds."""
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if getattr(value, "ndim", None) == 0 and kind not in _NO_NUMBERS:
        held: object = cast("Any", value).item()
        return held if isinstance(held, (bool, int, float, str)) else value
    return value


def _hand_over_file(folder: str | None, name: str, file: Path) -> None:
    if not file.is_file():
        raise Invalid(f"The output {name} is no file: {str(file)!r}.")
    if folder:
        place = Path(folder) / name
        place.with_name(f"{name}.json").unlink(missing_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copyfile(file, place / file.name)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.replace(path)
