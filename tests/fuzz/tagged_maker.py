"""Tagged notebooks made by chance: what they do, and whether they must be refused.

A notebook is made from top to bottom: each line uses what lines above have made, so all
of it can run. Its `prev:` tags name steps above. By this alone steps can keep what it
means. A faulty one has a part in which they cannot, and its label says so; the other
parts know nothing of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_OLD, _NEW = re.compile(r"\{([a-z])(\*?)\}"), re.compile(r"\{=([a-z])(\*?)\}")
_FAULTY = 0.15
"""The share of notebooks that must be refused."""
_IN_A_CHAIN = 0.4
"""The share of notebooks in which each step comes after the one above it."""
_WITH_WALLS = 0.25
"""The share in which lines may do what no text tells the extent of."""
_PER_KIND = 3
"""So few names of each kind, so that steps come across one another."""

_IMPORTS = """\
import math, operator, os, random, threading, types
import numpy as np
import pandas as pd"""
_FUNCTIONS = """\
class Box:
    made = 0
    def __init__(self, items):
        Box.made += 1
        self.items = items
    def add(self, x):
        self.items.append(x)
    def total(self):
        return sum(self.items) + Box.made
    def peek(self):
        return self.items
def same(x):
    return x
def add_to(into, x):
    into.append(x)
    return len(into)
def counter(n):
    def up():
        nonlocal n
        n += 1
        return n
    def now():
        return n
    return up, now"""
_PARAMETERS = "n0 = 3\nx0 = [1, 2]"


@dataclass(frozen=True)
class Made:
    """A notebook, and what must become of it."""

    document: dict[str, Any]
    fault: str | None
    """Why it must be refused; None: it must not."""


def make(seed: int) -> Made:
    """The notebook of a seed: always the same."""
    return _Maker(Random(seed)).make()


class _Maker:
    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._in_a_chain = chance.random() < _IN_A_CHAIN
        self._is_faulty = chance.random() < _FAULTY
        self._has_walls = not self._is_faulty and chance.random() < _WITH_WALLS
        self._names: dict[str, list[str]] = defaultdict(list)
        """Names that are there, by kind."""
        self._cells: list[tuple[list[str], str]] = []
        self._steps: list[str] = []
        self._singles = 0
        self._seeded = False

    def make(self) -> Made:
        self._shared()
        for number in range(self._chance.randint(2, 6)):
            self._step(f"s{number}")
            if self._chance.random() < 0.15:
                self._between()
        fault = self._chance.choice(list(_FAULTS)) if self._is_faulty else None
        if fault:
            self._cells += _FAULTS[fault]
        cells = [_cell(tags, source) for tags, source in self._cells]
        document = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
        return Made(document, fault)

    # -- cells -----------------------------------------------------------------------

    def _shared(self) -> None:
        self._cells += [
            (["imports"], _IMPORTS),
            (["functions"], _FUNCTIONS),
            (["parameters"], _PARAMETERS),
        ]
        self._names |= {"n": ["n0"], "x": ["x0"]}
        if self._chance.random() < 0.5:
            self._cells.append((["functions"], "\n".join(self._lines(1, _SHARED))))

    def _step(self, name: str) -> None:
        tags = [f"step:{name}", *(f"prev:{each}" for each in self._before())]
        self._steps.append(name)
        for number in range(self._chance.randint(1, 3)):
            again = [f"step:{name}"] if self._chance.random() < 0.5 else []
            self._cells.append((again if number else tags, self._source()))
        if self._has_walls and self._chance.random() < 0.3:
            self._cells.append(([f"step:{name}"], self._magic_cell()))
        self._cells.append(([f"step:{name}"], self._shown()))

    def _before(self) -> Sequence[str]:
        """The steps that a step is said to come after."""
        if self._in_a_chain or not self._steps:
            return self._steps[-1:]
        return sorted(self._chance.sample(self._steps, min(2, len(self._steps))))[
            : self._chance.randint(0, 2)
        ]

    def _between(self) -> None:
        """A cell that is skipped, a helper, or more of a step above."""
        self._singles += 1
        single = f"single{self._singles}"
        cells = [
            (["skip"], "raise RuntimeError('skipped')"),
            (["functions"], f"def {single}(x):\n    return x + n0"),
        ]
        if not self._has_walls:  # else nobody can know what it has to do with others
            more = f"{single} = 5\nprint({single})"
            cells.append(([f"step:{self._steps[0]}"], more))
        self._cells.append(self._chance.choice(cells))

    def _source(self) -> str:
        kinds = list(_LINES)
        if self._in_a_chain:
            kinds += _HIDDEN
        if self._has_walls:
            kinds += _WALLS
        return "\n".join(self._lines(self._chance.randint(1, 4), kinds))

    def _lines(self, count: int, kinds: Sequence[_Line]) -> list[str]:
        return [self._line(self._chance.choice(kinds)) for _ in range(count)]

    def _line(self, kind: _Line) -> str:
        """A line of a kind, or another one where what it needs is not there."""
        made = kind(self)
        return made if made is not None else f"{self.new('n')} = {self.number()}"

    def _magic_cell(self) -> str:
        return _filled(self, self._chance.choice(_MAGIC_CELLS))

    def _shown(self) -> str:
        """Show some of what is there."""
        there = [(kind, name) for kind, names in self._names.items() for name in names]
        chosen = self._chance.sample(there, min(4, len(there)))
        shown = [_SHOWN[kind].format(name) for kind, name in chosen]
        if len(self._names["x"]) > 1:
            one, other = self._chance.sample(self._names["x"], 2)
            shown.append(f"{one} is {other}")
        return f"print({', '.join(shown)})"

    # -- what lines are made of --------------------------------------------------------

    def number(self) -> int:
        """A number of a line's own."""
        return self._chance.randint(1, 99)

    def old(self, kind: str) -> str:
        """A name that is there; of numbers and lists there always is one."""
        return self._chance.choice(self._names[kind])

    def has(self, kind: str) -> bool:
        """Whether there is a name of a kind."""
        return bool(self._names[kind])

    def new(self, kind: str) -> str:
        """A name to be set, which may be there already."""
        name = f"{kind}{self._chance.randrange(_PER_KIND)}"
        if name not in self._names[kind]:
            self._names[kind].append(name)
        return name

    def seed(self) -> str:
        """From here on random numbers are the same each time."""
        self._seeded = True
        return f"random.seed({self.number()})"

    @property
    def seeded(self) -> bool:
        """Whether random numbers are the same each time."""
        return self._seeded


