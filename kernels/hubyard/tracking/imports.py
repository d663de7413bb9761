"""Being told when a module has been imported, at no cost until then."""

from __future__ import annotations

import importlib.abc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class AfterImport(importlib.abc.MetaPathFinder):
    """Calls a function once, right after the first of some modules was imported."""

    def __init__(self, names: frozenset[str], then: Callable[[], None]) -> None:
        self._names = names
        self._then = then

    def watch(self) -> None:
        """Begin; at once, if one of the modules is there already."""
        if not self._names.isdisjoint(sys.modules):
            self._then()
        else:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """Watch no more."""
        if self.is_watching:
            sys.meta_path.remove(self)

    @property
    def is_watching(self) -> bool:
        """Whether it still waits."""
        return self in sys.meta_path

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find the module as if we were not here, and wrap its loader.

        Many only ask whether there is such a module; so finding one ends nothing.
        """
        if fullname not in self._names:
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((each for each in found if each is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Then(spec.loader, self._imported)
        return spec

    def _imported(self) -> None:
        if self.is_watching:
            self.stop()
            self._then()


class _Then(importlib.abc.Loader):
    """A loader that calls a function when it is done."""

    def __init__(self, loader: importlib.abc.Loader, then: Callable[[], None]) -> None:
        self._loader = loader
        self._then = then

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._then()

    def __getattr__(self, name: str) -> object:
        """What else a loader can, for those who only ask."""
        return getattr(self._loader, name)
