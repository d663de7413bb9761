"""The command: what each prints, and how each refuses.

Bad input goes to the real platform, in this process and with a hub in memory; what a
command prints of an answer is held against a server that answers what it is told to.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from datetime import date, datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hubyard import cli
from hubyard.cli import main, parser
from hubyard.contract.duration import duration_text
from hubyard.showing import moment
from support.answering import (
    APP,
    COMING,
    DAY,
    DEPLOYMENT,
    DIGEST,
    MONEY,
    NOW,
    PAST,
    RUN,
    SCHEDULE,
    SMALL,
    SPENT,
    TRACKED,
    TRACKED_RUN,
    Raw,
    answering,
    served,
)
from support.patience import PATIENCE_S
from support.platform import PARAMETERS, code_cell, notebook
from support.runs import real

__all__ = ["answering", "real", "served"]  # fixtures

LONG = "x" * 300
DAILY = "0 6 * * *"
MAY = moment(datetime.fromisoformat(NOW))
PRICED = re.compile(r"At 06:00 \(|next: |.*\$\d+\.\d\d")
"""A line that may stand before a refusal: when, and the price."""


@pytest.fixture
def ana(real, monkeypatch):
    """Somebody whom the real platform knows."""
    monkeypatch.setenv("HUBYARD_PLATFORM_URL", real.url)
    monkeypatch.setenv("HUBYARD_TOKEN", "ana/")
    return real


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder of good and bad files, and an environment that knows no Hubyard."""
    for name in ("HUBYARD_PLATFORM_URL", "HUBYARD_TOKEN", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    files = {
        "train.ipynb": notebook(code_cell(PARAMETERS, "parameters")),
        "app.py": b"import streamlit",
        "broken.ipynb": b'{"cells": [',
        "list.ipynb": b"[]",
        "old.ipynb": b'{"cells": [], "metadata": {}, "nbformat": 2}',
        "binary.ipynb": b"\xff\xfe\x00",
        "empty.ipynb": b"",
        "notes.txt": b"not a notebook",
        "project/train.ipynb": notebook(code_cell("1")),
        "project/hubyard.yml": b"compute: Big One",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "lost.ipynb").symlink_to("nowhere.ipynb")
    (tmp_path / "unreadable.ipynb").symlink_to("/proc/self/mem")
    return tmp_path


@pytest.fixture
def hubyard(capsys):
    """Type a command: its exit code, and what it has printed."""

    def typed(*words):
        try:
            code = main(words)
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


# -- bad input -------------------------------------------------------------------------

USAGE = [
    ([], "required: COMMAND"),
    (["nonsense"], "invalid choice: 'nonsense'"),
    (["runs", "--nonsense"], "unrecognized arguments: --nonsense"),
    (["runs", "two\nlines"], "unrecognized arguments: two lines"),
    (["run"], "required: notebook"),
    (["schedule", "train.ipynb"], "cron --on-file --on-model --on-webhook is required"),
    (["schedule", "train.ipynb", DAILY, "--on-webhook"], "not allowed with"),
    (["schedule", "train.ipynb", "--on-model", "churn"], "is not MODEL@ALIAS"),
    (["schedule", "train.ipynb", "--on-model", "@x"], "is not MODEL@ALIAS"),
    (["register", "last"], "required: NAME"),
    (["deploy"], "required: model"),
    (["app"], "required: file"),
    (["key"], "required: DEPLOYMENT"),
    (["stop"], "required: RUN"),
    (["logs"], "required: RUN"),
    (["run", "train.ipynb", "-p"], "expected one argument"),
    (["run", "train.ipynb", "-p", "lr"], "'lr' is not NAME=VALUE"),
    (["run", "train.ipynb", "-p", "=1"], "'=1' is not NAME=VALUE"),
    (["run", "train.ipynb", "-p", "a b=1"], "'a b=1' is not NAME=VALUE"),
    (["run", "train.ipynb", "-p", "lr=1", "-p", "lr=2"], "lr is given twice"),
    (["run", "train.ipynb", "-c", " "], "a name is missing"),
    (["run", "train.ipynb", "--ttl", "soon"], "write one such as 30m, 8h or 2d"),
    (["run", "train.ipynb", "--ttl=-1h"], "write one such as 30m, 8h or 2d"),
    (["run", "train.ipynb", "--ttl", "0s"], "write one such as 30m, 8h or 2d"),
    (["run", "train.ipynb", "--ttl", "nan"], "write one such as 30m, 8h or 2d"),
    (["run", "train.ipynb", "--ttl", "367d"], "write at most 366d"),
    (["deploy", "churn/3", "--ttl", "999999d"], "write at most 366d"),
    (["app", "app.py", "--framework", "dash"], "choose from 'voila', 'streamlit'"),
    (["schedules", "--pause", "a", "--resume", "b"], "not allowed with"),
    (["schedules", "--week", "soon"], "'soon' is no day: write one such as"),
    (["schedules", "--week", "--tz", "Mars"], "there is no time zone 'Mars'"),
    (["schedules", "--week", "--tz", "../x"], "there is no time zone '../x'"),
    (["apps", "--start", "a", "--stop", "b"], "not allowed with"),
    (["apps", "--share", "report-1"], "expected 2 arguments"),
    (["key", "churn-1", "--ttl", "367d"], "write at most 366d"),
    (["run", "\udcff.ipynb"], "is not UTF-8"),
]

REFUSED = [
    # files
    (["run", "nowhere.ipynb"], "There is no file 'nowhere.ipynb' here"),
    (["run", "lost.ipynb"], "There is no file 'lost.ipynb' here"),
    (["run", ""], "is a folder"),
    (["run", "folder.ipynb"], "'folder.ipynb' is a folder"),
    (["run", "unreadable.ipynb"], "'unreadable.ipynb' cannot be read: "),
    (["run", LONG], "cannot be read: File name too long"),
    (["run", "notes.txt"], "notes.txt is not JSON"),
    (["run", "broken.ipynb"], "broken.ipynb is not JSON"),
    (["run", "list.ipynb"], "list.ipynb is not a notebook"),
    (["run", "old.ipynb"], "open and save it in JupyterLab"),
    (["run", "binary.ipynb"], "binary.ipynb is not UTF-8"),
    (["run", "empty.ipynb"], "empty.ipynb is not JSON"),
    (
        ["run", "project/train.ipynb"],
        "hubyard.yml:1: compute cannot be used: write at most 40",
    ),
    (["schedule", "nowhere.ipynb", DAILY, "--dry-run"], "There is no file"),
    (["schedule", "broken.ipynb", DAILY], "broken.ipynb is not JSON"),
    (["app", "nowhere.py", "--dry-run"], "There is no file 'nowhere.py' here"),
    (["app", "notes.txt"], "Publish a notebook (.ipynb) or a Python file (.py)."),
    (["app", "broken.ipynb"], "broken.ipynb is not JSON"),
    # names
    (["run", "train.ipynb", "--name", ""], "name cannot be used: write 1 to 128"),
    (["run", "train.ipynb", "--name", LONG], "name cannot be used: write 1 to 128"),
    (["run", "train.ipynb", "--name", "a\x1bb"], "without tabs, newlines"),
    (["schedule", "train.ipynb", DAILY, "--name", LONG], "name cannot be used"),
    (["app", "app.py", "--name", "a\nb"], "name cannot be used: write 1 to 128"),
    (["deploy", "churn/3", "--name", "A B"], "name cannot be used: write at most 40"),
    (["deploy", "churn/3", "--name", ""], "name cannot be used: write at most 40"),
    # parameters
    (["run", "train.ipynb", "-p", "nope=1"], "it has lr, epochs, name"),
    (["run", "train.ipynb", "-p", "class=1"], "no parameter 'class'"),
    (["run", "train.ipynb", "-p", "epochs=x"], "epochs must be a whole number"),
    (["run", "train.ipynb", "-p", "epochs=1.5"], "epochs must be a whole number"),
    (["run", "train.ipynb", "-p", "epochs={1}"], "epochs must be a whole number"),
    (["run", "train.ipynb", "-p", "lr=many"], "lr must be a number"),
    (["run", "train.ipynb", "-p", "lr=many", "--dry-run"], "lr must be a number"),
    (["schedule", "train.ipynb", DAILY, "-p", "lr=x", "--dry-run"], "lr must be a nu"),
    (["run", "train.ipynb", "-p", "lr=1e999"], "lr must be a number"),
    (["run", "train.ipynb", "-p", "lr=1j"], "lr must be a number"),
    (["schedule", "train.ipynb", DAILY, "-p", "lr=x"], "lr must be a number"),
    # compute, lifetime and price
    (["run", "train.ipynb", "-c", "none"], "no compute called 'none' for you"),
    (["run", "train.ipynb", "-c", "vip"], "no compute called 'vip' for you"),
    (["run", "train.ipynb", "-c", LONG], "no compute called"),
    (["run", "train.ipynb", "-c", "giant"], "giant needs 1000 cores"),
    (["run", "train.ipynb", "--ttl", "3h"], "small may live at most 2h"),
    (["app", "app.py", "-c", "none"], "no compute called 'none' for you"),
    (["app", "app.py", "--ttl", "3h"], "small may live at most 2h"),
    (["schedule", "train.ipynb", DAILY, "-c", "none"], "no compute called 'none'"),
    (["deploy", "churn/3", "-c", "none"], "no compute called 'none' for you"),
    # cron and zone
    (["schedule", "train.ipynb", ""], "write five fields"),
    (["schedule", "train.ipynb", "daily"], "write five fields"),
    (["schedule", "train.ipynb", "--on-file", "../x"], "a glob below your home"),
    (["schedule", "train.ipynb", "--on-model", "a/b@c"], "none of them one of / :"),
    (["schedule", "train.ipynb", LONG], "write five fields"),
    (["schedule", "train.ipynb", "* * * * * *"], "A cron has five fields"),
    (["schedule", "train.ipynb", "61 * * * *"], "The cron cannot be used"),
    (["schedule", "train.ipynb", "0 0 31 2 *"], "The cron cannot be used"),
    (["schedule", "train.ipynb", DAILY, "--tz", "Mars"], "no time zone 'Mars'"),
    (["schedule", "train.ipynb", DAILY, "--tz", "../etc"], "no time zone '../etc'"),
    (["schedule", "train.ipynb", DAILY, "--tz", LONG], "time_zone cannot be used"),
    # versions and aliases
    (["deploy", "churn"], "write MODEL@alias or MODEL/VERSION"),
    (["deploy", ""], "write MODEL@alias or MODEL/VERSION"),
    (["deploy", "churn/0"], "write a number such as 3"),
    (["deploy", "churn/latest", "--dry-run"], "write a number such as 3"),
    (["deploy", "churn@a b"], "an alias such as @champion"),
    (["deploy", f"{LONG}/1"], "model cannot be used"),
    (["register", "nope", "churn"], "write the 32 characters of a tracked run's id"),
    (["register", TRACKED, ""], "name cannot be used: write 1 to 250"),
    (["register", TRACKED, "a/b"], "none of them one of"),
    (["register", TRACKED, "churn", "--alias", "a b"], "alias cannot be used"),
    # whom to share with
    (["app", "app.py", "--share", ""], "write user:NAME or group:NAME"),
    (["app", "app.py", "--share", "ben"], "write user:NAME or group:NAME"),
    (["app", "app.py", "--share", "user:"], "write user:NAME or group:NAME"),
    (["app", "app.py", "--share", f"group:{LONG}"], "group cannot be used"),
    # ids
    *[
        ([*words, id_], f"{id_!r} is no id: list the {noun} to see theirs.")
        for *words, noun in (
            ("stop", "runs"),
            ("logs", "runs"),
            ("runs", "--delete", "runs"),
            ("runs", "--notebook", "runs"),
            ("runs", "--report", "runs"),
            ("experiments", "--notebook", "tracked runs"),
            ("deployments", "--log", "deployments"),
            ("apps", "--log", "apps"),
            ("schedules", "--pause", "schedules"),
            ("schedules", "--resume", "schedules"),
            ("schedules", "--run", "schedules"),
            ("schedules", "--delete", "schedules"),
            ("schedules", "--update", "schedules"),
            ("reschedule", "--tz", "UTC", "schedules"),
            ("deployments", "--start", "deployments"),
            ("deployments", "--stop", "deployments"),
            ("deployments", "--delete", "deployments"),
            ("key", "deployments"),
            ("apps", "--start", "apps"),
            ("apps", "--stop", "apps"),
            ("apps", "--delete", "apps"),
        )
        for id_ in ("", "..", "a/b", "a?b", "a\x07")
    ],
    (["apps", "--share", "..", "user:ben"], "'..' is no id: list the apps"),
    (["apps", "--share", "nobody", "user:ben"], "There is no such app"),
    (["apps", "--unshare", "nobody", "group:ml"], "There is no such app"),
    (["apps", "--share", "nobody", "ben"], "write user:NAME or group:NAME"),
    (["apps", "--unshare", "nobody", ""], "write user:NAME or group:NAME"),
    (["runs", "--delete", "nobody"], "There is no such run, or it is not yours."),
    (["runs", "--report", "nobody"], "There is no such run, or it is not yours."),
    (["stop", "nobody"], "There is no such run, or it is not yours."),
    (["logs", "nobody"], "There is no such run, or it is not yours."),
    (["schedules", "--run", "nobody"], "There is no such schedule"),
    (["schedules", "--update", "nobody"], "There is no such schedule"),
    (["reschedule", "nobody", "0 6 * * *"], "There is no such schedule"),
    (["deployments", "--start", "nobody"], "There is no such endpoint"),
    (["apps", "--delete", "nobody"], "There is no such app"),
    # a part that does not answer: nobody serves MLflow here
    (["models"], "does not answer"),
    (["experiments"], "does not answer"),
    (["register", "last", "churn"], "does not answer"),
    (["deploy", "churn/3"], "does not answer"),
]


def refusal(out, err):
    """The last line; nothing but a price may stand before it."""
    *before, last = err.splitlines()
    assert all(PRICED.match(line) for line in before), err
    assert out == ""
    return last


@pytest.mark.parametrize(("words", "said"), USAGE, ids=str)
def test_a_wrong_command_line_ends_with_2_and_one_line(ana, hubyard, words, said):
    code, out, err = hubyard(*words)
    line = refusal(out, err)
    assert code == 2
    assert said in line
    assert line.startswith("hubyard")
    assert line.endswith("--help`.")


@pytest.mark.parametrize(("words", "said"), REFUSED, ids=lambda case: str(case)[:60])
def test_what_is_refused_ends_with_1_and_one_line(ana, hubyard, words, said):
    code, out, err = hubyard(*words)
    line = refusal(out, err)
    assert code == 1
    assert said in line
    assert line.startswith("hubyard: ")
    assert ana.kept() == 0


@pytest.mark.parametrize(("words", "said"), REFUSED[::9], ids=lambda c: str(c)[:60])
def test_a_program_finds_nothing_where_it_looks_for_json(ana, hubyard, words, said):
    code, out, err = hubyard(*words, "--json")
    assert (code, out) == (1, "")
    assert said in err


def test_outside_the_hub_one_line_says_what_to_set(hubyard):
    code, out, err = hubyard("compute")
    assert code == 1
    assert "set HUBYARD_PLATFORM_URL and HUBYARD_TOKEN" in refusal(out, err)


def test_where_no_compute_is_offered_the_line_says_whom_to_ask(answering, hubyard):
    answering.answers["GET compute"] = {
        "currency": "USD",
        "limits": "soft",
        "compute": [],
    }
    code, out, err = hubyard("deploy", "churn/3")
    assert (code, refusal(out, err)) == (
        1,
        "hubyard: No compute is offered to you: ask who runs this hub.",
    )
    assert hubyard("compute")[1] == "No compute is offered to you.\n"


def test_a_refusal_of_several_lines_is_one(answering, hubyard):
    answering.answers["GET compute"] = "It is\nbroken."
    assert hubyard("compute") == (1, "", "hubyard: It is broken.\n")


# -- help ------------------------------------------------------------------------------


def commands():
    (subparsers,) = (a for a in parser()._actions if a.dest == "==SUPPRESS==")
    return subparsers.choices


@pytest.mark.parametrize("name", ["", *commands()])
def test_help_is_everywhere_and_explains_each_option(hubyard, name):
    code, out, err = hubyard(*filter(None, [name]), "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: hubyard {name}".strip())
    of_command = commands()[name] if name else parser()
    assert [
        a.dest for a in of_command._actions if a.option_strings and not a.help
    ] == []


def test_version(hubyard):
    assert hubyard("--version") == (0, "hubyard 0.1.0\n", "")


def test_a_broken_plugin_is_one_line_and_the_others_work(
    answering, hubyard, monkeypatch
):
    broken = EntryPoint("mine", "no_such_module:add_commands", "hubyard.commands")
    monkeypatch.setattr(cli, "entry_points", lambda group: [broken])
    code, out, err = hubyard("workloads")
    assert (code, "workspace" in out) == (0, True)
    assert err == "hubyard: mine cannot be used: No module named 'no_such_module'\n"


# -- what each prints ------------------------------------------------------------------

EMPTY = {
    "compute": ("GET compute", "No compute is offered to you."),
    "workloads": ("GET workloads", "Nothing runs."),
    "runs": ("GET runs", "There are no runs yet."),
    "schedules": ("GET schedules", "There are no schedules."),
    "channels": (
        "GET channels",
        "There are no channels: an administrator defines them.",
    ),
    "models": ("GET models", "No model is registered."),
    "deployments": ("GET deployments", "Nothing is deployed."),
    "apps": ("GET apps", "Nothing is published."),
    "budget": ("GET budgets", "There is no budget: nothing is refused."),
}

SPENT_SO_FAR = (
    "You have spent $0.20 since 06 May, and $0.05 an hour now; at this rate $0.20 by "
    "the end of the month."
)
BUDGET_LINE = (
    "budget of the user ana: $0.20 of $5.00 spent (4 %), $0.05 reserved, $4.75 left"
)
SHOWN = [
    (
        ["compute"],
        "NAME PRICE/H CPU MEMORY LONGEST DESCRIPTION",
        "small $0.05 1.5 1 GiB",
    ),
    (
        ["workloads"],
        "WORKLOAD NAME COMPUTE PRICE/H COST LEFT URL",
        "workspace workspace small $0.05",
    ),
    (["cost"], SPENT_SO_FAR, "train small"),
    (["cost", "--everybody"], SPENT_SO_FAR.replace("You have", "Everybody has"), "ana"),
    (["budget"], BUDGET_LINE, ""),
    (["budget", "user", "ana", "5"], BUDGET_LINE, ""),
    (["extend", "workspace", "--yes"], f"It ends {MAY}.", ""),
    (["runs"], "RUN NAME STATUS CELLS STARTED COST", "r1 train succeeded 2/2"),
    (
        ["schedules"],
        "SCHEDULE NAME WHEN NEXT LAST A MONTH",
        "s1 train At 02:30, Monday",
    ),
    (
        ["schedules", "--week"],
        "DAY Europe/Berlin NAME STATUS COST",
        "Mon 06 May 09:08 train succeeded in 0s $0.20",
    ),
    (
        ["notices"],
        "WHEN RUN NAME WHAT SEEN MESSAGE",
        f"{MAY} r1 train failed no Cell 3 failed: ValueError: 7",
    ),
    (
        ["channels"],
        "CHANNEL KIND DEFAULT FOR LEADS TO",
        "ops mail yes who is on duty mailtos:",
    ),
    (
        ["channels", "--deliveries"],
        "WHEN CHANNEL OWNER RUN WHAT STATUS TRIES SAID",
        f"{MAY} ops ana r1 failed waiting 1 It was not taken",
    ),
    (["models"], "MODEL VERSION ALIASES CREATED TRACKED RUN", "churn 3 champion"),
    (["experiments"], "RUN NAME EXPERIMENT STATUS STARTED METRICS", "auc=0.75"),
    (
        ["deployments"],
        "DEPLOYMENT MODEL STATUS PRICE/H COST URL",
        "churn-1 churn/3 ready $0.05 - https:",
    ),
    (["apps"], "APP NAME FRAMEWORK STATUS PRICE/H URL", "report-1 report voila ready"),
]


@pytest.mark.parametrize(
    ("words", "head", "row"), SHOWN, ids=lambda case: str(case)[:30]
)
def test_lists_are_tables_and_json(answering, hubyard, words, head, row):
    spend = {
        **answering.answers["GET spend"],
        "lines": [SPENT, {**SPENT, "server_name": ""}],
    }
    answering.answers["GET spend"] = spend
    answering.answers["GET spend/everybody"] = {**spend, "owner": ""}
    tracked = {**TRACKED_RUN, "metrics": {"auc": 0.75}}
    answering.answers["GET tracked-runs"] = {"runs": [tracked], "next_page": None}
    code, out, err = hubyard(*words)
    assert (code, "hubyard: " in err) == (0, False)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == head
    assert any(row in line for line in lines)
    code, out, err = hubyard(*words, "--json")
    assert (code, "hubyard: " in err) == (0, False)
    assert json.loads(out)


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_list_says_so(answering, hubyard, name):
    call, said = EMPTY[name]
    nothing = {"currency": "USD", "limits": "soft", "compute": []}
    answering.answers[call] = nothing if name == "compute" else []
    assert hubyard(name) == (0, f"{said}\n", "")


def test_a_month_without_workloads_and_a_page_without_runs_say_so(answering, hubyard):
    assert hubyard("cost")[1].endswith("Nothing has run this month.\n")
    answering.answers["GET tracked-runs"] = {"runs": [], "next_page": None}
    assert hubyard("experiments")[1] == "Nothing was tracked yet.\n"
    said = hubyard("register", "last", "churn")[2]
    assert said == "hubyard: Nothing was tracked yet: train a model in a cell first.\n"


def test_a_run_that_waits_for_its_turn_is_queued(answering, hubyard):
    waiting = {**RUN, "status": "pending"}
    answering.answers["GET runs"] = [waiting]
    assert " queued " in hubyard("runs")[1]
    assert json.loads(hubyard("runs", "--json")[1])[0]["status"] == "pending"
    answering.answers["GET schedules"] = [{**SCHEDULE, "last_status": "pending"}]
    assert " queued " in hubyard("schedules")[1]


def test_compute_that_this_machine_lacks_says_why(answering, hubyard):
    lacking = {**SMALL, "available": False, "reason": "needs a GPU"}
    answering.answers["GET compute"]["compute"].append(lacking)
    assert "not available: needs a GPU" in hubyard("compute")[1]
    answering.answers["GET compute"]["compute"].remove(lacking)


def test_names_of_others_neither_break_a_table_nor_move_the_cursor(answering, hubyard):
    answering.answers["GET runs"] = [
        {**RUN, "name": "a\x1b[2Jb\nc"},
        {**RUN, "name": LONG, "cost": None, "started_at": None},
    ]
    code, out, _ = hubyard("runs")
    _, first, second = out.splitlines()
    assert code == 0
    assert "a [2Jb c" in first
    assert f"{'x' * 39}…  succeeded" in second
    assert len({line.index("2/2") for line in (first, second)}) == 1
    assert json.loads(hubyard("runs", "--json")[1])[1]["name"] == LONG


def test_lists_can_be_narrowed(answering, hubyard):
    answering.answers["GET tracked-runs"] = "The filter cannot be read."
    assert hubyard("experiments", "--filter", "x")[2] == (
        "hubyard: The filter cannot be read.\n"
    )
    assert hubyard("runs", "--schedule", "s1")[0] == 0


def test_what_queued_runs_wait_for_is_said_once_a_reason(answering, hubyard):
    said = "It waits for 12 GiB of memory, which other runs may use now."
    queued = {**RUN, "status": "pending", "waits_for": said}
    runs = [{**queued, "id": f"r{number}"} for number in range(5)]
    answering.answers["GET runs"] = [*runs, {**RUN, "id": "r9"}]
    *_, last = hubyard("runs")[1].splitlines()
    assert last == f"{said} (r0, r1, r2 and 2 more)"
    answering.answers["GET runs"] = runs[1:2]
    assert hubyard("runs")[1].splitlines()[-1] == f"{said} (r1)"


def test_what_a_run_has_printed(answering, hubyard):
    assert hubyard("logs", "r1") == (0, "what it printed\n", "")
    for words in (["deployments", "--log", "churn-1"], ["apps", "--log", "report-1"]):
        assert hubyard(*words) == (0, "what it printed\n", "")
    shown = json.loads(hubyard("logs", "r1", "--json")[1])
    assert shown == {"log": "what it printed\n"}


@pytest.mark.parametrize(
    "words", [["runs", "--notebook", "r1"], ["experiments", "--notebook", TRACKED]]
)
def test_a_notebook_is_printed_as_it_is(answering, hubyard, words):
    assert hubyard(*words) == (0, '{"cells": []}', "")
    assert json.loads(hubyard(*words, "--json")[1]) == {"notebook": '{"cells": []}'}


def test_a_report_is_printed_as_it_is(answering, hubyard):
    answering.answers["GET runs/r1/report"] = Raw(content=b"<p>\xff</p>\n")
    assert hubyard("runs", "--report", "r1") == (0, "<p>\ufffd</p>\n", "")


# -- what each does --------------------------------------------------------------------

DONE = [
    (["stop", "r1"], "train is being stopped"),
    (["runs", "--delete", "r1"], ""),
    (["apps", "--share", "report-1", "group:ml"], "report is open to you"),
    (["apps", "--unshare", "report-1", "user:ben"], "report is open to you"),
    (["key", "churn-1", "--ttl", "7d"], "curl of the key"),
    (["schedules", "--pause", "s1"], "train is paused"),
    (["schedules", "--run", "s1"], "r1"),
    (["schedules", "--delete", "s1"], ""),
    (["channels", "--try", "ops"], "ops: sent."),
    (["channels", "--remove", "ops"], ""),
    (["deployments", "--start", "churn-1"], "churn: ready"),
    (["deployments", "--stop", "churn-1"], "churn: stopped"),
    (["deployments", "--delete", "churn-1"], ""),
    (["key", "churn-1"], "curl of the key"),
    (["apps", "--start", "report-1"], "report: ready"),
    (["apps", "--stop", "report-1"], "report: stopped"),
    (["apps", "--delete", "report-1"], ""),
    (["register", "last", "churn"], "churn/3"),
    (["run", "train.ipynb"], "r1"),
    (["run", "train.ipynb", "--follow"], "r1 succeeded"),
    (["schedule", "train.ipynb", DAILY], "s1"),
    (["deploy", "churn@champion"], f"churn-1\n{DEPLOYMENT['url']}"),
    (["app", "app.py"], APP["url"]),
]


@pytest.mark.parametrize(("words", "said"), DONE, ids=lambda case: str(case)[:40])
def test_what_is_done_is_told_to_people_and_to_programs(
    answering, hubyard, words, said
):
    code, out, _ = hubyard(*words)
    assert (code, out) == (0, f"{said}\n" if said else "")
    code, out, _ = hubyard(*words, "--json")
    assert code == 0
    assert isinstance(json.loads(out), dict)


def test_a_schedule_that_goes_on_says_so(answering, hubyard):
    answering.answers["PATCH schedules/s1"] = SCHEDULE
    answering.answers["GET schedules"] = [{**SCHEDULE, "paused": True}]
    assert hubyard("schedules", "--resume", "s1")[1] == "train goes on\n"
    assert answering.bodies("PATCH schedules/s1") == [{"paused": False}]
    assert "paused" in hubyard("schedules")[1]
    left = {"paused": True, "suspended": "Its owner has left."}
    answering.answers["GET schedules"] = [{**SCHEDULE, **left}]
    assert "Its owner has left." in hubyard("schedules")[1]


def test_a_week_is_the_one_of_its_day_from_monday_on(ana, hubyard):
    _, out, _ = hubyard("schedules", "--week", "2026-11-29", "--json")
    assert [each["day"][-2:] for each in json.loads(out)["days"]] == [
        *("23", "24", "25", "26", "27", "28", "29")
    ]
    _, out, _ = hubyard("schedules", "--week", "--tz", "Asia/Tokyo", "--json")
    found = json.loads(out)
    assert found["time_zone"] == "Asia/Tokyo"
    assert [each["today"] for each in found["days"]].count(True) == 1
    assert date.fromisoformat(found["days"][0]["day"]).strftime("%a") == "Mon"


def test_many_alike_are_one_line_of_their_day(answering, hubyard):
    later = {"last_at": "2030-05-06T19:00:00Z", "count": 9}
    past = {**PAST, **later, "status": "failed", "cost": None}
    days = [{**DAY, "past": [past], "coming": [{**COMING, **later}, COMING]}]
    answering.answers["GET calendar"] = {"time_zone": "Europe/Berlin", "days": days}
    _, out, _ = hubyard("schedules", "--week")
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["Mon", "06", "May", "09:08-21:00", "train", "9", "failed", "-"],
        ["09:08-21:00", "train", "9", "due", "-"],
        ["09:08", "train", "due", "-"],
    ]


