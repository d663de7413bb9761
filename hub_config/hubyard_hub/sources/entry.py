"""An entry: the file of a source that a run executes, and what it says of the run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import Invalid, TooLarge
from hubyard.contract.kind import Kind
from hubyard.contract.parameters import accept
from hubyard.contract.pipeline import StepPlan, is_pipeline
from hubyard.contract.project import PROJECT_FILE, Project
from hubyard.contract.run import MOST_CELLS
from hubyard.contract.script import is_script, notebook_of
from hubyard_hub.sources.checking import mistakes
from hubyard_hub.sources.notebook import read_notebook
from hubyard_hub.sources.packed import file_names, read_files
from hubyard_hub.sources.project_file import read_project

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from pydantic import JsonValue

    from hubyard.contract.source import Parameter

SCRIPT_LIMIT_BYTES = 2**20
_MARK = b"%%"
"""What begins a cell of a script."""
_DICT = Kind("dict")


@dataclass(frozen=True)
class Entry:
    """What a run executes."""

    path: str
    parameters: tuple[Parameter, ...]
    """What a run may set."""
    steps: tuple[StepPlan, ...]
    project: Project
    """The project that it belongs to, with the compute that the entry asks for."""
    shares: dict[str, str] = field(default_factory=dict)
    """The compute that steps ask for, by the step's name."""
    name: str | None = None

    takes: Mapping[str, tuple[Parameter, ...]] = field(default_factory=dict)
    """The parameters of a pipeline's notebooks, by the step's name."""
    given: Mapping[str, JsonValue] = field(default_factory=dict)
    """What a run sets, as it travels."""

    def accept(self, given: Mapping[str, JsonValue], texts: Mapping[str, str]) -> Entry:
        """As a run executes it that sets these parameters.

        Args:
            given: values as JSON says them.
            texts: values as somebody types them.

        Raises:
            Invalid: naming the parameter and what to write.
        """
        accepted = accept(self.parameters, given, texts)
        if is_pipeline(self.path):
            self._check_steps(accepted)
        return replace(self.giving(accepted), given=accepted)

    def _check_steps(self, given: Mapping[str, JsonValue]) -> None:
        """Whether each step can take what this run would give it."""
        kinds = {each.name: each.kind for each in self.parameters}
        for name, value in given.items():
            if isinstance(value, str) and (
                kinds[name].is_series or kinds[name] == _DICT
            ):
                raise Invalid(
                    f"Parameter {name} of a pipeline must be what JSON can say.",
                    field=f"parameters.{name}",
                )
        values = {**{p.name: p.default for p in self.parameters}, **given}
        for plan in self.steps:
            for place, says in mistakes(plan, self.takes.get(plan.name, ()), values):
                where = ".".join((plan.name, *place))
                raise Invalid(f"Step {where}: {says}.", field="parameters")

    def giving(self, given: Collection[str]) -> Entry:
        """As a run executes it that sets these parameters.

        A pipeline says itself what its steps are given; a notebook is given all.
        """
        if is_pipeline(self.path):
            return self
        taken: dict[str, JsonValue] = {name: f"${{{name}}}" for name in given}
        steps = (s.model_copy(update={"parameters": taken}) for s in self.steps)
        return replace(self, steps=tuple(steps))


@dataclass(frozen=True)
class Files:
    """The files of a packed source."""

    path: Path
    names: Collection[str]

    @classmethod
    def of(cls, path: Path) -> Files:
        """Those of a packed source; its names are read, its content is not."""
        return cls(path, file_names(path))

    def read(self, wanted: Collection[str]) -> dict[str, bytes]:
        """The content of some, those that are there."""
        return read_files(self.path, wanted)

    def project(self) -> Project:
        """What the project file says; nothing where there is none."""
        found = self.read({PROJECT_FILE}) if PROJECT_FILE in self.names else {}
        return read_project(found[PROJECT_FILE]) if found else Project()


def read_document(content: bytes, path: str) -> Mapping[str, Any]:
    """A notebook, or a script as the notebook that executes it.

    Raises:
        Invalid: it is neither; says why.
    """
    if not is_script(path):
        return read_notebook(content, path)
    if len(content) > SCRIPT_LIMIT_BYTES:
        raise TooLarge(f"{path} may be at most {SCRIPT_LIMIT_BYTES // 2**20} MiB.")
    if content.count(_MARK) > MOST_CELLS:
        raise TooLarge(f"{path} may have at most {MOST_CELLS:,} cells.")
    try:
        return notebook_of(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 (byte {error.start + 1}).") from None
