"""A snapshot: variables of a notebook, pickled with all that they share.

probe      what a variable's value is made of, by identity, and a digest of it
group      variables that share an object; they are pickled together

A function of the notebook comes back as a function of the notebook that it comes to: it
sees that one's variables, as it saw this one's. Arrays that share memory still do.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import pickle
import sys
import types
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from cloudpickle import Pickler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

Names = dict[str, Any]
"""The variables of a notebook: what its kernel calls globals."""
_NAMES = "names"
_MAIN = "__main__"
_CACHED = type(functools.lru_cache(lambda: None))
_NOT_SET = {"__globals__", "__closure__", "_cloudpickle_submodules"}
"""What cloudpickle keeps of a function, but cannot be set."""
_PLAIN = (
    *(int, float, complex, bool, str, bytes, type(None), type(...), range),
    *(types.CodeType, types.ModuleType, types.BuiltinFunctionType, pickle.PickleBuffer),
)


@dataclass
class Probe:
    """What a value is made of."""

    digest: bytes
    objects: dict[int, object] = field(default_factory=dict[int, object])
    """All that can change, by identity; held, so that no identity is used twice."""
    arrays: dict[int, object] = field(default_factory=dict[int, object])
    """Those that are arrays, without the memory behind them."""


class _Writer(Pickler):
    """Pickles what belongs to a notebook."""

    def __init__(self, file: BinaryIO, names: Names, shared: Mapping[int, Any]) -> None:
        """Begin.

        Args:
            file: where to.
            names: the notebook's variables.
            shared: arrays of which more than one view is there, by identity.
        """
        super().__init__(file, protocol=5)
        self._names = names
        self._shared = shared

    def persistent_id(self, obj: object) -> str | None:
        """The variables themselves are not pickled: the next notebook has its own."""
        return _NAMES if obj is self._names else None

    def reducer_override(self, obj: object) -> Any:  # noqa: ANN401  pickle's own
        """Pickle functions, cached functions and views of arrays in our way."""
        if isinstance(obj, types.FunctionType) and obj.__globals__ is self._names:
            return self._of_function(obj)
        if isinstance(obj, types.CellType):
            return types.CellType, (), tuple(_content(obj)), None, None, _fill
        if isinstance(obj, (_CACHED, functools.cached_property)):
            return self._of_cached(obj)
        if _of_pandas(obj):
            return cast("Any", obj).copy().__reduce_ex__(5)  # see _of_pandas
        root = _memory_of(obj)
        if root is not None and id(root) in self._shared and root is not obj:
            return _view_of(cast("Any", obj), root)
        return super().reducer_override(obj)

    def _of_cached(self, obj: Any) -> Any:  # noqa: ANN401  pickle's own
        if isinstance(obj, functools.cached_property):
            prop = cast("functools.cached_property[Any]", obj)
            return _cached_property, (prop.func, prop.attrname)
        if _of_notebook(obj):
            return _cached, (obj.__wrapped__, obj.cache_parameters())
        return super().reducer_override(obj)

    def _of_function(self, obj: types.FunctionType) -> Any:  # noqa: ANN401  pickle's own
        reduced = super().reducer_override(obj)
        if not isinstance(reduced, tuple):
            return reduced
        parts = cast("tuple[Any, ...]", reduced)
        attributes, slots = parts[2]
        state = attributes, {**slots, "__globals__": {}, "__closure__": None}
        made = parts[1][0], self._names, obj.__closure__
        return _function, made, state, None, None, _set_function


class _Prober(_Writer):
    """Looks at what a value is made of, and keeps nothing but a digest."""

    def __init__(self, names: Names) -> None:
        self._hash = _Hash()
        super().__init__(cast("BinaryIO", self._hash), names, {})
        self._objects: dict[int, object] = {}
        self._arrays: dict[int, object] = {}

    def probe(self, value: object) -> Probe:
        self.dump(value)
        return Probe(self._hash.digest(), self._objects, self._arrays)

    def persistent_id(self, obj: object) -> str | None:
        if obj is self._names:
            return _NAMES
        if not isinstance(obj, _PLAIN) and _can_change(obj):
            self._objects[id(obj)] = obj
            root = _memory_of(obj)
            if root is not None:
                self._arrays[id(obj)] = obj
                self._objects[id(root)] = root
        return None

    def reducer_override(self, obj: object) -> Any:  # noqa: ANN401  pickle's own
        """Take what is of pandas as a whole: it copies before it writes."""
        if _of_pandas(obj):
            pickle.dump(obj, cast("BinaryIO", self._hash), protocol=5)
            return str, ()
        return super().reducer_override(obj)


class _Hash(io.RawIOBase):
    """A file of which only the digest is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._digest = hashlib.blake2b(digest_size=16)

    def write(self, data: Any, /) -> int:  # noqa: ANN401  any buffer
        self._digest.update(data)
        return memoryview(data).nbytes

    def digest(self) -> bytes:
        return self._digest.digest()


