"""Own modules: files of the user's that a model needs to be loaded elsewhere.

own      a module whose file lies below the user's folder or beside the notebook, and
         that belongs to no installed distribution
library  a module of an installed distribution, wherever it lies

A pickle names the modules of its classes and does not hold their code. Those that are
the user's own are kept with the model, in MLflow's `code_paths`; libraries are named in
its requirements.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import pickletools
import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubyard.tracking.notebook import notebook_path

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from importlib.machinery import ModuleSpec

_NO_MODEL = {"input_example", "signature", "metadata", "params", "flavor", "artifacts"}
"""Options of `Model.log` that hold no model."""
_CODE = ("code_paths", "infer_code_paths")
_PLAIN = (str, bytes, int, float, bool, type(None))
_NOT_OWN = ("__", "hubyard")
_INSTALLED = {"site-packages", "dist-packages"}
_LARGEST_BYTES = 2**20
"""A larger file of a package is data, and none that it needs to be loaded."""


@contextmanager
def own_code(options: Mapping[str, Any]) -> Generator[dict[str, Any]]:
    """The options of `Model.log` with the own modules that their model needs.

    The files of `code_paths` stay until the call is over. What the user has chosen
    stays chosen, and a flavour that takes no code gets none.
    """
    wanted = needed(options)
    libraries.found = [each.library for each in wanted if each.library]
    files = [each.path for each in wanted if not each.library]
    takes_code = "code_paths" in options and not any(options.get(n) for n in _CODE)
    if not (files and takes_code):
        yield dict(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = [_copied(path, Path(folder)) for path in files]
        yield {**options, "code_paths": paths}


libraries = threading.local()
"""`found`: the libraries in the user's folder that the model needs which this thread
logs, as requirements."""


@dataclass(frozen=True)
class Module:
    """A top-level module in the user's folder."""

    path: Path
    library: str | None
    """The distribution that holds it, as a requirement such as `name==1.2`; None: the
    module is the user's own."""


def needed(options: Mapping[str, Any]) -> list[Module]:
    """The modules in the user's folder that the model among the options needs."""
    tops = {name.partition(".")[0] for name in (*sys.modules,)}
    folders = tuple(_folders())
    loaded = {top for top in tops if _module(top, folders)}
    if not loaded:
        return []
    found: dict[str, Module] = {}
    left = [
        top
        for name, value in options.items()
        if name not in _NO_MODEL and not isinstance(value, _PLAIN)
        for top in _named(value)
        if top in loaded
    ]
    while left:
        top = left.pop()
        module = _module(top, folders)
        if module is not None and top not in found:
            found[top] = module
            left += [] if module.library else _imported(module.path)
    return list(found.values())


def _named(model: object) -> set[str]:
    """The first part of each text in a model's pickle: a module's name is one."""
    import cloudpickle  # noqa: PLC0415  only who has modules of their own shall pay

    try:
        pickled = cloudpickle.dumps(model)
    except Exception:  # noqa: BLE001  any class may refuse in its own way; MLflow tells it
        return set()
    texts = (said for _, said, _ in pickletools.genops(pickled) if type(said) is str)
    return {text.split(".", 1)[0] for text in texts}


def _module(top: str, folders: Sequence[Path]) -> Module | None:
    """A module by its name, if it lies in one of the folders."""
    if top in sys.stdlib_module_names or top.startswith(_NOT_OWN):
        return None
    path = _place(top)
    if path is None or _INSTALLED & set(path.parts):
        return None
    if not any(path.is_relative_to(folder) for folder in folders):
        return None
    return Module(path, _library(top, path.parent))


def _library(top: str, folder: Path) -> str | None:
    """The distribution that holds a module, if one is installed in its folder."""
    for distribution in distributions(path=[str(folder)]):
        tops = {file.parts[0] for file in distribution.files or ()}
        if not tops.isdisjoint({top, f"{top}.py"}):
            return f"{distribution.name}=={distribution.version}"
    return None


def _place(top: str) -> Path | None:
    """The file of a module, or the folder of a package."""
    module = sys.modules.get(top)
    spec = getattr(module, "__spec__", None) or _found(top)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    path = Path(spec.origin or "").resolve()
    return path if path.suffix == ".py" else None


def _found(top: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):  # a module that somebody made up
        return None


def _folders() -> Iterator[Path]:
    """Where the user's own files lie: home, the notebook's folder, the present one."""
    yield Path.home().resolve()
    yield Path.cwd()
    if notebook := notebook_path():
        yield notebook.parent.resolve()


def _imported(path: Path) -> list[str]:
    """The top-level modules that a module's text imports."""
    files = [path] if path.is_file() else path.rglob("*.py")
    return [top for file in files for top in _imports_of(file)]


def _imports_of(file: Path) -> Iterator[str]:
    with contextlib.suppress(OSError, SyntaxError, ValueError):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                yield from (each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def _copied(path: Path, folder: Path) -> str:
    """A copy without what is hidden, compiled or large."""
    target = folder / path.name
    if path.is_file():
        shutil.copyfile(path, target)
    else:
        shutil.copytree(path, target, ignore=_left_out)
    return str(target)


def _left_out(folder: str, names: list[str]) -> list[str]:
    def is_left_out(name: str) -> bool:
        file = Path(folder) / name
        hidden = name.startswith(".") or name == "__pycache__"
        return hidden or (file.is_file() and file.stat().st_size > _LARGEST_BYTES)

    return [name for name in names if is_left_out(name)]
