"""Reading: what a cell does with names, found in its syntax tree.

It errs to the careful side where the text leaves it open. What no text says, such as a
method of a library that changes its argument, the steps themselves notice when they
hand over.
"""

from __future__ import annotations

import ast
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from hubyard_hub.sources.tagged import magics, scope
from hubyard_hub.sources.tagged.calls import (
    CHANGES_ITS_ARGUMENTS,
    CHANGES_ITS_OBJECT,
    COPIES,
    HIDES_ERRORS,
    LOOKS_ANYWHERE,
    NAMES_IN_TEXT,
    NEEDS_NOTHING,
    SEEDS,
    SETS,
    is_of_process,
)
from hubyard_hub.sources.tagged.code import NotPython, parse
from hubyard_hub.sources.tagged.effects import Body, Effects
from hubyard_hub.sources.tagged.links import linked_in

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

_READ_AS = {
    "AsyncFor": "For",
    "AsyncFunctionDef": "FunctionDef",
    "AsyncWith": "With",
    "DictComp": "ListComp",
    "GeneratorExp": "ListComp",
    "SetComp": "ListComp",
    "TryStar": "Try",
}
"""Kinds of nodes that are read as others are."""
_WORD = re.compile(r"[^\W\d]\w*")
_COUNTED = {"In", "Out", "_ih", "_oh", "__", "___", "_i", "_ii", "_iii"}


def read_cell(source: str, *, may_raise: bool = False) -> Effects:
    """What a cell does.

    Args:
        source: its text.
        may_raise: it is allowed to stop at any line, so nothing that it binds is sure.

    Raises:
        NotPython: it cannot be read.
    """
    reader = _Reader(may_raise=may_raise)
    try:
        reader.read(parse(source))
    except RecursionError:
        raise NotPython(1, "is nested too deeply") from None
    return reader.effects


