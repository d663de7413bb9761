"""A pipeline: a DAG of steps, as a project writes it down and as a run executes it.

step       a notebook or script with its parameters; it waits for the steps that it
           comes after and for those whose outputs it takes
output     a small value or a file that a step hands over by name:
           `hubyard.pipelines.output("rows", 1200)`
files      what a step leaves in its folder, where later steps find it
each       the items that a step fans out over: one step run for each
plan       a step as the platform has checked it and the runner executes it

References and conditions are those of `hubyard.contract.expression`.
"""

from __future__ import annotations

from itertools import islice, product
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    StringConstraints,
)

from hubyard.contract.base import (
    SEVERAL,
    Read,
    Seconds,
    Slug,
    Title,
    Written,
    in_words,
)
from hubyard.contract.duration import parse_duration

PIPELINES_FOLDER = "pipelines"
MOST_STEPS = 200
MOST_STEP_RUNS = 1000
"""A run fans out into no more than so many."""


def is_pipeline(path: str) -> bool:
    """Whether a file describes a pipeline."""
    return path.endswith((".yml", ".yaml"))


def _seconds(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[
    Seconds,
    BeforeValidator(_seconds, json_schema_input_type=str | int),
    in_words("write a duration such as 90s, 30m or 2h"),
]
"""Whole seconds; in a file also `90s`, `30m`, `2h`."""

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=80),
    in_words("write a name as Python has them: letters, digits and _"),
]
"""A parameter or an output."""

Names = Annotated[tuple[Name, ...], SEVERAL]

_OURS = ("HUBYARD_", "JUPYTERHUB_", "JPY_")
"""How variables begin that the platform sets."""


def _not_ours(name: str) -> str:
    if name.upper().startswith(_OURS):
        raise ValueError("the platform sets it")
    return name


VariableName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200),
    AfterValidator(_not_ours),
    in_words(
        "write a name of letters, digits and _ that does not begin with HUBYARD_, "
        "JUPYTERHUB_ or JPY_"
    ),
]
VariableText = Annotated[
    str,
    StringConstraints(pattern=r"^[^\x00]*$", max_length=32_768, strict=True),
    in_words("write a text, in quotes where it looks like a number"),
]
Environment = dict[VariableName, VariableText]
"""Environment variables, by name."""


def _within(pattern: str) -> str:
    names = pattern.split("/")
    if "" in names or ".." in names or "**" in names:
        raise ValueError("no path below a folder")
    return pattern


FilePatterns = Annotated[
    tuple[
        Annotated[
            str,
            StringConstraints(pattern=r"^[^\x00]+$", max_length=512),
            AfterValidator(_within),
            in_words("write a path or a glob below its folder, without .. and **"),
        ],
        ...,
    ],
    SEVERAL,
]
"""Files that a step leaves in its folder or below it."""
StepNames = Annotated[tuple[Slug, ...], SEVERAL]


class StepFile(Written):
    """A step as a project writes it down."""

    notebook: str | None = Field(default=None, description="a .ipynb of the project")
    script: str | None = Field(default=None, description="a .py of the project")
    parameters: dict[Name, JsonValue] = Field(
        default_factory=dict, description="values, or references such as ${step.output}"
    )
    after: StepNames = Field(default=(), description="steps that must end before it")
    outputs: Names = Field(default=(), description="what it hands over, by name")
    files: FilePatterns = Field(
        default=(),
        description="files that it must leave beside its notebook or below, such as "
        "data/*.csv; they are kept with the run",
    )
    environment: Environment = Field(
        default_factory=dict, description="environment variables, over the pipeline's"
    )
    when: str | None = Field(
        default=None, description="it is skipped unless this holds: ${step.rows} > 1000"
    )
    each: JsonValue = Field(
        default=None,
        description="a list, a grid of lists by name, or a reference to a list: "
        "it runs once for each item, ${each}",
    )
    compute: Slug | None = Field(
        default=None, description="its share of the run's compute; None: one core"
    )
    retries: Annotated[int, Field(ge=0, le=10, strict=True)] = 0
    retry_wait: Duration = Field(
        default=10, description="before the first retry; doubled before each next"
    )
    timeout: Duration | None = Field(default=None, description="for the whole step")
    cell_timeout: Duration | None = Field(default=None, description="for each cell")
    cache: bool = Field(
        default=False,
        description="take it over from an earlier run with the same code, parameters, "
        "inputs and packages, instead of executing it",
    )


