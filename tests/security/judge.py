"""The judge: what counts as an open door.

A status alone proves nothing: a 404 of a router behind the gate means that the gate let
the request through. So whoever may not come in must be turned away by the keeper of
the place itself, in the keeper's own words:

keeper  the gate (platform, mlflow, run, endpoint, app), Jupyter Server (workspace) or
        the hub (its own pages and API)
open    a door that is open on purpose, listed in `doors` with its reason
guest   somebody who may use a place with what is theirs: the platform, MLflow and the
        hub for anybody who is signed in. What is ana's must not exist for them
twins   two questions that differ in an id, of which one is ana's and one is nobody's:
        a guest gets the same answer to both
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubyard.contract.errors import Forbidden
from hubyard_runtime.gate import answers, middleware
from security.routes import WEBSOCKET

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from security.routes import Route

GATED = ("platform", "mlflow", "run", "endpoint", "app")
EVERY = (*GATED, "workspace", "hub")
SHARED = ("platform", "mlflow", "hub")
"""Where everybody who is signed in is a guest."""
LOGIN = "/hub/api/oauth2/authorize"
"""Where a browser is sent that a place does not know."""
_ORIGIN = r"http://127\.0\.0\.1:\d+"
_COMPARED = 300
"""Characters of an answer that are held against its twin's."""
SWITCHED = 101
"""Status of a WebSocket that has opened."""


@dataclass(frozen=True, eq=False)
class Open:
    """A door that is open on purpose."""

    places: tuple[str, ...]
    methods: str
    path: str
    """Of a whole path, as a regular expression."""
    statuses: Collection[int]
    reason: str
    kinds: tuple[str, ...] = ("stranger", "guest", "lured")
    """For whom."""

    def admits(self, asked: Question) -> bool:
        """Whether this is a request for this door."""
        named = asked.place in self.places and asked.method in self.methods.split()
        path = asked.path.partition("?")[0]
        welcome = named and asked.who.kind in self.kinds
        return welcome and re.fullmatch(self.path, path) is not None


@dataclass(frozen=True)
class Somebody:
    """Who asks: what they send is the attack's business, what they may is ours."""

    name: str
    kind: str
    """stranger, guest, or lured: the victim's own browser, led by another page."""
    by_browser: bool = False


@dataclass(frozen=True)
class Question:
    """One request."""

    who: Somebody
    place: str
    route: Route
    method: str
    path: str
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """Beside those that every request has."""
    is_guess: bool = False
    """Whether it names what is ana's."""
    expected: frozenset[int] = frozenset()
    """Statuses that alone are right, where they are known."""
    twin: str = ""
    """What it has in common with its twin."""

    def __str__(self) -> str:
        return f"{self.who.name}: {self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    """What came back. Of a WebSocket that opened, the status is 101."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    by_hub: bool = False
    """Whether the hub said it, to which the place had sent a browser to log in."""

    @property
    def target(self) -> str:
        """Where a redirect leads, without its query."""
        where = self.headers.get("location", "") if 300 <= self.status < 400 else ""
        return re.sub(f"^{_ORIGIN}", "", where.partition("?")[0])


@dataclass
class Judge:
    """Says what is wrong with an answer, and which of the open doors were seen."""

    doors: tuple[Open, ...]
    names: frozenset[str]
    secrets: frozenset[str]
    used: set[Open] = field(default_factory=set)
    twins: dict[str, set[tuple[int, str]]] = field(default_factory=dict)

    def leaks(self, asked: Question, answer: Answer) -> Iterator[str]:
        """What the answer tells of ana's that the question did not."""
        told = f"{answer.headers.get('location', '')}\n{answer.text}"
        for path in (asked.path, asked.path.partition("?")[0]):
            told = told.replace(path, "")
        sent = asked.path + asked.body
        for word in sorted(self.names | self.secrets):
            if word in told and (word in self.secrets or word not in sent):
                yield f"names {word}"

    def opens(self, asked: Question, answer: Answer) -> str | None:
        """Why this answer lets somebody in who may not; None: it does not."""
        door = next((each for each in self.doors if each.admits(asked)), None)
        if door is not None and answer.status in door.statuses:
            self.used.add(door)
            return None
        if asked.twin:
            self.twins.setdefault(asked.twin, set()).add(_without_ids(asked, answer))
        if asked.who.kind == "guest" and asked.place in SHARED:
            return _of_a_guest(asked, answer)
        if asked.who.kind == "lured" and only_reads(asked):
            # The browser keeps the answer from the page; `Victim.state` sees a change.
            return "opens" if answer.status == SWITCHED else None
        keeper = _KEEPERS.get(asked.place, _gate_refuses)
        if answer.by_hub:
            keeper = _hub_refuses
        return None if keeper(asked, answer) else "let through"

    def told_apart(self) -> list[str]:
        """Questions whose answers tell what is ana's from what does not exist."""
        return [
            f"{asked} -> tells what is ana's from what is missing: {sorted(answers)}"
            for asked, answers in self.twins.items()
            if len(answers) > 1
        ]