def test_a_week_in_which_nothing_is_says_so(answering, hubyard):
    days = [{**DAY, "past": [], "coming": []}]
    answering.answers["GET calendar"] = {"time_zone": "UTC", "days": days}
    said = "Nothing ran and nothing comes due.\n"
    assert hubyard("schedules", "--week") == (0, said, "")


COMPARE = f"GET sources/{DIGEST}/diff/{DIGEST}"


def test_an_update_shows_first_what_has_changed(answering, hubyard):
    code, out, err = hubyard("schedules", "--update", "s1")
    assert (code, out) == (0, "train is up to date\n")
    assert err == "changed train.ipynb\n  @@ -1 +1 @@\n  -a\n  +b\n"
    assert answering.bodies("PATCH schedules/s1") == [{"source": DIGEST}]


def test_nothing_is_updated_where_nothing_has_changed(answering, hubyard):
    answering.answers[COMPARE] = {"files": []}
    code, _, err = hubyard("schedules", "--update", "s1")
    assert (code, err) == (0, "train runs train.ipynb as it is here.\n")
    assert answering.bodies("PATCH schedules/s1") == []


def test_what_overlaps_or_was_missed_is_as_it_was_wished_for(answering, hubyard):
    policy = ["--missed", "all", "--overlap", "queue", "--grace", "5m"]
    hubyard("schedule", "train.ipynb", DAILY, *policy)
    (sent,) = answering.bodies("POST schedules")
    assert (sent["missed"], sent["overlap"], sent["grace_s"]) == ("all", "queue", 300)


