"""Names: what is known of those of a whole notebook, from all of its cells.

kin        names that may stand for one object, or for parts of it
reach      what is done by whoever uses a name: all that the code does that is kept
           under it, or under a name that it was made of
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hubyard_hub.sources.tagged.effects import Body, Effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hubyard_hub.sources.tagged.blocks import Cell


class Names:
    """The names of one notebook."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        """Gather what all cells say of them."""
        every = [cell.effects for cell in cells]
        self.bound = {name for each in every for name in _all_bound(each)}
        plain = {name for each in every for name in each.binds} - {
            name for each in every for name in each.imported
        }
        self.modules = {n for each in every for n in each.modules} - plain
        self.imported = {n for each in every for n in each.imported} - plain
        self._bodies: dict[str, Body] = {}
        self._derives: dict[str, set[str]] = {}
        self._reach: dict[str, Body] = {}
        self._parents: dict[str, str] = {}
        for each in every:
            self._gather(each)

    def _gather(self, effects: Effects) -> None:
        for name, body in effects.bodies.items():
            self._bodies.setdefault(name, Body()).add(body)
        for name, of in effects.derives.items():
            self._derives.setdefault(name, set()).update(of)
        for one, other in effects.same:
            if not {one, other} & self.modules:
                self._parents[self.kin(one)] = self.kin(other)

    def kin(self, name: str) -> str:
        """The name that stands for all of its kin."""
        while (parent := self._parents.get(name, name)) != name:
            self._parents[name] = self._parents.get(parent, parent)
            name = parent
        return name

    def reach(self, name: str) -> Body:
        """What is done by whoever uses a name."""
        if name not in self._reach:
            found, seen, waiting = Body(), {name}, [name]
            while waiting:
                each = waiting.pop()
                body = self._bodies.get(each, Body())
                found.add(body)
                new = (body.uses | self._derives.get(each, set())) - seen
                seen |= new
                waiting += new
            self._reach[name] = found
        return self._reach[name]

    def whole(self, effects: Effects) -> Effects:
        """What a cell does, with all that the code does that it may call."""
        found = replace(
            effects,
            uses=dict(effects.uses),
            exposed=dict(effects.exposed),
            binds=dict(effects.binds),
            changes=dict(effects.changes),
        )
        for name, line in effects.uses.items():
            self._add(found, self.reach(name), line)
        for line, called, given in effects.calls_with:
            if any(self.reach(name).changes_arguments for name in called):
                for name in given:
                    found.changes.setdefault(name, line)
        return self._known(found)

    def _add(self, found: Effects, body: Body, line: int) -> None:
        for name in body.uses | body.changes:
            found.uses.setdefault(name, line)
            if found.sure.get(name, line) >= line:
                found.exposed.setdefault(name, line)
        for name in body.binds:
            found.binds.setdefault(name, line)
        for name in body.changes:
            found.changes.setdefault(name, line)

    def _known(self, found: Effects) -> Effects:
        """Without modules, which are no object of the notebook, and built-in names."""
        changes = {n: at for n, at in found.changes.items() if n not in self.modules}
        links = found.links - self.modules
        return replace(found, changes=changes, links=links)


def _all_bound(effects: Effects) -> set[str]:
    within = (name for body in effects.bodies.values() for name in body.binds)
    return {*effects.binds, *within}
