import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.errors import Invalid
from hubyard.contract.workload import Kind, ServerName
from hubyard_spawner import options

WORKSPACE = ServerName(kind=Kind.WORKSPACE, id="")


def test_the_form_has_three_fields_and_the_hubs_own():
    form = {"_xsrf": ["t"], "compute": ["small"], "hours": ["1.5"]}
    assert options.from_form(form) == {
        "kind": "workspace",
        "compute": "small",
        "lifetime_s": 5400,
    }


@pytest.mark.parametrize("name", ["price", "cmd", "lifetime_s", "", "x" * 999])
def test_a_form_that_holds_more_is_refused(name):
    with pytest.raises(Invalid) as caught:
        options.from_form({"compute": ["small"], name: ["0"]})
    assert caught.value.message == f"{name[:40]!r} is not known here: remove it."


@pytest.mark.parametrize(
    "hours",
    ["nan", "inf", "-inf", "-1", "-0", "0", "many", "1e400", "8785", " ", "1h", "1,5"],
)
def test_hours_are_a_number_that_a_lifetime_can_have(hours):
    with pytest.raises(Invalid) as caught:
        options.from_form({"hours": [hours]})
    assert caught.value.message == "Hours must be a number above zero, at most 8784."
    assert caught.value.field == "hours"


@pytest.mark.parametrize(
    ("hours", "lifetime_s"), [("8784", 31_622_400), ("1e-9", 1), (" 0.5 ", 1800)]
)
def test_the_longest_and_the_shortest_hours_are_taken(hours, lifetime_s):
    parsed = options.parse(options.from_form({"hours": [hours]}), WORKSPACE)
    assert parsed.lifetime_s == lifetime_s


@pytest.mark.parametrize(
    "form", [{}, {"compute": []}, {"hours": []}, {"compute": [""], "hours": [""]}]
)
def test_a_form_that_says_nothing_is_the_default_workspace(form):
    assert options.from_form(form) == {"kind": "workspace"}


def test_nothing_at_all_is_the_default_workspace():
    parsed = options.parse({}, WORKSPACE)
    assert (parsed.kind, parsed.compute, parsed.lifetime_s) == ("workspace", None, None)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"price": 0}, "price is not known here: remove it"),
        ({"cmd": ["sh"]}, "cmd is not known here: remove it"),
        ({"kind": "root"}, "kind"),
        ({"kind": "run"}, "names no run"),
        ({"compute": ["small"]}, "compute"),
        ({"compute": ""}, "compute"),
        ({"compute": "x" * 41}, "compute cannot be used"),
        ({"compute": {"name": "small"}}, "compute cannot be used"),
        ({"compute": 5}, "compute cannot be used"),
        ({"kind": None}, "kind cannot be used"),
        ({"kind": ["workspace"]}, "kind cannot be used"),
        ({"lifetime_s": float("nan")}, "lifetime_s cannot be used"),
        ({"lifetime_s": float("inf")}, "lifetime_s cannot be used"),
        ({"lifetime_s": -5}, "lifetime_s cannot be used"),
        ({"lifetime_s": 0}, "lifetime_s cannot be used"),
        ({"lifetime_s": 1.5}, "lifetime_s cannot be used"),
        ({"lifetime_s": True}, "lifetime_s cannot be used"),
        ({"lifetime_s": "3600"}, "lifetime_s cannot be used"),
        ({"lifetime_s": 10**12}, "lifetime_s cannot be used"),
        ({"x" * 9999: 1}, "is not known here: remove it"),
        ({"a\nb": 1}, "is not known here: remove it"),
        ({5: 1}, "cannot be used"),
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
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("name", ["workspace-a", "run-1", "endpoint-1", "app-1"])
def test_a_kind_belongs_to_its_name(name):
    server = ServerName.parse(name)
    assert options.parse({}, server).kind is server.kind
    wrong = "run" if server.kind is Kind.WORKSPACE else "workspace"
    with pytest.raises(Invalid, match=f"'{name}' names no {wrong}: "):
        options.parse({"kind": wrong}, server)


@given(st.dictionaries(st.text(max_size=12), st.none() | st.text() | st.floats()))
def test_any_object_parses_or_is_refused(raw):
    try:
        parsed = options.parse(raw, WORKSPACE)
    except Invalid:
        return
    assert parsed.kind is Kind.WORKSPACE