def test_a_schedule_says_who_is_told_of_what(answering, hubyard):
    hubyard("schedule", "train.ipynb", DAILY)
    told = ["--notify", "ops", "--notify", "boss", "--notify-on", "late"]
    hubyard("schedule", "train.ipynb", DAILY, *told)
    usual, chosen = answering.bodies("POST schedules")
    assert ("notify" in usual, usual["notify_on"]) == (False, ["failed"])
    assert (chosen["notify"], chosen["notify_on"]) == (["ops", "boss"], ["late"])


CHANGES = [
    (["0 6 * * *"], {"cron": "0 6 * * *"}),
    (["--tz", "Asia/Tokyo"], {"time_zone": "Asia/Tokyo"}),
    (["--missed", "all", "--overlap", "allow"], {"missed": "all", "overlap": "allow"}),
    (["--grace", "2h"], {"grace_s": 7200}),
    (["--notify", "ops", "--notify", "boss"], {"notify": ["ops", "boss"]}),
    (["--notify", "nobody"], {"notify": []}),
    (["--notify", "usual"], {"notify": None}),
    (["--notify-on", "late"], {"notify_on": ["late"]}),
]


@pytest.mark.parametrize(("words", "sent"), CHANGES, ids=str)
def test_a_change_says_what_shall_be_another_and_no_more(
    answering, hubyard, words, sent
):
    code, out, err = hubyard("reschedule", "s1", *words)
    assert (code, out) == (0, "train: At 02:30, Monday through Friday (UTC)\n")
    assert "$0.05 a run" in err
    assert answering.bodies("PATCH schedules/s1") == [sent]


