"""A tagged notebook: one notebook whose cells say, by their tags, which step is theirs.

`step:<name>` begins a step, `prev:<name>` is a step that it comes after. Cells tagged
`imports` or `functions` stand in front of each step, as does `parameters` (or
`pipeline-parameters`), which holds the parameters; `skip` belongs to none. A code cell
without such a tag belongs to what the one above it belongs to. A variable that one step
assigns and a later one uses is handed over.
Format: the cell tags of Kale, https://github.com/kubeflow-kale/kale
"""

from __future__ import annotations

import symtable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from hubyard.contract.base import Slug
from hubyard.contract.errors import Invalid, TooLarge
from hubyard.contract.parameters import parameters_of
from hubyard.contract.pipeline import MOST_STEPS, StepPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hubyard.contract.source import Parameter

CODE_LIMIT_BYTES = 2**20
"""All code of a tagged notebook, which is read for the names in it."""
_STEP, _PREV = "step:", "prev:"
_COMMON = {"imports", "functions", "parameters", "pipeline-parameters"}
_BLOCKS = {*_COMMON, "skip"}
_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


@dataclass
class _Step:
    """A step while it is gathered."""

    name: str
    first_cell: int
    cells: list[int] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    assigned: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)


def is_tagged(document: Mapping[str, Any]) -> bool:
    """Whether some cell says which step is its own."""
    cells = document["cells"]
    return any(tag.startswith(_STEP) for cell in cells for tag in _tags(cell))


def read_tagged(
    document: Mapping[str, Any], path: str
) -> tuple[tuple[Parameter, ...], tuple[StepPlan, ...]]:
    """The parameters and the steps of a tagged notebook.

    Raises:
        Invalid: naming the cell, and what to write.
    """
    reader = _Reader(document, path)
    order = reader.order()
    needs = {name: reader.needs(name) for name in order}
    before = _ancestors(reader.steps, order)
    gives = {name: reader.gives(name, needs, before) for name in order}
    steps = tuple(
        StepPlan(
            name=name,
            file=path,
            cells=tuple(sorted([*reader.common, *reader.steps[name].cells])),
            after=tuple(reader.steps[name].after),
            takes={
                variable: giver
                for giver in order
                if giver in before[name]
                for variable in sorted(gives[giver] & needs[name])
            },
            gives=tuple(sorted(gives[name])),
        )
        for name in order
    )
    return parameters_of(document), steps


class _Reader:
    """Gathers the steps of one notebook."""

    def __init__(self, document: Mapping[str, Any], path: str) -> None:
        self._path = path
        self.steps: dict[str, _Step] = {}
        self.common: list[int] = []
        self._code_bytes = 0
        self._common_names: set[str] = set()
        block = "skip"
        for index, cell in enumerate(document["cells"]):
            if cell["cell_type"] == "code":
                tags = _tags(cell)
                block = self._block(index, tags, block)
                self._take(index, block, tags, cell["source"])
        if len(self.steps) > MOST_STEPS:
            raise Invalid(f"{path} has more than {MOST_STEPS} steps.", field=path)

    def _block(self, index: int, tags: list[str], before: str) -> str:
        """What a cell belongs to: a step, or one of the other blocks."""
        for tag in tags:
            if tag in _BLOCKS:
                return tag
            if tag.startswith(_STEP):
                return self._checked(index, tag)
        return before

    def _checked(self, index: int, tag: str) -> str:
        try:
            _SLUG.validate_python(tag.removeprefix(_STEP))
        except ValidationError as error:
            said = error.errors(include_url=False)[0]["msg"]
            raise self._mistake(index, f"{tag!r}: {said}") from None
        return tag

    def _take(self, index: int, block: str, tags: list[str], source: Any) -> None:  # noqa: ANN401  a text or its lines
        if block == "skip":
            return
        assigned, used = self._names(index, "".join(source))
        if block in _COMMON:
            self.common.append(index)
            self._common_names |= assigned
            return
        name = block.removeprefix(_STEP)
        step = self.steps.setdefault(name, _Step(name, index))
        step.cells.append(index)
        step.assigned |= assigned
        step.used |= used
        for tag in tags:
            other = tag.removeprefix(_PREV)
            if tag.startswith(_PREV) and other not in step.after:
                step.after.append(other)

    def _names(self, index: int, source: str) -> tuple[set[str], set[str]]:
        """The names that a cell assigns, and those that it uses."""
        self._code_bytes += len(source.encode())
        if self._code_bytes > CODE_LIMIT_BYTES:
            limit = CODE_LIMIT_BYTES // 2**20
            raise TooLarge(f"{self._path}: its steps hold more than {limit} MiB.")
        lines = source.splitlines()
        code = "\n".join(
            "pass" if line.lstrip().startswith(("%", "!")) else line for line in lines
        )
        try:
            table = symtable.symtable(code, "cell", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None) or 1
            raise self._mistake(index, f"is not Python (line {line})") from None
        own = table.get_symbols()
        assigned = {s.get_name() for s in own if s.is_assigned() or s.is_imported()}
        return assigned, set(_used(table))

    def order(self) -> list[str]:
        """The steps, each after those that it waits for."""
        for step in self.steps.values():
            for other in step.after:
                if other not in self.steps or other == step.name:
                    known = ", ".join(each for each in self.steps if each != step.name)
                    raise self._mistake(
                        step.first_cell,
                        f"prev:{other}: write one of {known or 'none'}",
                    )
        try:
            graph = {name: step.after for name, step in self.steps.items()}
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))
            first = self.steps[error.args[1][0]].first_cell
            raise self._mistake(
                first, f"the steps wait for one another: {circle}"
            ) from None

    def needs(self, name: str) -> set[str]:
        """The names that a step uses and no common cell assigns."""
        return self.steps[name].used - self._common_names

    def gives(
        self, name: str, needs: Mapping[str, set[str]], before: Mapping[str, set[str]]
    ) -> set[str]:
        """What a step has, and one that comes after it needs."""
        step = self.steps[name]
        has = step.assigned | (
            needs[name]
            & {v for other in before[name] for v in self.steps[other].assigned}
        )
        after = [other for other in needs if name in before[other]]
        return has & {variable for other in after for variable in needs[other]}

    def _mistake(self, index: int, says: str) -> Invalid:
        return Invalid(f"{self._path}: cell {index + 1}: {says}.", field=self._path)


def _ancestors(steps: Mapping[str, _Step], order: list[str]) -> dict[str, set[str]]:
    """All steps that each one comes after, directly or not."""
    found: dict[str, set[str]] = {}
    for name in order:
        after = steps[name].after
        found[name] = set(after).union(*(found[other] for other in after))
    return found


def _used(table: symtable.SymbolTable) -> Iterator[str]:
    """The names of the notebook that some code uses, within functions too."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _used(inner)


def _tags(cell: Mapping[str, Any]) -> list[str]:
    found = cell["metadata"].get("tags")
    return [t for t in found if isinstance(t, str)] if isinstance(found, list) else []
