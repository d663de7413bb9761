"""A small real HTTP server in the platform's place: it answers what it is told to."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Raw:
    """An answer that is not the platform's."""

    status: int = 200
    content: bytes = b""
    after: threading.Event | None = None
    """Until it is set, nothing is answered."""


NOTHING = Raw(204)

MONEY = {"micros": 50_000, "text": "$0.05"}
MOST = {"micros": 200_000, "text": "$0.20"}
NOW = datetime(2030, 5, 6, 7, 8, tzinfo=UTC).isoformat()
DIGEST = "a" * 64
TRACKED = "b" * 32

SMALL = {
    "name": "small",
    "description": "<b>for a look</b>",
    "cpu": 1.5,
    "memory_bytes": 2**30,
    "gpu": 0,
    "price": MONEY,
    "longest_lifetime_s": 86_400,
    "default_lifetime_s": 14_400,
    "default_cost": MOST,
    "most": MOST,
    "available": True,
}
BUDGET = {
    "scope": "user",
    "name": "ana",
    "amount": {"micros": 5_000_000, "text": "$5.00"},
    "stop": "hard",
    "endpoints": "keep",
    "set_by": "root",
    "spent": MOST,
    "reserved": MONEY,
    "left": {"micros": 4_750_000, "text": "$4.75"},
    "percent": 4,
    "level": 0,
}
VERSION = {
    "model": "churn",
    "version": "3",
    "aliases": ["champion"],
    "run_id": TRACKED,
    "created_at": NOW,
    "metrics": {},
}
WORKLOAD = {
    "owner": "ana",
    "compute": "small",
    "price": MONEY,
    "cost": None,
    "lifetime_s": 14_400,
    "deadline": None,
    "status": "ready",
    "target": "running",
    "reason": None,
    "log_tail": None,
    "created_at": NOW,
}
DEPLOYMENT = {
    **WORKLOAD,
    "id": "churn-1",
    "name": "churn",
    "revision": {
        "number": 1,
        "model": "churn",
        "version": "3",
        "created_at": NOW,
        "created_by": "ana",
    },
    "url": "https://hub.example/user/ana/endpoint-churn-1/",
    "signature": None,
    "example": None,
}
APP = {
    **WORKLOAD,
    "id": "report-1",
    "name": "report",
    "framework": "voila",
    "path": "report.ipynb",
    "source": DIGEST,
    "url": "javascript:alert(1)",
    "shares": [],
}
TRACKED_RUN = {
    "id": TRACKED,
    "name": "calm-fox-1",
    "experiment_id": "1",
    "experiment": "ana/train",
    "status": "FINISHED",
    "started_at": NOW,
    "ended_at": NOW,
    "metrics": {},
    "params": {},
    "notebook": None,
    "compute": None,
    "git_commit": None,
    "lock": None,
    "has_model": True,
    "url": "",
}
SCHEDULE = {
    "id": "s1",
    "name": "train",
    "owner": "ana",
    "notebook": "train.ipynb",
    "source": DIGEST,
    "cron": "30 2 * * 1-5",
    "text": "At 02:30, Monday through Friday",
    "time_zone": "UTC",
    "parameters": {},
    "compute": "small",
    "lifetime_s": 3600,
    "missed": "once",
    "overlap": "skip",
    "grace_s": 3600,
    "paused": False,
    "next_fire": NOW,
    "last_run_id": None,
    "last_status": None,
    "created_at": NOW,
    "per_run": MONEY,
    "per_month": MOST,
}
CHANGED = {"name": "train.ipynb", "change": "changed", "diff": "@@ -1 +1 @@\n-a\n+b"}
RUN = {
    "id": "r1",
    "name": "train",
    "owner": "ana",
    "schedule_id": None,
    "fire_at": None,
    "notebook": "train.ipynb",
    "source": DIGEST,
    "parameters": {},
    "compute": "small",
    "price": MONEY,
    "cost": MOST,
    "status": "succeeded",
    "target": "stopped",
    "created_at": NOW,
    "started_at": NOW,
    "ended_at": NOW,
    "cells_total": 2,
    "cells_done": 2,
    "steps_total": 1,
    "steps_done": 1,
    "failure": None,
    "url": None,
    "has_notebook": True,
    "has_report": True,
    "steps": [],
}
ENTRY = {"name": "train", "at": NOW, "last_at": NOW}
DAY = {"day": "2030-05-06", "since": NOW, "until": NOW, "today": True, "cut": False}
PAST = {
    **ENTRY,
    "run_id": "r1",
    "schedule_id": None,
    "status": "succeeded",
    "started_at": NOW,
    "ended_at": NOW,
    "cost": MOST,
}
COMING = {**ENTRY, "schedule_id": "s1", "text": "Every minute"}
ACTIVE = {
    "entry_id": "e1",
    "kind": "workspace",
    "owner": "ana",
    "server_name": "",
    "name": "workspace",
    "url": "https://hub.example/user/ana/",
    "compute": "small",
    "price": MONEY,
    "cost": MOST,
    "limits": "soft",
    "started_at": NOW,
    "deadline": NOW,
    "seconds_left": 5400,
    "extension": {"seconds": 3600, "cost": MONEY, "refusal": None},
}
SPEND = {
    "owner": "ana",
    "since": NOW,
    "until": NOW,
    "total": MOST,
    "forecast": MOST,
    "per_hour": MONEY,
    "unused": MONEY,
    "by_kind": {},
    "by_project": [],
    "by_owner": [],
    "by_compute": [],
    "days": [],
    "budgets": [BUDGET],
    "dearest": [],
    "lines": [],
}
SPENT = {
    "entry_id": "e1",
    "owner": "ana",
    "kind": "run",
    "server_name": "run-r1",
    "name": "train",
    "compute": "small",
    "price": MONEY,
    "cost": MOST,
    "cost_this_month": MOST,
    "unused": MONEY,
    "started_at": NOW,
    "ended_at": None,
    "reason": None,
}
NOTICE = {
    "id": "n1",
    "why": "failed",
    "run_id": "r1",
    "schedule_id": "s1",
    "name": "train",
    "message": "Cell 3 failed: ValueError: 7",
    "cell": 2,
    "link": "https://hub/services/hubyard/api/runs/r1/failure",
    "created_at": NOW,
    "seen_at": None,
}
CHANNEL = {
    "name": "ops",
    "kind": "mail",
    "purpose": "who is on duty",
    "is_default": True,
    "place": "mailtos://mail.example.org/…",
}
DELIVERY = {
    "channel": "ops",
    "why": "failed",
    "owner": "ana",
    "run_id": "r1",
    "name": "train",
    "status": "waiting",
    "attempts": 1,
    "changed_at": NOW,
    "said": "It was not taken (451).",
}
ANSWERS = {
    "GET me": {"name": "ana"},
    "GET workloads": [ACTIVE],
    "GET workloads/self": ACTIVE,
    "GET experiments": [{"id": "1", "name": "ana/train"}],
    "GET runs": [RUN],
    "POST runs": RUN,
    "GET runs/r1": RUN,
    "POST runs/r1/stop": RUN,
    "GET schedules": [SCHEDULE],
    "GET calendar": {
        "time_zone": "Europe/Berlin",
        "days": [{**DAY, "past": [PAST], "coming": [COMING]}],
    },
    "GET schedules/s1": SCHEDULE,
    "PATCH schedules/s1": {**SCHEDULE, "paused": True, "last_status": "failed"},
    "POST schedules/s1/run": RUN,
    "GET notices": {"owner": "ana", "unseen": 1, "notices": [NOTICE]},
    "POST notices/seen": {"owner": "ana", "unseen": 0, "notices": []},
    "GET channels": [CHANNEL],
    "PUT channels/ops": CHANNEL,
    "POST channels/ops/trial": {"status": "sent", "said": None},
    "DELETE channels/ops": NOTHING,
    "GET channels/deliveries": [DELIVERY],
    f"GET sources/{DIGEST}/diff/{DIGEST}": {"files": [CHANGED]},
    "GET deployments": [DEPLOYMENT, {**DEPLOYMENT, "cost": MOST}],
    "POST deployments/churn-1/start": DEPLOYMENT,
    "POST deployments/churn-1/stop": {**DEPLOYMENT, "status": "stopped"},
    "POST deployments/churn-1/keys": {
        "token": "a key",
        "url": DEPLOYMENT["url"],
        "expires_at": NOW,
        "curl": "curl of the key",
        "python": "python of the key",
    },
    "GET apps": [APP],
    "POST apps/report-1/start": APP,
    "POST apps/report-1/stop": {**APP, "status": "stopped"},
    "DELETE apps/report-1/shares": APP,
    **{
        f"DELETE {path}": NOTHING
        for path in ("runs/r1", "schedules/s1", "deployments/churn-1", "apps/report-1")
    },
    **{
        f"GET {path}": Raw(content=b"what it printed\n")
        for path in ("runs/r1/log", "deployments/churn-1/log", "apps/report-1/log")
    },
    **{
        f"GET {path}/notebook": Raw(content=b'{"cells": []}')
        for path in ("runs/r1", f"tracked-runs/{TRACKED}")
    },
    "GET compute": {"currency": "USD", "limits": "soft", "compute": [SMALL]},
    "GET spend": SPEND,
    "GET spend/everybody": {**SPEND, "owner": ""},
    "GET budgets": [BUDGET],
    "GET budgets/changes": [
        {**BUDGET, "set_at": NOW, "amount": None},
    ],
    "PUT budgets/user/ana": BUDGET,
    "PUT budgets/project/churn": BUDGET,
    "DELETE budgets/user/ana": NOTHING,
    "POST workloads/e1/extend": ACTIVE,
    "PUT job/activity": NOTHING,
    "GET ledger": Raw(content=b"number,id\r\n"),
    "GET tracked-runs": {"runs": [TRACKED_RUN], "next_page": None},
    "GET models": [{"name": "churn", "versions": [VERSION], "url": ""}],
    "POST models": VERSION,
    "POST estimate": {
        "compute": "small",
        "price": MONEY,
        "lifetime_s": 14_400,
        "total": MOST,
        "most": MOST,
    },
    "POST runs/preview": {
        "compute": "small",
        "price": MONEY,
        "lifetime_s": 14_400,
        "total": MOST,
        "most": MOST,
    },
    "POST deployments": DEPLOYMENT,
    "GET deployments/churn-1": DEPLOYMENT,
    "POST schedules/preview": {
        "text": "At 02:30, Monday through Friday",
        "next_fires": [NOW] * 5,
        "fires_per_month": 21,
        "price": MONEY,
        "per_run": MONEY,
        "per_month": MOST,
        "basis": "an hour a run",
    },
    "POST schedules": SCHEDULE,
    "POST schedules/s1/backfill": {"due": 3, "runs": 2, "cost": MOST},
    "POST sources": {
        "digest": DIGEST,
        "files": ["train.ipynb"],
        "size_bytes": 10,
        "notebook": "train.ipynb",
        "parameters": [],
    },
    "POST apps": APP,
    "GET apps/report-1": APP,
    "POST apps/report-1/shares": APP,
}


