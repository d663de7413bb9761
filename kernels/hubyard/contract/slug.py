"""A slug: a name of lower-case letters, digits and single hyphens, made of any text."""

from __future__ import annotations

import re

_OTHER = re.compile(r"[^a-z0-9]+")


def slug_of(text: str, longest: int) -> str:
    """A slug of at most so many characters; empty, where the text has none of them."""
    return _OTHER.sub("-", text.lower()).strip("-")[:longest].strip("-")


def name_of(text: str, longest: int, prefix: str) -> str:
    """A slug that begins with a letter: with the prefix, where it would not."""
    slug = slug_of(text, longest)
    named = slug if slug[:1].isalpha() else f"{prefix}-{slug}"
    return named[:longest].strip("-")
