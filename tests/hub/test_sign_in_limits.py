"""Signing in: strangers can neither keep somebody out, nor learn who exists.

Addresses of the loopback network stand for clients on other machines. Each test has
names and addresses of its own, since wrong passwords are counted by both.
"""

import json
import re
import subprocess
import sys
import time
from itertools import count

import httpx
import psutil
import pytest

from support.patience import PATIENCE_S
from support.running import PASSWORD, running
from support.strangers import TRIES, at, forged, guess, use_up

pytestmark = pytest.mark.hub

FRONT = "127.9.9.9"
"""The address of a proxy in front of ours."""
LONG = "ä" * 40
"""80 bytes."""


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hubyard")
    with running(folder, "--trusted-proxy", FRONT) as hubyard:
        yield hubyard


@pytest.fixture(scope="module")
def ana(hubyard):
    return hubyard.administrator("ana")


@pytest.fixture(scope="module")
def person(hubyard, ana):
    """Make somebody who is admitted, with a name of their own."""
    names = (f"person{number}" for number in count())
    return lambda: hubyard.person(next(names), admits=ana).name


# -- who is kept out -------------------------------------------------------------------


def test_strangers_keep_nobody_out(hubyard, person):
    name = person()
    for last in range(2, 5):
        refused = use_up(at(hubyard.url, f"127.1.0.{last}"), name)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert "Too many wrong passwords" in refused.text
    assert at(hubyard.url, "127.1.0.5", name).sign_in().status_code == 302


def test_a_right_password_waits_where_too_many_were_wrong(hubyard, person):
    name = person()
    browser = at(hubyard.url, "127.1.1.2", name)
    use_up(browser, name)
    assert browser.sign_in().status_code == 429


def test_who_has_signed_in_before_is_not_kept_out_by_a_neighbour(hubyard, person):
    """Behind one router, strangers and the owner have the same address."""
    name = person()
    owner = at(hubyard.url, "127.1.2.2", name)
    assert owner.sign_in().status_code == 302
    use_up(at(hubyard.url, "127.1.2.2"), name)
    owner.http.get("/hub/logout")
    assert owner.sign_in().status_code == 302


def test_no_header_that_a_client_writes_makes_it_another(hubyard, person):
    name = person()
    browser = at(hubyard.url, "127.1.3.2")
    assert use_up(browser, name, headers=forged).status_code == 429


def test_calls_past_the_proxy_are_one_address(hubyard, person):
    name = person()
    direct = f"http://127.0.0.1:{hubyard.settings.hub_port}"
    codes = [
        guess(at(direct, f"127.1.4.{n}"), name, **forged(n)).status_code
        for n in range(5, TRIES + 8)
    ]
    assert codes == [403] * TRIES + [429] * 3
    assert at(hubyard.url, "127.1.4.4", name).sign_in().status_code == 302


def test_a_named_proxy_in_front_says_who_asks(hubyard, person):
    name = person()

    def through(chain):
        answer = guess(at(hubyard.url, FRONT), name, **{"X-Forwarded-For": chain})
        return answer.status_code

    codes = [through(f"198.51.100.{n}, 198.51.100.77") for n in range(TRIES + 1)]
    assert codes == [403] * TRIES + [429]
    assert through("198.51.100.77, 198.51.100.78") == 403


def test_a_proxy_that_nobody_named_says_nothing(hubyard, person):
    name = person()
    browser = at(hubyard.url, "127.1.5.2")
    chain = use_up(browser, name, lambda n: {"X-Forwarded-For": f"198.51.100.{n}"})
    assert chain.status_code == 429


# -- who exists ------------------------------------------------------------------------


def sign_up(browser, name, password=PASSWORD, again=None, **more):
    fields = {
        "signup_password": password,
        "signup_password_confirmation": password if again is None else again,
    }
    form = {"_xsrf": browser.xsrf, "username": name, **fields, **more}
    return browser.http.post("/hub/signup", data=form)


def said(answer):
    """The answer without what differs from request to request."""
    text = re.sub(r'value="[^"]+"|_xsrf=[^"&]+', "", answer.text)
    return answer.status_code, re.sub(r"(xsrf_token: )\"[^\"]+\"", r"\1", text)


def test_signing_up_answers_alike_whether_a_name_is_taken(hubyard, ana):
    browser = at(hubyard.url, "127.2.0.2", ana.name)
    taken, fresh = sign_up(browser, ana.name), sign_up(browser, "newcomer")
    assert taken.status_code == fresh.status_code == 200
    assert said(taken) == said(fresh)
    assert "administrator" in taken.text
    assert browser.sign_in().status_code == 302


def test_two_who_sign_up_at_once_are_one_person(hubyard, ana):
    from concurrent.futures import ThreadPoolExecutor

    browsers = [at(hubyard.url, f"127.2.1.{n}") for n in range(2, 6)]
    for browser in browsers:
        assert browser.xsrf
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda browser: sign_up(browser, "twin"), browsers))
    page = ana.http.get("/hub/authorize").text
    assert page.count('<th scope="row">twin</th>') == 1


