"""What is asked of a workload that does not run, while its owner's workspace does."""

import httpx
import pytest

from support.cheap import cheap, profile
from support.patience import PATIENCE_S

pytestmark = pytest.mark.hub

KEY = {"Authorization": "Bearer hyk-what-the-hub-knows-nothing-of"}


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory):
    with cheap(tmp_path_factory.mktemp("hubyard"), [profile("small")]) as hubyard:
        yield hubyard


@pytest.fixture(scope="module")
def ana(hubyard):
    ana = hubyard.administrator("ana")
    ana.start_workspace()
    return ana


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["", "/invocations", "/health?x=1"])
def test_a_program_reads_json_that_says_so(hubyard, ana, method, path):
    url = f"{hubyard.url}/user/{ana.name}/endpoint-flights-abc{path}"
    answer = httpx.request(method, url, headers=KEY, timeout=PATIENCE_S)
    assert answer.status_code == 424
    said = "This endpoint is not running: its owner can start it."
    assert answer.json() == {"message": said}


def test_a_name_that_nobody_has_answers_alike(hubyard):
    url = f"{hubyard.url}/user/nobody/endpoint-flights-abc/invocations"
    answer = httpx.post(url, headers=KEY, timeout=PATIENCE_S)
    assert answer.status_code == 424


def test_a_browser_is_shown_the_hubs_page(ana):
    page = ana.http.get(f"/user/{ana.name}/app-what-if-abc/")
    assert page.status_code == 424
    assert "This app is not running" in page.text


def test_a_stranger_signs_in_first(hubyard, ana):
    url = f"{hubyard.url}/user/{ana.name}/app-what-if-abc/"
    page = httpx.get(url, follow_redirects=True, timeout=PATIENCE_S)
    assert page.url.path == "/hub/login"


def test_the_workspace_itself_answers_as_before(ana):
    assert ana.http.get(f"/user/{ana.name}/api/status").status_code == 200