def _without_ids(asked: Question, answer: Answer) -> tuple[int, str]:
    """An answer without what only repeats the question."""
    named = set(asked.path.split("/")) - set(asked.route.path.split("/"))
    text = answer.text
    for part in sorted(named, key=len, reverse=True):
        text = text.replace(part, "...")
    return answer.status, text[:_COMPARED]


# -- Keepers

_OTHER_SITE = "This request comes from another site."
_NOT_LET_IN = "The hub did not let you in."
_NO_PROOF = "The header X-XSRFToken is missing or wrong: reload the page."
_UNPROVEN = (_OTHER_SITE, _NO_PROOF)
_HUB_HOME = "/hub/home"


def _gate_refuses(asked: Question, answer: Answer) -> bool:
    """Whether these are the gate's own words, and the right ones for who asks."""
    if asked.method == WEBSOCKET:
        return answer.status == Forbidden.status and not answer.text
    if asked.route.path == "/oauth_callback":
        return _is_gates(answer, Forbidden.status, _NOT_LET_IN)
    if asked.who.kind == "lured":
        return any(_is_gates(answer, Forbidden.status, each) for each in _UNPROVEN)
    if asked.who.kind == "guest" and not asked.who.by_browser:
        return _is_gates(answer, Forbidden.status, Forbidden().message)
    if asked.who.by_browser and asked.method == "GET":
        return answer.target == LOGIN
    return _is_gates(answer, 401, middleware._LOG_IN)


def _is_gates(answer: Answer, status: int, message: str) -> bool:
    said = {
        bytes(answers.problem(status, message).body).decode(),
        bytes(answers.page(status, message, _HUB_HOME).body).decode(),
    }
    heard = re.sub(_ORIGIN, "", answer.text)
    return answer.status == status and heard in said


def _jupyter_refuses(asked: Question, answer: Answer) -> bool:
    """Whether Jupyter Server, or the hub's login, has turned this away.

    tornado looks for a method before Jupyter Server looks for a login: what no handler
    has is refused without either.
    """
    if answer.status == 405:
        return asked.method not in asked.route.methods
    reads = asked.method in {"GET", WEBSOCKET}
    return answer.status == Forbidden.status or (reads and answer.target == LOGIN)


def _hub_refuses(asked: Question, answer: Answer) -> bool:
    """Whether the hub has turned this away; its own 404 is such an answer."""
    if answer.status == 405:
        return asked.method not in asked.route.methods
    if answer.target:
        return answer.target in _ASKED_FOR_THEMSELVES
    return answer.status in {401, 403, 404}


_ASKED_FOR_THEMSELVES = {"/hub/login", "/hub/", "/hub/home"}
"""Pages to which the hub leads whoever asks for another one."""
_KEEPERS = {"workspace": _jupyter_refuses, "hub": _hub_refuses}


def only_reads(asked: Question) -> bool:
    """Whether this is a GET, or a handshake before which none of ours looks."""
    is_handshake = asked.method == WEBSOCKET and asked.place not in GATED
    return asked.method == "GET" or is_handshake


# -- Guests

_MISSING = {404}


def _of_a_guest(asked: Question, answer: Answer) -> str | None:
    """What is wrong with an answer to somebody who may use this place."""
    if any(_is_gates(answer, Forbidden.status, each) for each in _UNPROVEN):
        return "was asked without the proof that our pages send"
    if asked.expected and answer.status not in asked.expected:
        return f"{sorted(asked.expected)} was right"
    if answer.status >= 500:
        return "fails instead of deciding"
    if asked.method == WEBSOCKET and answer.status == SWITCHED:
        return "opens"
    rule = {"platform": _at_the_platform, "hub": _at_the_hub}.get(asked.place)
    return rule(asked, answer) if rule else None


def _at_the_platform(asked: Question, answer: Answer) -> str | None:
    if asked.method not in asked.route.methods:
        return None
    if asked.method in asked.route.admin:
        refused = answer.status == Forbidden.status
        return None if refused else "is for administrators alone"
    if asked.route.rule == "workload" and answer.status != Forbidden.status:
        return "is for workloads alone"
    if asked.is_guess and answer.status not in _MISSING:
        return "is not answered as missing"
    return None


def _at_the_hub(asked: Question, answer: Answer) -> str | None:
    if asked.is_guess and not _hub_refuses(asked, answer):
        return "is ana's"
    return None
