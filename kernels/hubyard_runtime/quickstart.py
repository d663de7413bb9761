"""A quick start: what makes a Jupyter process slow to import, and need not be there.

`rfc3987_syntax` builds the grammar of all internationalised addresses when it is
imported: 1.2 s in every Jupyter process, by way of `jsonschema`. jsonschema asks for it
under `suppress(ImportError)`, to check a format that no schema of Jupyter's uses.
"""

from __future__ import annotations

import sys

_SLOW = ("rfc3987_syntax",)


def skip_slow_imports() -> None:
    """Make slow modules look as if they were not installed, in this process alone.

    None in `sys.modules` is how Python itself remembers that a module must not be
    imported: https://docs.python.org/3/reference/import.html#the-module-cache
    """
    for name in _SLOW:
        sys.modules.setdefault(name, None)  # pyright: ignore[reportArgumentType]  typeshed leaves this None out
