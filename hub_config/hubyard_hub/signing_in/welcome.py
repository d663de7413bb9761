"""The welcome: a one-time code by which an administrator comes in.

It works once, for a day, and is kept as a hash. It travels in the fragment of a link,
which browsers send to nobody.

`hubyard up` makes one for the first administrator, who chooses a name;
`hubyard sign-in-link` makes one for an administrator whom it names.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import Forbidden
from hubyard_hub.settings import make_private_folder, write_private

if TYPE_CHECKING:
    from pathlib import Path

_VALID_S = 24 * 3600


class Welcome:
    """The administrator's one-time code, kept as a hash in a private file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def issue(self, name: str = "") -> str:
        """A fresh code; an earlier one, used or not, counts no more.

        Args:
            name: whom it lets in; "": whoever has it chooses.
        """
        code = secrets.token_urlsafe(32)
        kept = {"hash": _hash(code), "until": time.time() + _VALID_S, "name": name}
        make_private_folder(self._file.parent)
        write_private(self._file, json.dumps(kept))
        return code

    @property
    def is_used(self) -> bool:
        """Whether the administrator has come in."""
        return bool(self._kept().get("used"))

    def check(self, code: str) -> str:
        """Whom this code lets in; "": whoever has it.

        Raises:
            Forbidden: it is not, or not any more.
        """
        kept = self._kept()
        good = hmac.compare_digest(_hash(code), str(kept.get("hash", "")))
        late = time.time() > float(kept.get("until", 0))
        if kept.get("used") or late or not good:
            raise Forbidden(
                "This welcome link has been used or is too old: `hubyard up` prints a "
                "new one until an administrator has signed in, and "
                "`hubyard sign-in-link` makes one at any time."
            )
        return str(kept.get("name", ""))

    def use_up(self) -> None:
        """The administrator has come in: no code works again."""
        write_private(self._file, json.dumps({"used": True}))

    def _kept(self) -> dict[str, Any]:
        try:
            return json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
