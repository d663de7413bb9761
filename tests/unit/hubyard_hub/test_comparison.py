"""What of a source is another in a second one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hubyard.contract.source import Change
from hubyard_hub.sources.comparison import changed_files
from support.platform import (
    Caller,
    ada,
    app,
    bob,
    code_cell,
    hub,
    notebook,
    packed,
    parts,
    upload,
)

if TYPE_CHECKING:
    from pathlib import Path

    from hubyard.contract.source import ChangedFile

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures


def compared(
    folder: Path, before: dict[str, bytes], after: dict[str, bytes]
) -> tuple[ChangedFile, ...]:
    paths = [folder / "before", folder / "after"]
    for path, files in zip(paths, (before, after), strict=True):
        path.write_bytes(packed(files))
    return changed_files(*paths)


def test_of_a_notebook_its_sources_are_told_cell_by_cell(tmp_path: Path):
    old = notebook(code_cell("import a\nfit(1)"), code_cell("show()"))
    new = notebook(code_cell("import a\nfit(2)"), code_cell("show()"))
    (file,) = compared(tmp_path, {"t.ipynb": old}, {"t.ipynb": new})
    assert (file.name, file.change) == ("t.ipynb", Change.CHANGED)
    assert file.diff.splitlines() == [
        "@@ -1,5 +1,5 @@",
        " # code cell 1",
        " import a",
        "-fit(1)",
        "+fit(2)",
        " # code cell 2",
        " show()",
    ]


def test_outputs_are_another_file_but_nothing_to_read(tmp_path: Path):
    shown = {**code_cell("show()"), "source": ["show()"], "execution_count": 3}
    before, after = notebook(code_cell("show()")), notebook(shown)
    (file,) = compared(tmp_path, {"t.ipynb": before}, {"t.ipynb": after})
    assert (file.change, file.diff) == (Change.CHANGED, "")


def test_what_came_and_what_went_is_told(tmp_path: Path):
    before = {"same.py": b"1", "old.py": b"a = 1\n"}
    gone, come = compared(tmp_path, before, {"same.py": b"1", "sub/new.py": b"b = 2"})
    assert (come.name, come.change) == ("sub/new.py", Change.ADDED)
    assert come.diff.splitlines() == ["@@ -0,0 +1 @@", "+b = 2"]
    assert (gone.name, gone.change) == ("old.py", Change.REMOVED)
    assert gone.diff.splitlines() == ["@@ -1 +0,0 @@", "-a = 1"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.bin", b"\xff\x00"),
        ("broken.ipynb", b"{"),
        ("long.py", b"a\n" * 4001),
        ("wide.py", b"a" * 200_001),
    ],
)
def test_what_nobody_can_read_is_named_alone(tmp_path: Path, name: str, content: bytes):
    (file,) = compared(tmp_path, {name: b"1"}, {name: content})
    assert (file.name, file.change, file.diff) == (name, Change.CHANGED, "")


def test_of_very_many_files_the_first_fifty_are_told_with_their_texts(tmp_path: Path):
    many = {f"m{number:03}.py": b"1" for number in range(60)}
    told = compared(tmp_path, {"a.py": b"1"}, {"a.py": b"1", **many})
    assert [file.name for file in told] == sorted(many)
    assert [bool(file.diff) for file in told] == [True] * 50 + [False] * 10


def test_the_same_is_not_changed(tmp_path: Path):
    assert compared(tmp_path, {"a.py": b"1"}, {"a.py": b"1"}) == ()


def test_only_ones_own_are_compared(ada: Caller, bob: Caller):
    before, after = upload(ada, {"a.py": b"1"}), upload(ada, {"a.py": b"2"})
    (file,) = ada.get(f"/sources/{before}/diff/{after}").json()["files"]
    assert (file["name"], file["change"]) == ("a.py", "changed")
    own = upload(bob, {"a.py": b"3"})
    for pair in ((before, after), (own, after), (before, own)):
        answer = bob.get("/sources/{}/diff/{}".format(*pair))
        assert answer.status_code == 404, pair
    assert ada.get(f"/sources/{before}/diff/x").status_code == 404
