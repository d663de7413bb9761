"""The attackers: who asks, and with what in hand.

nobody                 no credentials; claims to be ana by headers that only a gate sets
nobody in a browser    opens each page, without a session
bo in a browser        a session, and the proof that our pages would send with it
bo with a token        what a terminal sends
another site's page    in ana's browser: her cookies, a foreign origin, no proof; it
                       posts forms, opens links and WebSockets
bo's page              in ana's browser: her cookies, our own origin, no proof
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from security.doors import SILENT
from security.judge import EVERY, LOGIN, SWITCHED, Answer, Somebody
from security.routes import METHODS, WEBSOCKET
from support.hub import NAVIGATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from security.judge import Question
    from security.victim import Victim
    from support.running import Person

PATIENCE_S = 15
ENOUGH_BYTES = 2_000_000
EVIL = "https://evil.example"
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
_CORS = {
    "Accept": "application/json",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
}
_FIRST_PAGE = {"workspace": "/lab", "run": "/", "endpoint": "/docs", "app": "/"}
_HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass
class Attacker:
    """Somebody, what they send, and where they knock."""

    who: Somebody
    url: str
    headers: Callable[[str, str], dict[str, str]]
    """What they send with a method to a path."""
    proofs: tuple[tuple[str, str], ...] = ()
    """Paths at which they are known, and what is answered there to them alone."""
    methods: tuple[str, ...] = (*METHODS, WEBSOCKET)
    """By which they ask, whether a route knows them or not."""
    own_methods: bool = False
    """They ask each route by its own methods alone."""
    places: tuple[str, ...] = EVERY
    http: httpx.Client = field(init=False)
    _handshakes: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        # What is sent is what we say: an answer's cookies are not taken along.
        forgetful = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        common = {"base_url": self.url, "trust_env": False, "cookies": forgetful}
        self.http = httpx.Client(**common, timeout=PATIENCE_S)
        # A connection on which a handshake was refused is not for another request.
        once = httpx.Limits(max_keepalive_connections=0)
        self._handshakes = httpx.Client(**common, limits=once)

    def unknown(self) -> Iterator[str]:
        """Where they are not whom they say: being refused there proves nothing."""
        for path, expected in self.proofs:
            answer = self.http.get(path, headers=self.headers("GET", path))
            if answer.status_code != httpx.codes.OK or expected not in answer.text:
                yield f"{self.who.name} is not known at {path}: {answer.status_code}"

    def ask(self, asked: Question) -> Answer | None:
        """Ask; None: no answer came."""
        known_silent = asked.route.path in SILENT.get(asked.place, {})
        patience_s = 1 if known_silent else PATIENCE_S
        more = dict(asked.headers)
        answer = self.send(asked.method, asked.path, asked.body, patience_s, more)
        if answer is None and asked.method == WEBSOCKET:
            # The proxy of a busy machine may drop a handshake that was refused.
            answer = self.send(asked.method, asked.path, asked.body, patience_s)
        follows = self.who.kind == "guest" and asked.method == "GET"
        if answer and follows and answer.target == LOGIN:
            # The place has sent them to the hub: whether that lets them in counts.
            said = self.send("GET", answer.headers["location"], "", PATIENCE_S)
            return said and replace(said, by_hub=True)
        return answer

    def send(
        self,
        method: str,
        path: str,
        body: str,
        patience_s: float,
        more: Mapping[str, str] | None = None,
    ) -> Answer | None:
        """Send a request; None: no answer came."""
        headers = {"Content-Type": "application/json", **self.headers(method, path)}
        headers |= more or {}
        content = None if method == "GET" else (body or "{}")
        http = self.http
        if method == WEBSOCKET:
            http, headers = self._handshakes, {**headers, **_HANDSHAKE}
            method, content = "GET", None
        target = quote(path, safe="/%?=&:+~@!")
        try:
            with http.stream(
                method, target, headers=headers, content=content, timeout=patience_s
            ) as said:
                text = "" if said.status_code == SWITCHED else _beginning(said)
                return Answer(said.status_code, said.headers, text)
        except httpx.TransportError:
            return None


def _beginning(said: httpx.Response) -> str:
    """The answer's text, or as much of one that does not end as came at once."""
    read = b""
    try:
        for chunk in said.iter_bytes():
            read += chunk
            if len(read) > ENOUGH_BYTES:
                break
    except httpx.TimeoutException:
        pass
    return read.decode(errors="replace")


def everybody(victim: Victim, bo: Person) -> Iterator[Attacker]:
    """One after the other; the last may do the most."""
    url = victim.hubyard.url
    yield from _nobody(url)
    yield _in_a_browser(url, bo)
    yield _with_a_token(url, bo)
    yield from _led_astray(url, victim)


def two_of_them(victim: Victim, bo: Person) -> Iterator[Attacker]:
    """The short form: without credentials, and with somebody else's."""
    url = victim.hubyard.url
    nobody, _ = _nobody(url)
    for attacker in (nobody, _with_a_token(url, bo)):
        yield replace(attacker, own_methods=True)


