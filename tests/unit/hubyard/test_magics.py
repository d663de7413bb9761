"""The magics in a real shell, against a small real HTTP server."""

import time
from types import SimpleNamespace

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import hubyard
from support.answering import (
    DEPLOYMENT,
    DIGEST,
    MONEY,
    RUN,
    TRACKED,
    answering,
    served,
)
from support.patience import SOON_S

__all__ = ["answering", "served"]  # fixtures

MAGICS = {"experiment", "track", "register", "deploy", "pipeline", "schedule", "app"}
MAGICS |= {"compute", "cost"}


@pytest.fixture
def platform(answering, monkeypatch):
    monkeypatch.setenv("HUBYARD_RUN", "a run: nobody is asked")
    return answering


@pytest.fixture
def shell(tmp_path, monkeypatch):
    for name in ("HUBYARD_PLATFORM_URL", "HUBYARD_TOKEN", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("HUBYARD_NOTEBOOK", str(tmp_path / "train.ipynb"))
    (tmp_path / "train.ipynb").write_text('{"cells": []}')
    monkeypatch.chdir(tmp_path)
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    hubyard.load_ipython_extension(shell)
    yield shell
    hubyard.unload_ipython_extension(shell)
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def cell(shell, text):
    """Run a cell: its outcome, its result as text and HTML, and what it printed."""
    with capture_output() as said:
        done = shell.run_cell(text)
    bundle = done.result._repr_mimebundle_() if done.result else {}
    return SimpleNamespace(
        ok=done.success,
        plain=bundle.get("text/plain"),
        html=bundle.get("text/html"),
        out=said.stdout,
        err=said.stderr,
    )


def completions(shell, text):
    with provisionalcompleter():
        found = list(shell.Completer.completions(text, len(text)))
    return {text[: c.start] + c.text for c in found}


# -- loading ---------------------------------------------------------------------------


def test_all_magics_are_there_once_and_go_again(shell):
    hubyard.load_ipython_extension(shell)
    known = shell.magics_manager.magics
    assert known["line"].keys() >= MAGICS
    assert "track" in known["cell"]
    assert len(shell.Completer.custom_matchers) == 1
    hubyard.unload_ipython_extension(shell)
    assert not known["line"].keys() & MAGICS
    assert "track" not in known["cell"]
    assert shell.Completer.custom_matchers == []
    assert all(
        not transform.__module__.startswith("hubyard")
        for transform in shell.input_transformers_cleanup
    )
    hubyard.unload_ipython_extension(shell)


def test_a_module_loaded_anew_registers_nothing_twice(shell):
    from importlib import reload

    from hubyard import magics

    reload(magics)
    hubyard.load_ipython_extension(shell)
    assert len(shell.Completer.custom_matchers) == 1


def test_a_magic_that_was_there_before_comes_back(shell):
    hubyard.unload_ipython_extension(shell)
    shell.register_magic_function(lambda line: f"mine {line}", magic_name="deploy")
    hubyard.load_ipython_extension(shell)
    hubyard.unload_ipython_extension(shell)
    assert shell.run_line_magic("deploy", "x") == "mine x"


def test_every_magic_documents_its_arguments(shell):
    for name in MAGICS:
        assert "%" in (shell.find_line_magic(name).__doc__ or ""), name
    assert "--dry-run" in shell.find_line_magic("deploy").__doc__


# -- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "%compute",
        "%cost",
        "%register last churn",
        "%deploy churn/3",
        '%schedule "30 2 * * *"',
        "%pipeline",
        "%app",
        "%experiment churn",
        "%%track\n1",
    ],
)
def test_outside_the_hub_one_line_says_so(shell, line):
    done = cell(shell, line)
    assert not done.ok
    assert "workspace of the hub" in done.err
    assert done.err.startswith("UsageError: ")
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_outside_the_hub_the_status_says_so(shell):
    done = cell(shell, "%track status")
    assert done.plain == "Nothing is tracked here: this is no workspace of the hub."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%deploy", "required: model"),
        ("%deploy churn", "write MODEL@alias or MODEL/VERSION"),
        ("%deploy churn@champion --ttl soon", "not a duration"),
        ("%deploy churn@champion --ttl 367d", "write at most 366d"),
        ("%deploy churn/3 --name 'A B'", "name cannot be used: write at most 40"),
        ("%deploy churn/3 -c ''", "a name is missing"),
        ("%deploy --help", "Write %deploy? for what it takes."),
        ("%register -h", "Write %register? for what it takes."),
        ("%deploy churn/x", "version cannot be used: write a number such as 3"),
        ("%deploy churn/3 --nonsense", "unrecognized arguments"),
        ("%register nonsense churn", "run_id cannot be used: write the 32 characters"),
        ("%register last ''", "name cannot be used: write 1 to 250"),
        ("%register last a/b", "none of them one of"),
        ("%register last churn --alias 'a b'", "alias cannot be used"),
        ('%schedule "30 2', "cannot be read"),
        ("%schedule", "%schedule [NOTEBOOK]"),
        ("%schedule a.ipynb --on-webhook", "kept in this notebook"),
        ("%schedule a.ipynb b.ipynb --on-file x", "%schedule [NOTEBOOK]"),
        ("%schedule --on-file ../../x", "below your home"),
        ("%schedule --on-model churn", "is not MODEL@ALIAS"),
        ("%schedule daily", "write five fields"),
        ("%schedule missing.ipynb '* * * * *'", "There is no file 'missing.ipynb'"),
        (f"%schedule '* * * * *' --tz {'x' * 65}", "time_zone cannot be used"),
        ("%schedule '* * * * *' -p a=1 -p a=2", "a is given twice"),
        (f"%schedule '* * * * *' --name {'x' * 200}", "name cannot be used"),
        ('%schedule a.ipynb b.ipynb "30 2 * * *"', "%schedule [NOTEBOOK]"),
        ("%schedule train.ipynb '* * * * *' -p x", "not NAME=VALUE"),
        ("%app --share everybody", "write user:NAME or group:NAME"),
        ("%app --share ''", "write user:NAME or group:NAME"),
        (f"%app --share user:{'x' * 300}", "user cannot be used"),
        ("%app missing.py", "There is no file 'missing.py'"),
        ("%app .", "is a folder: name a notebook or file in it"),
        (f"%app {'x' * 300}", "cannot be read: File name too long"),
        ("%app --name ''", "name cannot be used: write 1 to 128"),
        ("%app --framework dash", "invalid choice"),
        ("%track", "%track status"),
        ("%track status -p a", "'a' is not NAME=VALUE"),
        ("%track status --tag a=1 --tag a=2", "a is given twice"),
        ("%experiment", "required: name"),
        ("%compute small big", "unrecognized arguments"),
        ("%compute --extend soon", "not a duration"),
        ("%cost what", "unrecognized arguments"),
        ("%pipeline missing.yml", "There is no file 'missing.yml'"),
        ("%pipeline -p a", "not NAME=VALUE"),
    ],
)
def test_a_wrong_line_is_refused_in_one_line(shell, platform, line, said):
    done = cell(shell, line)
    assert not done.ok
    assert said in done.err
    assert done.err.count("\n") == 1
    begun = {f"POST {noun}" for noun in ("deployments", "schedules", "apps", "runs")}
    assert not begun & {*platform.calls()}


