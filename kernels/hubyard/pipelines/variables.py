"""The variables of a tagged notebook: one step leaves them, later ones take them.

A step's folder holds its variables, pickled by groups that hang together, and an index
of all that later steps need, also of what it has only passed on.

version    which step has changed a variable last, and all that had before it
torn       variables that shared an object, of which two steps side by side have made
           two: while nobody changes it, nobody can tell
"""

from __future__ import annotations

import itertools
import pickle
import types
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import Invalid
from hubyard.pipelines import process, snapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from hubyard.pipelines.process import Process
    from hubyard.pipelines.snapshot import Names, Probe

INDEX = "variables.index"
_ALL = "*"
_OPENERS = {"io", "_io"}
"""Modules of `open`, which IPython puts among the variables in a form of its own."""


@dataclass(frozen=True)
class Plan:
    """What is known of a step, as `hubyard.contract.pipeline.Variables` says it."""

    step: str
    root: str
    """The folder in which each step has one."""
    folder: str
    """Where a step leaves its variables, within its own folder."""
    inputs: Sequence[str] = ()
    """The steps that it comes after."""
    takes: frozenset[str] = frozenset()
    gives: frozenset[str] = frozenset()
    remade: frozenset[str] = frozenset()
    keeps: Mapping[str, str] = field(default_factory=dict[str, str])
    sure: Mapping[str, int] = field(default_factory=dict[str, int])
    position: int = 0
    followed: bool = False
    checked: bool = False
    seeded: bool = False

    def of(self, step: str) -> Path:
        """The folder of a step's variables."""
        return Path(self.root, step, self.folder)


@dataclass(frozen=True)
class Entry:
    """One variable in an index."""

    file: str | None
    """The group that holds it, a path from the root; None: it was deleted."""
    versions: tuple[str, ...]
    """The steps that have changed it, in their order."""
    position: int
    sure: bool = False
    """Whether its step has set it whatever was there before."""
    rebound: bool = False
    """Whether it stands for another object than before its step."""
    group: Mapping[str, tuple[tuple[str, ...], bool]] = field(
        default_factory=dict[str, tuple[tuple[str, ...], bool]]
    )
    """All of its group, with versions, and whether each was rebound."""
    torn: frozenset[str] = frozenset()
    """Others that once shared an object with it."""


@dataclass
class _Taken:
    """How things were when the step began."""

    plan: Plan
    before: set[str]
    """All steps that it comes after, directly or not."""
    index: dict[str, Entry]
    loaded: set[str]
    values: dict[str, object]
    probes: dict[str, Probe]
    torn: dict[str, frozenset[str]]
    process: Process


_taken: list[_Taken] = []
"""That of this kernel, once its step has begun."""


def take(names: Names, plan: Mapping[str, Any]) -> None:
    """Set the variables that earlier steps have left; a cell in front of a step does.

    Raises:
        Invalid: steps side by side have changed one object.
    """
    known = _plan(plan)
    indexes = _newest(known)
    begun = process.begin([each["process"] for each in indexes], seeded=known.seeded)
    index = _merged([each["entries"] for each in indexes])
    wanted = index.keys() if _ALL in known.takes else _needed(known) & index.keys()
    loaded = _load(names, index, wanted, Path(known.root))
    torn = _torn(index, loaded) if known.checked else {}
    values = {name: names[name] for name in _watched(known, names) | loaded}
    probes = dict(_probes(values, names)) if known.checked else {}
    before = {*known.inputs}.union(*(each["before"] for each in indexes))
    _taken[:] = [_Taken(known, before, index, loaded, values, probes, torn, begun)]


def give(names: Names) -> None:
    """Leave what later steps need; the last cell of a step does.

    Raises:
        Invalid: a variable cannot be kept, or was changed beside a step that uses it.
    """
    taken = _taken[0]
    plan = taken.plan
    _check_kept(taken, names)
    if not plan.followed:
        return
    own = _own(taken, names)
    probes = dict(_kept_probes(taken, own, names))
    entries = {**taken.index, **_gone(taken, names)}
    groups = (g for g in snapshot.grouped(probes) if not own.isdisjoint(g))
    for number, group in enumerate(groups):
        file = plan.of(plan.step) / f"{number}.pickle"
        with file.open("wb") as opened:
            snapshot.write(opened, group, names, probes)
        place = str(file.relative_to(plan.root))
        entries.update(_entries(taken, group, names, probes, place))
    ended = process.end(taken.process, seeded=plan.seeded)
    takes_all = _ALL in plan.gives
    index = {
        "entries": {n: e for n, e in entries.items() if n in plan.gives or takes_all},
        "before": taken.before,
        "position": plan.position,
        "process": ended,
    }
    (plan.of(plan.step) / INDEX).write_bytes(pickle.dumps(index))


