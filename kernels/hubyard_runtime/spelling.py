"""Spelling: one path may be written in many ways, of which cookies know one.

Browsers, people and programs escape a name in other ways than the hub does (`'` or
`%27`), and the proxy takes them all. A cookie's path and an application's own links
hold the hub's spelling.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes


def own_spelling(raw: bytes, prefix: str) -> bytes | None:
    """A path as it was sent, below the prefix as the hub writes it.

    The prefix ends in a slash. None: the path lies elsewhere.
    """
    own = prefix.encode()
    count = own.count(b"/")
    *folders, rest = [*raw.split(b"/", count), b""][: count + 1]
    named = b"/".join(map(unquote_to_bytes, folders))
    return own + rest if named + b"/" == unquote_to_bytes(own) else None