def test_track_belongs_on_the_first_line(shell, platform):
    done = cell(shell, "get_ipython().run_cell_magic('track', '', 'fit()')")
    assert "goes on the first line of a cell" in done.err
    assert done.err.count("\n") == 1


def test_a_kernel_that_does_not_know_its_notebook_says_so(shell, platform, monkeypatch):
    for name in ("HUBYARD_NOTEBOOK", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)
    done = cell(shell, "%app")
    assert done.err == (
        "UsageError: This kernel does not know its notebook: name the file.\n"
    )


def test_what_the_platform_refuses_is_one_line(shell, platform):
    platform.answers["POST deployments"] = "The budget of this month is spent."
    done = cell(shell, "%deploy churn/3")
    assert not done.ok
    assert done.err == "UsageError: The budget of this month is spent.\n"


# -- what is done ----------------------------------------------------------------------


def test_compute_is_a_table_that_escapes(shell, platform):
    done = cell(shell, "%compute")
    assert "small" in done.plain
    assert "$0.05" in done.plain
    assert "&lt;b&gt;for a look&lt;/b&gt;" in done.html
    assert "<b>" not in done.html


def test_cost_says_the_sum(shell, platform):
    done = cell(shell, "%cost")
    assert done.plain.startswith("You have spent $0.20 since 06 May, and $0.05 an")
    assert "$4.75 left" in done.plain
    assert "Nothing has run this month." in done.html
    everybody = cell(shell, "%cost --everybody")
    assert everybody.plain.startswith("Everybody has spent $0.20")


def test_compute_shows_a_price_or_extends_this_workspace(shell, platform):
    assert cell(shell, "%compute small").out.startswith("small costs $0.05 an hour")
    dry = cell(shell, "%compute --extend 2h --dry-run")
    assert "would get 2h more" in dry.out
    assert platform.bodies("POST workloads/e1/extend") == []
    assert "it ends 06 May" in cell(shell, "%compute --extend 2h").out
    assert platform.bodies("POST workloads/e1/extend") == [{"seconds": 7200}]


