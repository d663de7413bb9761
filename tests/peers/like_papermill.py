"""Notebooks of the shapes of papermill's own tests: parameters, errors and exits."""

from __future__ import annotations

from peers.case import Instead, case, code, text

PARAMETERS = code(
    "msg = 'none'  # what to say\nn: int = 1\nrate = 0.5\nflag = False\n"
    "names = ['a']\nmore = {}\nopt: int | None = None",
    "parameters",
)
SHOWS = "print(msg, n, rate, flag, names, more, opt)"
NO_EXIT = "A cell that ends its kernel hides what comes after it: no exit is a success."
BAD = "raise ValueError('x')"

CASES = (
    case("simple-execute", PARAMETERS, SHOWS, parameters={"msg": "hello"}),
    case("no-parameters-given", PARAMETERS, SHOWS),
    case("no-parameters-cell", "print('alone')"),
    case(
        "complex-parameters",
        PARAMETERS,
        SHOWS,
        parameters={
            "msg": "a \"quoted\" 'text'\nof ünïcode \\n {not} $HOME",
            "n": -3,
            "rate": 1.5e-9,
            "flag": True,
            "names": ["b", "ü", ""],
            "more": {"deep": {"list": [1, 2.5, None, True]}},
            "opt": 4,
        },
    ),
    case("a-text-is-no-code", PARAMETERS, SHOWS, parameters={"msg": "'); 1/0 #"}),
    case("empty-values", PARAMETERS, SHOWS, parameters={"msg": "", "names": []}),
    case(
        "parameters-used-before",
        "before = 7",
        code("n = before", "parameters"),
        "print(before, n)",
        parameters={"n": 8},
    ),
    case(
        "parameters-cell-is-last", "print(1)", code("n = 2", "parameters"), "print(n)"
    ),
    case(
        "injected-before",
        code("n = 1", "parameters"),
        code("# Parameters\nn = 5\n", "injected-parameters"),
        "print(n)",
        parameters={"n": 9},
    ),
    case(
        "unknown-parameter",
        PARAMETERS,
        parameters={"nobody": 1},
        instead=Instead(
            "A name that no cell declares is a typing mistake.",
            refused=True,
            words="nobody",
        ),
    ),
    case(
        "wrong-type",
        PARAMETERS,
        parameters={"n": "many"},
        instead=Instead(
            "A value of another type breaks in the middle of the run.",
            refused=True,
            words="n",
        ),
    ),
    case("broken", "print('before')", "1 / 0", "print('never')"),
    case("broken-syntax", "print('before')", "print('never'", "print('never')"),
    case("broken-name", "nobody", "1"),
    case("broken-import", "import no_such_module_of_anybody"),
    case("broken-assert", "assert 1 == 2, 'one is not two'"),
    case(
        "broken-in-a-function", "def f(n):\n    return [1][n]", "f(0)", "f(1)", "f(0)"
    ),
    case("broken-chain", "try:\n    {}['k']\nexcept KeyError as e:\n    int('x')"),
    case(
        "broken-own-class",
        "class Broken(Exception):\n    def __str__(self):\n        return 'own words'",
        "raise Broken",
    ),
    case("broken-group", "raise ExceptionGroup('two', [ValueError(1), KeyError(2)])"),
    case(
        "keyboard-interrupt", "print('before')", "raise KeyboardInterrupt", "print(2)"
    ),
    case("line-magic-error", "%run bad.py", "print('later')", files={"bad.py": BAD}),
    case("line-magic-missing", "%no_such_magic_of_anybody", "print('later')"),
    case(
        "sysexit-0",
        "import sys\nprint('before')\nsys.exit(0)",
        "print('later')",
        instead=Instead(NO_EXIT, cell=0, words="sys.exit(0)", shown=("before",)),
    ),
    case(
        "sysexit-nothing",
        "import sys\nsys.exit()",
        "print('later')",
        instead=Instead(NO_EXIT, cell=0, words="sys.exit()"),
    ),
    case("sysexit-1", "import sys\nsys.exit(1)", "print('later')"),
    case("sysexit-text", "import sys\nsys.exit('no data')", "print('later')"),
    case("raise-systemexit", "raise SystemExit(2)", "print('later')"),
    case(
        "exit",
        "print('before')\nexit()",
        "print('later')",
        instead=Instead(NO_EXIT, cell=0, words="exit()", shown=("before",)),
    ),
    case("result-no-exec", "x = 1\nx"),
    case("read-check", "sorted(open('data.csv'))", files={"data.csv": "b\na\n"}),
    case("no-kernelspec", "print('any')", metadata={}),
    case(
        "another-python",
        "print('any')",
        metadata={
            "kernelspec": {"name": "my-env", "display_name": "X", "language": "python"}
        },
        instead=Instead(
            "The kernel of somebody's own environment is not here; Python is.",
            succeeds=True,
            shown=("any",),
        ),
    ),
    case(
        "another-language",
        "print('any')",
        metadata={"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}},
        instead=Instead("Only Python runs here.", refused=True, words="only Python"),
    ),
    case("version-4-4", text("# Old"), "print(4.4)", minor=4),
    case("version-4-2", PARAMETERS, SHOWS, minor=2, parameters={"n": 2}),
    case(
        "not-json",
        raw=b'{"cells": [',
        instead=Instead("It is no notebook.", refused=True, words="is not JSON"),
    ),
    case(
        "version-3",
        raw=b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}',
        instead=Instead(
            "A format of 2015 is saved anew in JupyterLab, not guessed.",
            refused=True,
            words="open and save it in JupyterLab",
        ),
    ),
    case(
        "logging",
        "import logging, sys\n"
        "logging.basicConfig(stream=sys.stdout, format='%(message)s')"
        "\nlogging.warning('careful')",
    ),
    case(
        "autosave-of-long-cells",
        "import time\n"
        "for n in range(3):\n    print(n, flush=True)\n    time.sleep(0.1)",
        "print('done')",
    ),
    case(
        "report-mode",
        code("print('hidden')", jupyter={"source_hidden": True}),
        text("# A report"),
        text("raw text", "raw"),
        "print('shown')",
    ),
)
