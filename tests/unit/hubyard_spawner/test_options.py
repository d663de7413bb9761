import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.errors import Invalid
from hubyard.contract.workload import Kind, ServerName
from hubyard_spawner import options

WORKSPACE = ServerName(kind=Kind.WORKSPACE, id="")


def test_the_form_keeps_three_fields_and_drops_the_rest():
    form = {"_xsrf": ["t"], "compute": ["small"], "hours": ["1.5"], "price": ["0"]}
    assert options.from_form(form) == {
        "kind": "workspace",
        "compute": "small",
        "lifetime_s": 5400,
    }


@pytest.mark.parametrize("hours", ["nan", "inf", "-1", "0", "many", "1e400"])
def test_hours_are_a_number_above_zero(hours):
    with pytest.raises(Invalid, match="Hours must be a number above zero"):
        options.from_form({"hours": [hours]})


def test_nothing_at_all_is_the_default_workspace():
    parsed = options.parse({}, WORKSPACE)
    assert (parsed.kind, parsed.compute, parsed.lifetime_s) == ("workspace", None, None)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"price": 0}, "price is not known here: remove it"),
        ({"cmd": ["sh"]}, "cmd is not known here: remove it"),
        ({"kind": "root"}, "kind"),
        ({"kind": "run"}, "not named"),
        ({"compute": ["small"]}, "compute"),
        ({"compute": ""}, "compute"),
        ({"lifetime_s": float("nan")}, "lifetime_s"),
        ({"lifetime_s": -5}, "lifetime_s"),
        ({"lifetime_s": 10**12}, "lifetime_s"),
        ([], "must be an object"),
        ("small", "must be an object"),
        (None, "must be an object"),
    ],
)
def test_hostile_options_are_refused_in_one_line(raw, words):
    with pytest.raises(Invalid) as caught:
        options.parse(raw, WORKSPACE)
    assert words in caught.value.message
    assert "\n" not in caught.value.message


@given(st.dictionaries(st.text(max_size=12), st.none() | st.text() | st.floats()))
def test_any_object_parses_or_is_refused(raw):
    try:
        parsed = options.parse(raw, WORKSPACE)
    except Invalid:
        return
    assert parsed.kind is Kind.WORKSPACE
