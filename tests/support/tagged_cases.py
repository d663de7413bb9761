"""Tagged notebooks, written down: each either means the same both ways or is refused.

A line `#: tags` begins a cell.
"""

from __future__ import annotations

SAME = {
    "a class keeps its cached property": """
#: step:one
from functools import cached_property
class Table:
    @cached_property
    def size(self):
        print("counted")
        return 3
table = Table()
#: step:two prev:one
print(table.size, table.size, Table().size)
""",
    "a query of a table spells a variable": """
#: imports
import pandas as pd
#: step:one
most = 2
df = pd.DataFrame({"price": [1, 2, 3]})
#: step:two prev:one
print(df.query("price >= @most"), df.query(f"price == @{'most'}"))
print(pd.eval("most + 1"))
""",
    "what looks anywhere comes after steps side by side": """
#: step:one
x = 1
#: step:two
y = 2
#: step:three prev:one prev:two
print(eval("x + y"))
""",
    "a reader is no giver": """
#: step:x
v = 1
#: step:l prev:x
v = 2
#: step:r prev:x
w = v
#: step:join prev:l prev:r
print(v, w)
""",
    "two names for one list": """
#: step:one
a = [1]
b = a
#: step:two prev:one
b.append(2)
#: step:three prev:two
print(a)
""",
    "two names for one list, told by nothing": """
#: functions
def same(x):
    return x
#: step:one
a = [1]
b = same(a)
#: step:two prev:one
b.append(2)
#: step:three prev:two
print(a)
""",
    "two names of the shared cells": """
#: imports
a = []
b = a
#: step:one
b.append(1)
#: step:two prev:one
print(a)
""",
    "a function sees the new global": """
#: step:one
k = 7
def g():
    return k
#: step:two prev:one
k = 8
print(g())
""",
    "a function sees the global of its step": """
#: step:one
k = 7
def g():
    return k
#: step:two prev:one
k = 8
#: step:three prev:two
print(g())
""",
    "a method sees the new global": """
#: step:one
k = 1
class A:
    def f(self):
        return k
a = A()
#: step:two prev:one
k = 2
#: step:three prev:two
print(a.f())
""",
    "a parameter that a step changes": """
#: parameters
n = 3
#: step:one
n = n + 1
#: step:two prev:one
print(n)
""",
    "a list of the parameters that a step fills": """
#: pipeline-parameters
rows = []
#: step:one
rows.append(1)
#: step:two prev:one
rows += [2]
#: step:three prev:two
print(rows)
""",
    "an imported name that a step replaces": """
#: imports
from math import floor
#: step:one
floor = round
#: step:two prev:one
print(floor(1.7))
""",
    "a shell command, a cell of shell and help": """
#: step:one
%%bash
echo hello
#: step:two prev:one
x = !echo hi
#: step:three prev:two
print(x)
""",
    "a timed line keeps its name": """
#: step:one
%time x = 5
#: step:two prev:one
print(x)
""",
    "a timed cell keeps its names": """
#: step:one
%%time
y = [1]
#: step:two prev:one
print(y)
""",
    "a captured cell": """
#: step:one
%%capture said
print("hello")
z = 3
#: step:two prev:one
print(said.stdout, z)
""",
    "a shell variable": """
#: step:one
%%bash --out said
echo hello
#: step:two prev:one
print(said)
""",
    "a name within a command": """
#: step:one
word = "hello"
#: step:two prev:one
!echo {word} $word
""",
    "all names of a module": """
#: step:one
from math import *
#: step:two prev:one
print(sqrt(16), floor(2.5))
""",
    "all names of a module, in front": """
#: imports
from math import *
#: step:one
print(sqrt(16))
#: step:two prev:one
print(floor(2.5))
""",
    "a helper uses a step's variable": """
#: functions
def scaled(x):
    return x * factor
#: step:one
factor = 3
#: step:two prev:one
print(scaled(2))
""",
    "a helper changes a step's variable": """
#: functions
def count():
    global total
    total += 1
#: step:one
total = 0
#: step:two prev:one
count()
#: step:three prev:two
print(total)
""",
    "a helper changes what it is given": """
#: functions
def fill(into):
    into.append(1)
    return 5
#: step:one
found = []
#: step:two prev:one
n = fill(found)
#: step:three prev:one
print(found)
""",
    "cells below another step": """
#: step:one
a = 1
#: step:two prev:one
b = a + 1
#: step:one
c = 5
#: step:three prev:one prev:two
print(a, b, c)
""",
    "loops that use one name side by side": """
#: step:load
rows = [1, 2]
#: step:l prev:load
for each in rows:
    x = each
#: step:r prev:load
for each in rows:
    y = each * 2
#: step:join prev:l prev:r
print(x, y, each)
""",
    "one name for two things side by side": """
#: step:load
rows = [1, 2]
#: step:l prev:load
model = sum(rows)
left = model + 1
#: step:r prev:load
model = max(rows)
#: step:join prev:l prev:r
print(left, model)
""",
    "only perhaps": """
#: step:x
v = 1
#: step:l prev:x
v = 2
#: step:r prev:x
if False:
    v = 3
#: step:join prev:l prev:r
print(v)
""",
    "a deleted name": """
#: step:one
a = 1
b = 2
#: step:two prev:one
del a
#: step:three prev:two
print("a" in globals(), b)
""",
    "a class and what is made of it": """
#: functions
class Point:
    def __init__(self, x):
        self.x = x
#: step:one
p = Point(3)
#: step:two prev:one
print(isinstance(p, Point), p.x)
""",
    "a counter of a class": """
#: functions
class Point:
    made = 0
    def __init__(self):
        Point.made += 1
#: step:one
p = Point()
#: step:two prev:one
q = Point()
print(Point.made)
""",
    "a lambda": """
#: step:one
k = 2
f = lambda x: x * k
#: step:two prev:one
k = 3
#: step:three prev:two
print(f(2), list(map(f, [1])))
""",
    "a cached function": """
#: step:one
import functools
@functools.lru_cache
def f(x):
    return x * k
k = 2
#: step:two prev:one
print(f(2))
""",
    "a closure that counts": """
#: step:one
def counter():
    n = 0
    def up():
        nonlocal n
        n += 1
        return n
    def now():
        return n
    return up, now
up, now = counter()
#: step:two prev:one
up()
#: step:three prev:two
print(now())
""",
    "a generator that is used up where it is made": """
#: step:one
squares = list(x * x for x in range(3))
#: step:two prev:one
print(squares)
""",
    "an iterator goes on": """
#: step:one
it = iter([1, 2, 3])
#: step:two prev:one
print(next(it))
#: step:three prev:two
print(next(it))
""",
    "a view of an array": """
#: imports
import numpy as np
#: step:one
a = np.zeros(4)
b = a[1:3]
#: step:two prev:one
b[0] = 7
#: step:three prev:two
print(a, b)
""",
    "random numbers go on": """
#: imports
import random
random.seed(3)
#: step:one
print(random.random())
#: step:two
print(random.random())
#: step:three prev:one
print(random.random())
""",
    "a generator of random numbers goes on": """
#: imports
import numpy as np
rng = np.random.default_rng(0)
#: step:one
print(rng.integers(100, size=3))
#: step:two
print(rng.integers(100, size=3))
""",
    "what is made once": """
#: imports
import uuid
name = uuid.uuid4().hex
#: step:one
seen = name
#: step:two
print(name == seen)
""",
    "the folder and the environment": """
#: step:one
import os
os.environ["WORD"] = "hello"
os.makedirs("/tmp/hubyard-tagged-folder", exist_ok=True)
os.chdir("/tmp/hubyard-tagged-folder")
#: step:two prev:one
import os
print(os.environ["WORD"], os.path.basename(os.getcwd()))
""",
    "code in a text": """
#: step:one
exec("a = 1")
#: step:two
print(eval("a"))
""",
    "a frame that is filled": """
#: imports
import pandas as pd
#: step:load
frame = pd.DataFrame({"a": [1, 2, 3]})
#: step:l prev:load
frame["b"] = frame["a"] * 2
#: step:r prev:load
total = int(frame["a"].sum())
#: step:join prev:l prev:r
print(list(frame.columns), total)
""",
    "models side by side": """
#: imports
import numpy as np
#: functions
class Model:
    def fit(self, x, y):
        self.seen = x
        self.mean = float(y.mean())
        return self
    def score(self, x):
        return float(x.sum()) + self.mean
#: step:load
x, y = np.arange(6.0), np.arange(6.0) * 2
#: step:l prev:load
left = Model()
left.fit(x, y)
score_l = left.score(x)
#: step:r prev:load
right = Model().fit(x, y)
score_r = right.score(x)
#: step:join prev:l prev:r
print(score_l, score_r, left.mean, right.mean)
""",
    "an untagged cell above all": """
#:
import math
k = 2
#: step:one
print(math.floor(k))
#: step:two
print(k)
""",
    "a file that cannot be kept, used where it is made": """
#: step:one
import tempfile
f = tempfile.TemporaryFile()
n = 3
#: step:two prev:one
print(n)
""",
    "a lock of the shared cells": """
#: imports
import threading
lock = threading.Lock()
#: step:one
with lock:
    n = 1
#: step:two prev:one
with lock:
    print(n)
""",
    "what Kale called a block": """
#: skip
raise SystemExit("must not run")
#: block:load_data
data = [1, 2, 3]
#: block:show prev:load_data
print(sum(data))
""",
    "an item of a list": """
#: step:one
rows = [{"a": 1}, {"a": 2}]
first = rows[0]
#: step:two prev:one
first["a"] = 5
#: step:three prev:two
print(rows)
""",
    "a chain that passes on": """
#: step:one
a = [1]
#: step:two prev:one
print("nothing of it")
#: step:three prev:two
a.append(2)
#: step:four prev:three
print("nothing of it")
#: step:five prev:four
print(a)
""",
    "a walrus and a match": """
#: step:one
if (n := 4) > 3:
    m = n
match [n, 5]:
    case [_, last]:
        pass
#: step:two prev:one
print(n, m, last)
""",
    "an exception that is allowed": """
#: step:one
v = 1
#: step:two prev:one
try:
    v = 2
    raise ValueError
except ValueError:
    pass
#: step:three prev:two
print(v)
""",
}
"""They do what they do from top to bottom."""

