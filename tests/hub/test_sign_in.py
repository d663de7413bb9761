"""Who signs up is let in by an administrator's own hand, never by a link."""

import re
import sqlite3
from contextlib import closing

import httpx
import pytest

from support.patience import PATIENCE_S
from support.running import PASSWORD, Person, running

pytestmark = pytest.mark.hub


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory):
    with running(tmp_path_factory.mktemp("hubyard")) as hubyard:
        yield hubyard


@pytest.fixture(scope="module")
def ana(hubyard):
    return hubyard.administrator("ana")


@pytest.fixture
def knocking(hubyard, request):
    """Somebody who has signed up."""
    name = request.node.name.removeprefix("test_").replace("_", "")[:20]
    person = Person(hubyard.url, name)
    person.form(
        "/hub/signup",
        username=name,
        signup_password=PASSWORD,
        signup_password_confirmation=PASSWORD,
    ).raise_for_status()
    return person


def welcomed(hubyard, **fields):
    """The answer to the first administrator's form, filled in like this."""
    form = {"code": hubyard.code(), "username": "ana", "password": PASSWORD}
    return Person(hubyard.url).form("/hub/welcome", **{**form, **fields})


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"code": "guess"}, 403, "This welcome link has been used or is too old"),
        (
            {"username": "  "},
            422,
            "Choose a name of letters, digits, - and _, 64 at most.",
        ),
        (
            {"username": "ana/root"},
            422,
            "Choose a name of letters, digits, - and _, 64 at most.",
        ),
        ({"password": "too short"}, 422, "Choose a password of at least 10 characters"),
        ({"password": "1234567890"}, 422, "that is not a common one"),
        ({"username": "early"}, 409, "early is taken: choose another name."),
    ],
)
def test_the_welcome_says_what_it_cannot_take_and_can_be_used_again(
    hubyard, fields, status, words
):
    """No administrator is there yet; somebody was quicker to sign up as `early`."""
    early = {f"signup_password{n}": PASSWORD for n in ("", "_confirmation")}
    Person(hubyard.url).form("/hub/signup", username="early", **early)
    answer = welcomed(hubyard, **fields)
    assert answer.status_code == status
    assert words in answer.text
    assert PASSWORD not in answer.text
    assert Person(hubyard.url, "ana").sign_in().status_code == 403


def test_a_welcome_works_once(hubyard, ana):
    assert welcomed(hubyard, username="eve").status_code == 403
    assert "eve" not in people(ana)
    page = Person(hubyard.url).http.get("/hub/welcome")
    assert page.status_code == 200
    assert 'name="password"' not in page.text


def people(ana):
    """Who is on the administrator's page, and whether they are admitted."""
    page = ana.http.get("/hub/authorize").raise_for_status().text
    return dict(re.findall(r">(\w+)</th>\s*<td>(yes|no)<", page))


def test_an_administrator_admits_and_takes_it_back(ana, knocking):
    assert people(ana)[knocking.name] == "no"
    assert knocking.sign_in().status_code == 403
    for admitted, status in (("yes", 200), ("yes", 200), ("no", 403)):
        page = ana.form(f"/hub/authorize/{knocking.name}", admitted=admitted)
        assert str(page.url).endswith("/hub/authorize")
        assert people(ana)[knocking.name] == admitted
        fresh = Person(knocking.url, knocking.name)
        assert fresh.sign_in().status_code == status


def test_a_link_admits_and_discards_nobody(ana, knocking):
    for act in ("authorize", "discard"):
        path = f"/hub/{act}/{knocking.name}"
        assert ana.http.get(path).status_code == 405
        assert ana.http.post(path).status_code == 403
        assert ana.http.post(path, data={"_xsrf": "guess"}).status_code == 403
    assert people(ana)[knocking.name] == "no"


def test_only_an_administrator_admits(hubyard, ana, knocking):
    bo = hubyard.person("bo", admits=ana)
    for act in ("authorize", "discard"):
        assert bo.form(f"/hub/{act}/{knocking.name}").status_code == 403
    assert bo.http.get("/hub/authorize").status_code == 403
    assert people(ana)[knocking.name] == "no"


def test_who_was_not_admitted_can_be_forgotten(ana, knocking):
    ana.form(f"/hub/discard/{knocking.name}").raise_for_status()
    assert knocking.name not in people(ana)
    assert ana.form(f"/hub/discard/{knocking.name}").status_code == 404
    assert ana.form("/hub/discard/ana").status_code == 404
    assert ana.form("/hub/authorize/nobody").status_code == 404


def test_one_does_not_shut_oneself_out(ana):
    page = ana.http.get("/hub/authorize").text
    assert people(ana)["ana"] == "yes"
    assert 'action="/hub/authorize/ana"' not in page


def test_a_form_without_a_name_is_refused_in_a_line(hubyard):
    answer = Person(hubyard.url).form("/hub/login", password=PASSWORD)
    assert answer.status_code == 400
    assert "Send a name and a password" in answer.text
    assert "Traceback" not in hubyard.logs()


def test_who_asks_is_known_although_it_cannot_be_noted_that_they_were_here(
    hubyard, ana
):
    """Something else has locked the hub's own database; a backup, say."""
    tokens = [ana.token() for _ in range(3)]  # none of them is known to have been used
    file = hubyard.state / "hub.sqlite"
    other = sqlite3.connect(file, isolation_level=None, timeout=PATIENCE_S)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        for token in tokens:
            headers = {"Authorization": f"token {token}"}
            url = f"{hubyard.url}/hub/api/user"
            answer = httpx.get(url, headers=headers, timeout=PATIENCE_S)
            assert answer.status_code == 200, answer.text
            assert answer.json()["name"] == "ana"
        assert "hy-month" in ana.http.get("/hub/home").text