_Line = "Callable[[_Maker], str | None]"


def _of(kind: str, text: str) -> Callable[[_Maker], str | None]:
    """A line that is only there once there is a name of a kind.

    In its text, `K` is a number, `{n}` a name of the kind `n` that is there, `{n*}`
    the same one again, and `{=n}` one that is set.
    """

    def line(maker: _Maker) -> str | None:
        if not all(maker.has(each) for each in kind):
            return None
        return _filled(maker, text)

    return line


def _filled(maker: _Maker, text: str) -> str:
    """Fill in names: first those that are there, then those that are set."""
    for pattern, choose in ((_OLD, maker.old), (_NEW, maker.new)):
        last: dict[str, str] = {}

        def chosen(
            found: re.Match[str],
            choose: Callable[[str], str] = choose,
            last: dict[str, str] = last,
        ) -> str:
            kind, again = found.groups()
            last[kind] = last[kind] if again else choose(kind)
            return last[kind]

        text = pattern.sub(chosen, text)
    return re.sub(r"\bK\b", lambda _: str(maker.number()), text)


_SHOWN = {
    "n": "{0}",
    "x": "{0}",
    "d": "{0}",
    "o": "{0}.items",
    "a": "{0}.tolist()",
    "f": "{0}()",
    "g": "{0}.__name__",
    "c": "{0}[1]()",
    "t": "{0}.to_dict()",
    "i": "type({0}).__name__",
}
"""How names of each kind are shown: numbers, lists, dicts, boxes, arrays, functions
that read, functions that change, counters, tables, iterators."""