def test_signing_up_is_limited_by_address(hubyard):
    browser = at(hubyard.url, "127.2.2.2")
    codes = [sign_up(browser, "ana").status_code for _ in range(60)]
    assert codes[0] == 200
    assert codes[-1] == 429


def test_a_second_factor_cannot_be_asked_for(hubyard, ana):
    """No page asks for it, so that whoever had one could never sign in."""
    sign_up(at(hubyard.url, "127.2.3.2"), "factor", **{"2fa": "2fa"})
    ana.form("/hub/authorize/factor")
    assert at(hubyard.url, "127.2.3.2", "factor").sign_in().status_code == 302


# -- what is too long ------------------------------------------------------------------


def test_a_long_password_is_refused_in_words(hubyard, ana, person):
    browser = at(hubyard.url, "127.3.0.2")
    answer = sign_up(browser, "verbose", LONG)
    assert answer.status_code == 422
    assert "at most 72 bytes" in answer.text
    form = {"_xsrf": browser.xsrf, "username": ana.name, "password": LONG}
    answer = browser.http.post("/hub/login", data=form)
    assert answer.status_code == 422
    assert "at most 72 bytes" in answer.text
    old = {"old_password": PASSWORD}
    new = {"new_password": LONG, "new_password_confirmation": LONG}
    for path, fields in (
        ("/hub/change-password", {**old, **new}),
        (f"/hub/change-password/{person()}", new),
    ):
        answer = ana.form(path, **fields)
        assert answer.status_code == 422
        assert "at most 72 bytes" in answer.text
    answer = ana.form(
        "/hub/change-password",
        old_password=LONG,
        new_password=PASSWORD,
        new_password_confirmation=PASSWORD,
    )
    assert answer.status_code == 403
    assert "Traceback" not in hubyard.logs()


@pytest.mark.parametrize(
    "name", ["x" * 65, "a\nb", "a b", "", "a/b", "<b>", "x" * 10**5]
)
def test_a_name_that_nobody_can_have_is_refused(hubyard, name):
    browser = at(hubyard.url, "127.3.1.2")
    assert sign_up(browser, name).status_code == 422
    assert guess(browser, name).status_code in {400, 403}


def test_passwords_are_changed(hubyard, ana, person):
    name = person()
    owner = at(hubyard.url, "127.3.2.2", name)
    owner.sign_in()
    new = {"new_password": "a new password", "new_password_confirmation": "a new one"}
    for old, status, words in (
        ("wrong", 403, "current password is not right"),
        (PASSWORD, 422, "not the same"),
    ):
        answer = owner.form("/hub/change-password", old_password=old, **new)
        assert answer.status_code == status
        assert words in answer.text
    new["new_password_confirmation"] = new["new_password"]
    assert owner.form("/hub/change-password", old_password=PASSWORD, **new).is_success
    assert at(hubyard.url, "127.3.2.2", name).sign_in().status_code == 403
    new = {"new_password": PASSWORD, "new_password_confirmation": PASSWORD}
    assert ana.form(f"/hub/change-password/{name}", **new).is_success
    assert at(hubyard.url, "127.3.2.2", name).sign_in().status_code == 302
    assert ana.form("/hub/change-password/nobody", **new).status_code == 404
    other = at(hubyard.url, "127.3.2.3", name)
    other.sign_in()
    assert other.form(f"/hub/change-password/{name}", **new).status_code == 403


def test_the_hub_answers_while_passwords_are_hashed(hubyard, ana):
    """Several at once take seconds, and the hub's loop none of them."""
    from concurrent.futures import ThreadPoolExecutor

    browsers = [at(hubyard.url, f"127.3.3.{n}") for n in range(2, 10)]
    for browser in browsers:
        assert browser.xsrf
    health = f"http://127.0.0.1:{hubyard.settings.hub_port}/hub/health"
    with ThreadPoolExecutor(8) as threads, httpx.Client(timeout=PATIENCE_S) as http:
        began = time.monotonic()
        guesses = [threads.submit(guess, browser, "ana") for browser in browsers]
        answered = 0
        while not all(each.done() for each in guesses):
            http.get(health).raise_for_status()
            answered += 1
        took = time.monotonic() - began
    assert answered > len(browsers), f"{answered} answers in {took:.1f} s"


# -- the machine's own way in ----------------------------------------------------------


