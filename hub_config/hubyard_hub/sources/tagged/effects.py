"""What a cell does with the names of its notebook, as far as its text says.

use        the cell reads a name; it is *exposed* where the value may come from a cell
           above, and not from this one
binding    the cell assigns, imports, defines or deletes a name; it is *sure* where
           the cell does so whatever happens
change     the cell changes the object that a name stands for, in place
link       the cell may let a second name, or a part of an object, stand for it too
body       what a function, a class or a lambda does when it is called: this belongs to
           each cell that uses its name, or a name that was made of it
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Body:
    """What code does that is kept under a name, each time that it is called."""

    uses: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    changes_arguments: bool = False

    def add(self, other: Body) -> None:
        """Take what another one does as well."""
        self.uses |= other.uses
        self.binds |= other.binds
        self.changes |= other.changes
        self.changes_arguments |= other.changes_arguments


@dataclass
class Effects:
    """What one cell does; the numbers are lines of the cell, from 1."""

    uses: dict[str, int] = field(default_factory=dict)
    exposed: dict[str, int] = field(default_factory=dict)
    binds: dict[str, int] = field(default_factory=dict)
    sure: dict[str, int] = field(default_factory=dict)
    """Names that it surely binds, and where first."""
    changes: dict[str, int] = field(default_factory=dict)
    calls_with: list[tuple[int, set[str], set[str]]] = field(default_factory=list)
    """Calls by line: names that are called, and those that they are called with."""
    links: set[str] = field(default_factory=set)
    same: list[tuple[str, str]] = field(default_factory=list)
    """Names that may stand for one object, or for one that holds the other."""
    derives: dict[str, set[str]] = field(default_factory=dict)
    """Names, and those that they were made of."""
    bodies: dict[str, Body] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    made: dict[str, int] = field(default_factory=dict)
    """Names whose value an own call has made: another run makes another one."""
    stores: dict[str, int] = field(default_factory=dict)
    """Names whose attributes it sets."""
    settings: dict[str, int] = field(default_factory=dict)
    """Names of modules that it tells how to behave."""
    everything: int | None = None
    """Where it may use and bind whatever there is."""
    process: int | None = None
    """Where it changes the folder, the environment or the path of its process."""
    seeds: int | None = None
    """Where it begins a sequence of random numbers."""
    unclear: dict[int, str] = field(default_factory=dict)
    """Lines that mean something else in another process, and why."""
