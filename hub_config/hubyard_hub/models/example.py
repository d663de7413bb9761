"""An example: a request body that fits a model's signature, where none was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_VALUES: dict[str, Any] = {
    "boolean": False,
    "integer": 0,
    "long": 0,
    "float": 0.0,
    "double": 0.0,
    "string": "",
    "datetime": "2026-01-01T00:00:00",
}
_LARGEST = 1000
"""Values in an example tensor: more would not help anyone."""


def example_of(signature: Mapping[str, Any]) -> dict[str, Any] | None:
    """One row of zeros and empty texts; None where a column is of another kind."""
    inputs = signature.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        return None
    if inputs[0].get("type") == "tensor":
        return _tensors(inputs)
    if any(column.get("type") not in _VALUES for column in inputs):
        return None
    values = [_VALUES[column["type"]] for column in inputs]
    if any("name" not in column for column in inputs):
        return {"inputs": [values]}
    names = [column["name"] for column in inputs]
    return {"dataframe_split": {"columns": names, "data": [values]}}


def _tensors(inputs: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    zeros = [_zeros(tensor["tensor-spec"]) for tensor in inputs]
    if any(value is None for value in zeros):
        return None
    if len(inputs) == 1 and "name" not in inputs[0]:
        return {"inputs": zeros[0]}
    names = [str(tensor.get("name", n)) for n, tensor in enumerate(inputs)]
    return {"inputs": dict(zip(names, zeros, strict=True))}


def _zeros(spec: Mapping[str, Any]) -> Any:  # noqa: ANN401  a value nested by its shape
    dtype, shape = str(spec["dtype"]), [max(int(size), 1) for size in spec["shape"]]
    value: Any = 0 if "int" in dtype else 0.0
    if dtype.startswith(("str", "<U", "object")):
        value = ""
    elif dtype == "bool":
        value = False
    count = 1
    for size in reversed(shape):
        count *= size
        if count > _LARGEST:
            return None
        value = [value] * size
    return value
