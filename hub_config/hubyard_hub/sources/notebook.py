"""A notebook that somebody sends: read, and refused where it is none."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from hubyard.contract.errors import HubyardError, Invalid
from hubyard.contract.notebook import foreign_language, what_is_wrong
from hubyard_hub.sources.json_text import JsonBound, check_json
from hubyard_hub.sources.packed import FILE_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTEBOOK = JsonBound(size_bytes=FILE_LIMIT_BYTES, values=3_000_000, depth=100)
"""A plot of a million points has two million numbers in 40 MiB."""


def read_notebook(content: bytes, name: str) -> Mapping[str, Any]:
    """Read a notebook of format 4 that is written in Python.

    Raises:
        Invalid: naming what is wrong with it.
    """
    try:
        check_json(content, NOTEBOOK)
        document = json.loads(content.decode("utf-8"))
    except HubyardError as error:
        said = error.message.removeprefix("The body ")
        raise type(error)(f"{name} {said}") from None
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8 (byte {error.start + 1}).") from None
    except ValueError as error:  # a number of thousands of digits has no line
        line = getattr(error, "lineno", 1)
        raise Invalid(f"{name} is not JSON (line {line}).") from None
    except RecursionError:
        raise Invalid(f"{name} is nested too deeply.") from None
    problem = what_is_wrong(document)
    if problem:
        raise Invalid(f"{name} is not a notebook: {problem}.")
    notebook = cast("Mapping[str, Any]", document)
    language = foreign_language(notebook)
    if language is not None:
        raise Invalid(f"{name} is written for {language}: only Python runs here.")
    return notebook


def notebook_name(path: str) -> str:
    """What a run or app is called that was given no name."""
    return PurePosixPath(path).stem[:128] or "notebook"
