from __future__ import annotations

import pytest

from hubyard.contract.errors import NotFound
from hubyard_lab.files import find_file


def test_a_file_is_found_below_the_root(tmp_path):
    file = tmp_path / "a" / "train.ipynb"
    file.parent.mkdir()
    file.write_text("{}")
    assert find_file(tmp_path, "a/train.ipynb") == file
    assert find_file(tmp_path, "/a/../a/train.ipynb") == file


def test_a_link_that_stays_inside_is_followed(tmp_path):
    (tmp_path / "real.py").write_text("")
    (tmp_path / "link.py").symlink_to(tmp_path / "real.py")
    assert find_file(tmp_path, "link.py") == tmp_path / "real.py"


def test_a_root_that_is_itself_a_link_is_no_escape(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "app.py").write_text("")
    (tmp_path / "alias").symlink_to(tmp_path / "home")
    assert find_file(tmp_path / "alias", "app.py").name == "app.py"


@pytest.mark.parametrize("path", ["", ".", "absent", "..", "../x.py", "ring", "x\0"])
def test_what_is_no_file_of_the_workspace_is_not_found(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "x.py").write_text("")
    (root / "ring").symlink_to(root / "ring")
    with pytest.raises(NotFound):
        find_file(root, path)


def test_a_folder_whose_name_only_begins_alike_is_outside(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "homes").mkdir()
    (tmp_path / "homes" / "x.py").write_text("")
    with pytest.raises(NotFound):
        find_file(tmp_path / "home", "../homes/x.py")
