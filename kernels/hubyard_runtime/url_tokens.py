"""Tokens in URLs: recognised however they are spelled, and kept out of logs.

spelling  `token` in capitals or not, each letter plain or percent-encoded, once or
          several times (`Token`, `%74oken`, `%2574oken`)

A token in a URL stays in histories, in `Referer` headers and in the logs of each proxy
on the way, so no part of Hubyard takes one. Whoever sends one all the same must not
find it in our logs.
"""

from __future__ import annotations

import logging
import re
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_HIDDEN = "[secret]"


def _spelled(letter: str) -> str:
    codes = {f"{ord(each):x}" for each in (letter, letter.swapcase())}
    return f"(?:{letter}|%(?:25)*(?:{'|'.join(sorted(codes))}))"


_TOKEN = "".join(map(_spelled, "token"))
_SEPARATOR = "(?:^|[?&;])"
_KEY = re.compile(rf"{_SEPARATOR}{_TOKEN}(?:=|%(?:25)*3d|[&;]|$)", re.IGNORECASE)
_VALUE = re.compile(rf"({_TOKEN}(?:=|%(?:25)*3d))[^&;\s\"'<>]+", re.IGNORECASE)


def has_token(query: str) -> bool:
    """Whether a URL's query has a parameter of that name."""
    return _KEY.search(query) is not None


def without_tokens(text: str) -> str:
    """A text without the values of such parameters in it.

    Names that end in `token` count as well, such as `access_token`.
    """
    return _VALUE.sub(rf"\1{_HIDDEN}", text)


def keep_tokens_out_of_logs() -> None:
    """Hide tokens in all that this process logs from now on, whoever logs it.

    A filter would have to be on each handler, and libraries add theirs later.
    """
    make = logging.getLogRecordFactory()
    if not isinstance(make, _Records):
        logging.setLogRecordFactory(_Records(make))


class _Records:
    """Makes log records that hold no token of a URL."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *arguments: object, **named: object) -> logging.LogRecord:
        record = self._make(*arguments, **named)
        try:
            said = record.getMessage()
        except (TypeError, ValueError, KeyError):  # `logging` itself says it is wrong
            return record
        if (clean := without_tokens(said)) != said:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0]:
            raised = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            if (clean := without_tokens(raised)) != raised:
                record.exc_text = clean
        return record