def test_what_a_change_would_cost_is_asked_of_the_schedule_as_it_would_be(
    answering, hubyard
):
    hubyard("reschedule", "s1", "0 6 * * *", "--tz", "Asia/Tokyo", "--dry-run")
    (sent,) = answering.bodies("POST schedules/preview")
    assert (sent["cron"], sent["time_zone"]) == ("0 6 * * *", "Asia/Tokyo")
    assert (sent["compute"], sent["notebook"]) == ("small", "train.ipynb")
    answering.answers["GET schedules/s1"] = {**HOOKED, "on": {"webhook": True}}
    hubyard("reschedule", "s1", "--overlap", "queue", "--dry-run")
    sent = answering.bodies("POST schedules/preview")[-1]
    assert ("cron" in sent, sent["on"]) == (False, {"webhook": True})
    assert answering.bodies("PATCH schedules/s1") == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Say what shall be another: a cron, --tz, --missed,"),
        (["--notify", "ops", "--notify", "usual"], "Write --notify nobody or"),
    ],
)
def test_a_change_that_says_nothing_changes_nothing(answering, hubyard, words, says):
    code, _, err = hubyard("reschedule", "s1", *words)
    assert code == 1
    assert says in err
    assert answering.bodies("PATCH schedules/s1") == []


