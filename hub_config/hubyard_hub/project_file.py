"""Reading `hubyard.yml`, which anybody may have written.

The text is only composed into nodes, never constructed into objects: no tag is acted
on, no alias is expanded, and every mistake has its line.
"""

from __future__ import annotations

import yaml
from pydantic import ValidationError

from hubyard.contract.errors import Invalid
from hubyard.contract.project import PROJECT_FILE, Project

LIMIT_BYTES = 64 * 2**10

_MOST_BRACKETS = 100
"""Composing takes a second for nested ones, however few there need be."""
_TEXT = "tag:yaml.org,2002:str"


def read_project(content: bytes) -> Project:
    """What a project file says.

    Raises:
        Invalid: naming the line and what to write.
    """
    if len(content) > LIMIT_BYTES:
        raise _mistake(1, f"is larger than {LIMIT_BYTES // 2**10} KiB: shorten it")
    if max(map(content.count, (b"[", b"{"))) > _MOST_BRACKETS:
        raise _mistake(1, "holds too many brackets: write plain texts")
    root = _compose(content)
    if root is None:
        return Project()
    if not isinstance(root, yaml.MappingNode):
        raise _mistake(_line(root), "holds no settings: write `name: ...`")
    values, lines = _flat(root)
    try:
        return Project.model_validate(values)
    except ValidationError as error:
        raise _explain(error, lines) from None


def _compose(content: bytes) -> yaml.Node | None:
    try:
        return yaml.compose(content, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _mistake(line, f"is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise _mistake(1, "is not YAML: save it as plain UTF-8 text") from None


def _flat(root: yaml.MappingNode) -> tuple[dict[str, str], dict[str, int]]:
    """Its settings and their lines; each setting is one plain text."""
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for key, value in root.value:
        name, line = str(key.value)[:40], _line(key)
        if name in values:
            raise _mistake(line, f"says {name!r} twice: remove one")
        if not isinstance(value, yaml.ScalarNode) or value.tag != _TEXT:
            raise _mistake(line, f"{name}: write a text")
        values[name], lines[name] = value.value, line
    return values, lines


def _explain(error: ValidationError, lines: dict[str, int]) -> Invalid:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    known = ", ".join(Project.model_fields)
    unknown = first["type"] == "extra_forbidden"
    says = f"is not known here: write one of {known}" if unknown else first["msg"]
    return _mistake(lines[name], f"{name}: {says}")


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _mistake(line: int, says: str) -> Invalid:
    return Invalid(f"{PROJECT_FILE}:{line}: {says}.", field=PROJECT_FILE)
