"""Magics and shell commands: what they do with the names of the notebook.

https://ipython.readthedocs.io/en/stable/interactive/magics.html
"""

from __future__ import annotations

import re
import shlex
from enum import Enum, auto

RUNS_ITS_LINE = {"time", "prun", "memit", "timeit", "mprun", "lprun"}
"""What follows on the line is Python, after options; only `time` keeps its names."""
RUNS_ITS_CELL = {"time", "timeit", "prun", "memit", "capture"}
KEEPS_NAMES = {"time", "capture", "prun"}
_QUIET = {
    *("alias", "autoawait", "autoreload", "cat", "colors", "conda", "config"),
    *(
        "debug",
        "history",
        "latex_style",
        "load_ext",
        "ls",
        "magic",
        "man",
        "matplotlib",
    ),
    *("mkdir", "more", "notebook", "page", "pdoc", "pfile", "pinfo", "pinfo2", "pip"),
    *("pprint", "precision", "psource", "pwd", "quickref", "reload_ext", "rm", "rmdir"),
    *("sc", "sx", "system", "tb", "unload_ext", "uv", "xmode", "lsmagic", "cp", "mv"),
    *("HTML", "SVG", "bash", "cmd", "html", "javascript", "js", "latex", "markdown"),
    *("perl", "pypy", "python", "python2", "python3", "ruby", "script", "sh", "svg"),
    *("writefile", "file", "!", "sx", "system"),
}
_PROCESS = {"cd", "env", "set_env", "pushd", "popd", "dhist", "bookmark"}
_OPTION = re.compile(r"^(-[a-zA-Z]+(\s*\d+)?\s+)+")
_INSERTED = re.compile(r"\$([A-Za-z_]\w*)|\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*")
_LEAVES = {"--out", "--err", "--proc"}


class Reach(Enum):
    """How far a magic may reach beyond the code that it is given."""

    NAMES = auto()
    PROCESS = auto()
    EVERYTHING = auto()


def reach_of(magic: str) -> Reach:
    """How far a magic may reach; an unknown one may do everything."""
    if magic in _PROCESS:
        return Reach.PROCESS
    known = magic in _QUIET or magic in RUNS_ITS_LINE or magic in RUNS_ITS_CELL
    return Reach.NAMES if known else Reach.EVERYTHING


def inserted(text: str) -> set[str]:
    """The names of `$name` and `{expression}` within a command."""
    found: set[str] = set()
    for name, expression in _INSERTED.findall(text):
        found |= {name} if name else set(_NAME.findall(expression))
    return found


def code_of(magic: str, line: str) -> str:
    """The Python on a magic's line, without its options."""
    return line if magic == "time" else _OPTION.sub("", line)


def names_left(magic: str, line: str) -> list[str]:
    """The names that a cell's magic leaves, by its line."""
    try:
        words = shlex.split(line)
    except ValueError:
        return []
    if magic == "capture":
        return [word for word in words if not word.startswith("-")][:1]
    return [
        value
        for word, after in zip(words, [*words[1:], ""], strict=False)
        for option, _, given in [word.partition("=")]
        for value in [given or after]
        if option in _LEAVES and value.isidentifier()
    ]
