from __future__ import annotations

from hubyard.contract.identity import Identity
from support.platform import Caller, ada, app, hub, parts

__all__ = ["ada", "app", "hub", "parts"]  # fixtures


def test_the_caller_learns_who_it_is(ada: Caller):
    assert ada.get("/me").json() == Identity(name="ada").model_dump(mode="json")


def test_compute_is_what_the_callers_groups_may_use(ada: Caller):
    shown = ada.get("/compute").json()
    assert [each["name"] for each in shown["compute"]] == ["small", "giant", "two"]
    assert [each["available"] for each in shown["compute"]] == [True, False, True]
    vip = Caller(ada.app, Identity(name="ada", groups=("vips",)))
    names = [each["name"] for each in vip.get("/compute").json()["compute"]]
    assert names == ["small", "vip", "giant", "two"]


def test_the_estimate_is_price_times_time(ada: Caller):
    asked = {"compute": "small", "lifetime_s": 1800}
    assert ada.post("/estimate", json=asked).json()["total"]["text"] == "$0.18"
    default = ada.post("/estimate", json={"compute": "small"}).json()
    assert (default["lifetime_s"], default["total"]["text"]) == (3600, "$0.36")


def test_spend_begins_at_nothing(ada: Caller):
    spent = ada.get("/spend").json()
    assert (spent["owner"], spent["total"]["text"]) == ("ada", "$0.00")
    assert ada.get("/workloads").json() == []