def link_for(hubyard, name):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "hubyard.cli", "sign-in-link", name),
            *("--state", str(hubyard.state)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = re.search(
        r"(http://\S+/hub/sign-in-link)#name=(\w+)&code=(\S+)", done.stdout
    )
    assert found, done.stdout
    return found


@pytest.mark.parametrize("is_there", [False, True])
def test_the_machine_makes_a_link_for_an_administrator(hubyard, person, is_there):
    name = person() if is_there else "rescued"
    use_up(at(hubyard.url, "127.4.0.2"), name)
    _, named, code = link_for(hubyard, name).groups()
    assert named == name
    visitor = at(hubyard.url, "127.4.0.2", name)
    assert "password" in visitor.http.get("/hub/sign-in-link").text
    fields = {"username": "eve", "password": PASSWORD}
    assert visitor.form("/hub/sign-in-link", code="guess", **fields).status_code == 403
    short = {**fields, "password": "short"}
    assert visitor.form("/hub/sign-in-link", code=code, **short).status_code == 422
    assert visitor.form("/hub/sign-in-link", code=code, **fields).status_code == 302
    me = visitor.hub("GET", "/user").json()
    assert (me["name"], me["admin"]) == (name, True)
    again = at(hubyard.url, "127.4.0.3").form("/hub/sign-in-link", code=code, **fields)
    assert again.status_code == 403
    assert at(hubyard.url, "127.4.0.3", name).sign_in().status_code == 302


# -- other sites -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def newcomer(hubyard, ana):
    """The path of the form that admits somebody."""
    sign_up(at(hubyard.url, "127.5.0.2"), "neo").raise_for_status()
    return "/hub/authorize/neo"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1"]
)
def test_a_page_of_another_site_changes_nothing(ana, newcomer, origin):
    """Not even with the right proof, as a page may have it that shares our cookies."""
    foreign = {"Origin": origin}
    form = {"_xsrf": ana.xsrf}
    before = {t["id"] for t in ana.hub("GET", "/users/ana/tokens").json()["api_tokens"]}
    answer = ana.http.post(newcomer, data=form, headers=foreign)
    assert answer.status_code == 403
    proof = {"X-XSRFToken": ana.xsrf, "Sec-Fetch-Mode": "cors", **foreign}
    for method, path in (
        ("POST", "/users/ana/tokens"),
        ("POST", "/users/mallory"),
        ("DELETE", "/users/ana"),
        ("PATCH", "/users/ana"),
    ):
        answer = ana.http.request(method, f"/hub/api{path}", headers=proof, json={})
        assert answer.status_code == 403
        assert "another site" in answer.json()["message"]
    after = {t["id"] for t in ana.hub("GET", "/users/ana/tokens").json()["api_tokens"]}
    assert after == before


def test_what_another_site_fetches_is_refused_and_what_it_links_to_is_not(
    ana, newcomer
):
    fetched = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert ana.http.get("/hub/logout", headers=fetched).status_code == 403
    linked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert ana.http.get("/hub/home", headers=linked).status_code == 200
    posted = {**linked, "Sec-Fetch-Dest": "document"}
    form = {"_xsrf": ana.xsrf}
    assert ana.http.post(newcomer, data=form, headers=posted).status_code == 403


def test_our_own_pages_and_programs_with_a_token_change_what_they_may(
    hubyard, ana, newcomer
):
    own = {"Origin": hubyard.url}
    form = {"_xsrf": ana.xsrf, "admitted": "no"}
    assert ana.http.post(newcomer, data=form, headers=own).status_code == 200
    token = {"Authorization": f"token {ana.token()}", "Origin": "https://other.example"}
    answer = httpx.post(f"{hubyard.url}/hub/api/users/carl", headers=token)
    assert answer.status_code == 201


# -- tokens in addresses ---------------------------------------------------------------

SPELLINGS = ("token", "Token", "TOKEN", "%74oken", "%54oke%6E", "to%6ben", "%2574oken")


@pytest.mark.parametrize(
    "path",
    [
        "/hub/home",
        "/hub/api/user",
        "/hub/nowhere",
        "/services/hubyard/api/me",
        "/services/mlflow/api/2.0/mlflow/experiments/get",
        "/user/ana/lab",
        "/nowhere",
    ],
)
def test_a_token_in_an_address_opens_nothing_and_is_in_no_log(hubyard, ana, path):
    token = ana.token()
    direct = f"http://127.0.0.1:{hubyard.settings.hub_port}"
    for spelling in SPELLINGS:
        for url in (hubyard.url, direct):
            headers = {"Referer": f"{url}{path}?{spelling}={token}"}
            params = f"a=1&{spelling}={token}"
            answer = httpx.get(f"{url}{path}?{params}", headers=headers)
            assert not answer.is_success
    logs = hubyard.state / "logs"
    for log in [*logs.glob("*"), hubyard.output]:
        assert token not in log.read_text(), log.name


def test_no_file_in_a_home_holds_the_token_of_a_workspace(hubyard, ana):
    """An app of the same owner runs with the same home, and is given no token."""
    ana.start_workspace()
    tokens = {
        environment["JUPYTERHUB_API_TOKEN"]
        for process in psutil.process_iter()
        if (environment := _environment(process))
        .get("HOME", "")
        .startswith(str(hubyard.settings.homes))
    }
    assert len(tokens) == 1
    files = [f for f in hubyard.settings.homes.rglob("*") if f.is_file()]
    described = [f for f in files if f.name.startswith("jpserver-")]
    assert [json.loads(f.read_text())["token"] for f in described] == [""]
    token = tokens.pop().encode()
    held = [f for f in files if token in f.read_bytes()]
    assert held == []


def _environment(process):
    try:
        return process.environ()
    except psutil.Error:
        return {}
