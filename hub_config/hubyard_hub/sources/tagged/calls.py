"""Calls that are known: what they change, what they copy, what they only show."""

from __future__ import annotations

import builtins

CHANGES_ITS_OBJECT = {
    *("add", "append", "appendleft", "clear", "difference_update", "discard"),
    *("extend", "extendleft", "fit", "fit_transform", "insert", "intersection_update"),
    *("partial_fit", "pop", "popitem", "popleft", "put", "read", "readline"),
    *("readlines", "remove", "reverse", "rotate", "send", "setdefault", "sort"),
    *("symmetric_difference_update", "update", "write", "writelines", "__next__"),
    *("__setitem__", "__delitem__", "__iadd__", "__setattr__", "fill", "itemset"),
}
"""Methods that change the object that they belong to, whoever takes their value."""

CHANGES_ITS_ARGUMENTS = {
    *("next", "setattr", "delattr", "shuffle", "heappush", "heappop", "heapify"),
    *("heapreplace", "heappushpop", "insort", "insort_left", "insort_right"),
    *("put_along_axis", "copyto", "place", "fill_diagonal"),
}
"""Functions that change what they are given first."""

NEEDS_NOTHING = {
    *(name for name in dir(builtins) if name not in {"setattr", "delattr", "next"}),
    "display",
}
"""Functions that change nothing that they are given."""

COPIES = {
    *("Path", "PurePath", "Decimal", "Fraction", "OrderedDict", "abs", "bool"),
    *("bytes", "complex", "dict", "divmod", "enumerate", "float", "format"),
    *("frozenset", "hash", "int", "len", "list", "max", "min", "pow", "range"),
    *("repr", "reversed", "round", "set", "sorted", "str", "sum", "tuple", "type"),
    *("all", "any", "ascii", "bin", "chr", "hex", "isinstance", "issubclass", "oct"),
    *("ord", "print", "join", "lower", "upper", "strip", "split", "replace", "compile"),
}
"""Calls whose value is the same for the same arguments, and not one of them."""

KEEPS_PARTS = {
    *("list", "tuple", "dict", "set", "sorted", "reversed", "max", "min", "enumerate"),
    *("OrderedDict", "frozenset"),
}
"""Those whose value holds, or is, a part of what they are given."""

LOOKS_ANYWHERE = {"exec", "eval", "globals", "locals", "vars", "dir"}
"""Functions by which code reaches names that it does not spell."""

NAMES_IN_TEXT = {"query", "eval"}
"""Methods of tables that reach names which their text spells: `"price > @most"`."""

_PROCESS = {"chdir", "environ", "putenv", "unsetenv"}


def is_of_process(path: list[str]) -> bool:
    """Whether `os.environ.update`, split at its dots, is of what a process has once."""
    return not _PROCESS.isdisjoint(path) or path[:2] == ["sys", "path"]


SEEDS = {
    *("seed", "default_rng", "RandomState", "set_state", "setstate", "manual_seed"),
    *("set_seed", "Random", "set_random_seed"),
}

SETS = {
    *("filterwarnings", "simplefilter", "seterr", "set_option", "reset_option"),
    *("set_printoptions", "setrecursionlimit", "setlocale", "setdefaulttimeout"),
    *("set_theme", "set_style", "set_palette", "set_loglevel", "basicConfig"),
    *("rc", "rcdefaults", "signal", "umask", "tzset"),
    *("setcontext", "set_config", "set_default_dtype", "use", "register_matplotlib"),
}
"""Functions of modules that change how the module behaves from then on."""

HIDES_ERRORS = {"suppress", "raises"}
