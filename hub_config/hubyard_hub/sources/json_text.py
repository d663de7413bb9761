"""JSON that a stranger wrote, bounded before it is parsed.

value  what becomes an object of its own: about as many as there are commas and opening
       brackets outside of texts
depth  how many brackets stand within one another

A parser makes up to a hundred bytes of each byte of `[[],[],[]]`, and answers for
nothing else meanwhile. Counting in the text costs next to nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from hubyard.contract.errors import Invalid, TooLarge

_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
_BRACKET = re.compile(rb"[\[\]{}]")
_OPEN = {b"[", b"{"}
_FIRST = 10_000
"""So many brackets are looked at to say what is wrong with far too many."""
_QUOTES_A_VALUE = 8
"""A name and a text have two each; twice as many leave room for escaped ones."""


@dataclass(frozen=True)
class JsonBound:
    """How much JSON is taken."""

    size_bytes: int
    values: int
    depth: int


def check_json(body: bytes, bound: JsonBound) -> None:
    """Accept a text for parsing. Whether it is JSON at all the parser says.

    Raises:
        TooLarge: it is too long, or holds too many values.
        Invalid: it is nested too deeply, or holds half a character.
    """
    if len(body) > bound.size_bytes:
        raise TooLarge(f"At most {bound.size_bytes // 2**20} MiB are taken.")
    if (
        _values(body) > bound.values
        or body.count(b"[") + body.count(b"{") > bound.depth
    ):
        _check_outside_of_texts(body, bound)
    if has_lone_surrogate(body):
        raise Invalid("The body holds half a character: remove it.")


def _check_outside_of_texts(body: bytes, bound: JsonBound) -> None:
    unescaped = body.count(b'"') - body.count(rb"\"")
    if unescaped <= _QUOTES_A_VALUE * bound.values:
        body = without_texts(body)
    has_too_many = _values(body) > bound.values
    looked_at = _FIRST if has_too_many else 2 * bound.values
    if is_deeper(body, bound.depth, looked_at):
        raise Invalid(
            f"The body is nested too deeply: write at most {bound.depth} brackets "
            "within one another."
        )
    if has_too_many:
        raise TooLarge(f"The body holds more than {bound.values:,} values.")


def without_texts(body: bytes) -> bytes:
    """All that stands outside of texts."""
    return _TEXT.sub(b"", body)


def _values(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")


def is_deeper(body: bytes, most: int, brackets: int) -> bool:
    """Whether so many brackets stand within one another, among the first ones."""
    depth = 0
    for bracket in islice(_BRACKET.finditer(body), brackets):
        depth += 1 if bracket[0] in _OPEN else -1
        if depth > most:
            return True
    return False


def has_lone_surrogate(body: bytes) -> bool:
    """Whether an escape says half a character, which no database and no answer can."""
    if not _SURROGATE.search(body):
        return False
    return any(found["lone"] for found in _ESCAPE.finditer(body))