def test_notices_are_called_seen_when_that_is_asked_for(answering, hubyard):
    hubyard("notices")
    assert answering.bodies("POST notices/seen") == []
    assert "train failed" in re.sub(r"\s+", " ", hubyard("notices", "--seen")[1])
    assert answering.bodies("POST notices/seen") == [{}]


def test_the_url_of_a_channel_is_no_word_of_the_command(
    answering, hubyard, monkeypatch
):
    monkeypatch.setattr("sys.stdin", io.StringIO("https://example.org/quincunx\n"))
    words = ["channels", "--add", "ops", "--for", "who is on duty", "--default"]
    code, out, err = hubyard(*words)
    assert (code, err) == (0, "")
    assert out == "ops leads to mailtos://mail.example.org/…\n"
    assert answering.bodies("PUT channels/ops") == [
        {
            "url": "https://example.org/quincunx",
            "purpose": "who is on duty",
            "is_default": True,
        }
    ]


def test_at_a_terminal_the_url_is_not_shown(answering, hubyard, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    asked = []
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(
        "getpass.getpass", lambda said: asked.append(said) or "slack://"
    )
    assert hubyard("channels", "--add", "ops")[0] == 0
    assert asked == ["URL, as apprise writes it: "]
    assert answering.bodies("PUT channels/ops")[0]["url"] == "slack://"


def test_a_channel_that_takes_nothing_ends_with_1(answering, hubyard):
    answering.answers["POST channels/ops/trial"] = {
        "status": "refused",
        "said": "It answered 404.",
    }
    code, out, _ = hubyard("channels", "--try", "ops")
    assert (code, out) == (1, "ops: refused. It answered 404.\n")


def test_a_backfill_says_first_how_many_runs_it_starts(answering, hubyard):
    answering.answers["GET schedules/s1"] = {**SCHEDULE, "time_zone": "Europe/Berlin"}
    words = ["backfill", "s1", "--since", "2026-11-01", "--until", "2026-11-02T12:00Z"]
    code, out, err = hubyard(*words, "--dry-run")
    assert (code, out) == (0, "")
    assert err == "2 of 3 due times have no run yet; 2 runs cost about $0.20\n"
    asked = {"since": "2026-10-31T23:00:00Z", "until": "2026-11-02T12:00:00Z"}
    dry = {**asked, "dry_run": True}
    assert answering.bodies("POST schedules/s1/backfill") == [dry]
    assert hubyard(*words)[1] == "2 runs wait for their turn\n"
    sent = answering.bodies("POST schedules/s1/backfill")
    assert sent == [dry, dry, {**asked, "dry_run": False}]


def test_a_moment_that_is_none_is_one_line(answering, hubyard):
    code, _, err = hubyard("backfill", "s1", "--since", "yesterday")
    assert code == 2
    assert "'yesterday' is no moment: write one such as 2026-11-24" in err


COSTS = [
    (["run", "train.ipynb"], "POST runs"),
    (["deploy", "churn/3"], "POST deployments"),
    (["app", "app.py"], "POST apps"),
    (["schedule", "train.ipynb", DAILY], "POST schedules"),
]


@pytest.mark.parametrize(("words", "call"), COSTS, ids=lambda case: case[0])
def test_a_dry_run_shows_the_price_and_starts_nothing(answering, hubyard, words, call):
    code, out, err = hubyard(*words, "--dry-run")
    assert code == 0
    assert "$0.20" in out + err
    shown = json.loads(hubyard(*words, "--dry-run", "--json")[1])
    assert shown.get("total", shown.get("per_month"))["text"] == "$0.20"
    assert call not in answering.calls()


TRIGGERS = [
    (["--on-file", "data/*.csv"], {"file": "data/*.csv"}),
    (["--on-model", "churn@champion"], {"model": "churn", "alias": "champion"}),
    (["--on-webhook"], {"webhook": True}),
]
HOOKED = {
    **SCHEDULE,
    "cron": None,
    "next_fire": None,
    "per_month": None,
    "text": "when its webhook is called",
    "secret": "s3cret",
    "curl": "curl -X POST http://h/s1",
}


@pytest.mark.parametrize(("words", "on"), TRIGGERS, ids=str)
def test_a_trigger_is_sent_in_the_place_of_a_cron(answering, hubyard, words, on):
    assert hubyard("schedule", "train.ipynb", *words)[0] == 0
    for call in ("POST schedules/preview", "POST schedules"):
        (sent,) = answering.bodies(call)
        assert sent["on"] == {"webhook": False, **on}
        assert "cron" not in sent


@pytest.mark.parametrize(("files", "says"), [(1, "1 file is"), (3, "3 files are")])
def test_of_a_trigger_it_is_said_what_it_finds_and_what_a_run_costs(
    answering, hubyard, files, says
):
    preview = answering.answers["POST schedules/preview"]
    none = {"next_fires": [], "fires_per_month": None, "per_month": None}
    shown = {**preview, **none, "files": files, "text": "when a.csv changes"}
    answering.answers["POST schedules/preview"] = shown
    _, out, _ = hubyard("schedule", "train.ipynb", "--on-file", "a.csv", "--dry-run")
    assert out == f"when a.csv changes\n{says} there now\n$0.05 a run (an hour a run)\n"


def test_a_webhook_is_made_and_shown_once(answering, hubyard):
    answering.answers["POST schedules"] = HOOKED
    _, out, err = hubyard("schedule", "train.ipynb", "--on-webhook")
    assert out.splitlines() == ["s1", "curl -X POST http://h/s1"]
    assert "shown this once" in err
    made = json.loads(hubyard("schedule", "train.ipynb", "--on-webhook", "--json")[1])
    assert made["secret"] == "s3cret"
    answering.answers["GET schedules"] = [HOOKED]
    listed = hubyard("schedules")[1]
    assert "when its webhook is called" in listed


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("data/*.csv", "HERE/data/*.csv"),
        ("../all.csv", "all.csv"),
        ("~/all.csv", "all.csv"),
        ("HOME/all.csv", "all.csv"),
    ],
)
def test_in_a_workspace_a_path_is_typed_from_where_one_is(
    answering, hubyard, monkeypatch, typed, sent
):
    here = Path.cwd()
    monkeypatch.setenv("HOME", str(here.parent))
    monkeypatch.setenv("HUBYARD_ENTRY", "e1")
    typed = typed.replace("HOME", str(here.parent))
    assert hubyard("schedule", "train.ipynb", "--on-file", typed)[0] == 0
    (made,) = answering.bodies("POST schedules")
    assert made["on"]["file"] == sent.replace("HERE", here.name)
    code, _, err = hubyard("schedule", "train.ipynb", "--on-file", "/etc/passwd")
    assert (code, "below your home" in err) == (1, True)


