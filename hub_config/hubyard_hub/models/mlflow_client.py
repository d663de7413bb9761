"""MLflow's client: its REST interface, always with the caller's own token.

So its permissions hold for every answer. Where nobody calls, the platform asks with its
own token, for itself or on behalf of somebody (see `mlflow_app`). `mlflow` itself is
not imported: it would triple the platform's start, and it never loads a model.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from hubyard.contract.errors import (
    Conflict,
    Forbidden,
    HubyardError,
    Invalid,
    NotFound,
    Rejected,
    Unavailable,
)
from hubyard_hub import loopback
from hubyard_hub.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

API = "/api/2.0/mlflow"
ON_BEHALF_OF = "X-On-Behalf-Of"
"""Whom the platform asks for, percent-encoded."""
MEMBERS = "/hubyard/members/"
"""Our own, beside MLflow's routes: where the platform has somebody forgotten."""
_AJAX = "/ajax-api/2.0/mlflow"
_TIMEOUT = httpx.Timeout(10, connect=5, pool=2)
"""What is asked for takes a second or two at most; a file may take its time."""
_STREAM_TIMEOUT = httpx.Timeout(30, connect=5, pool=2)
_LIMITS = httpx.Limits(max_connections=16)
"""How many threads may wait for MLflow: the platform has others for all else."""
_TRIAL_EVERY_S = 2.0
_AWAY = "MLflow does not answer; try again in a moment."
_MESSAGE_LENGTH = 300
_BY_STATUS: dict[int, type[HubyardError]] = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
}
_BY_CODE: dict[str, type[HubyardError]] = {
    "RESOURCE_ALREADY_EXISTS": Conflict,
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "PERMISSION_DENIED": Forbidden,
}


Streamed = AbstractContextManager[httpx.Response]
"""An open answer, to be read in chunks."""


class MlflowClient:
    """MLflow over HTTP. Safe to use from many threads."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = loopback.client(
            url, timeout=_TIMEOUT, limits=_LIMITS, transport=transport
        )
        self._breaker = Breaker(_AWAY, pause_s=_TRIAL_EVERY_S, is_silence=_is_silence)

    @property
    def is_silent(self) -> bool:
        """Whether MLflow did not answer when it was last asked."""
        return self._breaker.is_open

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def get(self, token: str, route: str, /, **params: str | int) -> dict[str, Any]:
        """Ask a question, by its route below MLflow's API.

        Raises:
            Rejected: MLflow's no, in its words.
            Unavailable: it does not answer.
        """
        return self._json("GET", API + route, token, params=params)

    def get_for(
        self, owner: str, token: str, route: str, /, **params: str
    ) -> dict[str, Any]:
        """Ask a question with the platform's own token, as somebody else; as `get`."""
        return self._json("GET", API + route, token, _for(owner), params=params)

    def post(self, token: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask with a body; as `get`."""
        return self._json("POST", API + path, token, json=body)

    def post_for(
        self, owner: str, token: str, route: str, body: Mapping[str, Any], /
    ) -> dict[str, Any]:
        """Ask with a body and the platform's own token, as somebody else; as `get`."""
        return self._json("POST", API + route, token, _for(owner), json=body)

    def forget_member(self, token: str, name: str) -> None:
        """Let MLflow forget somebody, their permissions and roles; as `get`."""
        with suppress(NotFound):  # they never used it
            self._json("DELETE", f"{MEMBERS}{quote(name, safe='')}", token)

    def run_file(self, token: str, run_id: str, path: str) -> Streamed:
        """Stream a file of a tracked run."""
        return self._stream("/get-artifact", token, {"run_id": run_id, "path": path})

    def model_file(self, token: str, model_id: str, path: str) -> Streamed:
        """Stream a file of a logged model."""
        route = f"{_AJAX}/logged-models/{model_id}/artifacts/files"
        return self._stream(route, token, {"artifact_file_path": path})

    def _json(
        self,
        method: str,
        path: str,
        token: str,
        headers: Mapping[str, str] | None = None,
        **more: Any,  # noqa: ANN401  httpx's arguments
    ) -> dict[str, Any]:
        sent = {**_bearer(token), **(headers or {})}
        try:
            with self._breaker.asking():
                answer = self._http.request(method, path, headers=sent, **more)
        except httpx.HTTPError:
            raise Unavailable(_AWAY) from None
        _raise_for(answer)
        model: dict[str, Any] = answer.json() if answer.content else {}
        return model

    @contextmanager
    def _stream(
        self, path: str, token: str, params: Mapping[str, str]
    ) -> Generator[httpx.Response]:
        try:
            asked = self._http.build_request(
                "GET",
                path,
                headers=_bearer(token),
                params=params,
                timeout=_STREAM_TIMEOUT,
            )
            with self._breaker.asking():
                answer = self._http.send(asked, stream=True)
            with closing(answer):
                if answer.is_error:
                    answer.read()
                _raise_for(answer)
                yield answer
        except httpx.HTTPError:
            raise Unavailable("MLflow stopped answering; try again.") from None


def _is_silence(error: BaseException) -> bool:
    """Whether MLflow has let somebody wait; not whether all connections are in use."""
    late = isinstance(error, httpx.TimeoutException)
    return late and not isinstance(error, httpx.PoolTimeout)


def _for(owner: str) -> dict[str, str]:
    return {ON_BEHALF_OF: quote(owner)}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _raise_for(answer: httpx.Response) -> None:
    if not answer.is_error:
        if answer.is_redirect:
            raise Forbidden("MLflow does not know this login.")
        return
    try:
        problem: dict[str, Any] = answer.json()
    except ValueError:
        problem = {}
    message = str(problem.get("message") or f"MLflow answered {answer.status_code}.")
    fallback = Unavailable if answer.is_server_error else Rejected
    kind = _BY_STATUS.get(answer.status_code, fallback)
    kind = _BY_CODE.get(str(problem.get("error_code")), kind)
    raise kind(message.splitlines()[0][:_MESSAGE_LENGTH])
