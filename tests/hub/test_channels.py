"""Channels, with what really stands at their other end: mail, webhooks, canaries."""

from __future__ import annotations

import json
import logging
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from hubyard.contract.base import now
from hubyard.contract.identity import Identity
from hubyard.contract.run import RunRecord
from hubyard_hub.notices import channels as module
from hubyard_hub.notices.delivery import Deliverer
from hubyard_hub.notices.guard import Guard
from hubyard_hub.notices.sender import Unusable, look, send
from hubyard_hub.runs.record import keep_record
from hubyard_hub.service import assemble
from hubyard_hub.store.tables import deliveries
from support.platform import Caller, Stamped, hub, parts, upload
from support.receivers import Mailbox, Webhook, canary, mail_server, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hubyard_hub.parts import Parts
    from support.receivers import Canary

__all__ = ["hub", "parts"]  # fixtures

SECRET = "quincunx"
MESSAGE = {"id": "n1", "why": "failed", "title": "t", "message": "m", "link": "l"}
ATTACKS = [
    "http://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://127.8.8.8:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://example.org@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.org/",
    "http://rebound.example:{port}/",
    "json://127.0.0.1:{port}/",
    "jsons://localhost:{port}/",
    "ntfy://127.0.0.1:{port}/topic",
    "mmost://localhost:{port}/aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "rocket://user:password@localhost:{port}/#general",
    "ntfys://user:password@localhost:{port}/topic",
    "mailto://127.0.0.1:{port}?smtp=127.0.0.1&from=a@example.org&to=b@example.org",
    "mailtos://u:p@example.org:{port}?smtp=localhost&to=b@example.org",
]
REBINDING = """
import json, socket, sys
from hubyard_hub.notices.guard import Guard
from hubyard_hub.notices.sender import Unusable, look, send

resolve = socket.getaddrinfo
asked = 0

def rebind(host, *more, **named):
    global asked
    if host not in ("rebound.example", b"rebound.example"):
        return resolve(host, *more, **named)
    asked += 1
    return resolve("127.0.0.1" if asked > 1 else "93.184.216.34", *more, **named)

socket.getaddrinfo = rebind
urls, reach, message = json.load(sys.stdin)
guard = Guard(reach)
guard.install()

def said(act, *given):
    guard.stopped, guard.has_sent = None, False
    try:
        return act(*given, guard)
    except Unusable as error:
        return {"status": "unusable", "said": str(error)}

print(json.dumps([[said(look, url), said(send, url, message)] for url in urls]))
"""
"""Looks at each URL and sends to it; a name of another address each time is in it."""