class _Reader(ast.NodeVisitor):
    """Walks through the tree in the order in which it is executed."""

    def __init__(self, *, may_raise: bool) -> None:
        self.effects = Effects()
        self._may_raise = may_raise
        self._scopes: list[scope.Scope] = []
        self._body: Body | None = None
        """That of the function that is being read; None: it is executed at once."""
        self._owner: str | None = None
        """The name of the class or function that is being read."""
        self._sure: set[str] = set()
        self._first_line = 0

    def read(self, tree: ast.Module) -> None:
        self._all(tree.body)
        if not self._may_raise:
            return
        self.effects.sure.clear()

    def visit(self, node: ast.AST) -> None:
        """Read a node by its kind."""
        kind = type(node).__name__
        name = f"visit_{_READ_AS.get(kind, kind)}"
        getattr(self, name, self.generic_visit)(node)

    def _all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    # -- names -----------------------------------------------------------------------

    def _line(self, node: ast.AST) -> int:
        return self._first_line + getattr(node, "lineno", 1)

    def _is_own(self, name: str) -> bool:
        """Whether a name belongs to a scope within the cell."""
        for depth, each in enumerate(reversed(self._scopes)):
            if name in each.own and (depth == 0 or not each.is_class):
                return True
        return False

    def _use(self, name: str, line: int) -> None:
        if self._is_own(name):
            return
        if self._body is not None:
            self._body.uses.add(name)
            return
        self.effects.uses.setdefault(name, line)
        if name not in self._sure:
            self.effects.exposed.setdefault(name, line)

    def _bind(self, name: str, line: int) -> None:
        if self._is_own(name):
            return
        if self._body is not None:
            self._body.binds.add(name)
            return
        self.effects.binds.setdefault(name, line)
        self._sure.add(name)

    def _change(self, node: ast.expr, line: int) -> None:
        """The object at the beginning of an expression is changed in place."""
        root = scope.root_of(node)
        for name in [root] if root else sorted(scope.names_in(node)):
            self._change_name(name, line)

    def _change_name(self, name: str, line: int) -> None:
        if any(name in each.parameters for each in self._scopes):
            if self._body is not None:
                self._body.changes_arguments = True
        elif self._is_own(name):
            pass
        elif self._body is not None:
            self._body.changes.add(name)
        else:
            self.effects.changes.setdefault(name, line)

    def _derive(self, names: Iterable[str], node: ast.expr) -> None:
        """Names that are made of an expression, and may stand for a part of it."""
        if self._body is not None:
            return
        of = {each for each in scope.names_in(node) if not self._is_own(each)}
        linked = [each for each in linked_in(node) if not self._is_own(each)]
        for name in names:
            self.effects.derives.setdefault(name, set()).update(of)
            self.effects.same += [(name, each) for each in linked]
            self.effects.links.update({name, *linked} if linked else ())

    # -- what binds ------------------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node.id, self._line(node))
            self._check_counted(node)
        elif isinstance(node.ctx, ast.Del):
            self._use(node.id, self._line(node))
            self._bind(node.id, self._line(node))
        else:
            self._bind(node.id, self._line(node))

    def _check_counted(self, node: ast.Name) -> None:
        name, line = node.id, self._line(node)
        digits = name.removeprefix("_i").removeprefix("_")
        counted = name in _COUNTED or (name[:1] == "_" and digits.isdigit())
        if counted and name not in self._sure and not self._is_own(name):
            self.effects.unclear[line] = (
                f"{name} counts the cells that ran before, and each step counts its "
                "own: keep what you need in a variable"
            )

    def visit_Assign(self, node: ast.Assign) -> None:
        names = [each.id for each in node.targets if isinstance(each, ast.Name)]
        if isinstance(node.value, ast.Lambda) and names:
            self._function(node.value, names)
        else:
            self.visit(node.value)
        for target in node.targets:
            self._target(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self._target(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        line = self._line(node)
        self._all([node.value])
        self._read_target(node.target)
        self._change(node.target, line)
        self._note_store(node.target)
        root = scope.root_of(node.target)
        if root:
            self._derive([root], node.value)
        if isinstance(node.target, ast.Name):
            self._bind(node.target.id, line)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        with self._perhaps():
            self._target(node.target, node.value)

    def _target(self, target: ast.expr, value: ast.expr) -> None:
        """A target takes a value, or a part of it."""
        match target, value:
            case ast.Tuple() | ast.List(), ast.Tuple() | ast.List() if len(
                target.elts
            ) == len(value.elts):
                for each, of in zip(target.elts, value.elts, strict=True):
                    self._target(each, of)
            case ast.Tuple() | ast.List(), _:
                for each in target.elts:
                    self._target(each, value)
            case ast.Starred(), _:
                self._target(target.value, value)
            case ast.Name(id=name), _:
                self._note_made(name, value)
                self._derive([name], value)
                self._bind(name, self._line(target))
            case _:
                self._store(target, value)

    def _note_made(self, name: str, value: ast.expr) -> None:
        if self._body is None and not self._is_own(name) and _is_made(value):
            self.effects.made.setdefault(name, self._line(value))

    def _store(self, target: ast.expr, value: ast.expr) -> None:
        """An attribute or an item of an object is set."""
        self._read_target(target)
        self._change(target, self._line(target))
        self._note_store(target)
        root = scope.root_of(target)
        if root and not self._is_own(root):
            self._derive([root], value)

    def _read_target(self, target: ast.expr) -> None:
        """What must be read before a target can be set."""
        if isinstance(target, ast.Name):
            self._use(target.id, self._line(target))
        else:
            self._all(ast.iter_child_nodes(target))

    def _note_store(self, target: ast.expr) -> None:
        root = scope.root_of(target)
        if root is None or self._is_own(root) or isinstance(target, ast.Name):
            return
        if is_of_process(_path_of(target)):
            self._note_process(target)
        elif self._body is None:
            self.effects.stores.setdefault(root, self._line(target))

    def _note_process(self, node: ast.AST) -> None:
        self.effects.process = self.effects.process or self._line(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.visit(target)
            else:
                self._read_target(target)
                self._change(target, self._line(target))
                self._note_store(target)

    def visit_Import(self, node: ast.Import) -> None:
        self._import(node)
        if self._body is None and not self._scopes:
            self.effects.modules |= set(scope.imported_by(node))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._import(node)
        if any(each.name == "*" for each in node.names):
            self.effects.everything = self.effects.everything or self._line(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name in scope.imported_by(node):
            self._bind(name, self._line(node))
            if self._body is None and not self._is_own(name):
                self.effects.imported.add(name)

    # -- branches --------------------------------------------------------------------

    @contextmanager
    def _perhaps(self) -> Generator[None]:
        """What is bound within may not be."""
        before = set(self._sure)
        yield
        self._sure = before

    def _branches(self, branches: Sequence[Sequence[ast.AST]]) -> None:
        """One of these is executed; what each binds is sure."""
        before, ends = self._sure, list[set[str]]()
        for branch in branches:
            self._sure = set(before)
            self._all(branch)
            if not _leaves(branch):
                ends.append(self._sure)
        self._sure = set.intersection(*ends) if ends else set(before)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._branches([node.body, node.orelse])

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        self._branches([[node.body], [node.orelse]])

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        with self._perhaps():
            self._all(node.values[1:])

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        with self._perhaps():
            self._all(node.body)
        with self._perhaps():
            self._all(node.orelse)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        with self._perhaps():
            self._target(node.target, node.iter)
            self._all(node.body)
        with self._perhaps():
            self._all(node.orelse)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        before = set(self._sure)
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._target(item.optional_vars, item.context_expr)
        self._all(node.body)
        if any(_hides_errors(item.context_expr) for item in node.items):
            self._sure = before

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        before = set(self._sure)
        self._all([*node.body, *node.orelse])
        ends = [self._sure]
        for handler in node.handlers:
            self._sure = set(before)
            self.visit(handler)
            if not _leaves(handler.body):
                ends.append(self._sure)
        self._sure = set.intersection(*ends)
        self._all(node.finalbody)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        with self._perhaps():
            if node.name:
                self._bind(node.name, self._line(node))
            self._all(node.body)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        with self._perhaps():
            for case in node.cases:
                self._case(case, node.subject)

    def _case(self, case: ast.match_case, subject: ast.expr) -> None:
        for each in ast.walk(case.pattern):
            names = list(scope.bound_by(each))
            self._derive(names, subject)
            for name in names:
                self._bind(name, self._line(case.pattern))
        self._all([case.pattern, *([case.guard] if case.guard else []), *case.body])

    # -- functions and classes -------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._all(node.decorator_list)
        self._function(node, [node.name])
        for each in node.decorator_list:
            self._derive([node.name], each)
        if node.decorator_list and self._body is None:
            self._call_at_once(node.name, self._line(node))
        self._bind(node.name, self._line(node))

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """One that is given away at once, as to `sorted`, may be called at once."""
        self._all(_defaults(node.args))
        with self._within(scope.of_function(node)):
            self.visit(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._all([*node.decorator_list, *node.bases, *node.keywords])
        outer, self._owner = self._owner, self._owner or node.name
        with self._within(scope.of_class(node)):
            self._all(node.body)
        self._owner = outer
        for each in [*node.bases, *node.decorator_list]:
            self._derive([node.name], each)
        self._bind(node.name, self._line(node))

    def _function(self, node: scope.Function, names: Sequence[str]) -> None:
        """Read what a function does when it is called."""
        self._all(_defaults(node.args))
        for each in _defaults(node.args):
            self._derive(names, each)
        outer, self._body = self._body, self._body or Body()
        body = self._body
        inner = [node.body] if isinstance(node, ast.Lambda) else node.body
        with self._within(scope.of_function(node)), self._perhaps():
            self._all(inner)
        self._body = outer
        if outer is None:
            for name in [self._owner] if self._owner else names:
                self.effects.bodies.setdefault(name, Body()).add(body)

    def _call_at_once(self, name: str, line: int) -> None:
        """A decorator may call what it decorates."""
        body = self.effects.bodies.get(self._owner or name, Body())
        for each in body.uses:
            self._use(each, line)
        for each in body.changes:
            self._change_name(each, line)

    @contextmanager
    def _within(self, inner: scope.Scope) -> Generator[None]:
        self._scopes.append(inner)
        yield
        self._scopes.pop()

    def visit_ListComp(self, node: ast.AST) -> None:
        generators = cast("list[ast.comprehension]", getattr(node, "generators"))  # noqa: B009  each kind has them
        self.visit(generators[0].iter)
        with self._within(scope.of_comprehension(generators)), self._perhaps():
            self._all(generators[0].ifs)
            for each in generators[1:]:
                self._all([each.iter, *each.ifs])
            parts = ("key", "value", "elt")
            self._all(getattr(node, part) for part in parts if hasattr(node, part))

    # -- calls -----------------------------------------------------------------------

    def visit_Expr(self, node: ast.Expr) -> None:
        """A value that nobody takes: it is called for what it changes."""
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        self.visit(value)
        if isinstance(value, ast.Call):
            self._call_for_effect(value)

    def _call_for_effect(self, node: ast.Call) -> None:
        line = self._line(node)
        match node.func:
            case ast.Attribute(value=of):
                self._change(of, line)
            case ast.Name(id=name) if name not in NEEDS_NOTHING:
                for each in _arguments(node):
                    self._change(each, line)
            case _:
                pass

    def visit_Call(self, node: ast.Call) -> None:
        magic = _magic_of(node)
        if magic is not None:
            self._magic(magic, node)
            return
        self.generic_visit(node)
        called = _path_of(node.func)
        last = called[-1] if called else ""
        self._note_call(node, called, last)
        if isinstance(node.func, ast.Attribute) and last in CHANGES_ITS_OBJECT:
            self._change(node.func.value, self._line(node))
            root = scope.root_of(node.func.value)
            for each in _arguments(node) if root and not self._is_own(root) else ():
                self._derive([cast("str", root)], each)
        if last in CHANGES_ITS_ARGUMENTS:
            for each in _arguments(node)[:1]:
                self._change(each, self._line(node))

    def _note_call(self, node: ast.Call, called: list[str], last: str) -> None:
        line = self._line(node)
        if last in LOOKS_ANYWHERE and len(called) == 1 and not self._is_own(last):
            self.effects.everything = self.effects.everything or line
        if last in NAMES_IN_TEXT and isinstance(node.func, ast.Attribute):
            self._note_text(node, line)
        if last in SETS and self._body is None:
            self.effects.settings.setdefault(called[0], line)
        if last in SEEDS:
            self.effects.seeds = self.effects.seeds or line
        if is_of_process(called):
            self._note_process(node)
        roots = {r for each in _arguments(node) if (r := scope.root_of(each))}
        self._note_arguments(line, set(called[:1]), roots)

    def _note_text(self, node: ast.Call, line: int) -> None:
        """Names that the texts of a call spell, as far as they are written out."""
        for text in (t for each in _arguments(node) for t in ast.walk(each)):
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                for name in _WORD.findall(text.value):
                    self._use(name, line)

    def _note_arguments(self, line: int, called: set[str], roots: set[str]) -> None:
        called = {name for name in called if not self._is_own(name)}
        if called and self._body is None:
            given = {name for name in roots if not self._is_own(name)}
            self.effects.calls_with.append((line, called, given | called))

    # -- magics ----------------------------------------------------------------------

    def _magic(self, call: tuple[str, list[str]], node: ast.Call) -> None:
        kind, texts = call
        line = self._line(node)
        if kind in {"system", "getoutput"}:
            self._use_all(magics.inserted("".join(texts)), line)
            return
        name, text = texts[0], texts[1] if len(texts) > 1 else ""
        self._note_reach(name, line)
        self._use_all(magics.inserted(text), line)
        if kind == "run_cell_magic":
            self._cell_magic(name, text, texts[2] if len(texts) > 2 else "", line)  # noqa: PLR2004  magic, line, cell
        elif name in magics.RUNS_ITS_LINE:
            self._within_magic(name, magics.code_of(name, text), line - 1)

    def _note_reach(self, name: str, line: int) -> None:
        reach = magics.reach_of(name)
        if reach is magics.Reach.EVERYTHING:
            self.effects.everything = self.effects.everything or line
        elif reach is magics.Reach.PROCESS:
            self.effects.process = self.effects.process or line

    def _cell_magic(self, name: str, text: str, body: str, line: int) -> None:
        if name in magics.RUNS_ITS_LINE and text:
            self._within_magic(name, magics.code_of(name, text), line - 1)
        if name in magics.RUNS_ITS_CELL:
            self._within_magic(name, body, line)
        for each in magics.names_left(name, text):
            self._bind(each, line)

    def _within_magic(self, name: str, code: str, above: int) -> None:
        """Python that a magic executes.

        Args:
            name: of the magic.
            code: what it executes.
            above: how many lines of the cell stand above it.
        """
        try:
            tree = parse(code)
        except NotPython as error:
            if name != "time":  # an option that is not known here
                self.effects.everything = self.effects.everything or above + 1
                return
            raise NotPython(above + error.line, error.says) from None
        outer, self._first_line = self._first_line, above
        if name in magics.KEEPS_NAMES:
            self._all(tree.body)
        else:
            with self._within(scope.Scope(scope.names_bound_in(tree))):
                self._all(tree.body)
        self._first_line = outer

    def _use_all(self, names: Iterable[str], line: int) -> None:
        for name in sorted(names):
            self._use(name, line)


def _arguments(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(each.value for each in node.keywords)]


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [*arguments.defaults, *(each for each in arguments.kw_defaults if each)]


def _path_of(node: ast.expr) -> list[str]:
    """The names of `os.environ.update` or `os.environ["x"]`, in their order."""
    path: list[str] = []
    while True:
        match node:
            case ast.Attribute(value=inner, attr=name):
                path.insert(0, name)
                node = inner
            case ast.Subscript(value=inner):
                node = inner
            case ast.Name(id=name):
                return [name, *path]
            case _:
                return ["", *path]


def _magic_of(node: ast.Call) -> tuple[str, list[str]] | None:
    """The kind and the texts of what IPython has made of a magic or a command."""
    match node:
        case ast.Call(
            func=ast.Attribute(
                value=ast.Call(func=ast.Name(id="get_ipython")), attr=kind
            ),
            args=arguments,
        ):
            texts = [
                each.value
                for each in arguments
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            known = kind in {"system", "getoutput"} or kind.startswith("run_")
            whole = texts and len(texts) == len(arguments)
            return (kind, texts) if known and whole else None
        case _:
            return None


def _leaves(body: Sequence[ast.AST]) -> bool:
    """Whether nothing comes after it."""
    return bool(body) and isinstance(
        body[-1], ast.Raise | ast.Return | ast.Continue | ast.Break
    )


def _hides_errors(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return not HIDES_ERRORS.isdisjoint(_path_of(called))


def _is_made(value: ast.expr) -> bool:
    """Whether another execution would make another value, or may."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call) and _path_of(node.func)[-1:] != []:
            last = _path_of(node.func)[-1]
            if last not in COPIES:
                return True
    return False
