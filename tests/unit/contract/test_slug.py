"""Slugs: the names of steps, models and ids that are made of any text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.slug import name_of, slug_of

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Churn model, v2", "churn-model-v2"),
        ("__init__", "init"),
        ("Größe", "gr-e"),
        ("日本", ""),
        ("thirteen long more", "thirteen-long"),
    ],
)
def test_a_slug_is_what_is_left_of_a_text(text, slug):
    assert slug_of(text, 14) == slug


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2 eggs", "step-2-eggs"),
        ("", "step"),
        ("eggs", "eggs"),
        ("7" * 50, "step-" + "7" * 15),
    ],
)
def test_a_name_begins_with_a_letter(text, name):
    assert name_of(text, 20, "step") == name


@given(st.text(), st.integers(4, 60))
def test_every_text_has_a_name_that_fits(text, longest):
    name = name_of(text, longest, "step")
    assert SLUG.fullmatch(name)
    assert name[0].isalpha()
    assert len(name) <= longest
