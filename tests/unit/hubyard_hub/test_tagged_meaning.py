"""A tagged notebook does what it does from top to bottom, or is refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.tagged_maker import make
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


@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_notebook_made_by_chance_means_the_same(both, seed):
    made = make(seed)
    whole, split = both.whole(made.document), both.split(made.document)
    assert whole.failed is None
    if made.fault is None:
        assert split == whole
    else:
        assert split.refused is not None, made.fault