def _plan(said: Mapping[str, Any]) -> Plan:
    sets = ("takes", "gives", "remade")
    told: dict[str, Any] = {**said, **{n: frozenset(said.get(n, ())) for n in sets}}
    return Plan(**told)


def _needed(plan: Plan) -> frozenset[str]:
    """What a step may use; what its shared cells have just set anew is out of date."""
    return plan.takes | plan.remade


def _newest(plan: Plan) -> list[dict[str, Any]]:
    """The indexes of the steps before, but those that others of them have seen."""
    found = {step: _read_index(plan.of(step)) for step in plan.inputs}
    seen = {step for each in found.values() for step in each["before"]}
    newest = [each for step, each in found.items() if step not in seen]
    return sorted(newest, key=lambda each: each["position"])


def _read_index(folder: Path) -> dict[str, Any]:
    return pickle.loads((folder / INDEX).read_bytes())  # noqa: S301  written by the same notebook, in the same run


def _watched(plan: Plan, names: Names) -> set[str]:
    """Names whose values at the beginning must be known at the end."""
    return {n for n in names if not n.startswith("__")} & {
        *plan.takes,
        *plan.gives,
        *plan.keeps,
        *plan.remade,
    }


def _probes(values: Mapping[str, object], names: Names) -> Iterator[tuple[str, Probe]]:
    """What can be known of values; nothing of those that cannot be pickled."""
    for name, value in values.items():
        try:
            yield name, snapshot.probe(value, names)
        except Exception:  # noqa: BLE001, S112  whatever an object's own code raises
            continue


# -- what is taken ---------------------------------------------------------------------


def _merged(indexes: Iterable[Mapping[str, Entry]]) -> dict[str, Entry]:
    merged: dict[str, Entry] = {}
    for index in indexes:
        for name, entry in index.items():
            merged[name] = (
                _newer(name, merged[name], entry) if name in merged else entry
            )
    return merged


def _newer(name: str, one: Entry, other: Entry) -> Entry:
    """The entry that holds what the notebook has from top to bottom."""
    first, last = sorted((one, other), key=lambda each: each.position)
    if first.versions == last.versions:
        return last
    for newer, older in ((last, first), (first, last)):
        if older.versions[-1] in newer.versions:
            return newer
    if last.sure:
        return last
    raise _changed_twice(name, first.versions[-1], last.versions[-1])


def _changed_twice(name: str, first: str, last: str) -> Invalid:
    return Invalid(
        f"Steps {first} and {last} have both changed {name}: tag {last} with "
        f"prev:{first}."
    )


def _load(
    names: Names, index: Mapping[str, Entry], wanted: Collection[str], root: Path
) -> set[str]:
    """Set the wanted variables, and all that hang together with them."""
    loaded: set[str] = set()
    files = {index[name].file for name in wanted}
    for name in wanted:
        if index[name].file is None:
            names.pop(name, None)
    for file in sorted(file for file in files if file):
        with (root / file).open("rb") as opened:
            found = snapshot.read(opened, names)
        own = {n: v for n, v in found.items() if n in index and index[n].file == file}
        names.update(own)
        loaded |= own.keys()
    return loaded


def _torn(index: Mapping[str, Entry], loaded: set[str]) -> dict[str, frozenset[str]]:
    """What shared an object once, and does no longer.

    Raises:
        Invalid: a step has changed that object, and another one holds the old one.
    """
    torn = {name: index[name].torn for name in loaded if index[name].torn}
    files = {
        file: [n for n in loaded if index[n].file == file]
        for file in _files(index, loaded)
    }
    for one, other in itertools.permutations(sorted(files), 2):
        here, there = index[files[one][0]].group, index[files[other][0]].group
        for name in here.keys() & there.keys():
            if _is_torn(files[one], name, here[name], there[name]):
                for each in files[one]:
                    torn[each] = torn.get(each, frozenset()) | {*files[other]}
    return torn


def _files(index: Mapping[str, Entry], loaded: Iterable[str]) -> set[str]:
    return {file for name in loaded if (file := index[name].file)}


def _is_torn(
    ours: Collection[str],
    name: str,
    here: tuple[tuple[str, ...], bool],
    there: tuple[tuple[str, ...], bool],
) -> bool:
    if here[0] == there[0]:
        return True
    newer, older = (here, there) if len(here[0]) > len(there[0]) else (there, here)
    if newer[1] or older[1]:
        return False
    if newer is there and set(ours) - {name}:
        raise _changed_twice(name, here[0][-1], there[0][-1])
    return False


