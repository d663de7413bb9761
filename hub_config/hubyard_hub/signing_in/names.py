"""Names: what a person who signs in by name and password can be called."""

from __future__ import annotations

import re

from hubyard.contract.errors import Invalid

_LONGEST = 64
_LONGEST_KNOWN = 128
"""What NativeAuthenticator's table holds."""
_NEVER = set(" ,/")
_NAME = re.compile(rf"\w[\w.@+~-]{{0,{_LONGEST - 1}}}")


def may_exist(name: str) -> bool:
    """Whether somebody can be called that already, by rules of earlier versions too."""
    return (
        0 < len(name) <= _LONGEST_KNOWN and name.isprintable() and not _NEVER & {*name}
    )


def check_name(name: str) -> None:
    """Whether somebody new can be called that.

    Raises:
        Invalid: nobody can.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"Choose a name of letters, digits, - and _, {_LONGEST} at most.",
            field="name",
        )