def told(*urls: str, reach: tuple[str, ...] = ()) -> list[list[dict[str, Any]]]:
    """What is said of each URL, and what becomes of a message to it."""
    done = subprocess.run(
        [sys.executable, "-c", REBINDING],
        input=json.dumps([urls, reach, MESSAGE]),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture
def listener() -> Iterator[Canary]:
    with canary() as found:
        yield found


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as found:
        yield found


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


# -- what is inside --------------------------------------------------------------------


def test_no_url_leads_inside(listener: Canary):
    urls = [url.format(port=listener.port) for url in ATTACKS]
    assert len(urls) >= 30
    found = told(*urls)
    assert listener.came == 0
    became = dict(zip(urls, (sent["status"] for _, sent in found), strict=True))
    assert "sent" not in became.values()
    inside = [url for url, status in became.items() if status == "inside"]
    assert len(inside) >= 24, became
    rebound = f"http://rebound.example:{listener.port}/"
    looked, sent = found[urls.index(rebound)]
    assert looked["kind"] == "webhook"
    assert sent["status"] == "inside"


def test_the_canary_would_have_been_heard(listener: Canary):
    place = f"127.0.0.1:{listener.port}"
    ((_, sent),) = told(f"http://{place}/", reach=(place,))
    assert (listener.came, sent["status"]) == (1, "unsure")


@pytest.mark.parametrize("scheme", ["http", "json", "ntfy"])
def test_no_redirect_is_followed(listener: Canary, hook: Webhook, scheme: str):
    elsewhere = {"Location": f"http://127.0.0.1:{listener.port}/"}
    hook.answers = [(307, elsewhere)]
    reach = (hook.place, f"127.0.0.1:{listener.port}")
    ((_, sent),) = told(f"{scheme}://{hook.place}/topic", reach=reach)
    assert sent["status"] == "refused"
    assert (len(hook.posted), listener.came) == (1, 0)


# -- what a channel answers ------------------------------------------------------------


def test_a_webhook_is_told_all_of_it(hook: Webhook):
    guard = Guard([hook.place])
    assert send(hook.url, MESSAGE, guard) == {"status": "sent"}
    assert hook.posted == [MESSAGE]


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
def test_a_webhooks_no_is_a_refusal(hook: Webhook, status: int):
    hook.answers = [(status, {})]
    answer = send(hook.url, MESSAGE, Guard([hook.place]))
    assert answer == {"status": "refused", "said": f"It answered {status}."}


def test_a_webhook_that_works_on_it_later_is_handed_over(hook: Webhook):
    hook.answers = [(202, {})]
    assert send(hook.url, MESSAGE, Guard([hook.place])) == {"status": "handed-over"}


SERVICES = {
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#a",
    "workflows": "workflows://prod.example.org:443/" + "a" * 32 + "/" + "b" * 43 + "/",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "gchat": "gchat://space/key/token",
    "tgram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "ntfy": "ntfy://ntfy.example.org/topic",
    "mmost": "mmost://chat.example.org/" + "a" * 26,
    "rocket": "rocket://" + "a" * 24 + "%2F" + "b" * 24 + "@chat.example.org/",
    "zulip": "zulip://botname@example.zulipchat.com/" + "a" * 32 + "/general",
    "pagerduty": "pagerduty://" + "a" * 32 + "@" + "b" * 20,
    "opsgenie": "opsgenie://a1b2c3d4-a1b2-a1b2-a1b2-a1b2c3d4e5f6",
}
"""A channel of each kind that apprise speaks to."""
YES = {"ok": True, "success": True, "result": "success", "status": "success"}
YES |= {"data": {"authToken": "t", "userId": "u"}, "requestId": "r", "id": "i"}
NOS = ({"ok": False}, {"success": False}, {"result": "error"})

DOCUMENTED = {
    "slack": "ok",
    "discord": "",
    "gchat": {"name": "spaces/s/messages/m", "text": "t", "createTime": "c"},
    "tgram": {"ok": True, "result": {"message_id": 7, "chat": {"id": 1}, "text": "t"}},
    "ntfy": {"id": "h", "time": 1, "event": "message", "topic": "topic"},
    "mmost": "ok",
    "zulip": {"result": "success", "msg": "", "id": 42},
}
"""What services answer with 200, as their own documentation has it."""
DOCUMENTED_LATER = {
    "workflows": "",
    "pagerduty": {"status": "success", "message": "Event processed", "dedup_key": "d"},
    "opsgenie": {"result": "Request will be processed", "took": 0.3, "requestId": "r"},
}
"""The same, with 202."""


@pytest.fixture
def elsewhere(hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> Webhook:
    """The services, all of them at our own receiver: what leaves goes over the wire."""
    from requests import adapters

    stock = adapters.HTTPAdapter.send

    def send_here(self: Any, request: Any, **named: Any) -> Any:
        path = request.path_url
        request.url = f"http://{hook.place}{path}"
        return stock(self, request, **named)

    monkeypatch.setattr(adapters.HTTPAdapter, "send", send_here)
    return hook


@pytest.mark.parametrize("why", ["failed", "recovered", "late", "trial"])
@pytest.mark.parametrize("kind", SERVICES)
def test_what_is_sent_has_left_and_was_taken(elsewhere: Webhook, kind: str, why: str):
    elsewhere.reply = "ok" if kind == "slack" else YES
    message = {**MESSAGE, "why": why, "message": "quincunx"}
    assert send(SERVICES[kind], message, Guard()) == {"status": "sent"}
    assert any("quincunx" in text for text in elsewhere.heard)


@pytest.mark.parametrize("kind", ["workflows", "pagerduty", "opsgenie"])
def test_what_a_service_works_on_later_is_handed_over(elsewhere: Webhook, kind: str):
    elsewhere.reply, elsewhere.answers = YES, [(202, {})]
    assert send(SERVICES[kind], MESSAGE, Guard()) == {"status": "handed-over"}


@pytest.mark.parametrize("kind", DOCUMENTED)
def test_a_services_own_words_for_yes_are_a_yes(elsewhere: Webhook, kind: str):
    elsewhere.reply = DOCUMENTED[kind]
    assert send(SERVICES[kind], MESSAGE, Guard()) == {"status": "sent"}


@pytest.mark.parametrize("kind", DOCUMENTED_LATER)
def test_a_services_own_words_for_later_are_handed_over(elsewhere: Webhook, kind: str):
    elsewhere.reply, elsewhere.answers = DOCUMENTED_LATER[kind], [(202, {})]
    assert send(SERVICES[kind], MESSAGE, Guard()) == {"status": "handed-over"}


@pytest.mark.parametrize("no", NOS, ids=str)
@pytest.mark.parametrize("kind", SERVICES)
def test_a_no_within_an_answer_of_200_is_a_refusal(
    elsewhere: Webhook, kind: str, no: dict[str, Any]
):
    elsewhere.reply = {**YES, **no}
    assert send(SERVICES[kind], MESSAGE, Guard())["status"] != "sent"


def test_what_sends_nothing_is_not_sent(elsewhere: Webhook, monkeypatch: Any):
    from apprise.plugins.opsgenie import NotifyOpsgenie

    monkeypatch.setattr(NotifyOpsgenie, "send", lambda *_, **__: True)
    answer = send(SERVICES["opsgenie"], MESSAGE, Guard())
    assert answer == {"status": "refused", "said": "It was not taken."}
    assert elsewhere.heard == []


def test_a_webhook_that_is_not_there_is_a_refusal(hook: Webhook):
    gone = "http://127.0.0.1:1/"
    answer = send(gone, MESSAGE, Guard(["127.0.0.1:1"]))
    assert answer["status"] == "refused"
    assert "cannot be reached" in str(answer["said"])


def test_a_webhook_that_does_not_answer_may_have_taken_it(hook, monkeypatch):
    monkeypatch.setattr("hubyard_hub.notices.sender.READ_S", 0.2)
    hook.hold = threading.Event()
    answer = send(hook.url, MESSAGE, Guard([hook.place]))
    assert answer == {"status": "unsure", "said": "It did not answer (ReadTimeout)."}


def test_mail_comes_with_its_link(mailbox: Mailbox):
    message = {**MESSAGE, "title": "nightly failed", "message": "Cell 3 failed: é <b>"}
    guard = Guard([mailbox.place])
    assert send(mailbox.url, message, guard) == {"status": "handed-over"}
    (mail,) = mailbox.messages
    assert (mail["Subject"], mail["To"]) == ("nightly failed", "ops@example.org")
    text = "".join(
        part.get_payload(decode=True).decode()
        for part in mail.walk()
        if part.get_content_type() == "text/plain"
    )
    assert text.split() == ["Cell", "3", "failed:", "é", "<b>", "l"]


def test_a_mail_servers_no_is_a_refusal(mailbox: Mailbox):
    mailbox.answers = ["451 come back later"]
    ((_, sent),) = told(mailbox.url, reach=(mailbox.place,))
    assert sent == {"status": "refused", "said": "It was not taken (451)."}
    again = send(mailbox.url, MESSAGE, Guard([mailbox.place]))
    assert again["status"] == "handed-over"


def test_a_mail_server_that_is_not_there_is_a_refusal(mailbox: Mailbox):
    url = mailbox.url.replace(mailbox.place, "127.0.0.1:1")
    answer = send(url, MESSAGE, Guard(["127.0.0.1:1"]))
    assert answer["status"] == "refused"
    assert answer["said"] == "It was not taken (ConnectionRefusedError)."


# -- what a URL is ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind", "place"),
    [
        (
            f"https://u:{SECRET}@example.org/{SECRET}?{SECRET}#x",
            "webhook",
            "https://example.org/…",
        ),
        (f"jsons://example.org:444/{SECRET}", "webhook", "https://example.org:444/…"),
        (
            f"mailtos://u:{SECRET}@example.org?to=a@example.org",
            "mail",
            "mailtos://example.org/…",
        ),
        (
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#a",
            "slack",
            "slack://…",
        ),
        (
            "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
            "slack",
            "slack://…",
        ),
        (f"ntfys://ntfy.example.org/{SECRET}", "ntfys", "ntfys://…"),
        (
            "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
            "discord",
            "discord://…",
        ),
    ],
)
def test_of_a_url_only_kind_and_host_are_told(url: str, kind: str, place: str):
    assert look(url, Guard()) == {"kind": kind, "place": place}


@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "", "file:///etc/passwd", "syslog://", "dbus://", "exec://ls"),
        *(
            "http://",
            "http:///x",
            "http://a:b:c/",
            "gopher://example.org/",
            "slack://x",
        ),
        *(
            "mailto://",
            "macosx://",
            "windows://",
            "growl://127.0.0.1",
            "http://127.0.0.1/",
        ),
        *("mailto://localhost?from=a@example.org&to=b@example.org", "https://[::1]/"),
    ],
)
def test_what_is_no_channel_is_refused_in_words(url: str):
    with pytest.raises(Unusable, match=r"\w+ .*\."):
        look(url, Guard())


