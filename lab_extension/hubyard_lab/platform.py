"""The platform, as a workspace reaches it: with its own token, one call at a time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest

from hubyard.contract import environment
from hubyard.contract.errors import HubyardError, NotFound, Problem, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER_SECONDS = 60.0
POLICY = "Content-Security-Policy"
_PASSED_BACK = ("Content-Type", "Content-Disposition", POLICY)
_DOTS = {".", ".."}
_NO_ANSWER = 599  # tornado's own, for a connection that failed or took too long


@dataclass(frozen=True)
class Answer:
    """What the platform said: handed on as it is."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Platform:
    """Where the platform is, and the token that opens it for this workspace."""

    url: str
    token: str

    @classmethod
    def of_environment(cls) -> Platform:
        """The platform that this workspace was started by.

        Raises:
            NotFound: it was started by something else.
        """
        url = os.environ.get(environment.PLATFORM_URL, "").rstrip("/")
        token = os.environ.get(environment.HUB_TOKEN, "")
        if not (url and token):
            raise NotFound(
                "This JupyterLab was not started by Hubyard: open your workspace from "
                "the hub's home page."
            )
        return cls(url=url, token=token)

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Answer:
        """Make one call below `/api/`; an answer of 400 and above counts as well.

        The path comes unquoted, the query as it stood in the URL.

        Raises:
            NotFound: the path leaves `/api/`.
            Unavailable: nobody answers.
        """
        if _DOTS & set(path.replace("\\", "/").split("/")):
            raise NotFound
        headers = {"Authorization": f"Bearer {self.token}"}
        if content_type:
            headers["Content-Type"] = content_type
        request = HTTPRequest(
            f"{self.url}/api/{quote(path)}{'?' if query else ''}{query}",
            method=method,
            headers=headers,
            body=body if body or method in {"POST", "PUT", "PATCH"} else None,
            allow_nonstandard_methods=True,  # a DELETE may carry a body
            follow_redirects=False,
            request_timeout=ANSWER_SECONDS,
        )
        return await _answer(request)


async def _answer(request: HTTPRequest) -> Answer:
    try:
        response = await AsyncHTTPClient().fetch(request, raise_error=False)
    except (HTTPError, OSError, ValueError):
        response = None
    if response is None or response.code == _NO_ANSWER:
        raise Unavailable("The platform does not answer; try again in a moment.")
    headers = {n: response.headers[n] for n in _PASSED_BACK if n in response.headers}
    return Answer(status=response.code, headers=headers, body=response.body or b"")


def problem(error: HubyardError) -> Answer:
    """The answer that an error of ours stands for."""
    said = Problem(message=error.message, field=error.field)
    return Answer(
        status=error.status,
        headers={"Content-Type": "application/json"},
        body=said.model_dump_json().encode(),
    )