def test_what_no_budget_covers_is_not_extended(shell, platform):
    refusal = {"seconds": 3600, "cost": MONEY, "refusal": "The budget is spent."}
    own = {**platform.answers["GET workloads/self"], "extension": refusal}
    platform.answers["GET workloads/self"] = own
    done = cell(shell, "%compute --extend 1h")
    assert done.err == "UsageError: The budget is spent.\n"
    assert platform.bodies("POST workloads/e1/extend") == []


def test_register_takes_the_last_tracked_run(shell, platform):
    done = cell(shell, "%register last churn --alias champion")
    assert done.plain == "Registered as churn/3, @champion"
    assert platform.bodies("POST models") == [
        {"run_id": TRACKED, "name": "churn", "alias": "champion"}
    ]


def test_deploy_says_the_price_first_and_waits(shell, platform):
    done = cell(shell, "%deploy churn@champion -c small --ttl 4h")
    assert done.out.startswith("small costs $0.05 an hour, at most $0.20 for 4h\n")
    assert "churn serves churn/3 on small for $0.05 an hour" in done.plain
    assert f'href="{DEPLOYMENT["url"]}"' in done.html
    assert platform.bodies("POST deployments") == [
        {
            "model": "churn",
            "version": "@champion",
            "compute": "small",
            "lifetime_s": 14_400,
        }
    ]
    assert platform.calls().index("POST estimate") < platform.calls().index(
        "POST deployments"
    )


def test_an_endpoint_that_fails_fails_the_cell(shell, platform):
    failed = {**DEPLOYMENT, "status": "failed", "reason": "the model does not load"}
    platform.answers["GET deployments/churn-1"] = failed
    done = cell(shell, "%deploy churn/3")
    assert not done.ok
    assert done.err == "UsageError: churn failed: the model does not load\n"


def test_an_app_that_fails_fails_the_cell(shell, platform):
    failed = {**platform.answers["GET apps/report-1"], "status": "failed"}
    platform.answers["GET apps/report-1"] = failed
    done = cell(shell, "%app --share user:ben")
    assert done.err == "UsageError: report failed: see its log\n"
    assert "POST apps/report-1/shares" not in platform.calls()


@pytest.mark.parametrize(
    "line", ["%deploy churn/3", '%schedule "30 2 * * 1-5"', "%app", "%pipeline"]
)
def test_a_dry_run_starts_nothing(shell, platform, line):
    done = cell(shell, f"{line} --dry-run")
    assert done.ok
    assert "$0.20" in done.out
    assert {*platform.calls()} <= {
        "GET compute",
        "POST estimate",
        "POST runs/preview",
        "POST schedules/preview",
        "POST sources",
    }


@pytest.mark.parametrize(("answer", "made"), [("y", 1), ("", 0), ("no", 0)])
def test_a_person_is_asked(shell, platform, monkeypatch, answer, made):
    monkeypatch.delenv("HUBYARD_RUN")
    questions = []
    monkeypatch.setattr("builtins.input", lambda q: questions.append(q) or answer)
    done = cell(shell, "%deploy churn/3")
    assert questions == ["Deploy churn/3 for at most $0.20? [y/N] "]
    assert done.ok
    assert len(platform.bodies("POST deployments")) == made


def test_who_closes_the_question_says_no(shell, platform, monkeypatch):
    def closed(question):
        raise EOFError

    monkeypatch.delenv("HUBYARD_RUN")
    monkeypatch.setattr("builtins.input", closed)
    done = cell(shell, "%deploy churn/3")
    assert done.out.endswith("Nothing was started.\n")
    assert platform.bodies("POST deployments") == []


def test_where_nobody_can_be_asked_it_goes_on(shell, platform, monkeypatch):
    from IPython.core.error import StdinNotImplementedError

    def nobody(question):
        raise StdinNotImplementedError

    monkeypatch.delenv("HUBYARD_RUN")
    monkeypatch.setattr("builtins.input", nobody)
    assert cell(shell, "%deploy churn/3").ok
    assert platform.bodies("POST deployments")


def test_a_pipeline_runs_once(shell, platform):
    done = cell(shell, "%pipeline train.ipynb -p lr=0.1 --name nightly --fresh")
    assert done.out.startswith("small costs $0.05 an hour")
    assert done.plain == "train starts: hubyard logs r1 follows it"
    (made,) = platform.bodies("POST runs")
    told = {key: made[key] for key in ("source", "parameter_texts", "name", "fresh")}
    assert told == {
        "source": DIGEST,
        "parameter_texts": {"lr": "0.1"},
        "name": "nightly",
        "fresh": True,
    }
    platform.answers["GET runs/r1"] = {**RUN, "status": "succeeded"}
    done = cell(shell, "%pipeline --follow")
    assert done.plain == "train succeeded: r1"
    assert "succeeded: cell" in done.out


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        ({"reason": "cell-error", "message": "Cell 2 of 3 failed"}, "Cell 2 of 3"),
        (None, "hubyard logs r1"),
    ],
)
def test_a_pipeline_that_fails_fails_the_cell(shell, platform, failure, why):
    ended = {**RUN, "status": "failed", "failure": failure}
    platform.answers["GET runs/r1"] = ended
    done = cell(shell, "%pipeline --follow")
    assert done.err.startswith(f"UsageError: train failed: {why}")


