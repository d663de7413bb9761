"""A tagged notebook does what it does from top to bottom, or is refused in words."""

from __future__ import annotations

import pytest

from support.tagged import Both
from support.tagged_cases import REFUSED, SAME, document


@pytest.fixture(scope="module")
def both():
    return Both()


@pytest.mark.parametrize("text", SAME.values(), ids=SAME.keys())
def test_steps_do_what_the_notebook_does(both, text):
    whole = both.whole(document(text))
    assert whole.failed is None
    assert any(whole.shown.values())
    assert both.split(document(text)) == whole


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_steps_cannot_do_is_refused(both, text, says):
    assert both.whole(document(text)).failed is None
    refused = both.split(document(text)).refused
    assert refused is not None
    assert says in refused