class PipelineFile(Written):
    """A pipeline as a project writes it down, in a file of its own."""

    name: Title | None = None
    compute: Slug | None = Field(default=None, description="of the whole run")
    parameters: dict[Name, JsonValue] = Field(
        default_factory=dict, description="names that a run may set, and their defaults"
    )
    environment: Environment = Field(
        default_factory=dict, description="environment variables of each step"
    )
    steps: dict[Slug, StepFile]


class Variables(Read):
    """What a step of a tagged notebook takes from others and leaves to others."""

    shared: tuple[int, ...] = Field(
        default=(), description="cells that stand in front of each step"
    )
    takes: tuple[str, ...] = Field(
        default=(), description="names whose values it may need; *: any"
    )
    gives: tuple[str, ...] = Field(
        default=(), description="names that later steps take; *: any"
    )
    followed: bool = Field(default=False, description="whether a step comes after it")
    remade: tuple[str, ...] = Field(
        default=(), description="names that its shared cells set, too"
    )
    keeps: dict[str, str] = Field(
        default_factory=dict,
        description="names whose objects it must not change, and the steps beside it "
        "that use them",
    )
    sure: dict[str, int] = Field(
        default_factory=dict,
        description="names that it sets whatever happens, and its last cell that does",
    )
    position: int = Field(default=0, description="its last cell")
    checked: bool = Field(
        default=False, description="whether steps may run side by side"
    )
    seeded: bool = Field(
        default=False, description="whether random numbers are a sequence"
    )


class StepPlan(Read):
    """A step as the runner executes it."""

    name: str
    file: str = Field(description="path within the source; a .py is executed by cells")
    cells: tuple[int, ...] | None = Field(
        default=None, description="only these cells of a tagged notebook"
    )
    after: tuple[str, ...] = Field(
        default=(), description="all that it waits for, also for what it takes"
    )
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    files: tuple[str, ...] = Field(
        default=(), description="that it must leave, below its notebook's folder"
    )
    environment: dict[str, str] = Field(default_factory=dict)
    variables: Variables | None = Field(
        default=None, description="those of a step of a tagged notebook"
    )
    when: str | None = None
    each: JsonValue = None
    cores: float | None = Field(default=None, description="None: one of the run's")
    memory_bytes: int | None = Field(default=None, description="None: unknown")
    retries: int = 0
    retry_wait_s: int = 10
    timeout_s: int | None = None
    cell_timeout_s: int | None = None
    cache: bool = False

    @property
    def hands_over(self) -> bool:
        """Whether other steps may need what it leaves."""
        of_tagged = self.variables is not None and self.variables.followed
        return bool(self.outputs or self.files) or of_tagged

    def has_no_items(self, key: str) -> bool:
        """Whether a step run that succeeded stands for a fan-out over nothing."""
        return self.each is not None and key == self.name


def items_of(found: JsonValue, step: str) -> list[JsonValue]:
    """The items of a list, or of a grid: every combination of its lists.

    Raises:
        ValueError: it is neither, or has too many.
    """
    if isinstance(found, dict):
        lists = [each if isinstance(each, list) else [each] for each in found.values()]
        chosen = islice(product(*lists), MOST_STEP_RUNS + 1)
        found = [dict(zip(found, each, strict=True)) for each in chosen]
    if not isinstance(found, list):
        raise ValueError(  # noqa: TRY004  it is the pipeline's mistake, not ours
            f"each of {step} is no list, but {str(found)[:80]}"
        )
    if len(found) > MOST_STEP_RUNS:
        raise ValueError(f"each of {step} has more than {MOST_STEP_RUNS} items")
    return found
