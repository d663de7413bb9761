from __future__ import annotations

import httpx
import pytest

from hubyard.contract.app import Share
from hubyard.contract.errors import Forbidden, Rejected, Unavailable
from hubyard.contract.workload import UserOptions
from hubyard_hub.workloads.hub_client import HubClient, Refusal, Server

OPTIONS = UserOptions()


def client(status: int, **more: object) -> HubClient:
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, **more)  # pyright: ignore[reportArgumentType]
    )
    return HubClient("http://hub/hub/api", "own", transport)


@pytest.mark.parametrize(
    ("model", "server"),
    [
        ({"pending": None, "ready": True}, Server.READY),
        ({"pending": None, "ready": False}, Server.ABSENT),
        ({"pending": "spawn", "ready": False}, Server.STARTING),
        ({"pending": "stop", "ready": True}, Server.BUSY),
        ({"pending": "check", "ready": False}, Server.BUSY),
    ],
)
def test_where_a_server_is(model: dict[str, object], server: Server):
    assert client(200, json=model).server("ada", "run-1") is server


def test_a_server_that_is_none_is_absent():
    assert client(404, json={}).server("ada", "run-1") is Server.ABSENT


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_hub_that_does_not_say_is_unavailable(status: int):
    with pytest.raises(Unavailable):
        client(status, json={}).server("ada", "run-1")


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (201, None),
        (202, None),
        (400, Refusal("no", final=True)),
        (403, Refusal("no", final=True)),
        (404, Refusal("The hub knows no user ada.", final=True)),
        (500, Refusal("no", final=False)),
    ],
)
def test_what_a_start_is_answered(status: int, refusal: Refusal | None):
    asked = client(status, json={"message": "no"})
    assert asked.start("ada", "run-1", OPTIONS) == refusal


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_hub_is_asked_again(status: int):
    with pytest.raises(Unavailable):
        client(status, text="").start("ada", "run-1", OPTIONS)


def test_an_answer_without_words_gives_its_status():
    refusal = client(400, text="<html>").start("ada", "run-1", OPTIONS)
    assert refusal == Refusal("The hub answered 400.", final=True)


def test_a_stop_of_nothing_is_a_stop():
    client(404, json={}).stop("ada", "run-1", forget=True)
    with pytest.raises(Unavailable):
        client(400, json={}).stop("ada", "run-1", forget=True)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Forbidden),
        (403, Forbidden),
        (404, Rejected),
        (400, Rejected),
        (500, Unavailable),
    ],
)
def test_a_callers_no_is_translated(status: int, kind: type[Exception]):
    asked = client(status, json={"message": "no"})
    with pytest.raises(kind):
        asked.make_key("t", "ada", "endpoint-x", expires_in_s=60)
    with pytest.raises(kind):
        asked.share("t", "ada", "app-x", Share(user="bob"))
    with pytest.raises(kind):
        asked.unshare("t", "ada", "app-x", Share(group="ml"))


def test_odd_names_stay_in_their_place():
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path.decode())
        return httpx.Response(404)

    hub = HubClient("http://hub/hub/api", "own", httpx.MockTransport(answer))
    hub.server("../admin", "run-1")
    hub.server("a/b?c#d é", "run-1")
    assert seen == [
        "/hub/api/users/..%2Fadmin/servers/run-1",
        "/hub/api/users/a%2Fb%3Fc%23d%20%C3%A9/servers/run-1",
    ]
