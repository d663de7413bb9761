import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.errors import Invalid, NotFound, Problem, from_status
from hubyard.contract.workload import (
    SERVER_NAME_LENGTH,
    Kind,
    ServerName,
    Status,
    new_id,
    new_readable_id,
)


def test_the_unnamed_server_is_the_personal_workspace():
    name = ServerName.parse("")
    assert (name.kind, name.id, str(name)) == (Kind.WORKSPACE, "", "")


@pytest.mark.parametrize(
    "name",
    ["run", "run-", "run--x", "job-1", "run-A", "run-x_y", "app-" + "x" * 27, "run-é"],
)
def test_what_names_no_workload_is_refused(name):
    with pytest.raises(Invalid, match="cannot name a server"):
        ServerName.parse(name)


@given(st.sampled_from(list(Kind)), st.text(max_size=60))
def test_a_readable_id_always_fits_its_kind(kind, title):
    name = f"{kind}-{new_readable_id(kind, title)}"
    assert str(ServerName.parse(name)) == name


def test_a_run_id_fits_exactly_and_sorts_by_time():
    first, second = new_id(), new_id()
    assert first != second
    assert first[:10] <= second[:10]
    assert len(f"run-{first}") == SERVER_NAME_LENGTH
    assert ServerName.parse(f"run-{first}").kind is Kind.RUN


def test_final_states_are_not_active():
    active = {s for s in Status if s.is_active}
    assert active == {Status.PENDING, Status.STARTING, Status.RUNNING, Status.READY}


def test_an_answer_becomes_the_error_that_it_stands_for():
    problem = Problem(message="gone", field="id")
    error = from_status(404, problem)
    assert isinstance(error, NotFound)
    assert (error.message, error.field) == ("gone", "id")
    assert from_status(418, problem).status == 400
    assert from_status(502, problem).status == 500
