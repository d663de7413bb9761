"""The gate itself: nobody passes unless the hub knows them and they may come here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response

from hubyard.contract.errors import Forbidden, HubyardError
from hubyard_runtime.gate import answers, stay
from hubyard_runtime.gate.hub import KNOWN_S, Hub
from hubyard_runtime.gate.session import Session
from hubyard_runtime.gate.signature import Signer
from hubyard_runtime.gate.xsrf import Xsrf, is_navigation
from hubyard_runtime.url_tokens import has_token

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from hubyard.contract.identity import Identity
    from hubyard_runtime.gate.settings import Settings

_OURS = ("x-hubyard-", "authorization")
_HUB_COOKIES = ("jupyterhub-", "service-")
_SESSION_ID = "jupyterhub-session-id"
_ASK_EVERY_S = KNOWN_S / 3
"""How often an open stream is asked for; the answer may be KNOWN_S older."""
_LOG_IN = "Log in, or send a token in the Authorization header."


@dataclass(frozen=True)
class _Visitor:
    identity: Identity
    token: str
    by_cookie: bool
    session_id: str = ""


class Gate:
    """ASGI middleware; see the package's words for what an application finds inside."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        public: Collection[str] = (),
        hooks: Collection[str] = (),
        hub: Hub | None = None,
    ) -> None:
        """Stand before an application.

        Args:
            app: what is behind the gate.
            settings: where it is and whom it lets in.
            public: paths below the prefix that anybody may GET, such as "health".
            hooks: folders below the prefix such as "hooks", to whose members anybody
                may POST: the application itself asks for a secret.
            hub: another way to ask the hub.
        """
        self._app = app
        self._settings = settings
        self._public = {settings.path + path for path in public}
        self._hooks = {settings.path + path for path in hooks}
        signer = Signer(settings.cookie_secret)
        self._hub = hub or Hub(settings)
        self._session = Session(settings, self._hub, signer)
        self._xsrf = Xsrf(settings, signer)
        self._hub_version = version("jupyterhub")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            outcome = await self._decide(connection)
        except HubyardError as error:
            outcome = self._refusal(connection, error.status, error.message)
        if isinstance(outcome, Response):
            await self._answer(outcome, scope, receive, send)
            return
        inside = self._inside(scope, outcome)
        if scope["type"] == "http":
            send = self._stamped(connection, outcome, send)
        if outcome is None:
            await self._app(inside, receive, send)
        else:
            await self._serve(outcome, inside, receive, send)

    async def _serve(
        self, visitor: _Visitor, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the application talk to a visitor for as long as they may stay."""

        async def is_welcome() -> bool:
            identity = await self._hub.identify(visitor.token, visitor.session_id)
            return identity is not None and self._may_enter(identity)

        talks = scope["type"] == "websocket"
        serve = stay.talk_while_welcome if talks else stay.answer_while_welcome
        await serve(
            self._app, scope, receive, send, is_welcome=is_welcome, every_s=_ASK_EVERY_S
        )

    async def _decide(self, connection: HTTPConnection) -> _Visitor | Response | None:
        """Who may pass (None: anybody), or what is answered instead.

        Raises:
            Forbidden: known, and not allowed.
            Unavailable: the hub does not answer.
        """
        path: str = connection.scope["path"]
        if has_token(connection.url.query):
            raise Forbidden("Send the token in the Authorization header, not in a URL.")
        if self._is_public(connection) or self._is_hook(connection.scope):
            return None
        if path == self._session.callback:
            return await self._session.finish(connection)
        if path == f"{self._settings.path}logout":
            return self._session.logout()
        visitor = await self._visitor(connection)
        if visitor is None:
            return self._stranger(connection)
        self._check(connection, visitor)
        if f"{path}/" == self._settings.path:
            return RedirectResponse(self._settings.prefix)
        return visitor

    def _check(self, connection: HTTPConnection, visitor: _Visitor) -> None:
        if visitor.by_cookie:
            self._xsrf.check(connection, visitor.token)
        is_below = self._settings.own_path(connection.scope) is not None
        if not is_below or not self._may_enter(visitor.identity):
            raise Forbidden

    def _is_public(self, connection: HTTPConnection) -> bool:
        reads = connection.scope.get("method") in {"GET", "HEAD"}
        return reads and connection.scope["path"] in self._public

    def _is_hook(self, scope: Scope) -> bool:
        posts = scope.get("method") == "POST"
        folder, _, name = scope["path"].rpartition("/")
        return posts and bool(name) and folder in self._hooks

    async def _visitor(self, connection: HTTPConnection) -> _Visitor | None:
        sent = _bearer(connection)
        if sent is not None:
            identity = await self._hub.identify(sent)
            return identity and _Visitor(identity, sent, by_cookie=False)
        token = self._session.token(connection)
        if token is None:
            return None
        session_id = connection.cookies.get(_SESSION_ID, "")
        identity = await self._hub.identify(token, session_id)
        if identity is None:
            return None
        return _Visitor(identity, token, by_cookie=True, session_id=session_id)

    def _stranger(self, connection: HTTPConnection) -> Response:
        if is_navigation(connection) and "authorization" not in connection.headers:
            return self._session.login(connection)
        return answers.problem(401, _LOG_IN)

    def _may_enter(self, identity: Identity) -> bool:
        """Whether one of the scopes asked for is held, filtered or for all."""
        wanted = self._settings.access_scopes
        enough = wanted | {scope.partition("!")[0] for scope in wanted}
        return not enough.isdisjoint(identity.scopes)

    def _refusal(
        self, connection: HTTPConnection, status: int, message: str
    ) -> Response:
        if is_navigation(connection):
            return answers.page(status, message, f"{self._settings.hub_url}home")
        return answers.problem(status, message)

    async def _answer(
        self, response: Response, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] == "websocket":
            await stay.refuse(send)
            return
        response.headers.setdefault("cache-control", "no-store")
        await response(scope, receive, self._stamped(None, None, send))

    def _stamped(
        self, connection: HTTPConnection | None, visitor: _Visitor | None, send: Send
    ) -> Send:
        """Add to each answer the hub's version, and to a page its proof."""
        cookie = None
        if connection and visitor:
            cookie = self._proof_cookie(connection, visitor)

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-jupyterhub-version"] = self._hub_version
                if cookie:
                    headers.append("set-cookie", cookie)
            await send(message)

        return stamped

    def _proof_cookie(
        self, connection: HTTPConnection, visitor: _Visitor
    ) -> str | None:
        """The cookie that gives a page its proof, where the page lacks it."""
        name, proof = self._settings.xsrf_cookie, self._xsrf.value(visitor.token)
        wanted = visitor.by_cookie and is_navigation(connection)
        if self._settings.same_origin_suffices or not wanted:
            return None
        if connection.cookies.get(name) == proof:
            return None
        carrier = Response()
        self._session.show(carrier, name, proof)
        return carrier.headers["set-cookie"]

    def _inside(self, scope: Scope, visitor: _Visitor | None) -> Scope:
        headers = [*_stripped(scope["headers"])]
        secret = _bearer(HTTPConnection(scope)) if self._is_hook(scope) else None
        if visitor:
            said = named(visitor.identity)
            headers += [(k.lower().encode(), v.encode()) for k, v in said.items()]
        return {
            **scope,
            "headers": headers,
            "root_path": self._settings.path.rstrip("/"),
            "raw_path": self._settings.own_path(scope),
            "hubyard.identity": visitor and visitor.identity,
            "hubyard.token": visitor and visitor.token,
            "hubyard.secret": secret,
        }


def named(identity: Identity) -> dict[str, str]:
    """The headers by which an application that is not Python knows its visitor."""
    groups = ",".join(_encoded(group) for group in identity.groups)
    return {"X-Hubyard-User": _encoded(identity.name), "X-Hubyard-Groups": groups}


def _bearer(connection: HTTPConnection) -> str | None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "token"} else None


def _encoded(name: str) -> str:
    return quote(name, safe="@+")


def _stripped(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What a client sent, without what only the gate may say and the hub's cookies."""
    kept: list[tuple[bytes, bytes]] = []
    for raw_name, raw_value in headers:
        # WSGI takes `_` for `-` in a header's name: both spellings are ours.
        name, value = raw_name.lower().replace(b"_", b"-").decode("latin-1"), raw_value
        if name.startswith(_OURS):
            continue
        if name == "cookie":
            value = _without_hub_cookies(raw_value)
            if not value:
                continue
        kept.append((raw_name, value))
    return kept


def _without_hub_cookies(header: bytes) -> bytes:
    pairs = (pair.strip() for pair in header.decode("latin-1").split(";"))
    kept = [pair for pair in pairs if pair and not pair.startswith(_HUB_COOKIES)]
    return "; ".join(kept).encode("latin-1")