REFUSED = {
    "a setting whose former value is kept": (
        """
#: imports
import numpy as np
#: step:one
old = np.seterr(all='raise')
#: step:two prev:one
print(1)
""",
        "cell 2, line 1: it changes np, which the other steps import anew",
    ),
    "a setting by a function's own name": (
        """
#: imports
from pandas import set_option
#: step:one
set_option('display.max_rows', 5)
#: step:two prev:one
print(1)
""",
        "cell 2, line 1: it changes set_option, which the other steps import anew",
    ),
    "what a process does with a signal": (
        """
#: imports
import signal
#: step:one
signal.signal(signal.SIGUSR1, print)
#: step:two prev:one
print(1)
""",
        "cell 2, line 1: it changes signal, which the other steps import anew",
    ),
    "a step runs before what stands above it": (
        """
#: step:b prev:a
v = 1
#: step:a
print(v)
""",
        "cell 2, line 1: step a needs v as step b has left it above",
    ),
    "a step sets what one above it has read": (
        """
#: parameters
v = 0
#: step:b prev:a
print(v)
#: step:a
v = 1
""",
        "cell 3, line 1: v would be another than from top to bottom",
    ),
    "the second half of a step is needed between": (
        """
#: step:a
v = 1
#: step:b prev:a
print(v)
#: step:a
v = 2
""",
        "cell 3, line 1: v would be another",
    ),
    "a step goes on after one that follows it": (
        """
#: step:a
v = [1]
#: step:b prev:a
v.append(2)
#: step:a
print(v)
""",
        "cell 2, line 1: step b needs v as step a has left it above",
    ),
    "a shared cell uses a step's variable": (
        """
#: step:a
v = 1
#: functions
w = v + 1
#: step:b
print(w)
""",
        "cell 2, line 1: it stands in front of each step, but v is of step a",
    ),
    "a step changes a module": (
        """
#: imports
import math
#: step:a
math.pi = 3
#: step:b prev:a
print(math.pi)
""",
        "cell 2, line 1: it changes math, which the other steps import anew",
    ),
    "a step sets how a library shows": (
        """
#: imports
import numpy as np
#: step:a
x = 1
np.set_printoptions(precision=2)
#: step:b prev:a
print(np.pi)
""",
        "cell 2, line 2: it changes np",
    ),
    "what a cell of another step has shown": (
        """
#: step:a
1 + 1
#: step:b prev:a
print(_)
""",
        "cell 2, line 1: _ is what the cell above has shown, in another step",
    ),
    "what a numbered cell has shown": (
        """
#: step:a
1 + 1
#: step:b prev:a
print(len(Out) < 0)
""",
        "cell 2, line 1: Out counts the cells that ran before",
    ),
    "a generator": (
        """
#: step:a
g = (x for x in range(3))
next(g)
#: step:b prev:a
print(list(g))
""",
        "The variable g cannot be handed to the next step (TypeError)",
    ),
    "a generator of the shared cells": (
        """
#: imports
g = (x for x in range(3))
#: step:a
next(g)
#: step:b prev:a
print(list(g))
""",
        "The variable g cannot be handed to the next step (TypeError)",
    ),
    "a change that no text tells, beside a reader": (
        """
#: imports
import operator
#: step:x
v = [1]
#: step:l prev:x
n = operator.iadd(v, [2])
#: step:r prev:x
print(v)
""",
        "The step has changed v, which step r uses, and nothing says which comes first",
    ),
    "a change of what was shared side by side": (
        """
#: imports
import operator, types
#: step:x
v = [1]
#: step:l prev:x
a = types.SimpleNamespace(x=v)
#: step:r prev:x
b = types.SimpleNamespace(x=v)
#: step:join prev:l prev:r
n = len(operator.iadd(a.x, [2]))
print(b.x)
""",
        "which shared an object with",
    ),
}
"""Notebooks whose meaning no steps can keep, and what is said of them."""


def document(text: str) -> dict[str, object]:
    """The notebook that a text stands for."""
    cells = []
    for part in text.split("\n#:")[1:]:
        tags, _, source = part.partition("\n")
        cells.append(
            {
                "cell_type": "code",
                "metadata": {"tags": tags.split()},
                "source": source.strip("\n"),
                "outputs": [],
                "execution_count": None,
            }
        )
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
