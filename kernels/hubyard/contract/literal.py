"""Values as people type them: `lr=0.1`, `name=base`, `deep=True`, `sizes=[1, 2]`."""

from __future__ import annotations

import ast
import json
from typing import Any


def parse_value(text: str) -> Any:  # noqa: ANN401  any literal
    """A Python literal where it is one that JSON can say, else the text itself."""
    try:
        return json.loads(json.dumps(ast.literal_eval(text), allow_nan=False))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text


def parse_pair(text: str) -> tuple[str, Any]:
    """A name and its value.

    Raises:
        ValueError: there is no `=`, or no name before it.
    """
    name, found, value = text.partition("=")
    if not found or not name.strip().isidentifier():
        raise ValueError(f"{text!r} is not NAME=VALUE")
    return name.strip(), parse_value(value)