def _nobody(url: str) -> Iterator[Attacker]:
    claims = {
        "Accept": "application/json",
        "X-Hubyard-User": "ana",
        "X-Forwarded-User": "ana",
        "X_Hubyard_User": "ana",
    }
    yield Attacker(Somebody("nobody", "stranger"), url, lambda *_: claims)
    yield Attacker(
        Somebody("nobody in a browser", "stranger", by_browser=True),
        url,
        lambda *_: NAVIGATION,
        methods=("GET",),
    )


def _with_a_token(url: str, bo: Person) -> Attacker:
    bearer = {
        "Authorization": f"Bearer {bo.token()}",
        "Accept": "application/json",
        "X-Hubyard-User": "ana",
    }
    proofs = (*_KNOWN, ("/hub/api/user", '"name": "bo"'))
    return Attacker(
        Somebody("bo with a token", "guest"), url, lambda *_: bearer, proofs
    )


_KNOWN = (
    ("/services/hubyard/api/me", '"name":"bo"'),
    ("/services/mlflow/api/2.0/mlflow/users/current", '"bo"'),
)


def _in_a_browser(url: str, bo: Person) -> Attacker:
    for page in ("/services/hubyard/api/me", "/services/mlflow/", "/hub/home"):
        bo.http.get(page)
    jar = Jar.of(bo)

    def headers(method: str, path: str) -> dict[str, str]:
        kept = jar.headers(path)
        if method == "GET":
            return {**NAVIGATION, **kept}
        if method == WEBSOCKET:
            return {"Origin": url, **kept}
        proof = {"X-XSRFToken": jar.proof(path)}
        return {**_CORS, "Sec-Fetch-Site": "same-origin", **proof, **kept}

    who = Somebody("bo in a browser", "guest", by_browser=True)
    return Attacker(who, url, headers, (*_KNOWN, ("/hub/home", "bo")))


def first_pages(victim: Victim) -> list[str]:
    """One page of each place. Whoever has opened them has a session everywhere."""
    return [
        *("/services/hubyard/api/me", "/services/mlflow/", "/hub/home"),
        *(victim.home(kind) + _FIRST_PAGE[kind] for kind in victim.kinds),
    ]


def _led_astray(url: str, victim: Victim) -> Iterator[Attacker]:
    """ana's browser, in which a page that is not hers asks for changes."""
    pages = first_pages(victim)
    jar = Jar.of(victim.person)
    proofs = tuple((page, "") for page in pages)

    def elsewhere(method: str, path: str) -> dict[str, str]:
        kept, site = jar.headers(path), {"Sec-Fetch-Site": "cross-site"}
        if method == "GET":
            return {**NAVIGATION, **site, **kept}
        if method == WEBSOCKET:
            return {"Origin": EVIL, **kept}
        as_a_form = {"Content-Type": "text/plain", "Sec-Fetch-Mode": "no-cors"}
        return {"Origin": EVIL, **site, **as_a_form, **kept}

    def beside(method: str, path: str) -> dict[str, str]:
        kept, site = jar.headers(path), {"Sec-Fetch-Site": "same-origin"}
        if method == "GET":  # by which it is looked whether she is still known
            return {**NAVIGATION, **kept}
        return {"Origin": url, **_CORS, **site, **kept}

    yield Attacker(
        Somebody("another site's page in ana's browser", "lured", by_browser=True),
        url,
        elsewhere,
        proofs,
    )
    yield Attacker(
        Somebody("bo's page in ana's browser", "lured", by_browser=True),
        url,
        beside,
        proofs,
        methods=CHANGING,
        # Voila and Streamlit send no proof: there our own origin is enough.
        places=tuple(place for place in EVERY if place != "app"),
    )


@dataclass(frozen=True)
class Jar:
    """A browser's cookies as they were at one moment."""

    cookies: tuple[tuple[str, str, str], ...]
    """Path, name, value."""

    @classmethod
    def of(cls, person: Person) -> Jar:
        """Of somebody who has looked round."""
        kept = [(c.path, c.name, c.value or "") for c in person.http.cookies.jar]
        return cls(tuple(kept))

    def headers(self, path: str) -> dict[str, str]:
        """The cookies that a browser sends there."""
        sent = [f"{n}={v}" for p, n, v in self._sent(path)]
        return {"Cookie": "; ".join(sent)} if sent else {}

    def proof(self, path: str) -> str:
        """What our pages there would send beside the cookie."""
        found = [v for _, name, v in self._sent(path) if name.endswith(_PROOFS)]
        return found[0] if found else ""

    def _sent(self, path: str) -> list[tuple[str, str, str]]:
        """The most specific first, as browsers do it."""
        fits = [each for each in self.cookies if f"{path}/".startswith(each[0])]
        return sorted(fits, key=lambda each: -len(each[0]))


_PROOFS = ("_xsrf", "X-XSRFToken")