_SHARED = [
    _of("", "{=x} = [0]"),
    _of("x", "{=x} = {x}"),
    _of("n", "def {=f}():\n    return {n} + 1"),
    _of("", "{=a} = np.arange(4)"),
    _of("x", "{=d} = {'a': {x}}"),
]
_LINES = [
    _of("n", "{=n} = {n} + K"),
    _of("n", "{n} += K"),
    _of("nn", "{=n} = {n} * 2 - {n}"),
    _of("x", "{=n} = len({x}) + {x}[0]"),
    _of("x", "{=n} = {x}.pop() if len({x*}) > 2 else K"),
    _of("", "{=x} = [K, K]"),
    _of("x", "{=x} = {x}"),
    _of("x", "{=x} = list({x})"),
    _of("x", "{=x} = {x} + [K]"),
    _of("x", "{x}.append(K)"),
    _of("x", "{x} += [K]"),
    _of("x", "{x}[0] = K"),
    _of("x", "{=x} = same({x})"),
    _of("x", "{=n} = add_to({x}, K)"),
    _of("x", "add_to({x}, K)"),
    _of("x", "{=x} = [each + 1 for each in {x}][:5]"),
    _of("x", "{=d} = {'a': {x}}"),
    _of("d", "{=x} = {d}['a']"),
    _of("d", "{d}['a'].append(K)"),
    _of("dn", "{d}['b'] = {n}"),
    _of("x", "{=o} = Box({x})"),
    _of("o", "{o}.add(K)"),
    _of("o", "{=n} = {o}.total()"),
    _of("o", "{=x} = {o}.items"),
    _of("n", "def {=f}():\n    return {n} * 2"),
    _of("x", "def {=f}():\n    return len({x})"),
    _of("n", "{=f} = lambda: {n} + 1"),
    _of("f", "{=n} = {f}()"),
    _of("f", "{=f} = {f}"),
    _of("x", "def {=g}(x):\n    {x}.append(x)\n    return len({x})"),
    _of("n", "def {=g}(x):\n    global n0\n    n0 = x\n    return x"),
    _of("g", "{g}(K)"),
    _of("g", "{=n} = {g}(K)"),
    _of("", "{=c} = counter(K)"),
    _of("c", "{c}[0]()"),
    _of("", "{=a} = np.arange(6)"),
    _of("a", "{=a} = {a}[1:4] if len({a*}) > 4 else {a*}"),
    _of("a", "{a}[0] = K"),
    _of("a", "{=n} = int({a}.sum())"),
    _of("", "{=t} = pd.DataFrame({'a': [K, K, K]})"),
    _of("t", "{t}['b'] = {t}['a'] + K"),
    _of("t", "{=t} = {t}.assign(c=K)"),
    _of("t", "{=n} = int({t}['a'].sum())"),
    _of("t", "{t}.loc[0, 'a'] = K"),
    _of("xn", "for each in {x}:\n    {n} = {n*} + each"),
    _of("n", "if {n} % 2:\n    {=n} = K\nelse:\n    {=n*} = {n*} + 1"),
    _of("n", "if {n} % 2:\n    n0 = K"),
    _of("x", "try:\n    {=n} = {x}[99]\nexcept IndexError:\n    {=n*} = K"),
    _of("", "passing = K\nprint(passing)\ndel passing"),
    _of("n", "assert (w := {n}) is not None\n{=n} = w + 1"),
    _of("", "{=i} = iter([K, K, K])"),
    _of("i", "{=n} = next({i}, K)"),
    _of("", "{=x}, {=n} = [K], K"),
]
"""Lines whose text says what they change."""
_HIDDEN = [
    _of("x", "{=n} = len(operator.iadd({x}, [K]))"),
    _of("o", "{=x} = {o}.peek()"),
    _of("x", "getattr({x}, 'append')(K)"),
    _of("x", "types.SimpleNamespace(items={x}).items.append(K)"),
    _of("a", "np.negative({a}, {a*})"),
]
"""Lines whose text does not: only where each step comes after the one above it."""
_WALLS = [
    _of("n", "%time {=n} = {n} + K"),
    _of("n", "!echo {n} ${n}"),
    _of("n", "said = !echo {n}\nprint(said)"),
    _of("", "exec('n0 = K')"),
    _of("n", "{=n} = eval('n0') + K"),
    _of("n", "os.environ['WORD'] = str({n})"),
    _of("", "print(os.environ.get('WORD'))"),
    _of("", "from math import *\n{=n} = int(floor(K / 2))"),
    lambda maker: maker.seed(),
    lambda maker: "print(random.random())" if maker.seeded else None,
    _of("", "print('n1' in globals())"),
    _of("", "os?"),
]

