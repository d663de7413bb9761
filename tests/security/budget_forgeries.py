"""Forged wishes: prices, profiles, kinds, lifetimes, owners, budgets.

Each is judged by what stands in the ledger afterwards: nothing of it may have begun.
A clean no is asked for as well: a breakdown is no refusal.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from hubyard.contract.base import LONGEST_S as YEAR_S
from hubyard.contract.money import parse_micros
from security.budget_place import CLOSED, COMPUTE, LIFETIME_S, LONGEST_S, PRICE
from security.budget_starts import OPTIONS, settled
from support.hub import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from hubyard.client import Client
    from security.budget_place import Place

_NAN, _INFINITY = float("nan"), float("inf")
MORE: tuple[dict[str, Any], ...] = (
    {"price": 0},
    {"price": "-1"},
    {"price_micros": 0},
    {"price_micros": -1},
    {"cost": 0},
    {"currency": "XXX"},
    {"owner": "ana"},
    {"groups": ["vips"]},
    {"limits": "soft"},
    {"cpu": 64},
    {"memory_bytes": 2**40},
    {"cmd": ["true"]},
    {"entry_id": "01m8a57fbp903f3zemm5kr8c3n"},
    {"started_at": "1990-01-01T00:00:00Z"},
    {"deadline": "2090-01-01T00:00:00Z"},
)
"""What an option may not hold, whatever it says."""
COMPUTES: tuple[Any, ...] = (
    CLOSED,
    "nothing",
    "",
    COMPUTE.upper(),
    f"{COMPUTE} ",
    f"../{COMPUTE}",
    f"{COMPUTE}\0",
    "x" * 41,
    [COMPUTE],
    {"name": COMPUTE, "price": 0},
    0,
    True,
)
KINDS: tuple[Any, ...] = (
    *("run", "endpoint", "app", "", "WORKSPACE", "none"),
    *(None, ["workspace"], 1),
)
LIFETIMES: tuple[Any, ...] = (
    *(0, -1, -LIFETIME_S, _NAN, _INFINITY, -_INFINITY, 1e308, 10**30, -(10**30)),
    *(LONGEST_S + 1, YEAR_S, YEAR_S + 1, str(LIFETIME_S), "NaN", "", 720.5, True),
    *([LIFETIME_S], {"s": LIFETIME_S}),
)
NAMES = (
    "run-x",
    "endpoint-x",
    "app-x",
    "workspace",
    "nonsense",
    "Workspace-a",
    "x-run",
)
FORMS: tuple[dict[str, str], ...] = (
    {"price": "0"},
    {"price_micros": "0"},
    {"lifetime_s": "1"},
    {"owner": "ana"},
    {"project": "x"},
    *({"kind": kind} for kind in ("run", "endpoint", "app", "WORKSPACE", "none")),
    *({"compute": each} for each in (CLOSED, "nothing", f"{COMPUTE} ", "x" * 41)),
    *({"hours": each} for each in ("NaN", "nan", "inf", "-inf", "-1", "0", "-0.0")),
    *(
        {"hours": each}
        for each in ("1e308", "1e400", "2.1", "8785", "0x1", "1h", "1,5")
    ),
)
BUDGETS: tuple[Any, ...] = (
    *(-1, "-0.01", _NAN, "NaN", _INFINITY, "Infinity", "1e400", 10**12, True),
    *("0.0000001", None, [1], {"amount": 1}, "ten", ""),
)


@dataclass
class Forgeries:
    """What was tried, and what of it was believed."""

    place: Place
    tried: int = 0
    accepted: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    _tokens: dict[str, str] = field(default_factory=dict)

    def all(self) -> None:
        """Try each, and then whether an honest start still succeeds."""
        numbers = count()
        before = self._standing()
        for what, answer in self._starts(numbers):
            self._judge(what, answer)
        self._nothing_began()
        for what, answer in (*self._of_others(), *self._budgets(), *self._runs()):
            self._judge(what, answer)
        self._nothing_began()
        after = self._standing()
        if after != before:
            self.accepted.append(f"others' things changed: {before} -> {after}")
        self._control()

    def _judge(self, what: str, answer: httpx.Response) -> None:
        self.tried += 1
        self.statuses[answer.status_code] += 1
        if answer.is_server_error:
            self.broken.append(f"{what} -> {answer.status_code} {answer.text[:200]}")

    def _nothing_began(self) -> None:
        settled(self.place.eve)
        begun = [*self.place.entries("eve"), *self.place.entries("ana")]
        words = [f"this was started: {entry}" for entry in begun]
        self.accepted += [each for each in words if each not in self.accepted]

    def _standing(self) -> object:
        """What none of this may change."""
        place = self.place
        budgets = [(b.name, b.amount, b.set_by) for b in place.admin.budgets.list()]
        servers = {n: s["user_options"] for n, s in place.bo.servers().items()}
        lines = [line.entry for line in place.running("bo")]
        return budgets, servers, lines

    # -- starts -----------------------------------------------------------------------

    def _starts(self, numbers: count[int]) -> Iterator[tuple[str, httpx.Response]]:
        for options in _forged_options():
            name = f"workspace-f{next(numbers)}"
            path = f"/users/eve/servers/{name}"
            yield f"POST {options}", self._hub("POST", path, user_options=options)
            if not isinstance(options, dict):
                continue
            name = f"workspace-f{next(numbers)}"
            path = f"/users/eve/servers/{name}"
            self._hub("PUT", path)
            yield f"PATCH {options}", self._hub("PATCH", path, user_options=options)
            yield f"POST after PATCH {options}", self._hub("POST", path)
        for name in NAMES:
            kind = name.partition("-")[0]
            path, options = f"/users/eve/servers/{name}", {**OPTIONS, "kind": kind}
            yield f"POST {name}", self._hub("POST", path, user_options=options)
            yield f"POST {name} bare", self._hub("POST", path)
        yield from self._renamed()
        for fields in FORMS:
            yield f"form {fields}", self._form(f"workspace-f{next(numbers)}", fields)
        for query in (f"compute={COMPUTE}", f"opt-compute={COMPUTE}&opt-hours=1"):
            path = f"/hub/spawn/eve/workspace-f{next(numbers)}?{query}"
            yield f"GET {path}", self.place.eve.http.get(path, follow_redirects=False)

    def _renamed(self) -> Iterator[tuple[str, httpx.Response]]:
        """A workspace that becomes another kind by its name."""
        for kind in ("run", "endpoint", "app"):
            old, new = f"workspace-to-{kind}", f"{kind}-renamed"
            self._hub("PUT", f"/users/eve/servers/{old}", user_options=OPTIONS)
            path = f"/users/eve/servers/{old}"
            yield f"rename to {new}", self._hub("PATCH", path, name=new)
            path = f"/users/eve/servers/{new}"
            yield f"POST renamed {new}", self._hub("POST", path)
            options = {**OPTIONS, "kind": kind}
            yield f"POST as {kind}", self._hub("POST", path, user_options=options)

    def _hub(self, method: str, path: str, **body: Any) -> httpx.Response:
        return self.place.eve.hub(method, path, **body)

    def _form(self, name: str, fields: dict[str, str]) -> httpx.Response:
        eve = self.place.eve
        good = {"_xsrf": eve.xsrf, "compute": COMPUTE, "hours": "0.2"}
        return eve.http.post(
            f"/hub/spawn/eve/{name}", data={**good, **fields}, follow_redirects=False
        )

    # -- what is not hers -------------------------------------------------------------

    def _of_others(self) -> Iterator[tuple[str, httpx.Response]]:
        """Starts on somebody else's bill, and options for somebody else's servers."""
        for owner in ("ana", "bo"):
            path = f"/users/{owner}/servers/workspace-evil"
            yield f"POST {path}", self._hub("POST", path, user_options=OPTIONS)
            yield f"PUT {path}", self._hub("PUT", path, user_options=OPTIONS)
            path = f"/hub/spawn/{owner}/workspace-evil"
            data = {"_xsrf": self.place.eve.xsrf, "compute": COMPUTE, "hours": "1"}
            answer = self.place.eve.http.post(path, data=data, follow_redirects=False)
            yield f"form {path}", answer
        path = "/users/bo/servers/workspace-00"
        yield f"PATCH {path}", self._hub("PATCH", path, user_options=OPTIONS)
        yield f"DELETE {path}", self._hub("DELETE", path, remove=True)

    def _budgets(self) -> Iterator[tuple[str, httpx.Response]]:
        """Budgets set by whoever may not, and amounts that are none."""
        for scope, name in (("user", "bo"), ("user", "eve"), ("group", "vips")):
            path = f"budgets/{scope}/{name}"
            yield f"eve PUT {path}", self._api("eve", "PUT", path, {"amount": 10**6})
            yield f"eve DELETE {path}", self._api("eve", "DELETE", path)
            fields = {"scope": scope, "name": name, "amount": "1000000"}
            yield f"eve form {path}", self.place.eve.form("/hub/spend/budget", **fields)
        for amount in BUDGETS:
            path, body = "budgets/user/bo", {"amount": amount}
            yield f"ana PUT {body}", self._api("ana", "PUT", path, body)
        for amount in ("-1", "NaN", "inf", "1e400"):
            fields = {"scope": "user", "name": "bo", "amount": amount}
            answer = self.place.ana.form("/hub/spend/budget", **fields)
            yield f"ana form {amount}", answer

    def _runs(self) -> Iterator[tuple[str, httpx.Response]]:
        """The platform's own door."""
        eve = self.place.hubyard.client(self.place.eve)
        known = {run.id for run in eve.runs.list()}
        source = a_source(eve)
        good = {**source, "compute": COMPUTE, "lifetime_s": LIFETIME_S}
        forged = [
            *({**good, **more} for more in MORE),
            *({**good, "compute": compute} for compute in COMPUTES),
            *({**good, "lifetime_s": seconds} for seconds in LIFETIMES),
        ]
        for body in forged:
            shown = {k: v for k, v in body.items() if k not in source}
            yield f"run {shown}", self._api("eve", "POST", "runs", body)
        made = [run for run in eve.runs.list() if run.id not in known]
        self.accepted += [f"this was wished for: {run}" for run in made]

    def _api(
        self, name: str, method: str, path: str, body: Any = None
    ) -> httpx.Response:
        person = getattr(self.place, name)
        return person.http.request(
            method,
            f"/services/hubyard/api/{path}",
            content=None if body is None else json.dumps(body),
            headers={
                "Authorization": f"Bearer {self._token(name)}",
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Sec-Fetch-Mode": "cors",
            },
        )

    def _token(self, name: str) -> str:
        if name not in self._tokens:
            self._tokens[name] = getattr(self.place, name).token()
        return self._tokens[name]

    # -- whether all this could have seen anything ------------------------------------

    def _control(self) -> None:
        """An honest start of eve's, on a server whose options were forged before."""
        path = "/users/eve/servers/workspace-f0"
        answer = self._hub("POST", path, user_options=OPTIONS)
        found = self.place.entries("eve")
        prices = [(entry.price_micros, entry.lifetime_s) for entry in found]
        if prices != [(parse_micros(PRICE), LIFETIME_S)]:
            self.broken.append(
                f"the attack is blind: an honest start came to {prices}, "
                f"{answer.status_code} {answer.text[:200]}"
            )


def _forged_options() -> list[Any]:
    return [
        *({**OPTIONS, **more} for more in MORE),
        *({**OPTIONS, "compute": compute} for compute in COMPUTES),
        *({**OPTIONS, "kind": kind} for kind in KINDS),
        *({**OPTIONS, "lifetime_s": seconds} for seconds in LIFETIMES),
        *([OPTIONS], "workspace", 1, True),
    ]


def a_source(client: Client) -> dict[str, str]:
    """A source that a run could be of."""
    notebook = next((REPOSITORY / "examples").rglob("*.ipynb"))
    source = client.sources.upload_notebook(notebook)
    return {"source": source.digest, "notebook": source.notebook}
