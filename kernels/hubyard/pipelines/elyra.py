"""Elyra's `.pipeline` files, taken over as pipelines of Hubyard.

taken    notebooks, scripts, their order, environment variables and output files
lost     what there is no place for, such as images and volumes: each is named, and
         whoever takes the pipeline over says that it may go

Files that Elyra passes through an object store need no word: the steps of a run share
one folder.
Format: https://elyra.readthedocs.io/en/stable/user_guide/pipelines.html, schema of
https://github.com/elyra-ai/pipeline-schemas (version 3.0, application data 1 to 8).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hubyard.contract.errors import Invalid
from hubyard.contract.slug import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUNS = {"execute-notebook-node": "notebook", "execute-python-node": "script"}
_SHOWN = 200
_NAME_LENGTH = 30
"""Of a step; what tells two of one name apart fits too."""
_LOOKS = {"ui_data", "label", "filename", "comments", "version", "description"}
"""What is taken over by itself, or changes nothing that a run does."""
_PLACES = {"runtime", "runtime_type", "runtime-config", "runtime_config"}
"""Where Elyra would run it; here it runs on Hubyard."""
_NO_CACHE = {"disable_node_caching": {"", "True", "true"}}
"""Values that say what holds here anyhow."""
_INSTEAD = {
    "cpu": "choose `compute` for the step or the run",
    "gpu": "choose `compute` for the step or the run",
    "memory": "choose `compute` for the step or the run",
    "runtime_image": "it runs in the environment of this hub",
    "dependencies": "name data files in `data` of hubyard.yml",
    "include_subdirectories": "name data files in `data` of hubyard.yml",
    "pipeline_parameters": "write them as `parameters`",
    "mounted_volumes": "nothing is mounted here",
    "kubernetes_secrets": "read secrets in the notebook",
}
"""What to do about a setting that is lost."""


class Taken(NamedTuple):
    """A pipeline that was taken over."""

    file: dict[str, Any]
    """What its file says."""
    lost: list[str]
    """What could not be taken over, a line for each setting."""


def read_elyra(text: str) -> Taken:
    """What a pipeline file says, made of one of Elyra.

    Raises:
        Invalid: it is none, or holds what cannot be taken over; says which node.
    """
    try:
        return _taken(json.loads(text))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Invalid(
            "This is no pipeline of Elyra, or is not of its format 3."
        ) from None


def _taken(document: dict[str, Any]) -> Taken:
    for pipeline in document["pipelines"][1:]:
        raise Invalid(
            f"It holds a pipeline within it, {pipeline['id']!r}: take it out."
        )
    (pipeline,) = document["pipelines"]
    names = _names([_checked(node) for node in pipeline["nodes"]])
    defaults = _Settings.of_pipeline(pipeline.get("app_data") or {})
    lost = [f"pipeline: {each}" for each in defaults.lost()]
    steps: dict[str, Any] = {}
    for node in pipeline["nodes"]:
        name = names[node["id"]]
        own = _Settings.of_node(node["app_data"])
        steps[name] = _step(node, names) | own.step()
        lost += [f"{name}: {each}" for each in own.lost()]
    said = defaults.name
    environment = defaults.environment
    return Taken(
        {
            **({"name": said} if said else {}),
            **({"environment": environment} if environment else {}),
            "steps": steps,
        },
        lost,
    )


def _checked(node: dict[str, Any]) -> dict[str, Any]:
    kind, label = node["type"], _label(node) or node["id"]
    if kind != "execution_node":
        raise Invalid(f"The node {label!r} is a {kind}: take it out first.")
    if node["op"] not in _RUNS:
        raise Invalid(
            f"The node {label!r} is a {node['op']}: only notebooks and Python scripts "
            "can be taken over."
        )
    return node


def _names(nodes: list[dict[str, Any]]) -> dict[str, str]:
    """A step's name for each node, by the node's id."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for node in nodes:
        label = _label(node) or PurePosixPath(_filename(node)).stem
        name = name_of(label, _NAME_LENGTH, "step")
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        free = (n for n in itertools.chain([name], numbered) if n not in taken)
        found[node["id"]] = next(free)
        taken.add(found[node["id"]])
    return found


def _step(node: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    links = [link for port in node.get("inputs", []) for link in port.get("links", [])]
    after = list(dict.fromkeys(names[link["node_id_ref"]] for link in links))
    return {
        _RUNS[node["op"]]: _filename(node),
        **({"after": after} if after else {}),
    }


def _label(node: dict[str, Any]) -> str:
    data = node.get("app_data", {})
    return str(data.get("label") or data.get("ui_data", {}).get("label") or "")


def _filename(node: dict[str, Any]) -> str:
    return str(_component(node["app_data"])["filename"])


def _component(data: dict[str, Any]) -> dict[str, Any]:
    """The settings of a node, which old versions have beside the others."""
    return cast("dict[str, Any]", data.get("component_parameters") or data)


class _Settings:
    """What a node says, or a pipeline for all of its nodes."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._said = dict(said)
        self._lost: list[str] = []
        self.environment = dict(self._variables(self._said.pop("env_vars", None)))
        self._outputs = [str(each) for each in self._said.pop("outputs", None) or []]
        self.name = str(self._said.pop("name", None) or "")

    @classmethod
    def of_node(cls, data: dict[str, Any]) -> _Settings:
        component = _component(data)
        beside = {} if component is data else {**data, "component_parameters": None}
        return cls({**beside, **component})

    @classmethod
    def of_pipeline(cls, data: dict[str, Any]) -> _Settings:
        properties = data.get("properties") or {}
        defaults = properties.get("pipeline_defaults") or {}
        beside = {**data, "properties": None}
        return cls({**beside, **properties, "pipeline_defaults": None, **defaults})

    def step(self) -> dict[str, Any]:
        """What a step says of it."""
        return {
            **({"environment": self.environment} if self.environment else {}),
            **({"files": self._outputs} if self._outputs else {}),
        }

    def lost(self) -> list[str]:
        """What there is no place for, and what to do about it."""
        return [
            *self._lost,
            *(
                _lost(name, value)
                for name, value in self._said.items()
                if _says_something(name, value)
            ),
        ]

    def _variables(self, said: object) -> Iterator[tuple[str, str]]:
        """Variables as old and new versions write them; Elyra skips empty ones."""
        for each in cast("list[Any]", said or []):
            name, value = _variable(each)
            if value:
                yield name, value
            elif name:
                self._lost.append(f"env_vars: {name} has no value: Elyra leaves it out")


def _variable(said: object) -> tuple[str, str]:
    if isinstance(said, Mapping):
        found = cast("Mapping[str, Any]", said)
        value = found.get("value")
        return str(found["env_var"]).strip(), "" if value is None else str(value)
    name, _, value = str(said).partition("=")
    return name.strip(), value


def _says_something(name: str, value: object) -> bool:
    is_known = name in _LOOKS or name in _PLACES
    holds = str(value) in _NO_CACHE.get(name, ())
    is_empty = value in (None, "", False, [], {}) or _is_hollow(value)
    return not (is_known or holds or is_empty)


def _is_hollow(value: object) -> bool:
    """Whether an object only holds what says nothing, as an empty size does."""
    if not isinstance(value, Mapping):
        return False
    return all(each in (None, "", [], {}) for each in value.values())


def _lost(name: str, value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    cut = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    root = name.removesuffix("_limit").removesuffix("_vendor")
    instead = _INSTEAD.get(root)
    return f"{name}: {cut}" + (f" ({instead})" if instead else "")
