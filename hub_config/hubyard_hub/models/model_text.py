"""A model's text: its signature and an example, read by a worker of the sandbox.

Whoever logged the model wrote it. `MLmodel` is read by a safe loader and the example as
JSON; no model is ever loaded here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import yaml
from packaging.requirements import InvalidRequirement, Requirement

from hubyard.contract.errors import Invalid
from hubyard_hub.models.example import example_of
from hubyard_hub.sources.json_text import has_lone_surrogate

if TYPE_CHECKING:
    from collections.abc import Mapping

MLMODEL = "MLmodel"
UNREADABLE = "The version's MLmodel file cannot be read."
REQUIREMENTS = "requirements.txt"
_NAME_LENGTH = 100
EXAMPLE = "serving_input_example.json"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml takes a fifteenth of the time; where it crashes, only its worker ends."""
_MISTAKES = (
    *(yaml.YAMLError, ValueError, RecursionError),
    *(LookupError, TypeError, AttributeError),
)


def described(
    texts: Mapping[str, bytes],
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The signature, and a request body that the endpoint accepts.

    Raises:
        Invalid: they cannot be read.
    """
    try:
        stated = _stated_signature(texts[MLMODEL])
        signature = {part: json.loads(text) for part, text in stated.items()}
        example = _parsed(texts.get(EXAMPLE)) or example_of(signature)
    except _MISTAKES:
        # Whoever logged it wrote it: anything may be in it.
        raise Invalid(UNREADABLE) from None
    if has_lone_surrogate(json.dumps([signature, example]).encode()):
        raise Invalid("The version's MLmodel file holds half a character.")
    return signature or None, example


def stated(texts: Mapping[str, bytes]) -> tuple[list[str], list[str]]:
    """The flavours of a model, and the packages that it asks for.

    Raises:
        Invalid: they cannot be read.
    """
    try:
        root = yaml.compose(texts[MLMODEL], _LOADER)
        flavors = [
            name
            for key, value in _pairs(cast("yaml.Node", root))
            if key == "flavors"
            for name, _ in _pairs(value)
        ]
    except _MISTAKES:
        raise Invalid(UNREADABLE) from None
    return flavors, _packages(texts.get(REQUIREMENTS, b""))


def _packages(content: bytes) -> list[str]:
    """The packages of a requirements file that this Python would install."""
    found: list[str] = []
    for line in content.decode(errors="replace").splitlines():
        try:
            wanted = Requirement(line.partition("#")[0].strip())
        except InvalidRequirement:  # an option, a file, an address
            continue
        if wanted.marker is None or wanted.marker.evaluate():
            found.append(wanted.name[:_NAME_LENGTH])
    return found


def _stated_signature(content: bytes) -> dict[str, str]:
    """The texts below `signature`, from nodes: constructing may take for ever."""
    root = yaml.compose(content, _LOADER)
    if not isinstance(root, yaml.MappingNode):
        raise TypeError(root)
    for key, value in _pairs(root):
        if key == "signature":
            return {
                part: text.value
                for part, text in _pairs(value)
                if isinstance(text, yaml.ScalarNode) and text.tag.endswith(":str")
            }
    return {}


def _pairs(node: yaml.Node) -> list[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(str(key.value), value) for key, value in node.value]


def _parsed(text: bytes | None) -> dict[str, Any] | None:
    """A kept example, where it is a request body in strict JSON."""
    try:
        body = json.loads(text or b"", parse_constant=_refuse)
    except ValueError:
        return None
    return cast("dict[str, Any]", body) if isinstance(body, dict) else None


def _refuse(constant: str) -> None:
    raise ValueError(constant)