_MAGIC_CELLS = [
    "%%bash\necho K",
    "%%time\n{=n} = K",
    "%%capture said\nprint({n})\n{=n} = K",
    "%%bash --out said\necho K",
]

_FAULTS = {
    "a step is set above the one that it comes after": [
        (["step:late", "prev:early"], "q = 1"),
        (["step:early"], "print(q)"),
    ],
    "a step sets what one above it has read": [
        (["step:late", "prev:early"], "print(n0)"),
        (["step:early"], "n0 = 1000"),
    ],
    "a step changes what one above it has read": [
        (["step:late", "prev:early"], "print(x0)"),
        (["step:early"], "x0.append(1000)"),
    ],
    "a step goes on below one that follows it": [
        (["step:one"], "q = 1"),
        (["step:two", "prev:one"], "print(q)"),
        (["step:one"], "q = 2"),
    ],
    "a step needs what one that follows it has set": [
        (["step:one"], "q = 1"),
        (["step:two", "prev:one"], "q = 2"),
        (["step:one"], "print(q)"),
    ],
    "a shared cell needs what a step has set": [
        (["step:one"], "q = 1"),
        (["functions"], "r = q + 1"),
        (["step:two", "prev:one"], "print(r)"),
    ],
    "a shared cell sets what a step above has read": [
        (["step:one"], "print(n0)"),
        (["functions"], "n0 = 1000"),
        (["step:two", "prev:one"], "print(n0)"),
    ],
    "a step changes a module": [
        (["step:one"], "math.tau = 6"),
        (["step:two", "prev:one"], "print(math.tau)"),
    ],
    "what another step has shown": [
        (["step:one"], "1 + 1"),
        (["step:two", "prev:one"], "print(_)"),
    ],
    "a generator": [
        (["step:one"], "q = (each for each in [1, 2, 3])\nprint(next(q))"),
        (["step:two", "prev:one"], "print(next(q))"),
    ],
    "a generator of the shared cells": [
        (["functions"], "q = (each for each in [1, 2, 3])"),
        (["step:one"], "print(next(q))"),
        (["step:two", "prev:one"], "print(next(q))"),
    ],
    "a lock": [
        (["step:one"], "q = threading.Lock()"),
        (["step:two", "prev:one"], "print(q.locked())"),
    ],
    "a hidden change beside a reader": [
        (["step:one"], "q = [1]"),
        (["step:two", "prev:one"], "print(len(operator.iadd(q, [2])))"),
        (["step:three", "prev:one"], "print(q)"),
    ],
    "a hidden change by another name beside a reader": [
        (["step:one"], "q = [1]\nr = types.SimpleNamespace(items=q)"),
        (["step:two", "prev:one"], "print(len(operator.iadd(r.items, [2])))"),
        (["step:three", "prev:one"], "print(q)"),
    ],
    "a hidden change of what was shared side by side": [
        (["step:one"], "q = [1]"),
        (["step:two", "prev:one"], "r = types.SimpleNamespace(items=q)"),
        (["step:three", "prev:one"], "s = types.SimpleNamespace(items=q)"),
        (
            ["step:four", "prev:two", "prev:three"],
            "print(len(operator.iadd(r.items, [2])), s.items)",
        ),
    ],
}


def _cell(tags: list[str], source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {"tags": tags},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