class Answering(ThreadingHTTPServer):
    """Answers what it was told to, and remembers what it was asked.

    `answers` has for each call its JSON; a text, which is a refusal; or a `Raw`.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Any] = dict(ANSWERS)
        self.asked: list[tuple[str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/hubyard"

    def bodies(self, call: str) -> list[Any]:
        """What came with each call of that name."""
        return [json.loads(body) for name, body in self.asked if name == call]

    def calls(self) -> list[str]:
        """The calls, in their order."""
        return [name for name, _ in self.asked]


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def _answer(self) -> None:
        path = urlsplit(self.path).path.removeprefix("/services/hubyard/api/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = f"{self.command} {path}"
        self.server.asked.append((call, body))
        raw = _raw(call, self.server.answers.get(call))
        if raw.after is not None:
            raw.after.wait()
        with contextlib.suppress(ConnectionError):  # a test may have gone away
            self.send_response(raw.status)
            self.send_header("Content-Length", str(len(raw.content)))
            self.end_headers()
            self.wfile.write(raw.content)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer  # noqa: N815  http.server's names

    def log_message(self, *_: object) -> None:
        pass


def _raw(call: str, answer: object) -> Raw:
    if isinstance(answer, Raw):
        return answer
    if answer is None or isinstance(answer, str):
        refusal = {"message": answer or f"no answer to {call}"}
        return Raw(409, json.dumps(refusal).encode())
    return Raw(200, json.dumps(answer).encode())


@pytest.fixture(scope="module")
def served() -> Iterator[Answering]:
    server = Answering()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def answering(served: Answering, monkeypatch: pytest.MonkeyPatch) -> Answering:
    """The server, told nothing new; the environment names it."""
    served.answers, served.asked = dict(ANSWERS), []
    monkeypatch.setenv("HUBYARD_PLATFORM_URL", served.url)
    monkeypatch.setenv("HUBYARD_TOKEN", "a token")
    return served
