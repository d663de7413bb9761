from __future__ import annotations

import pytest

from hubyard.contract.errors import NotFound
from hubyard_lab import guides
from support.pages import DOCS, docs


def test_a_checkout_shows_its_own_guides():
    assert guides.guides_folder() == DOCS
    for page in docs():
        assert guides.read_guide(page.path.name) == page.text


def test_a_wheel_shows_those_that_are_packed_into_it(tmp_path, monkeypatch):
    room = tmp_path / "hubyard_lab"
    (room / "docs").mkdir(parents=True)
    (room / "docs" / "README.md").write_text("# Packed")
    monkeypatch.setattr(guides, "__file__", str(room / "guides.py"))
    assert guides.read_guide("README.md") == "# Packed"


@pytest.mark.parametrize("name", ["", ".", "..", "absent.md", "../README.md", "images"])
def test_what_is_no_guide_is_not_found(name):
    with pytest.raises(NotFound):
        guides.read_guide(name)
