"""A definition: `pipelines/<name>.yml`, or the steps in `hubyard.yml`, checked whole.

Each mistake is told with its line: a step that is not there, a circle of steps, a
parameter that a notebook does not declare, an output that no step hands over.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import HubyardError, Invalid
from hubyard.contract.expression import EACH, Condition, Reference, references
from hubyard.contract.kind import seen_kind
from hubyard.contract.parameters import declared, parameters_of
from hubyard.contract.pipeline import MOST_STEPS, PipelineFile, StepPlan
from hubyard.contract.project import PROJECT_FILE
from hubyard_hub.sources import yaml_text
from hubyard_hub.sources.checking import mistakes
from hubyard_hub.sources.entry import Entry, Files, read_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue

    from hubyard.contract.pipeline import StepFile
    from hubyard.contract.project import Project
    from hubyard.contract.source import Parameter


def read_pipeline(content: bytes, path: str, files: Files, project: Project) -> Entry:
    """What a run of a pipeline executes.

    Raises:
        Invalid: it cannot be executed; names the line and what to write.
    """
    text = yaml_text.read(content, path)
    is_own = path != PROJECT_FILE
    file = text.read_as(PipelineFile) if is_own else project.pipeline
    definition = _Definition(text, file)
    definition.check_steps()
    order = definition.order()
    documents = definition.documents(files)
    declared = {name: definition.declared(name, documents[name]) for name in order}
    for name in order:
        definition.check_values(name, declared[name])
    return Entry(
        path=path,
        parameters=tuple(_parameter(*each) for each in file.parameters.items()),
        steps=tuple(definition.plan(name) for name in order),
        project=project.model_copy(update={"compute": file.compute or project.compute}),
        shares={n: s.compute for n, s in file.steps.items() if s.compute is not None},
        name=file.name,
        takes=declared,
    )


def _parameter(name: str, default: JsonValue) -> Parameter:
    return declared(name, seen_kind(default), default)


class _Definition:
    """A pipeline file while it is checked."""

    def __init__(self, text: yaml_text.Text, file: PipelineFile) -> None:
        self._text, self._file = text, file

    # -- the steps and how they follow one another -------------------------------------

    def check_steps(self) -> None:
        steps = self._file.steps
        if not steps:
            raise self._text.mistake(["steps"], "steps: write at least one")
        if len(steps) > MOST_STEPS:
            raise self._text.mistake(["steps"], f"has more than {MOST_STEPS} steps")
        for name, step in steps.items():
            if name == EACH:
                raise self._mistake(name, "", f"{EACH!r} cannot name a step")
            if (step.notebook is None) == (step.script is None):
                raise self._mistake(name, "", "write one of notebook and script")
            for other in step.after:
                self._check_step(name, "after", other)
            for place, reference in self._references(name, step):
                self._check_reference(name, place, reference)

    def order(self) -> list[str]:
        """The steps, each after those that it waits for."""
        graph = {name: self._waits_for(name) for name in self._file.steps}
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            shown = " -> ".join(circle)
            raise self._mistake(
                circle[0], "", f"the steps wait for one another: {shown}"
            ) from None

    def _waits_for(self, name: str) -> list[str]:
        step = self._file.steps[name]
        taken = (r.of for _, r in self._references(name, step) if r.part is not None)
        found = [*step.after, *(of for of in taken if of != EACH)]
        return list(dict.fromkeys(found))

    def _references(self, name: str, step: StepFile) -> Iterator[tuple[str, Reference]]:
        """What a step refers to, and in which of its settings."""
        for place, value in (("parameters", step.parameters), ("each", step.each)):
            try:
                yield from ((place, found) for found in references(value))
            except ValueError as error:
                raise self._mistake(name, place, str(error)) from None
        if step.when is not None:
            try:
                taken = Condition.parse(step.when).taken
            except ValueError as error:
                raise self._mistake(name, "when", str(error)) from None
            yield from (("when", found) for found in taken)

    def _check_reference(self, name: str, place: str, found: Reference) -> None:
        if found.of == EACH:
            if self._file.steps[name].each is None or place == "each":
                raise self._mistake(name, place, f"{found}: the step has no `each`")
        elif found.part is None:
            if found.of not in self._file.parameters:
                known = ", ".join(self._file.parameters) or "none"
                raise self._mistake(
                    name,
                    place,
                    f"{found}: the pipeline has no such parameter: it has {known}",
                )
        else:
            self._check_step(name, place, found.of)
            of = self._file.steps[found.of]
            are_items = found.part == EACH and of.each is not None
            if found.part not in of.outputs and not are_items:
                raise self._mistake(
                    name,
                    place,
                    f"{found}: list {found.part} among the outputs of {found.of}",
                )

    def _check_step(self, name: str, place: str, other: str) -> None:
        if other == name:
            raise self._mistake(name, place, "a step cannot wait for itself")
        if other not in self._file.steps:
            known = ", ".join(each for each in self._file.steps if each != name)
            raise self._mistake(
                name,
                place,
                f"there is no step {other!r}: write one of {known or 'none'}",
            )

    # -- what they execute -------------------------------------------------------------

    def documents(self, files: Files) -> dict[str, Mapping[str, Any]]:
        """The notebook of each step."""
        paths = {
            name: self._path(name, step) for name, step in self._file.steps.items()
        }
        found = files.read(set(paths.values()))
        for name, path in paths.items():
            if path not in found:
                raise self._mistake(
                    name,
                    self._kind(name),
                    f"the project holds no {path!r}: paths begin at the project's "
                    "folder",
                )
        return {name: self._document(name, p, found[p]) for name, p in paths.items()}

    def _document(self, name: str, path: str, content: bytes) -> Mapping[str, Any]:
        try:
            return read_document(content, path)
        except HubyardError as error:
            said = error.message.removesuffix(".")
            raise self._mistake(name, self._kind(name), said) from None

    def _path(self, name: str, step: StepFile) -> str:
        said = step.notebook or step.script or ""
        ends = ".ipynb" if step.notebook else ".py"
        if not said.endswith(ends):
            raise self._mistake(name, self._kind(name), f"write a file {ends}")
        return str(PurePosixPath(said))

    def declared(self, name: str, document: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """The parameters of a step's notebook."""
        try:
            return parameters_of(document)
        except HubyardError as error:
            said = error.message.removesuffix(".")
            raise self._mistake(name, self._kind(name), said) from None

    def check_values(self, name: str, declared: tuple[Parameter, ...]) -> None:
        """Whether a step's notebook has these parameters, of these types.

        A parameter of the pipeline that has no default is known to a run alone.
        """
        defaults = self._file.parameters.items()
        values = {key: value for key, value in defaults if value is not None}
        for place, says in mistakes(self.plan(name), declared, values):
            raise self._text.mistake(["steps", name, *place], f"steps.{name}: {says}")

    def plan(self, name: str) -> StepPlan:
        """A step as the runner executes it."""
        step = self._file.steps[name]
        return StepPlan(
            name=name,
            file=self._path(name, step),
            after=tuple(self._waits_for(name)),
            parameters=step.parameters,
            outputs=step.outputs,
            files=step.files,
            environment={**self._file.environment, **step.environment},
            when=step.when,
            each=step.each,
            retries=step.retries,
            retry_wait_s=step.retry_wait,
            timeout_s=step.timeout,
            cell_timeout_s=step.cell_timeout,
            cache=step.cache,
        )

    def _kind(self, name: str) -> str:
        return "notebook" if self._file.steps[name].notebook else "script"

    def _mistake(self, name: str, place: str, says: str) -> Invalid:
        where = ["steps", name, *([place] if place else [])]
        return self._text.mistake(where, f"{'.'.join(where)}: {says}")
