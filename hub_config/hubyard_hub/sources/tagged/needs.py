"""Needs: which variables each step takes, leaves, and must not change."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from hubyard.contract.pipeline import Variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hubyard_hub.sources.tagged.blocks import Blocks, Cell
    from hubyard_hub.sources.tagged.effects import Effects
    from hubyard_hub.sources.tagged.names import Names

_ALL = "*"


class Needs:
    """What the steps of one notebook need of one another."""

    def __init__(
        self,
        blocks: Blocks,
        names: Names,
        whole: list[Effects],
        before: Mapping[str, set[str]],
    ) -> None:
        """Take all that is known of a notebook.

        Args:
            blocks: its cells and steps.
            names: its names.
            whole: what each cell does, with all that it calls.
            before: all steps that each step comes after.
        """
        self._before = before
        self._both = list(zip(blocks.cells, whole, strict=True))
        self._common = {n for c, e in self._both if c.step is None for n in e.binds}
        self._known = names.bound - self._same_everywhere(names)
        reach = [e for c, e in self._both if c.step and e.everything]
        self._may_be_anything = bool(reach)
        self._seeded = any(e.seeds for e in whole)
        self._uses = {name: self._used_by(name) for name in before}
        self._starts = {n: self._cells_of(n)[0][0].index for n in before}
        self._ends = {n: self._cells_of(n)[-1][0].index for n in before}

    def _cells_of(self, step: str) -> list[tuple[Cell, Effects]]:
        return [(cell, each) for cell, each in self._both if cell.step == step]

    def _same_everywhere(self, names: Names) -> set[str]:
        """Names that each step imports for itself, and no step changes."""
        steps = [each for cell, each in self._both if cell.step is not None]
        touched = {name for each in steps for name in (*each.binds, *each.changes)}
        common = [each for cell, each in self._both if cell.step is None]
        imported = {name for each in common for name in each.imported}
        return (imported & names.imported) - touched

    def _used_by(self, step: str) -> set[str]:
        """The names whose values a step may take from others."""
        used: set[str] = set()
        own: set[str] = set()
        for _, effects in self._cells_of(step):
            used |= set(effects.exposed) - own
            own |= set(effects.sure)
            if effects.everything:
                used |= {*self._known, _ALL}
        if self._may_be_anything:
            hidden = used - self._common - set(dir(builtins))
            return (used & self._known) | hidden
        return used & self._known

    def variables(self, step: str) -> Variables:
        """What a step takes, leaves, and must not change."""
        after = [name for name, before in self._before.items() if step in before]
        beside = [n for n in self._before if self._is_beside(n, step)]
        below = [n for n in beside if self._ends[n] > self._starts[step]]
        return Variables(
            shared=tuple(c.index for c, _ in self._both if c.step is None),
            takes=tuple(sorted(self._uses[step])),
            gives=tuple(sorted({n for each in after for n in self._uses[each]})),
            followed=bool(after),
            remade=tuple(sorted(self._common & self._known)),
            keeps={n: each for each in below for n in sorted(self._uses[each])},
            sure=self._surely_bound(step),
            position=self._ends[step],
            checked=self._has_beside(),
            seeded=self._seeded,
        )

    def _is_beside(self, one: str, other: str) -> bool:
        ordered = one in self._before[other] or other in self._before[one]
        return one != other and not ordered

    def _has_beside(self) -> bool:
        return any(self._is_beside(a, b) for a in self._before for b in self._before)

    def _surely_bound(self, step: str) -> dict[str, int]:
        """Names that a step sets whatever was there, and the last cell that does."""
        cells = self._cells_of(step)
        exposed = self._uses[step]
        return {
            name: cell.index
            for cell, effects in cells
            for name in effects.sure
            if name in self._known and name not in exposed
        }
