"""Order: which step comes after which, so that the notebook means what it says.

What a tagged notebook means is what it does from top to bottom. Two steps that no tag
puts in order may run side by side; where one needs what the other one has set or
changed, it comes after it, as it stands in the notebook. Where the tags demand another
order than that, there is no way to keep the meaning, and the notebook is refused.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hubyard_hub.sources.tagged.blocks import Blocks, Cell
    from hubyard_hub.sources.tagged.effects import Effects
    from hubyard_hub.sources.tagged.names import Names


@dataclass(frozen=True)
class _Reason:
    """Why a cell must come after another one."""

    cell: Cell
    line: int
    name: str


@dataclass(frozen=True)
class _Forbidden:
    """A step that must not be executed before another one, which stands above it."""

    above: str
    below: str | None
    until: str | None
    """Only where this step comes after, or is, the one above; None: always."""


class Order:
    """What the cells of a notebook demand of the order of its steps."""

    def __init__(self, blocks: Blocks, names: Names, whole: list[Effects]) -> None:
        self._mistakes = blocks.mistakes
        self._names = names
        self._edges: dict[tuple[str, str], _Reason] = {}
        self._forbidden: dict[_Forbidden, _Reason] = {}
        self._bound: dict[str, Cell] = {}
        self._changed: dict[str, Cell] = {}
        self._binders: dict[str, dict[str, Cell]] = defaultdict(dict)
        self._readers: dict[str, dict[str, Cell]] = defaultdict(dict)
        self._linkers: dict[str, dict[str, Cell]] = defaultdict(dict)
        self._newest: dict[str, Cell] = {}
        """The last cell yet of each step."""
        self._walls: list[Cell] = []
        """Cells that each one below them comes after."""
        self._made: set[str] = set()
        self._first: Cell | None = None
        self._in_a_row = any(each.seeds for each in whole)
        self._last_use = {
            name: cell.index
            for cell, each in zip(blocks.cells, whole, strict=True)
            for name in each.exposed
        }
        for cell, effects in zip(blocks.cells, whole, strict=True):
            self._read(cell, effects)

    # -- one cell after the other ------------------------------------------------------

    def _read(self, cell: Cell, effects: Effects) -> None:
        self._walls_of(cell, effects)
        self._uses_of(cell, effects)
        self._binds_of(cell, effects)
        self._changes_of(cell, effects)
        self._remember(cell, effects)

    def _walls_of(self, cell: Cell, effects: Effects) -> None:
        """What may reach everything comes after all above it, and before all below."""
        if cell.step is None:
            return
        for wall in self._walls:
            self._require(wall, cell, 1, "what it may use")
        reach = effects.everything or effects.process
        if reach or self._in_a_row:
            for each in self._newest.values():
                self._require(each, cell, reach or 1, "what it may use")
        if reach:
            self._walls.append(cell)

    def _uses_of(self, cell: Cell, effects: Effects) -> None:
        for name, line in effects.exposed.items():
            kin = self._names.kin(name)
            before = self._bound.get(name)
            self._require(before, cell, line, name)
            self._require(self._changed.get(kin), cell, line, name)
            if name in self._made and before is not None and before.step is None:
                self._require(self._first, cell, line, name)
            if before is not None:
                self._not_overtaken(before, cell, line, name)

    def _not_overtaken(self, before: Cell, cell: Cell, line: int, name: str) -> None:
        """Nothing that has bound the name earlier may be executed after the last."""
        for step, each in self._binders[name].items():
            if each.index < before.index and step != before.step:
                why = _Reason(cell, line, name)
                self._forbid(each, before, why, until=cell.step)

    def _binds_of(self, cell: Cell, effects: Effects) -> None:
        for name, line in effects.binds.items():
            is_sure = name in effects.sure and name not in effects.exposed
            if not is_sure and self._last_use.get(name, -1) > cell.index:
                self._require(self._bound.get(name), cell, line, name)
            for each in self._readers[name].values():
                self._forbid(each, cell, _Reason(cell, line, name))

    def _changes_of(self, cell: Cell, effects: Effects) -> None:
        for name, line in effects.changes.items():
            kin = self._names.kin(name)
            self._require(self._changed.get(kin), cell, line, name)
            linkers = sorted(self._linkers[kin].values(), key=lambda each: each.index)
            for one, other in pairwise([*linkers, cell]):
                self._require(one, other, line, name)
            for each in self._readers[f" {kin}"].values():
                self._forbid(each, cell, _Reason(cell, line, name))

    def _remember(self, cell: Cell, effects: Effects) -> None:
        for name in effects.uses:
            self._note(self._readers[f" {self._names.kin(name)}"], cell)
        for name in effects.exposed:
            self._note(self._readers[name], cell)
        for name in effects.binds:
            self._bound[name] = cell
            self._note(self._binders[name], cell)
        for name in effects.changes:
            self._changed[self._names.kin(name)] = cell
        for name in effects.links:
            self._note(self._linkers[self._names.kin(name)], cell)
        if cell.step is None:
            self._made |= set(effects.made)
        else:
            self._newest[cell.step] = cell
            self._first = self._first or cell

    @staticmethod
    def _note(where: dict[str, Cell], cell: Cell) -> None:
        if cell.step is not None:
            where[cell.step] = cell

    def _require(self, before: Cell | None, cell: Cell, line: int, name: str) -> None:
        """A cell comes after another one, which stands above it."""
        if before is None or before.step is None or before.step == cell.step:
            return
        if cell.step is None:
            raise self._stands_in_front(before, _Reason(cell, line, name))
        edge = before.step, cell.step
        self._edges.setdefault(edge, _Reason(cell, line, name))

    def _forbid(
        self, above: Cell, below: Cell, why: _Reason, until: str | None = None
    ) -> None:
        """The step of a cell must not come before that of one above it."""
        if above.step is None or above.step == below.step:
            return
        if below.step is None and until is None:
            raise self._stands_in_front(above, why)
        self._forbidden.setdefault(_Forbidden(above.step, below.step, until), why)

    def _stands_in_front(self, above: Cell, why: _Reason) -> Exception:
        return self._mistakes.at(
            why.cell.index,
            f"it stands in front of each step, but {why.name} is of step {above.step} "
            "above: tag it as a part of a step, or move it up",
            why.line,
        )

    # -- the steps ---------------------------------------------------------------------

    def steps(self, blocks: Blocks) -> dict[str, tuple[str, ...]]:
        """The steps in their order, each with those that it comes after.

        Raises:
            Invalid: no order keeps what the notebook means.
        """
        said = {name: list(step.after) for name, step in blocks.steps.items()}
        _check_circle(said, blocks)
        graph = {name: {*after} for name, after in said.items()}
        for one, other in self._edges:
            graph[other].add(one)
        order = self._sorted(graph, blocks)
        before = ancestors(order, graph)
        self._check(before)
        return {
            name: (*said[name], *_needed(graph[name], said[name], before))
            for name in order
        }

    def _sorted(self, graph: Mapping[str, set[str]], blocks: Blocks) -> list[str]:
        try:
            return _in_order(graph, blocks)
        except CycleError as error:
            circle: list[str] = error.args[1]
        found = [self._edges[e] for e in pairwise(circle) if e in self._edges]
        why = min(found, key=lambda each: each.cell.index)
        step = why.cell.step
        above = next(edge[0] for edge, each in self._edges.items() if each is why)
        raise self._mistakes.at(
            why.cell.index,
            f"step {step} needs {why.name} as step {above} has left it above, but by "
            f"the tags {step} runs before {above} has ended: give the cells to steps "
            "in the order of the notebook",
            why.line,
        )

    def _check(self, before: Mapping[str, set[str]]) -> None:
        for each, why in self._forbidden.items():
            until = each.until
            counts = until is None or until == each.above or each.above in before[until]
            earlier = each.below is None or each.below in before[each.above]
            if counts and earlier:
                below = f"step {each.below}" if each.below else "what each step has"
                raise self._mistakes.at(
                    why.cell.index,
                    f"{why.name} would be another than from top to bottom: "
                    f"{below} runs before step {each.above}, which stands above it. "
                    "Give the cells to steps in the order of the notebook",
                    why.line,
                )


def _check_circle(said: Mapping[str, Iterable[str]], blocks: Blocks) -> None:
    """The tags alone must not go in a circle."""
    try:
        TopologicalSorter(said).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        first = blocks.steps[error.args[1][0]].first_cell
        raise blocks.mistakes.at(
            first, f"the steps wait for one another: {circle}"
        ) from None


def _in_order(graph: Mapping[str, set[str]], blocks: Blocks) -> list[str]:
    """The steps, each after those that it waits for, else as they stand."""
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    ready: list[tuple[int, str]] = []
    order: list[str] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, (blocks.steps[name].first_cell, name))
        _, name = heapq.heappop(ready)
        order.append(name)
        sorter.done(name)
    return order


def ancestors(
    order: Iterable[str], graph: Mapping[str, Iterable[str]]
) -> dict[str, set[str]]:
    """All steps that each one comes after, directly or not."""
    found: dict[str, set[str]] = {}
    for name in order:
        after = set(graph[name])
        found[name] = after.union(*(found[other] for other in after))
    return found


def _needed(
    all_before: Iterable[str], said: Iterable[str], before: Mapping[str, set[str]]
) -> list[str]:
    """The steps that must be named beside those that the tags name."""
    further = set(all_before) - set(said)
    implied = {name for each in all_before for name in before[each]}
    return sorted(further - implied)
