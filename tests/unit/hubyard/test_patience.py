"""How long the client waits: for a workload's end, and for a platform that is slow."""

import socket
import threading
import time

import pytest

from hubyard.client import Client
from hubyard.client.wire import PATIENCE_S, Wire
from hubyard.contract.errors import Unavailable
from hubyard.contract.workload import Status
from hubyard.magics.complete import Offers
from support.answering import RUN, Raw, answering, served

__all__ = ["answering", "served"]  # fixtures

AWAY = Raw(503, b"<html>no upstream</html>")


@pytest.fixture
def client(answering):
    with Client.from_environment() as client:
        yield client


def test_waiting_outlives_a_platform_that_is_away_for_a_while(client, answering):
    answering.answers["GET runs/r1"] = AWAY
    back = threading.Timer(1, answering.answers.update, [{"GET runs/r1": RUN}])
    back.start()
    told = []
    assert client.runs.wait("r1", told.append).status == Status.SUCCEEDED
    assert answering.calls().count("GET runs/r1") > len(told) == 1
    back.join()


def test_one_that_stays_away_is_told_in_the_end(client, answering):
    answering.answers["GET runs/r1"] = AWAY
    with pytest.raises(Unavailable, match="503"):
        client.runs.wait("r1", timeout_s=0.6)
    assert len(answering.asked) > 1


@pytest.fixture
def silent(monkeypatch):
    """A platform that takes a call and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taking:
        address = f"http://127.0.0.1:{taking.getsockname()[1]}"
        monkeypatch.setenv("HUBYARD_PLATFORM_URL", address)
        monkeypatch.setenv("HUBYARD_TOKEN", "a token")
        yield address


def test_tab_does_not_hold_the_kernel_for_a_platform_that_is_silent(silent):
    began = time.monotonic()
    assert Offers().at("%deploy c") == []
    assert time.monotonic() - began < PATIENCE_S


def test_who_asks_says_how_patient_they_are(silent):
    with (
        Client(Wire(silent, "a token", patience_s=0.2)) as client,
        pytest.raises(Unavailable, match="Timeout"),
    ):
        client.me()
