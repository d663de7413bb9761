"""A token in a URL is recognised however it is spelled, and is in no log."""

import io
import logging
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard_runtime.url_tokens import (
    has_token,
    keep_tokens_out_of_logs,
    without_tokens,
)

SECRET = "b5f4c1d2e3"


@st.composite
def spellings(draw):
    def letter(plain):
        letter = draw(st.sampled_from([plain, plain.upper()]))
        code = f"%{ord(letter):02{draw(st.sampled_from('xX'))}}"
        for _ in range(draw(st.integers(0, 3))):
            code = code.replace("%", "%25")
        return draw(st.sampled_from([letter, code]))

    return "".join(letter(each) for each in "token")


@given(spellings(), st.sampled_from(["", "a=1&", "a&", "a;"]))
def test_every_spelling_is_recognised_and_hidden(name, before):
    query = f"{before}{name}={SECRET}&b=2"
    assert has_token(query)
    hidden = without_tokens(f"GET /x?{query} (ana@127.0.0.1)")
    assert SECRET not in hidden
    assert hidden.endswith("&b=2 (ana@127.0.0.1)")


@given(spellings(), st.integers(1, 3))
def test_it_is_hidden_inside_another_address(name, times):
    inner = f"/user/ana?{name}={SECRET}"
    for _ in range(times):
        inner = quote(inner, safe="")
    assert SECRET not in without_tokens(f"404 GET /hub/error/404?url={inner} took 3 ms")


@pytest.mark.parametrize(
    "query", ["", "page_token=1", "tokens=1", "a=token", "a=token&b", "tok%65=1", "x"]
)
def test_other_names_are_no_token(query):
    assert not has_token(query)


@pytest.mark.parametrize("query", ["token", "a=1&token", "token=", "Token&a=1"])
def test_a_token_without_a_value_is_one(query):
    assert has_token(query)


@pytest.fixture
def log():
    """What a logger writes, in a process whose log holds no tokens."""
    before = logging.getLogRecordFactory()
    keep_tokens_out_of_logs()
    keep_tokens_out_of_logs()
    out = io.StringIO()
    logger, handler = logging.getLogger("test_url_tokens"), logging.StreamHandler(out)
    logger.addHandler(handler)
    yield logger, out
    logger.removeHandler(handler)
    logging.setLogRecordFactory(before)


def test_a_log_has_no_token_in_message_argument_or_traceback(log):
    logger, out = log
    url = f"/x?ToKeN={SECRET}&a=1"
    logger.warning("plain %s", url)
    logger.warning("made before " + url)  # noqa: G003  as some libraries do
    logger.warning("named %(url)s", {"url": url})
    logger.error("raised", exc_info=ValueError(url))
    said = out.getvalue()
    assert SECRET not in said
    assert said.count("ToKeN=[secret]") == 4
    assert "ValueError" in said


def test_what_has_no_token_is_logged_as_it_is(log):
    logger, out = log
    logger.warning("%d of %s, 100%%", 3, "page_tokens")
    assert out.getvalue() == "3 of page_tokens, 100%\n"
