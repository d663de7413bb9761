"""Locations: only below the deployment's own artifact root, in one's own experiment.

root    `mlflow-artifacts:/`, which is all that MLflow has been given; the folder of an
        experiment is its id
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from hubyard_hub.mlflow.asked import Thing

TAGS = {"mlflow.artifactLocation", "mlflow.trace.archiveLocation"}
"""Tags of traces that MLflow reads as locations."""
_ROOT = "mlflow-artifacts"
_REFERENCES = ("runs:", "models:")
_NOT_IN_A_NAME = set("\\\0?#")
HINT = (
    "It must lie below mlflow-artifacts:/<id of an experiment of yours>/; leave it out "
    "to have MLflow choose."
)


class Outside(ValueError):
    """This location is not below the root."""


def folder(location: str) -> Thing:
    """The folder of an experiment that a location lies in.

    Raises:
        Outside: it lies elsewhere, or its path can be read in two ways.
    """
    plain = _unquoted(location)
    try:
        parts = urlsplit(plain)
    except ValueError as error:
        raise Outside from error
    first, *names = parts.path.removesuffix("/").split("/")
    odd = any(name in {"", ".", ".."} or set(name) & _NOT_IN_A_NAME for name in names)
    elsewhere = parts.scheme != _ROOT or parts.netloc or parts.query or parts.fragment
    if first or odd or elsewhere or not plain.isprintable():
        raise Outside
    if not names or not re.fullmatch("[0-9]+", names[0]):
        raise Outside
    return Thing("folder", ("/".join(names),))


def source(text: str, placeholders: frozenset[str]) -> Thing | None:
    """The folder that a model version comes from; None: MLflow knows whose it is.

    Raises:
        Outside: it lies elsewhere.
    """
    if text in placeholders or text.startswith(_REFERENCES):
        return None
    return folder(text)


def _unquoted(text: str) -> str:
    while (plain := unquote(text)) != text:
        text = plain
    return text