def test_what_is_asked_for_is_what_is_sent(answering, hubyard):
    options = ["-c", "small", "--ttl", "30m", "--name", "mine"]
    given = ["-p", "lr=0.5", "-p", "sizes=(1, 2)", "--fresh"]
    hubyard("run", "train.ipynb", *given, *options)
    hubyard("schedule", "train.ipynb", DAILY, "--tz", "Europe/Berlin", *options)
    hubyard("app", "app.py", "--framework", "streamlit", *options)
    hubyard("deploy", "churn@champion", *options)
    more = {"name": "mine", "compute": "small", "lifetime_s": 1800}
    assert answering.bodies("POST runs") == [
        {
            "source": DIGEST,
            "notebook": "train.ipynb",
            "parameters": {},
            "parameter_texts": {"lr": "0.5", "sizes": "(1, 2)"},
            "fresh": True,
            **more,
        }
    ]
    (schedule,) = answering.bodies("POST schedules")
    assert schedule["time_zone"] == "Europe/Berlin"
    assert [schedule[n] for n in ("missed", "overlap")] == ["once", "skip"]
    assert schedule | more == schedule
    assert answering.bodies("POST apps") == [
        {"source": DIGEST, "path": "app.py", "framework": "streamlit", **more}
    ]
    assert answering.bodies("POST deployments") == [
        {"model": "churn", "version": "@champion", **more}
    ]


