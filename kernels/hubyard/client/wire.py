"""The wire: one HTTP connection to the platform, and how its answers are read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, TypeAdapter, ValidationError

from hubyard.contract import environment
from hubyard.contract.errors import HubyardError, Problem, Unavailable, from_status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import httpx

T = TypeVar("T")

PATIENCE_S = 30.0
"""How long an answer may take, unless who asks is more hurried."""

_DONE = range(200, 300)
_UNKNOWN = 401
_BROKEN = 500


class Outside(Unavailable):
    """Hubyard is not reachable from here: open this in a workspace of the hub."""


class Wire:
    """Calls of the platform with one token."""

    def __init__(self, url: str, token: str, patience_s: float = PATIENCE_S) -> None:
        import ssl  # noqa: PLC0415  `import hubyard` stays light

        import httpx  # noqa: PLC0415  as above

        # To read all authorities takes 50 ms; without TLS there is none to trust.
        has_tls = url.startswith("https:")
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=patience_s,
            trust_env=False,
            verify=has_tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    @classmethod
    def from_environment(cls, patience_s: float = PATIENCE_S) -> Wire:
        """The wire that a workload's environment describes.

        Raises:
            Outside: the environment names no platform or no token, or not by what
                could be one.
        """
        url = os.environ.get(environment.PLATFORM_URL)
        names = (environment.TOKEN, environment.HUB_TOKEN)
        token = next((os.environ[n] for n in names if os.environ.get(n)), None)
        if not url or not token:
            raise Outside(
                "Hubyard is not reachable from here: open this in a workspace of the "
                "hub, or set HUBYARD_PLATFORM_URL and HUBYARD_TOKEN."
            )
        if not _is_address(url):
            raise Outside(
                f"HUBYARD_PLATFORM_URL is {url!r}: write it as "
                "http://HOST:PORT/services/hubyard."
            )
        if not _is_token(token):
            raise Outside(
                "HUBYARD_TOKEN holds no token: make one on the hub's page Token."
            )
        return cls(url, token, patience_s)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def get(self, path: str, shape: type[T], **query: str | None) -> T:
        """GET, its answer read as `shape`."""
        given = {name: value for name, value in query.items() if value is not None}
        return _read(self._send("GET", path, params=given), shape)

    def post(self, path: str, shape: type[T], body: BaseModel | None = None) -> T:
        """POST a value, the answer read as `shape`."""
        return _read(self._send("POST", path, **_json(body)), shape)

    def set(self, path: str, shape: type[T], body: BaseModel) -> T:
        """PUT a value, the answer read as `shape`."""
        return _read(self._send("PUT", path, **_json(body)), shape)

    def patch(self, path: str, shape: type[T], body: BaseModel) -> T:
        """PATCH with a value, the answer read as `shape`."""
        return _read(self._send("PATCH", path, **_json(body)), shape)

    def put(self, path: str, content: bytes, content_type: str) -> None:
        """PUT bytes; nothing comes back."""
        headers = {"Content-Type": content_type}
        self._send("PUT", path, content=content, headers=headers)

    def put_file(self, path: str, file: Path, content_type: str) -> None:
        """PUT a file, without holding all of it; nothing comes back."""
        headers = {"Content-Type": content_type}
        with file.open("rb") as content:
            self._send("PUT", path, content=content, headers=headers)

    def upload(self, path: str, content: bytes, shape: type[T], **query: str) -> T:
        """POST a gzipped tar, the answer read as `shape`."""
        headers = {"Content-Type": "application/gzip"}
        answer = self._send(
            "POST", path, content=content, headers=headers, params=query
        )
        return _read(answer, shape)

    def delete(self, path: str, **query: str | None) -> bytes:
        """DELETE; the answer's body, if there is one."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._send("DELETE", path, params=given).content

    def download(self, path: str) -> bytes:
        """GET bytes."""
        return self._send("GET", path).content

    def download_to(self, path: str, file: Path) -> None:
        """GET bytes into a file, without holding them all."""
        import httpx  # noqa: PLC0415  as above

        try:
            with self._http.stream("GET", path) as answer, file.open("wb") as kept:
                if answer.status_code not in _DONE:
                    answer.read()
                    raise _error(answer)
                for chunk in answer.iter_bytes():
                    kept.write(chunk)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:  # noqa: ANN401  httpx's own
        import httpx  # noqa: PLC0415  as above

        try:
            answer = self._http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        if answer.status_code not in _DONE:
            raise _error(answer)
        return answer

    def _unreachable(self, error: Exception) -> Unavailable:
        place = str(self._http.base_url).removesuffix("/api/")
        kind = type(error).__name__
        return Unavailable(
            f"Hubyard does not answer at {place} ({kind}): try again in a moment."
        )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"}
            and parts.port != 0
            and bool(parts.hostname)
        )
    except ValueError:
        return False


def _is_token(text: str) -> bool:
    """Whether a header can carry it."""
    return text.isascii() and text.isprintable() and text == text.strip()


def _json(body: BaseModel | None) -> Mapping[str, Any]:
    text = "{}" if body is None else body.model_dump_json(exclude_none=True)
    return {"content": text, "headers": {"Content-Type": "application/json"}}


def _read(answer: httpx.Response, shape: type[T]) -> T:
    try:
        return TypeAdapter(shape).validate_json(answer.content)
    except ValidationError:
        raise HubyardError(
            "Hubyard's answer could not be read: this client and the platform do not "
            "belong together."
        ) from None


def _error(answer: httpx.Response) -> HubyardError:
    status = answer.status_code
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        broken = "try again in a moment"
        elsewhere = "look whether HUBYARD_PLATFORM_URL leads to its platform"
        advice = broken if status >= _BROKEN else elsewhere
        problem = Problem(message=f"Hubyard answered {status}: {advice}.")
    if status == _UNKNOWN:
        problem = Problem(
            message="The hub does not know your token, or no more: make another on its "
            "page Token, and set HUBYARD_TOKEN."
        )
    return from_status(status, problem)
