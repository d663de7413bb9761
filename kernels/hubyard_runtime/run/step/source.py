"""A source: a notebook or script as it was handed in, checked before it is executed.

The platform has checked all of it before the run was accepted. It is checked again
because parameters become code in front of the notebook.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from hubyard.contract import parameters
from hubyard.contract.errors import HubyardError
from hubyard.contract.layout import OUTPUTS
from hubyard.contract.notebook import foreign_language, what_is_wrong
from hubyard.contract.pipeline import Variables
from hubyard.contract.run import FailureReason
from hubyard.contract.script import is_script, notebook_of
from hubyard_runtime.run.step.failure import Broken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import JsonValue

    from hubyard.contract.pipeline import StepPlan

_OURS = '__import__("hubyard.pipelines.variables").pipelines.variables'


def find(folder: Path, name: str) -> Path:
    """Where a notebook or script lies in the unpacked source.

    Raises:
        Broken: it is not there.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise _bad(f"The source holds no {name!r}: schedule or run it again.")
    return path


def read(path: Path) -> Mapping[str, Any]:
    """Read a notebook of format 4, or a script as the notebook that executes it.

    Raises:
        Broken: it is none; says why.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad(f"{path.name} is not UTF-8 (byte {error.start + 1}).") from None
    if is_script(path.name):
        return notebook_of(text)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise _bad(f"{path.name} is not JSON (line {error.lineno}).") from None
    except RecursionError:
        raise _bad(f"{path.name} is nested too deeply.") from None
    problem = what_is_wrong(document)
    if problem:
        raise _bad(f"{path.name} is not a notebook: {problem}.")
    return cast("Mapping[str, Any]", document)


def with_cells(
    document: Mapping[str, Any], plan: StepPlan, handed: Path
) -> Mapping[str, Any]:
    """The notebook of one step of a tagged notebook; any other one as it is.

    Args:
        document: the whole notebook.
        plan: the step.
        handed: the folder that holds a folder of each step run.
    """
    if plan.cells is None:
        return document
    cells, said = document["cells"], plan.variables or Variables()
    shared = [cells[index] for index in plan.cells if index in said.shared]
    own = [cells[index] for index in plan.cells if index not in said.shared]
    takes = [_code(_taking(plan, said, handed))] if _has_others(plan, said) else []
    gives = [_code(f"{_OURS}.give(globals())")] if _must_look(plan, said) else []
    return {**document, "cells": [*shared, *takes, *own, *gives]}


def _has_others(plan: StepPlan, said: Variables) -> bool:
    """Whether a step has to do with others."""
    return bool(plan.after) or _must_look(plan, said)


def _must_look(plan: StepPlan, said: Variables) -> bool:
    """Whether a step leaves something, or could disturb another one."""
    return said.followed or bool(said.keeps) or (said.checked and bool(plan.after))


def _taking(plan: StepPlan, said: Variables, handed: Path) -> str:
    told = {
        "step": plan.name,
        "root": str(handed),
        "folder": OUTPUTS,
        "inputs": list(plan.after),
        **said.model_dump(exclude={"shared"}, exclude_defaults=True, mode="json"),
    }
    return f"{_OURS}.take(globals(), {told!r})"


def _code(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {"tags": ["hubyard"]},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def check_language(notebook: Mapping[str, Any]) -> None:
    """Accept what the Python kernel can execute.

    Raises:
        Broken: it is written in another language.
    """
    language = foreign_language(notebook)
    if language is not None:
        raise Broken(
            FailureReason.NO_KERNEL,
            f"The notebook is written for {language}: only Python runs here.",
        )


def values_of(
    notebook: Mapping[str, Any], given: Mapping[str, JsonValue]
) -> dict[str, object]:
    """What the notebook's parameters are set to, each of the type that it declares.

    Raises:
        Broken: one of them is not a parameter, or is of another type.
    """
    try:
        return parameters.values_of(parameters.parameters_of(notebook), given)
    except HubyardError as error:
        raise _bad(error.message) from None


def _bad(message: str) -> Broken:
    return Broken(FailureReason.BAD_NOTEBOOK, message)