@pytest.mark.parametrize(("words", "call"), COSTS[:1] + COSTS[2:], ids=lambda c: c[0])
def test_a_project_says_which_compute_its_files_get(answering, hubyard, words, call):
    source = {**answering.answers["POST sources"], "compute": "medium"}
    answering.answers["POST sources"] = source
    hubyard(*words)
    hubyard(*words, "-c", "small")
    asked = [body["compute"] for body in answering.bodies(call)]
    assert asked == ["medium", "small"]


def test_an_app_is_shared_once_it_has_started(answering, hubyard):
    assert hubyard("app", "app.py", "--share", "group:staff")[0] == 0
    assert answering.bodies("POST apps/report-1/shares") == [{"group": "staff"}]


def test_who_may_open_an_app_is_told(answering, hubyard):
    shares = [{"user": "ben", "group": None}, {"user": None, "group": "ml"}]
    answering.answers["POST apps/report-1/shares"] = {**APP, "shares": shares}
    done = hubyard("apps", "--share", "report-1", "group:ml")
    assert done == (0, "report is open to you, user:ben, group:ml\n", "")
    assert answering.bodies("POST apps/report-1/shares") == [{"group": "ml"}]


def test_a_key_may_live_shorter(answering, hubyard):
    hubyard("key", "churn-1", "--ttl", "7d")
    hubyard("key", "churn-1")
    lives = [
        b["expires_in_s"] for b in answering.bodies("POST deployments/churn-1/keys")
    ]
    assert [duration_text(seconds) for seconds in lives] == ["7d", "90d"]


ENDS = [
    ({"status": "failed", "reason": "it is broken"}, "it is broken"),
    ({"status": "stopped", "reason": None}, "it was stopped."),
]


@pytest.mark.parametrize(("end", "said"), ENDS, ids=["failed", "stopped"])
@pytest.mark.parametrize(
    ("words", "call", "thing"),
    [
        (["deploy", "churn/3"], "GET deployments/churn-1", DEPLOYMENT),
        (["app", "app.py", "--share", "user:ben"], "GET apps/report-1", APP),
    ],
    ids=["deploy", "app"],
)
def test_what_does_not_get_ready_ends_with_1_and_says_why(
    answering, hubyard, words, call, thing, end, said
):
    answering.answers[call] = {**thing, **end, "log_tail": "line 1\nline 2"}
    code, out, err = hubyard(*words)
    assert (code, out) == (1, "")
    name, status = thing["name"], end["status"]
    expected = [f"{name} {status}: {said}", "  line 1", "  line 2"]
    assert err.splitlines()[-3:] == expected
    assert "POST apps/report-1/shares" not in answering.calls()
    code, out, _ = hubyard(*words, "--json")
    assert (code, json.loads(out)["status"]) == (1, status)


def test_a_run_that_fails_ends_with_1_and_says_why(answering, hubyard):
    failure = {"reason": "cell-error", "message": "Cell 2: ZeroDivisionError."}
    failed = {**RUN, "status": "failed", "failure": failure}
    answering.answers["GET runs/r1"] = failed
    code, out, err = hubyard("run", "train.ipynb", "--follow")
    assert (code, out) == (1, "r1 failed\n")
    assert err.splitlines()[1:] == ["failed: cell 2 of 2", failure["message"]]


def test_whoever_waits_hears_of_each_change_once(answering, hubyard, monkeypatch):
    states = iter(["pending", "pending", "starting", "ready"])

    def change(*_):
        answering.answers["GET deployments/churn-1"] = {
            **DEPLOYMENT,
            "status": next(states),
        }

    change()
    monkeypatch.setattr("hubyard.client.nouns.time.sleep", change)
    _, _, err = hubyard("deploy", "churn/3")
    assert err.splitlines()[1:] == ["churn: pending", "churn: starting", "churn: ready"]


# -- asking ----------------------------------------------------------------------------


END = "-- the end of what was shown --"


@pytest.fixture
def terminal(monkeypatch):
    """A person at a real terminal, who types an answer; tells what was shown."""
    person, command = os.openpty()
    streams = [os.fdopen(os.dup(command), mode) for mode in ("r", "w")]
    monkeypatch.setattr(sys, "stdin", streams[0])

    def types(answer, *words):
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", streams[1])
            os.write(person, f"{answer}\n".encode())
            code = main(words)
        print(END, file=streams[1], flush=True)
        shown = b""
        while END not in shown.decode():
            shown += os.read(person, 10_000)
        return code, shown.decode().partition(END)[0]

    yield types
    for stream in streams:
        stream.close()
    os.close(person)
    os.close(command)


ASKED = [
    (["run", "train.ipynb"], "POST runs", "Run train.ipynb for at most $0.20?"),
    (["deploy", "churn/3"], "POST deployments", "Deploy churn/3 for at most $0.20?"),
    (["app", "app.py"], "POST apps", "Publish app.py for at most $0.20?"),
    (
        ["schedule", "train.ipynb", DAILY],
        "POST schedules",
        "Schedule train.ipynb for about $0.20 a month?",
    ),
    (
        ["schedules", "--run", "s1"],
        "POST schedules/s1/run",
        "Run train for about $0.05?",
    ),
    (["schedules", "--delete", "s1"], "DELETE schedules/s1", "Delete s1?"),
    (
        ["schedules", "--update", "s1"],
        "PATCH schedules/s1",
        "Let train run it like this from now on?",
    ),
    (
        ["deployments", "--start", "churn-1"],
        "POST deployments/churn-1/start",
        "Start churn for at most $0.20?",
    ),
    (["apps", "--delete", "report-1"], "DELETE apps/report-1", "Delete report-1?"),
    (["runs", "--delete", "r1"], "DELETE runs/r1", "Delete r1?"),
]


