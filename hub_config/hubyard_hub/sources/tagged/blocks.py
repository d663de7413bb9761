"""Blocks: which cells of a tagged notebook belong to which step.

Format: the cell tags of Kale, https://github.com/kubeflow-kale/kale; `block:` is what
its first versions called `step:`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from hubyard.contract.base import Slug
from hubyard.contract.errors import Invalid, TooLarge
from hubyard.contract.pipeline import MOST_STEPS
from hubyard_hub.sources.tagged.code import NotPython
from hubyard_hub.sources.tagged.reading import read_cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hubyard_hub.sources.tagged.effects import Effects

CODE_LIMIT_BYTES = 2**20
"""All code of a tagged notebook, which is read for the names in it."""
_STEPS, _PREV, _SKIP = ("step:", "block:"), "prev:", "skip"
_COMMON = {"imports", "functions", "parameters", "pipeline-parameters"}
_COMMON_BLOCK = "common"
_MAY_RAISE = "raises-exception"
_NOT_RUN = "skip-execution"
_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


@dataclass(frozen=True)
class Cell:
    """A cell of code that some step executes."""

    index: int
    step: str | None
    """None: it stands in front of each step."""
    effects: Effects


@dataclass
class Step:
    """A step, its first cell and the steps that it is said to come after."""

    name: str
    first_cell: int
    after: list[str] = field(default_factory=list)


class Mistakes:
    """Says what is wrong, and where."""

    def __init__(self, path: str) -> None:
        self._path = path

    def at(self, index: int, says: str, line: int | None = None) -> Invalid:
        """What is wrong with a cell, and perhaps with one line of it."""
        where = f"cell {index + 1}" + (f", line {line}" if line else "")
        return Invalid(f"{self._path}: {where}: {says}.", field=self._path)


def is_tagged(document: Mapping[str, Any]) -> bool:
    """Whether some cell says which step is its own."""
    begins = (*_STEPS, _PREV)
    return any(t.startswith(begins) for cell in document["cells"] for t in _tags(cell))


class Blocks:
    """The cells and the steps of one tagged notebook, in their order."""

    def __init__(self, document: Mapping[str, Any], path: str) -> None:
        """Gather them.

        Raises:
            Invalid: naming the cell, and what to write.
        """
        self.mistakes = Mistakes(path)
        self.cells: list[Cell] = []
        self.steps: dict[str, Step] = {}
        self._path = path
        self._code_bytes = 0
        self._spelled: dict[str, str] = {}
        block = _COMMON_BLOCK
        for index, cell in enumerate(document["cells"]):
            if cell["cell_type"] == "code":
                tags = _tags(cell)
                own = self._block(index, tags, block)
                if own == _SKIP:  # a cell without a tag after it belongs to the block
                    continue
                block = own
                if _NOT_RUN not in tags:
                    self._take(index, block, tags, "".join(cell["source"]))
        self._check()

    def _block(self, index: int, tags: list[str], before: str) -> str:
        """What a cell belongs to: a step, no step, or all of them."""
        for tag in tags:
            if tag == _SKIP or tag in _COMMON:
                return _SKIP if tag == _SKIP else _COMMON_BLOCK
            if tag.startswith(_STEPS):
                return f"step:{self._name(index, tag)}"
        return before

    def _name(self, index: int, tag: str) -> str:
        """A step's name, as it is told everywhere: Kale's may hold underscores."""
        said = tag.partition(":")[2]
        name = said.strip("_").replace("_", "-")
        try:
            _SLUG.validate_python(name)
        except ValidationError as error:
            message = error.errors(include_url=False)[0]["msg"]
            raise self.mistakes.at(index, f"{tag!r}: {message}") from None
        if self._spelled.setdefault(name, said) != said:
            other = self._spelled[name]
            raise self.mistakes.at(index, f"{tag!r}: there is a step {other!r} already")
        return name

    def _take(self, index: int, block: str, tags: list[str], source: str) -> None:
        effects = self._read(index, source, tags)
        name = None if block == _COMMON_BLOCK else block.removeprefix("step:")
        self.cells.append(Cell(index, name, effects))
        if name is None:
            return
        step = self.steps.setdefault(name, Step(name, index))
        for tag in tags:
            other = tag.removeprefix(_PREV).strip("_").replace("_", "-")
            if tag.startswith(_PREV) and other not in step.after:
                step.after.append(other)

    def _read(self, index: int, source: str, tags: list[str]) -> Effects:
        self._code_bytes += len(source.encode())
        if self._code_bytes > CODE_LIMIT_BYTES:
            limit = CODE_LIMIT_BYTES // 2**20
            raise TooLarge(f"{self._path}: its steps hold more than {limit} MiB.")
        try:
            return read_cell(source, may_raise=_MAY_RAISE in tags)
        except NotPython as error:
            raise self.mistakes.at(index, error.says, error.line) from None

    def _check(self) -> None:
        if len(self.steps) > MOST_STEPS:
            raise Invalid(
                f"{self._path} has more than {MOST_STEPS} steps.", field=self._path
            )
        if not self.steps:
            raise Invalid(
                f"{self._path} says what comes before its cells, and no cell is tagged "
                "`step:<name>`.",
                field=self._path,
            )
        for step in self.steps.values():
            for other in step.after:
                if other not in self.steps or other == step.name:
                    known = ", ".join(each for each in self.steps if each != step.name)
                    raise self.mistakes.at(
                        step.first_cell, f"prev:{other}: write one of {known or 'none'}"
                    )


def _tags(cell: Mapping[str, Any]) -> list[str]:
    found = cell["metadata"].get("tags")
    return [t for t in found if isinstance(t, str)] if isinstance(found, list) else []
