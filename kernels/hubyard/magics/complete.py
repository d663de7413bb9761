"""Completion: what Tab offers on the line of a magic.

IPython asks a matcher for each Tab. Ours answers on the lines of our own magics, and
is then the only one that answers. What it offers is asked of Hubyard at most once in
a while, and a Hubyard that does not answer offers nothing.
"""

from __future__ import annotations

import re
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.completer import SimpleCompletion, context_matcher

from hubyard.client import Client
from hubyard.contract.errors import HubyardError

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

_LINE = re.compile(r"\s*%{1,2}(\w+)\s(.*)")
_FRESH_S = 10.0
_PATIENCE_S = 2.0
"""The kernel can do nothing else while somebody waits for Tab."""
_MOST = 500
"""Files of a folder that are looked at."""
_RUN = ("*.ipynb", "*.py", "pipelines/*.yml")
"""What a pipeline is."""


def add(shell: InteractiveShell) -> Callable[[], None]:
    """Add the matcher to a shell; returns the way to undo it."""
    offers = Offers()

    @context_matcher(identifier="hubyard")
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        found = offers.at(context.text_until_cursor)
        if found is None:
            return {"completions": [], "suppress": False}
        word = context.text_until_cursor.split(" ")[-1]
        # IPython replaces its own token, which may be the end of our word.
        known = len(word) - len(context.token)
        texts = [text[known:] for text in found if text.startswith(word)]
        completions = [SimpleCompletion(text, type="magic") for text in texts]
        return {"completions": completions, "suppress": True}

    matchers = shell.Completer.custom_matchers
    matchers.append(matcher)
    return lambda: matchers.remove(matcher)


class Offers:
    """Which words fit at a place of a line."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, list[str]]] = {}
        self._options: dict[str, Callable[[], list[str]]] = {
            "-c": self._compute,
            "--compute": self._compute,
            "--alias": self._aliases,
            "--on-model": self._named,
        }
        self._places: dict[str, list[Callable[[], list[str]]]] = {
            "deploy": [self._versions],
            "register": [lambda: ["last"], self._models],
            "pipeline": [lambda: [name for each in _RUN for name in _files(each)]],
            "schedule": [lambda: _files("*.ipynb")],
            "app": [lambda: _files("*.ipynb") + _files("*.py")],
            "track": [lambda: ["status", "stop"]],
        }

    def at(self, line: str) -> list[str] | None:
        """All words that fit at the end of a line; None: it is not for us to say."""
        match = _LINE.fullmatch(line)
        if match is None or match[1] not in self._places:
            return None
        *before, _ = match[2].split(" ")
        words = [word for word in before if word]
        if words and words[-1] in self._options:
            return self._options[words[-1]]()
        places = self._places[match[1]]
        return places[len(words)]() if len(words) < len(places) else None

    def _compute(self) -> list[str]:
        def ask(client: Client) -> list[str]:
            return [each.name for each in client.compute().compute]

        return self._asked("compute", ask)

    def _models(self) -> list[str]:
        def ask(client: Client) -> list[str]:
            return [each.name for each in client.models.list()]

        return self._asked("models", ask)

    def _aliases(self) -> list[str]:
        return sorted({word.partition("@")[2] for word in self._named()})

    def _named(self) -> list[str]:
        return [word for word in self._versions() if "@" in word]

    def _versions(self) -> list[str]:
        def ask(client: Client) -> list[str]:
            versions = [v for model in client.models.list() for v in model.versions]
            named = [f"{v.model}@{alias}" for v in versions for alias in v.aliases]
            return named + [f"{v.model}/{v.version}" for v in versions]

        return self._asked("versions", ask)

    def _asked(self, what: str, ask: Callable[[Client], list[str]]) -> list[str]:
        asked_at, words = self._kept.get(what, (-_FRESH_S, []))
        if time.monotonic() - asked_at < _FRESH_S:
            return words
        try:
            with Client.from_environment(_PATIENCE_S) as client:
                words = ask(client)
        except HubyardError:
            words = []
        self._kept[what] = (time.monotonic(), words)
        return words


def _files(pattern: str) -> list[str]:
    return sorted(str(path) for path in islice(Path().glob(pattern), _MOST))
