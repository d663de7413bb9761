"""Being told of an import: after it, once, and of nothing less than an import."""

import importlib
import importlib.util
import sys

import pytest

from hubyard.tracking.imports import AfterImport

NAME = "a_library_that_is_watched"


@pytest.fixture
def library(tmp_path, monkeypatch):
    """The file of a module that nobody has imported."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / f"{NAME}.py"
    sys.modules.pop(NAME, None)


@pytest.fixture
def told(library):
    """What is told: whether the module had all that it defines, each time."""
    library.write_text("whole = True\n")
    found = []
    watch = AfterImport(
        frozenset({NAME}), lambda: found.append(hasattr(sys.modules[NAME], "whole"))
    )
    watch.watch()
    yield found
    watch.stop()


def test_it_is_told_after_the_import_and_once(told):
    module = importlib.import_module(NAME)
    importlib.reload(module)
    assert told == [True]
    assert not isinstance(module.__loader__, AfterImport)


def test_who_asks_whether_there_is_such_a_module_ends_nothing(told):
    spec = importlib.util.find_spec(NAME)
    assert spec is not None
    assert spec.loader is not None
    assert spec.loader.get_source(NAME) == "whole = True\n"  # type: ignore[attr-defined]
    assert told == []
    importlib.import_module(NAME)
    assert told == [True]


def test_an_import_that_fails_is_none(told, library):
    good = library.read_text()
    library.write_text("whole = 1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        importlib.import_module(NAME)
    assert told == []
    library.write_text(good + "# now it is right\n")
    importlib.import_module(NAME)
    assert told == [True]
