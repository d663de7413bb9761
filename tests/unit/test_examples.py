"""The examples that no guide runs to their end: what their pages show."""

from streamlit.testing.v1 import AppTest

from support.hub import REPOSITORY
from support.patience import PATIENCE_S

FLIGHTS = REPOSITORY / "examples" / "flights"


def test_the_streamlit_app_answers_what_if(monkeypatch):
    monkeypatch.syspath_prepend(FLIGHTS)
    app = AppTest.from_file(FLIGHTS / "app.py", default_timeout=PATIENCE_S).run()
    assert not app.exception
    assert app.title[0].value == "Which flights arrive late?"
    before = app.metric[0].value
    app.slider[0].set_value(23).run()
    assert not app.exception
    assert app.metric[0].label == "Chance of arriving late"
    assert app.metric[0].value != before
