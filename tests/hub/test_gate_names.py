"""Names that a URL must escape, behind the gate, the real proxy and the real hub."""

from __future__ import annotations

import signal
import subprocess
import sys
from urllib.parse import quote, unquote_to_bytes

import httpx
import pytest
from websockets.sync.client import connect

from hubyard_spawner.local.ports import free_port
from support.hub import REPOSITORY, end_process, running_hub, wait_until_answers
from support.many_gates import SPAWNER
from support.patience import PATIENCE_S, until

SERVER = "endpoint-x"
NAMES = [
    "o'malley@example.org",
    *(f"a{letter}b" for letter in " !\"#$%&'()*+,-.:;<=>?@[]^_`{|}~\\"),
    *("100%", "%41lice", "a%2fb", "%25", "..a", "a..b"),
    *("müller", "mu\u0308ller", "田中", "ελένη", "анна", "😀", "א", "a\u200bb"),
    *("corp\\ana", "ana@corp.example+test", "user:1;2", "x=y&z", "'", '"', "~", "&"),
    *("n" * 60, "анна" * 20),
]
"""Each of them is a name that JupyterHub takes."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("told"), free_port()
    program = [sys.executable, "-P", "-m", "support.many_gates", str(port), str(folder)]
    path = f"{REPOSITORY / 'tests'}:{REPOSITORY / 'kernels'}"
    process = subprocess.Popen(program, env={"PYTHONPATH": path})
    try:
        wait_until_answers(f"http://127.0.0.1:{port}", process)
        lines = [
            f"w.update(folder={str(folder)!r}, many_port={port})",
            SPAWNER,
            "c.JupyterHub.spawner_class = OfOneProcess",
            "c.JupyterHub.concurrent_spawn_limit = 0",
        ]
        with running_hub(tmp_path_factory.mktemp("hub"), lines=lines) as hub:
            yield hub
    finally:
        end_process(process, signal.SIGTERM)


def started(hub, name):
    """Start a server of this owner; returns its address as the hub writes it."""
    hub.add_user(name)
    user = f"/users/{quote(name, safe='')}"
    hub.api("POST", f"{user}/servers/{SERVER}").raise_for_status()
    return hub.api("GET", user).json()["servers"][SERVER]["url"]


def spellings(url):
    """The same address as the hub, browsers, people and programs write it."""
    owner = url.split("/")[2]
    plain = unquote_to_bytes(owner)
    # Browsers leave these as a person types them.
    typed = quote(plain, safe="!$&'()*+,;=:@~|[]^")
    escaped = "".join(f"%{byte:02x}" for byte in plain)
    return [url.replace(f"/{owner}/", f"/{each}/") for each in (owner, typed, escaped)]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_an_owner_opens_their_own_server(hub, name):
    url = started(hub, name)
    browser = hub.browser(name)
    for spelled in spellings(url):
        page = browser.get(f"{spelled}thing/a?q=1", follow_redirects=True)
        assert page.raise_for_status().json()["identity"]["name"] == name
        # Where the browser sends the cookie that it was given.
        assert page.url.raw_path.decode() == f"{url}thing/a?q=1"
        whole = browser.get(spelled.rstrip("/"), follow_redirects=True)
        assert whole.raise_for_status().json()["identity"]["name"] == name
        assert talk(hub, browser, f"{url}socket") == name
        left = browser.get(f"{url}logout")
        assert (left.status_code, left.headers["location"]) == (302, "/hub/logout")


def talk(hub, browser, path):
    cookies = "; ".join(f"{each.name}={each.value}" for each in browser.cookies.jar)
    address = hub.url.replace("http", "ws") + path
    headers = {"Cookie": cookies}
    with connect(address, additional_headers=headers, origin=hub.url) as socket:
        return socket.recv(timeout=PATIENCE_S)


def test_nobody_else_comes_in_under_any_spelling(hub):
    owner = "o'hara@example.org"
    url = started(hub, owner)
    started(hub, "ohara")
    other = {"Authorization": f"Bearer {hub.token('ohara')}"}
    own = {"Authorization": f"Bearer {hub.token(owner)}"}
    for spelled in spellings(url):
        for path in ("", "thing/a", "stream", "own-token", "oauth_callback"):
            assert httpx.get(hub.url + spelled + path).status_code in {401, 403}
            refused = httpx.get(hub.url + spelled + path, headers=other)
            assert refused.status_code == 403
        answer = httpx.get(f"{hub.url}{spelled}thing/a", headers=own)
        assert answer.raise_for_status().json()["identity"]["name"] == owner


def test_a_workspace_opens_under_every_spelling(tmp_path):
    name = NAMES[0]
    command = [sys.executable, "-P", "-s", "-m", "hubyard_runtime.workspace"]
    environment = {"PYTHONPATH": str(REPOSITORY / "kernels"), "HOME": str(tmp_path)}
    lines = [
        f"c.Spawner.cmd = {command!r}",
        f"c.Spawner.environment.update({environment!r})",
        f"c.Spawner.start_timeout = c.Spawner.http_timeout = {PATIENCE_S:g}",
    ]
    with running_hub(tmp_path / "hub", lines=lines) as hub:
        url = started(hub, name)
        user = f"/users/{quote(name)}"
        until(lambda: hub.api("GET", user).json()["servers"][SERVER]["ready"])
        try:
            for spelled in spellings(url):
                browser = hub.browser(name)
                page = browser.get(f"{spelled}lab?a=%7Bb%7D", follow_redirects=True)
                assert "jupyter-config-data" in page.raise_for_status().text
                assert page.url.raw_path.decode().startswith(f"{url}lab")
            strange = f"{spelled}api/%7Bstatus%7D?x=1&y=%7B"
            assert (
                httpx.get(hub.url + strange, follow_redirects=False).headers["location"]
                == f"{url}api/%7Bstatus%7D?x=1&y=%7B"
            )
        finally:
            hub.api("DELETE", f"{user}/servers/{SERVER}")
