"""A signature: what makes a cookie's value ours, for one name and one span of time."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode


class Signer:
    """Signs values for cookies. They can be read by who holds them, but not changed."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, name: str, value: str) -> str:
        """`<base64 of value>.<seconds since 1970>.<mac>`, good for this name only."""
        body = urlsafe_b64encode(value.encode()).decode().rstrip("=")
        signed = f"{body}.{int(time.time())}"
        return f"{signed}.{self.mac(name, signed)}"

    def read(self, name: str, text: str, *, max_age_s: int) -> str | None:
        """The value that was signed under this name; None: not ours, or too old."""
        signed, _, mac = text.rpartition(".")
        if not hmac.compare_digest(mac.encode(), self.mac(name, signed).encode()):
            return None
        body, _, moment = signed.partition(".")
        if int(moment) + max_age_s < time.time():
            return None
        return urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()

    def mac(self, purpose: str, text: str) -> str:
        """HMAC-SHA256 over a purpose and a text, in hexadecimal."""
        # The length keeps two pairs of the same concatenation apart.
        message = f"{len(purpose)}:{purpose}{text}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()
