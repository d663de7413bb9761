from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hubyard.contract.identity import Identity
from hubyard.contract.workload import Kind
from hubyard_hub.reconcile.acts import bring_further
from support.platform import (
    Caller,
    ada,
    app,
    bob,
    hub,
    parts,
    upload,
    workload_of,
)

if TYPE_CHECKING:
    from hubyard_hub.parts import Parts
    from support.memory_hub import MemoryHub

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures

FILES = {"Flight delays.py": b"import streamlit", "n.ipynb": b"{}", "data.csv": b""}


@pytest.fixture
def digest(ada: Caller) -> str:
    return upload(ada, FILES)


@pytest.fixture
def published(ada: Caller, digest: str) -> dict[str, Any]:
    answer = ada.post("/apps", json={"source": digest, "path": "Flight delays.py"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_an_app_is_named_after_its_file(
    ada: Caller, published: dict[str, Any], parts: Parts
):
    assert (published["name"], published["framework"]) == ("Flight delays", "streamlit")
    assert published["id"].startswith("flight-delays")
    assert len(f"app-{published['id']}") <= 30
    assert published["url"].endswith(f"/user/ada/app-{published['id']}/")
    assert (published["status"], published["shares"]) == ("pending", [])
    assert ada.get("/apps").json() == [published]
    itself = workload_of(ada, f"app-{published['id']}")
    assert itself.get("/job").json() == {
        "app_id": published["id"],
        "name": "Flight delays",
        "framework": "streamlit",
        "source": published["source"],
        "path": "Flight delays.py",
    }
    source = parts.blobs.path(published["source"]).read_bytes()
    assert itself.get("/job/source").content == source


def test_a_framework_can_be_chosen(ada: Caller, digest: str):
    wish = {"source": digest, "path": "n.ipynb", "framework": "voila", "name": "日本"}
    made = ada.post("/apps", json=wish).json()
    assert (made["framework"], made["name"]) == ("voila", "日本")


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"path": "data.csv"}, 422, "path"),
        ({"path": "missing.py"}, 404, "path"),
        ({"path": "../n.ipynb"}, 404, "path"),
        ({"source": "0" * 64}, 404, "source"),
        ({"framework": "flask"}, 422, "framework"),
        ({"compute": "vip"}, 422, "compute"),
        ({"lifetime_s": 10**6}, 422, "lifetime_s"),
    ],
)
def test_what_cannot_be_published(
    ada: Caller, digest: str, changes: dict[str, Any], status: int, field: str
):
    wish = {"source": digest, "path": "n.ipynb", **changes}
    answer = ada.post("/apps", json=wish)
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert ada.get("/apps").json() == []


def test_sharing_goes_through_the_hub(
    ada: Caller, hub: MemoryHub, parts: Parts, published: dict[str, Any]
):
    path = f"/apps/{published['id']}/shares"
    early = ada.post(path, json={"user": "bob"})
    assert early.status_code == 409
    bring_further(parts, Kind.APP, published["id"])
    server = f"app-{published['id']}"
    assert ada.post(path, json={"user": "bob"}).json()["shares"] == [
        {"user": "bob", "group": None}
    ]
    shared = ada.post(path, json={"group": "ml"}).json()["shares"]
    assert ada.post(path, json={"group": "ml"}).json()["shares"] == shared
    assert hub.shares == {(server, "bob"), (server, "group:ml")}
    assert len(shared) == 2
    left = ada("DELETE", f"{path}?user=bob").json()["shares"]
    assert left == [{"user": None, "group": "ml"}]
    assert hub.shares == {(server, "group:ml")}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "exactly one"),
        ({"user": "bob", "group": "ml"}, 422, "exactly one"),
        ({"user": ""}, 422, "user"),
        ({"user": "nobody"}, 400, "No such user: nobody"),
    ],
)
def test_a_share_that_cannot_be(
    ada: Caller,
    parts: Parts,
    published: dict[str, Any],
    body: dict[str, Any],
    status: int,
    words: str,
):
    bring_further(parts, Kind.APP, published["id"])
    path = f"/apps/{published['id']}/shares"
    answer = ada.post(path, json=body)
    assert answer.status_code == status
    assert words in answer.json()["message"]
    for query in ("", "?user=a&group=b"):
        assert ada("DELETE", f"{path}{query}").status_code == 422
    assert ada.get(f"/apps/{published['id']}").json()["shares"] == []


def test_a_login_that_may_not_share_is_told_where_to_do_it(
    ada: Caller, parts: Parts, published: dict[str, Any]
):
    bring_further(parts, Kind.APP, published["id"])
    weak = Caller(ada.app, Identity(name="ada"), token="weak")
    answer = weak.post(f"/apps/{published['id']}/shares", json={"user": "bob"})
    assert answer.status_code == 403
    assert "from your workspace" in answer.json()["message"]


def test_sharing_while_the_hub_is_down_changes_nothing(
    ada: Caller, hub: MemoryHub, parts: Parts, published: dict[str, Any]
):
    bring_further(parts, Kind.APP, published["id"])
    hub.down = True
    path = f"/apps/{published['id']}/shares"
    assert ada.post(path, json={"user": "bob"}).status_code == 503
    assert ada("DELETE", f"{path}?user=bob").status_code == 503
    assert ada.get(f"/apps/{published['id']}").json()["shares"] == []


def test_an_app_that_has_ended_is_removed_with_its_shares(
    ada: Caller, hub: MemoryHub, parts: Parts, published: dict[str, Any]
):
    id_ = published["id"]
    bring_further(parts, Kind.APP, id_)
    ada.post(f"/apps/{id_}/shares", json={"user": "bob"})
    assert ada("DELETE", f"/apps/{id_}").status_code == 409
    ada.post(f"/apps/{id_}/stop")
    for _ in range(3):
        bring_further(parts, Kind.APP, id_)
    assert ada("DELETE", f"/apps/{id_}").status_code == 204
    assert ada.get(f"/apps/{id_}").status_code == 404
    assert ("ada", f"app-{id_}") not in hub.servers