@pytest.mark.parametrize("cron", ['"30 2 * * 1-5"', "30 2 * * 1-5"])
@pytest.mark.parametrize("notebook", ["", "train.ipynb "])
def test_schedule_previews_and_makes(shell, platform, cron, notebook):
    done = cell(shell, f"%schedule {notebook}{cron} --tz Europe/Berlin -p lr=0.1")
    assert done.ok, done.err
    assert "$0.05 a run, $0.20 a month (an hour a run)" in done.out
    assert "train is scheduled" in done.plain
    (made,) = platform.bodies("POST schedules")
    assert made["cron"] == "30 2 * * 1-5"
    assert made["time_zone"] == "Europe/Berlin"
    assert made["parameter_texts"] == {"lr": "0.1"}
    assert made["source"] == DIGEST


@pytest.mark.parametrize(
    ("words", "on"),
    [
        ("--on-file data/*.csv", {"file": "data/*.csv"}),
        ("train.ipynb --on-model churn@best", {"model": "churn", "alias": "best"}),
    ],
)
def test_schedule_with_a_trigger(shell, platform, words, on):
    made = {"cron": None, "next_fire": None, "per_month": None, "text": "when it moves"}
    kept = platform.answers["POST schedules"]
    platform.answers["POST schedules"] = {**kept, **made}
    done = cell(shell, f"%schedule {words}")
    assert done.ok, done.err
    assert "train is scheduled: when it moves, $0.05 a run" in done.plain
    (sent,) = platform.bodies("POST schedules")
    assert (sent["on"], "cron" in sent) == ({"webhook": False, **on}, False)


@pytest.mark.parametrize(
    ("line", "priced"),
    [('%schedule "30 2 * * 1-5"', "POST schedules/preview"), ("%app", "POST estimate")],
)
def test_the_price_is_that_of_the_compute_that_the_project_asks_for(
    shell, platform, line, priced
):
    project = {**platform.answers["POST sources"], "compute": "medium"}
    platform.answers["POST sources"] = project
    estimate = {**platform.answers["POST estimate"], "compute": "medium"}
    platform.answers["POST estimate"] = estimate
    assert cell(shell, line).ok
    made = "POST schedules" if "schedule" in line else "POST apps"
    asked = [body["compute"] for c in (priced, made) for body in platform.bodies(c)]
    assert asked == ["medium", "medium"]
    platform.asked.clear()
    assert cell(shell, f"{line} -c small --dry-run").ok
    assert [body["compute"] for body in platform.bodies(priced)] == ["small"]


def test_app_publishes_and_shares(shell, platform):
    done = cell(shell, "%app train.ipynb --name report --share group:staff")
    assert done.ok, done.err
    assert platform.bodies("POST apps")[0]["path"] == "train.ipynb"
    assert platform.bodies("POST apps/report-1/shares") == [{"group": "staff"}]
    calls = platform.calls()
    shared = calls.index("POST apps/report-1/shares")
    assert calls.index("GET apps/report-1") < shared, "only what has started is shared"
    assert "<a" not in done.html, "a scheme that runs code is no link"


# -- completion ------------------------------------------------------------------------


def test_tab_offers_what_there_is(shell, platform):
    assert "%deploy churn/3 -c small" in completions(shell, "%deploy churn/3 -c s")
    assert completions(shell, "%deploy ch") == {
        "%deploy churn/3",
        "%deploy churn@champion",
    }
    assert completions(shell, "%deploy churn@c") == {"%deploy churn@champion"}
    assert completions(shell, "%register last c") == {"%register last churn"}
    assert completions(shell, "%pipeline tr") == {"%pipeline train.ipynb"}
    assert completions(shell, "%schedule tr") == {"%schedule train.ipynb"}
    assert completions(shell, "%track st") == {"%track status", "%track stop"}
    assert completions(shell, "%register last churn --alias ch") == {
        "%register last churn --alias champion"
    }
    assert platform.calls().count("GET models") == 2, "asked once for each list"


def test_tab_elsewhere_is_not_ours(shell, platform):
    assert "import" in completions(shell, "impor")
    assert platform.calls() == []


def test_tab_outside_the_hub_is_quick_and_empty(shell):
    began = time.monotonic()
    assert completions(shell, "%deploy ch") == set()
    assert time.monotonic() - began < SOON_S