@pytest.mark.parametrize(
    ("words", "call", "question"), ASKED, ids=lambda c: str(c)[:30]
)
def test_a_person_is_asked_before_what_costs_or_deletes(
    answering, terminal, words, call, question
):
    code, shown = terminal("", *words)
    assert code == 1
    assert f"{question} [y/N] " in shown
    assert shown.endswith("Nothing was done.\r\n")
    assert call not in answering.calls()
    code, shown = terminal("y", *words)
    assert code == 0
    assert answering.calls().count(call) == 1


@pytest.mark.parametrize("flag", ["--yes", "--json"])
def test_a_person_may_say_yes_beforehand(answering, terminal, flag):
    code, shown = terminal("", "run", "train.ipynb", flag)
    assert code == 0
    assert "[y/N]" not in shown
    assert answering.calls().count("POST runs") == 1


# -- the process -----------------------------------------------------------------------


def process(answering, shell_line, **environ):
    """A line of a real shell, in which `$H` is the command."""
    return subprocess.run(
        ["/bin/bash", "-c", shell_line],
        env={
            **os.environ,
            "H": f"{sys.executable} -m hubyard.cli",
            "PYTHONUNBUFFERED": "",
            **environ,
        },
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_whoever_reads_no_further_hears_no_complaint(answering):
    answering.answers["GET runs"] = [RUN] * 5000
    done = process(answering, "$H runs | head -1; exit ${PIPESTATUS[0]}")
    assert done.stdout.split()[0] == b"RUN"
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize("words", ["runs", "--help"])
def test_an_output_that_is_full_is_one_line(answering, words):
    done = process(answering, f"$H {words} > /dev/full")
    assert done.returncode == 1
    assert done.stderr == b"hubyard: the output: No space left on device\n"


def test_an_output_that_is_closed_is_no_mistake(answering):
    done = process(answering, "$H runs >&- 2>&- <&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_what_a_terminal_cannot_say_is_replaced(answering):
    answering.answers["GET runs"] = [{**RUN, "name": "Köln"}]
    done = process(answering, "$H runs", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert b"K?ln" in done.stdout


def test_an_argument_that_is_no_text_is_one_line(answering):
    done = process(answering, r"$H run $'\xff.ipynb'")
    assert done.returncode == 2
    assert done.stderr.startswith(rb"hubyard: '\udcff.ipynb' is not UTF-8;")
    assert done.stderr.count(b"\n") == 1


def test_a_file_that_fails_elsewhere_is_named(answering, hubyard, monkeypatch):
    def fails(_arguments):
        raise PermissionError(13, "Permission denied", "/somewhere")

    monkeypatch.setattr("hubyard.cli.cost._compute", fails)
    assert hubyard("compute") == (1, "", "hubyard: /somewhere: Permission denied\n")


def test_ctrl_c_ends_a_wait_with_130_and_no_traceback(answering):
    answering.answers["GET runs/r1"] = {**RUN, "status": "running", "cells_done": 1}
    # What runs in a shell's background is deaf to Ctrl-C, and passes that on.
    hears = ["env", "--default-signal=INT"]
    follow = [sys.executable, "-m", "hubyard.cli", "run", "train.ipynb", "--follow"]
    waiting = subprocess.Popen(
        [*hears, *follow],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in waiting.stderr:
        if "cell 1 of 2" in line:
            break
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=PATIENCE_S)
    assert (waiting.returncode, out) == (130, "")
    assert err == "hubyard: interrupted; what has started goes on.\n"


def test_lifetimes_are_read_as_they_are_written(answering, hubyard):
    hubyard("deploy", "churn/3", "--ttl", "1h30m")
    (asked,) = answering.bodies("POST estimate")
    assert duration_text(asked["lifetime_s"]) == "1h30m"
    assert MONEY["text"] in hubyard("deployments")[1]


# -- money -----------------------------------------------------------------------------


def test_an_extension_says_what_it_costs_first_and_a_dry_run_extends_nothing(
    answering, hubyard
):
    code, out, err = hubyard("extend", "workspace", "--for", "2h", "--dry-run")
    assert (code, out) == (0, "")
    assert err.startswith(f"workspace costs $0.05 an hour and ends {MAY} ")
    assert err.endswith("it would get 2h more\n")
    assert answering.calls() == ["GET workloads"]
    assert hubyard("extend", "e1", "--for", "2h")[0] == 0
    assert answering.bodies("POST workloads/e1/extend") == [{"seconds": 7200}]


def test_what_does_not_run_is_not_extended(answering, hubyard):
    code, _, err = hubyard("extend", "run-none")
    assert (code, err) == (
        1,
        "hubyard: Nothing called run-none runs: see `hubyard workloads`.\n",
    )


def test_a_budget_is_set_and_removed_as_it_is_said(answering, hubyard):
    words = ["budget", "user", "ana", "12.50", "--soft", "--stop-endpoints"]
    assert hubyard(*words)[0] == 0
    assert answering.bodies("PUT budgets/user/ana") == [
        {"amount": "12.5", "stop": "soft", "endpoints": "stop"}
    ]
    assert hubyard("budget", "project", "churn", "9", "--group", "ml")[0] == 0
    (wish,) = answering.bodies("PUT budgets/project/churn")
    assert wish["group"] == "ml"
    assert hubyard("budget", "user", "ana", "--remove") == (0, "It is gone.\n", "")
    assert answering.calls()[-1] == "DELETE budgets/user/ana"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["budget", "user"], "Say whose: hubyard budget user ana 50."),
        (["budget", "user", "ana"], "Say how much: hubyard budget user ana 50."),
        (["budget", "user", "ana", "much"], "'much' is not an amount of money."),
        (["budget", "user", "ana", "-1"], "required"),
        (["budget", "boss", "ana", "1"], "invalid choice"),
        (["extend", "workspace", "--for", "-1h"], "argument --for"),
        (["extend"], "required: workload"),
    ],
)
def test_what_cannot_be_about_money_is_one_line(answering, hubyard, words, says):
    code, out, err = hubyard(*words)
    assert code in {1, 2}
    assert out == ""
    assert err.count("\n") == 1
    assert says in err or err.startswith("hubyard")
    assert answering.calls() == []


def test_the_ledger_comes_as_it_is(answering, hubyard):
    assert hubyard("cost", "--csv")[:2] == (0, "number,id\r\n")


# -- moments ---------------------------------------------------------------------------


def test_a_due_time_has_its_year_and_its_schedules_zone(answering, hubyard):
    listed = hubyard("schedules")[1]
    assert "06 May 2030 07:08 (UTC)" in listed
    zoned = {**answering.answers["POST schedules/preview"], "time_zone": "Asia/Tokyo"}
    answering.answers["POST schedules/preview"] = zoned
    _, _, said = hubyard("schedule", "train.ipynb", DAILY, "--dry-run")
    out = hubyard("schedule", "train.ipynb", DAILY, "--dry-run")[1]
    assert "At 02:30, Monday through Friday (Asia/Tokyo)" in out + said
    assert "next: 06 May 2030 16:08, " in out + said
    assert "(Asia/Tokyo)" in out + said