# -- a deployment's --------------------------------------------------------------------


@pytest.fixture
def deployment(parts: Parts, hook: Webhook, mailbox: Mailbox) -> Parts:
    reach = (hook.place, mailbox.place)
    return replace(parts, settings=replace(parts.settings, reach=reach))


@pytest.fixture
def root(deployment: Parts) -> Caller:
    return Caller(Stamped(assemble(deployment)), Identity(name="root", admin=True))


@pytest.fixture
def ada(root: Caller) -> Caller:
    return Caller(root.app, Identity(name="ada"))


def add(root: Caller, name: str, url: str, **more: Any) -> dict[str, Any]:
    answer = root("PUT", f"/channels/{name}", json={"url": url, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def broken_run(deployment: Parts, ada: Caller, **more: Any) -> str:
    """The id of a run of a schedule, once it has failed."""
    source = upload(ada)
    wish = {"source": source, "notebook": "train.ipynb", "cron": "0 0 1 1 *", **more}
    made = ada.post("/schedules", json=wish)
    assert made.status_code == 201, made.text
    run = ada.post(f"/schedules/{made.json()['id']}/run").json()["id"]
    record = RunRecord.model_validate(
        {
            "revision": 1,
            "status": "failed",
            "started_at": now(),
            "failure": {"reason": "cell-error", "message": "Cell 1 failed.", "cell": 0},
        }
    )
    deployment.store.atomically(lambda c: keep_record(c, run, record))
    return run


def test_a_failure_is_sent_once_by_mail_and_webhook(
    deployment: Parts, root: Caller, ada: Caller, hook: Webhook, mailbox: Mailbox
):
    add(root, "ops", mailbox.url, is_default=True)
    add(root, "pager", hook.url, is_default=True)
    run = broken_run(deployment, ada, name="nightly")
    deliverer = Deliverer(deployment)
    assert [deliverer.deliver_one() for _ in range(3)] == [True, True, False]
    (mail,) = mailbox.messages
    assert mail["Subject"] == "nightly failed"
    (posted,) = hook.posted
    assert (posted["run_id"], posted["why"], posted["owner"]) == (run, "failed", "ada")
    assert posted["message"] == "Cell 1 failed."
    assert posted["link"].endswith(f"/api/runs/{run}/failure")
    sent = root.get("/channels/deliveries").json()
    assert {(d["channel"], d["status"], d["attempts"]) for d in sent} == {
        ("ops", "handed-over", 1),
        ("pager", "sent", 1),
    }


def test_what_a_channel_refuses_is_shown_and_sent_again(
    deployment: Parts, root: Caller, ada: Caller, hook: Webhook
):
    add(root, "pager", hook.url)
    broken_run(deployment, ada, notify=["pager"])
    hook.answers = [(503, {})]
    deliverer = Deliverer(deployment)
    assert deliverer.deliver_one()
    assert not deliverer.deliver_one()
    (refused,) = root.get("/channels/deliveries").json()
    assert (refused["status"], refused["said"]) == ("waiting", "It answered 503.")
    with deployment.store.write() as connection:
        connection.execute(update(deliveries).values(due_at=now()))
    assert deliverer.deliver_one()
    assert [d["status"] for d in root.get("/channels/deliveries").json()] == ["sent"]
    assert len(hook.posted) == 2


def test_what_waits_for_a_channel_that_is_gone_is_not_sent(
    deployment: Parts, root: Caller, ada: Caller, hook: Webhook
):
    add(root, "pager", hook.url)
    broken_run(deployment, ada, notify=["pager"])
    assert root("DELETE", "/channels/pager").status_code == 204
    assert Deliverer(deployment).deliver_one()
    (refused,) = root.get("/channels/deliveries").json()
    assert refused["status"] == "refused"
    assert refused["said"] == "There is no such channel any more."
    assert hook.posted == []


def test_a_sender_that_ends_without_a_word_may_have_sent(
    deployment: Parts, root: Caller, ada: Caller, hook: Webhook, monkeypatch
):
    add(root, "pager", hook.url)
    broken_run(deployment, ada, notify=["pager"])
    monkeypatch.setattr(module, "LONGEST_S", 0.01)
    assert Deliverer(deployment).deliver_one()
    with deployment.store.read() as connection:
        said = connection.execute(select(deliveries)).mappings().one()
    assert (said["status"], said["said"]) == ("unsure", "It took too long.")


def test_a_channel_can_be_tried(
    deployment: Parts, root: Caller, hook: Webhook, listener: Canary
):
    add(root, "pager", hook.url)
    tried = root.post("/channels/pager/trial", json={})
    assert tried.json() == {"status": "sent", "said": None}
    assert hook.posted[0]["message"] == "root has tried the channel pager."
    hook.answers = [(500, {})]
    tried = root.post("/channels/pager/trial", json={}).json()
    assert tried == {"status": "refused", "said": "It answered 500."}
    assert root.post("/channels/nobody/trial", json={}).status_code == 404


def test_where_a_channel_leads_is_for_administrators(
    deployment: Parts, root: Caller, ada: Caller, hook: Webhook, caplog
):
    caplog.set_level(logging.DEBUG)
    made = add(root, "pager", hook.url, purpose="who is on duty", is_default=True)
    shown = {
        "name": "pager",
        "kind": "webhook",
        "purpose": "who is on duty",
        "is_default": True,
    }
    assert made == {**shown, "place": f"http://{hook.place}/…"}
    assert root.get("/channels").json() == [made]
    assert ada.get("/channels").json() == [{**shown, "place": None}]
    body = {"url": hook.url}
    for method, path in (
        ("PUT", "/channels/mine"),
        ("POST", "/channels/pager/trial"),
        ("DELETE", "/channels/pager"),
        ("GET", "/channels/deliveries"),
    ):
        asked = {} if method in {"GET", "DELETE"} else {"json": body}
        assert ada(method, path, **asked).status_code == 403, path
    assert hook.posted == []
    assert SECRET not in caplog.text


def test_a_channels_secret_lies_in_one_file_for_this_user_alone(
    deployment: Parts, root: Caller, hook: Webhook
):
    for _ in range(2):
        add(root, "pager", hook.url)
    state = deployment.settings.state
    holding = [
        path
        for path in state.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    assert len(holding) == 1
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(holding[0].parent.stat().st_mode) == 0o700
    assert root("DELETE", "/channels/pager").status_code == 204
    assert root("DELETE", "/channels/pager").status_code == 404
    assert not holding[0].exists()


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("Pager One", {"url": "https://example.org/"}, "name"),
        ("usual", {"url": "https://example.org/"}, "name"),
        ("nobody", {"url": "https://example.org/"}, "name"),
        ("pager", {"url": ""}, "url"),
        ("pager", {"url": "https://127.0.0.1/"}, "url"),
        ("pager", {"url": "file:///etc/passwd"}, "url"),
        ("pager", {"url": f"gopher://{SECRET}"}, "url"),
        ("pager", {"url": "https://example.org/", "secret": 1}, "secret"),
    ],
)
def test_what_is_no_channel_is_not_kept(
    root: Caller, name: str, body: dict[str, Any], field: str
):
    answer = root("PUT", f"/channels/{name}", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert SECRET not in answer.text
    assert root.get("/channels").json() == []


def test_a_schedule_names_channels_that_there_are(
    deployment: Parts, root: Caller, ada: Caller, hook: Webhook
):
    wish = {"source": upload(ada), "notebook": "train.ipynb", "cron": "0 0 1 1 *"}
    refused = ada.post("/schedules", json={**wish, "notify": ["pager"]})
    assert refused.status_code == 422
    assert refused.json()["message"] == (
        "notify names no channel: pager; there are: none yet: ask an administrator."
    )
    add(root, "pager", hook.url)
    made = ada.post("/schedules", json={**wish, "notify": ["pager"]}).json()
    assert (made["notify"], made["notify_on"]) == (["pager"], ["failed"])
    path = f"/schedules/{made['id']}"
    refused = ada("PATCH", path, json={"notify": ["pager", "nobody"]})
    assert (refused.status_code, refused.json()["field"]) == (422, "notify")
    changed = ada("PATCH", path, json={"notify": [], "notify_on": ["late", "failed"]})
    assert changed.json()["notify"] == []
    assert changed.json()["notify_on"] == ["late", "failed"]
    assert ada("PATCH", path, json={"notify_on": None}).json()["notify"] == []
    assert ada("PATCH", path, json={"notify": None}).json()["notify"] is None
