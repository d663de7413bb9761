"""Elyra's `.pipeline` files, taken over as pipelines of Hubyard.

Notebooks, scripts and their order come over. Files that Elyra passes through an object
store need no word: the steps of a run share one folder.
Format: https://elyra.readthedocs.io/en/stable/user_guide/pipelines.html, schema of
https://github.com/elyra-ai/pipeline-schemas (version 3.0, application data 8).
"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import Any, cast

from hubyard.contract.errors import Invalid

_RUNS = {"execute-notebook-node": "notebook", "execute-python-node": "script"}
_NO_SLUG = re.compile(r"[^a-z0-9]+")


def read_elyra(text: str) -> dict[str, Any]:
    """What a pipeline file says, made of one of Elyra.

    Raises:
        Invalid: it is none, or holds what cannot be taken over; says which node.
    """
    try:
        document = json.loads(text)
        (pipeline,) = document["pipelines"]
        nodes = [n for n in pipeline["nodes"] if n.get("type") == "execution_node"]
        names = _names(nodes)
        steps = {names[node["id"]]: _step(node, names) for node in nodes}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Invalid(
            "This is no pipeline of Elyra, or is not of its format 3."
        ) from None
    said = pipeline.get("app_data", {}).get("properties", {}).get("name")
    return {**({"name": str(said)} if said else {}), "steps": steps}


def _names(nodes: list[dict[str, Any]]) -> dict[str, str]:
    """A step's name for each node, by the node's id."""
    found: dict[str, str] = {}
    for node in nodes:
        label = _label(node) or PurePosixPath(_filename(node)).stem
        slug = _NO_SLUG.sub("-", label.lower()).strip("-")[:30].strip("-")
        name = slug if slug[:1].isalpha() else f"step-{slug}".strip("-")
        again = sum(n == name or n.startswith(f"{name}-") for n in found.values())
        found[node["id"]] = f"{name}-{again + 1}" if name in found.values() else name
    return found


def _step(node: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    kind = _RUNS.get(node["op"])
    if kind is None:
        raise Invalid(
            f"The node {_label(node) or node['id']!r} is a {node['op']}: only "
            "notebooks and Python scripts can be taken over."
        )
    links = [link for port in node.get("inputs", []) for link in port.get("links", [])]
    after = [names[link["node_id_ref"]] for link in links]
    return {kind: _filename(node), **({"after": after} if after else {})}


def _label(node: dict[str, Any]) -> str:
    data = node.get("app_data", {})
    return str(data.get("label") or data.get("ui_data", {}).get("label") or "")


def _filename(node: dict[str, Any]) -> str:
    data = node["app_data"]
    inner = cast("dict[str, Any]", data.get("component_parameters", data))
    return str(inner["filename"])