# -- what is left ----------------------------------------------------------------------


def _check_kept(taken: _Taken, names: Names) -> None:
    """What a step beside this one uses is as it was."""
    for name, step in taken.plan.keeps.items():
        if name in taken.probes and _has_changed(taken, name, names):
            raise Invalid(
                f"The step has changed {name}, which step {step} uses, and nothing "
                f"says which comes first: tag {step} with prev:{taken.plan.step}."
            )
    for name, others in taken.torn.items():
        if name in taken.probes and _has_changed(taken, name, names):
            listed = ", ".join(sorted(others))
            raise Invalid(
                f"The step has changed {name}, which shared an object with {listed} "
                "before steps side by side used them: tag one of those with prev: of "
                "the other one."
            )


def _has_changed(taken: _Taken, name: str, names: Names) -> bool:
    """Whether the object that a name stood for at the beginning is another."""
    now = dict(_probes({name: taken.values[name]}, names)).get(name)
    return now is None or now.digest != taken.probes[name].digest


def _own(taken: _Taken, names: Names) -> set[str]:
    """The variables that the step leaves itself; others it passes on."""
    plan = taken.plan
    wanted = {*plan.gives, *plan.takes, *taken.loaded}
    if _ALL in plan.gives:
        wanted |= {name for name in names if _is_plain(name, names[name])}
    return {n for n in wanted & names.keys() if _is_own(taken, n, names[n])}


def _is_own(taken: _Taken, name: str, value: object) -> bool:
    plan = taken.plan
    used = name in taken.loaded or name in plan.takes or name in plan.sure
    return used or taken.values.get(name, taken) is not value


def _is_plain(name: str, value: object) -> bool:
    """Whether a name is the notebook's, and none of IPython's."""
    ours = name.startswith("_") or name in {"In", "Out", "get_ipython", "exit", "quit"}
    is_opener = name == "open" and getattr(value, "__module__", "") in _OPENERS
    return not ours and not is_opener and not isinstance(value, types.ModuleType)


def _kept_probes(
    taken: _Taken, own: set[str], names: Names
) -> Iterator[tuple[str, Probe]]:
    """What is known of the own variables, and of those that may share objects."""
    beside = taken.plan.gives & taken.plan.remade & names.keys()
    for name in sorted(own | beside):
        try:
            yield name, snapshot.probe(names[name], names)
        except Exception as error:  # noqa: BLE001  whatever an object's own code raises
            if name not in own or _can_do_without(taken, name, names[name]):
                continue
            raise Invalid(
                f"The variable {name} cannot be handed to the next step "
                f"({type(error).__name__}): make it within the step that uses it."
            ) from None


def _can_do_without(taken: _Taken, name: str, value: object) -> bool:
    """Whether each step makes it anew, or none is sure to need it."""
    if name not in taken.plan.gives:
        return True
    is_remade = name in taken.plan.remade and taken.values.get(name) is value
    return is_remade and not hasattr(value, "__next__")


def _gone(taken: _Taken, names: Names) -> dict[str, Entry]:
    """The variables that the step has deleted."""
    had = {*taken.loaded, *(taken.plan.gives & taken.values.keys())}
    return {
        name: _entry(taken, name, None, changed=True, rebound=True)
        for name in had - names.keys()
    }


def _entries(
    taken: _Taken,
    group: list[str],
    names: Names,
    probes: Mapping[str, Probe],
    file: str,
) -> dict[str, Entry]:
    made: dict[str, Entry] = {}
    for name in group:
        other = taken.values.get(name, taken) is not names[name]
        rebound = other or name in taken.plan.sure
        before = taken.probes.get(name)
        changed = before is None or before.digest != probes[name].digest
        made[name] = _entry(
            taken, name, file, changed=rebound or changed, rebound=rebound
        )
    whole = {name: (entry.versions, entry.rebound) for name, entry in made.items()}
    return {name: replace(entry, group=whole) for name, entry in made.items()}


def _entry(
    taken: _Taken, name: str, file: str | None, *, changed: bool, rebound: bool
) -> Entry:
    plan = taken.plan
    before = taken.index.get(name)
    versions = before.versions if before else ()
    if not versions and name in taken.plan.remade:
        versions = ("",)
    if changed or not versions:
        versions = (*versions, plan.step)
    return Entry(
        file=file,
        versions=versions,
        position=plan.sure.get(name, plan.position),
        sure=name in plan.sure,
        rebound=rebound,
        torn=frozenset() if rebound else taken.torn.get(name, frozenset()),
    )