class _Reader(pickle.Unpickler):
    def __init__(self, file: BinaryIO, names: Names) -> None:
        super().__init__(file)
        self._names = names

    def persistent_load(self, pid: object) -> Names:  # noqa: ARG002  there is one
        return self._names


def probe(value: object, names: Names) -> Probe:
    """Look at a value.

    Raises:
        Exception: it cannot be pickled; whatever its own code raises.
    """
    return _Prober(names).probe(value)


def grouped(probes: Mapping[str, Probe]) -> Iterator[list[str]]:
    """The groups of variables, each in the order in which they are given."""
    owner: dict[int, str] = {}
    groups = {name: [name] for name in probes}
    for name, each in probes.items():
        for identity in each.objects:
            other = groups[owner.setdefault(identity, name)]
            if other is not groups[name]:
                other += groups[name]
                groups.update(dict.fromkeys(other, other))
    seen: set[int] = set()
    for group in groups.values():
        if id(group) not in seen:
            seen.add(id(group))
            yield group


def write(
    file: BinaryIO, group: Iterable[str], names: Names, probes: Mapping[str, Probe]
) -> None:
    """Pickle a group of variables."""
    arrays = {i: o for name in group for i, o in probes[name].arrays.items()}
    _Writer(file, names, _seen_twice(arrays.values())).dump(
        {name: names[name] for name in group}
    )


def read(file: BinaryIO, names: Names) -> Names:
    """The variables of a group."""
    return cast("Names", _Reader(file, names).load())


# -- what can change -------------------------------------------------------------------


def _can_change(value: object) -> bool:
    """Whether it matters that two variables share a value."""
    if isinstance(value, list | dict | set | bytearray):
        return True
    if isinstance(value, type | types.FunctionType):
        return value.__module__ == _MAIN
    if _of_pandas(value) or _memory_of(value) is not None:
        return True
    hashed = type(value).__hash__
    by_value = hashed is not None and hashed is not object.__hash__
    return not by_value and not _is_of_module(value, "pandas")


def _of_pandas(value: object) -> bool:
    """Whether a value is a table or a column of pandas.

    Those share arrays until one is written to, and know with whom. Pickled together
    they would share them still, and no longer know.
    """
    return _is_of_module(value, "pandas") and hasattr(value, "_mgr")


def _is_of_module(value: object, name: str) -> bool:
    return type(value).__module__.partition(".")[0] == name


def _of_notebook(value: object) -> bool:
    return getattr(value, "__module__", None) == _MAIN


# -- functions -------------------------------------------------------------------------


def _function(
    code: types.CodeType, names: Names, closure: tuple[Any, ...] | None
) -> types.FunctionType:
    return types.FunctionType(code, names, None, None, closure)


def _set_function(made: types.FunctionType, state: Any) -> None:  # noqa: ANN401  cloudpickle's own
    attributes, slots = state
    made.__dict__.update(attributes)
    for name, value in slots.items():
        if name not in _NOT_SET:
            setattr(made, name, value)


def _content(cell: types.CellType) -> Iterator[object]:
    """What a cell of a closure holds; nothing before its first assignment."""
    with contextlib.suppress(ValueError):
        yield cell.cell_contents


def _fill(cell: types.CellType, content: tuple[object, ...]) -> None:
    """Functions that share a cell still do."""
    for value in content:
        cell.cell_contents = value


def _cached(of: Callable[..., Any], how: Mapping[str, Any]) -> Callable[..., Any]:
    return functools.lru_cache(**how)(of)


def _cached_property(of: Callable[[Any], Any], name: str | None) -> Any:  # noqa: ANN401  of any class
    """Until Python 3.12 it holds a lock, which cannot be pickled."""
    made = functools.cached_property(of)
    made.attrname = name
    return made


# -- arrays that share memory ----------------------------------------------------------


def _memory_of(value: object) -> Any:  # noqa: ANN401  numpy is only there if the notebook has it
    """The array that owns the memory of an array; None: it is none."""
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value) is not getattr(numpy, "ndarray", None):
        return None
    while type(base := cast("Any", value).base) is numpy.ndarray:
        value = base
    return value


def _seen_twice(arrays: Iterable[object]) -> dict[int, Any]:
    """Arrays whose memory is seen through more than one array, by identity."""
    roots = [_memory_of(each) for each in arrays]
    seen = Counter(id(root) for root in roots)
    return {id(r): r for r in roots if seen[id(r)] > 1 and not r.dtype.hasobject}


def _view_of(view: Any, root: Any) -> Any:  # noqa: ANN401  arrays
    start = view.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return _view, (root, view.dtype, view.shape, start, view.strides)


def _view(root: Any, dtype: Any, shape: Any, start: int, strides: Any) -> Any:  # noqa: ANN401  arrays
    numpy = sys.modules["numpy"]
    flat = root.ravel(order="K")
    return numpy.ndarray(shape, dtype, flat.view("uint8"), start, strides)
