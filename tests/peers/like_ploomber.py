"""Notebooks of the shapes of ploomber-engine's own tests: magics, modules, tables."""

from __future__ import annotations

from peers.case import case, code

BAD = "import sys\nsys.exit(3)"

CASES = (
    case(
        "module-beside",
        "import helper\nhelper.twice(4)",
        files={"helper.py": "def twice(n):\n    return 2 * n"},
    ),
    case(
        "module-that-raises",
        "import helper",
        files={"helper.py": "raise RuntimeError('on import')"},
    ),
    case(
        "package-beside",
        "from tools.add import add\nadd(1, 2)",
        files={
            "tools/__init__.py": "",
            "tools/add.py": "def add(a, b):\n    return a + b",
        },
    ),
    case(
        "dunder-name", "print(__name__)\nif __name__ == '__main__':\n    print('main')"
    ),
    case("bash-magic", "%%bash\necho from bash"),
    case("bash-magic-fails", "%%bash\nexit 3", "print('later')"),
    case(
        "shell-line",
        "!echo from the shell",
        "lines = !printf 'a\\nb'\nprint(list(lines))",
    ),
    case("shell-line-fails", "!exit 3", "print(_exit_code)"),
    case("html-magic", "%%html\n<b>bold</b>"),
    case("time-magic", "%time x = 5", "print(x)"),
    case("time-magic-raises", "%%time\n1 / 0", "print('later')"),
    case("timeit-magic", "%timeit -n1 -r1 -q pass\nprint('timed')"),
    case("run-magic", "%run part.py", "print(made)", files={"part.py": "made = 7"}),
    case("run-magic-exits", "%run part.py", "print('later')", files={"part.py": BAD}),
    case(
        "run-magic-exits-0",
        "%run part.py",
        "print('later')",
        files={"part.py": "import sys\nsys.exit(0)"},
    ),
    case(
        "writefile-magic",
        "%%writefile made.txt\ntext",
        "print(open('made.txt').read())",
    ),
    case("autoreload", "%load_ext autoreload\n%autoreload 2\nprint('on')"),
    case("help-line", "x = 5\nprint(x)", "len?"),
    case(
        "run-cell-that-raises", "r = get_ipython().run_cell('1 / 0')", "print('later')"
    ),
    case(
        "showtraceback",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    get_ipython().showtraceback()",
        "print('later')",
    ),
    case(
        "data-frame",
        "import pandas as pd\nframe = pd.DataFrame({'a': [1, 2]})\nframe",
        "frame.a.sum()",
    ),
    case("numpy-array", "import numpy as np\nnp.arange(6).reshape(2, 3)"),
    case(
        "inline-plot", "import matplotlib.pyplot as plt\nplt.plot([1, 2]);\nplt.show()"
    ),
    case(
        "progress-bar",
        "from tqdm import tqdm\nfor n in tqdm(range(3), disable=True):\n    print(n)",
    ),
    case("warning", "import warnings\nwarnings.warn('careful')\nprint('on')"),
    case("multi-line-loop", "total = 0\nfor n in range(3):\n\n    total += n\n\ntotal"),
    case(
        "decorated",
        "import functools\n\n@functools.cache\ndef f(n):\n    return n",
        "f(3)",
    ),
    case("class-across-cells", "class A:\n    n = 1", "class B(A):\n    pass\nB().n"),
    case(
        "global-in-a-function",
        "n = 1\ndef f():\n    global n\n    n += 1",
        "f(); f()\nn",
    ),
    case("generator-expression", "sum(n for n in range(4))", "[n for n in 'ab']"),
    case(
        "dataclass",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nP(1)",
    ),
    case(
        "pickles-itself",
        "import pickle\nclass P: pass\ntype(pickle.loads(pickle.dumps(P()))).__name__",
    ),
    case(
        "child-process",
        "import subprocess, sys\ncommand = [sys.executable, '-c', 'print(5)']\n"
        "print(subprocess.check_output(command, text=True))",
    ),
    case(
        "environment",
        "import os\nos.environ['X_OF_MINE'] = '1'",
        "os.environ['X_OF_MINE']",
    ),
    case(
        "writes-beside",
        "open('left.txt', 'w').write('kept')",
        "print(open('left.txt').read())",
    ),
    case("deep-recursion", "def f():\n    return f()\nf()", "print('later')"),
    case(
        "step-tag-of-another-tool",
        code("print('a')", "remove_cell"),
        code("print('b')", "export"),
    ),
    case("match-statement", "match [1, 2]:\n    case [a, b]:\n        print(a + b)"),
    case("f-string", "name = 'x'\nf'{name!r:>5} {1 + 1=}'"),
    case("log-of-many-outputs", "for n in range(40):\n    display(n)"),
)
