from __future__ import annotations

import json
from datetime import UTC, datetime

import nbformat
import pytest

from hubyard.contract import step_run
from hubyard.contract.pipeline import StepPlan
from hubyard.contract.run import FailureReason, RunFailure
from hubyard_runtime.run.step import report
from hubyard_runtime.run.step.failure import Broken
from hubyard_runtime.run.step.notebook import prepared

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FAILURE = RunFailure(reason=FailureReason.CELL_ERROR, message="it broke", cell=2)


def code(source, **more):
    return {"cell_type": "code", "source": source, "metadata": {}, **more}


def document(*cells, minor=5, **metadata):
    return {
        "nbformat": 4,
        "nbformat_minor": minor,
        "metadata": metadata,
        "cells": list(cells),
    }


NAME = "a{b}.ipynb"


def planned(made):
    """The record of a step that is about to execute a notebook."""
    begun = step_run.began(step_run.waiting(StepPlan(name="a", file=NAME)), NOW)
    return step_run.planned(begun, made.cells_to_run)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "notebook.ipynb"


def statuses(file):
    cells = json.loads(file.read_text())["cells"]
    return [cell["metadata"]["papermill"]["status"] for cell in cells]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("minor", [2, 4, 5])
def test_what_is_saved_is_a_valid_notebook_without_old_outputs(file, minor):
    old = {"output_type": "nonsense"}
    cells = (
        code("1", outputs=[old], execution_count=7),
        {"cell_type": "markdown", "source": ["# a\n", "b"], "metadata": {"tags": None}},
    )
    made = prepared(
        document(*cells, minor=minor, kernelspec={"name": "x"}), NAME, {}, file
    )
    now = planned(made)
    made.save(now)
    saved = nbformat.read(file, as_version=4)
    nbformat.validate(saved)
    assert saved.cells[0].outputs == []
    assert saved.metadata.kernelspec.name == "python3"
    assert made.cells_to_run == [0]


def test_only_what_holds_something_to_execute_runs(file):
    skipped = {"tags": ["skip-execution"]}
    cells = (
        code(" \n"),
        {"cell_type": "raw", "source": "x", "metadata": {}},
        code("1", metadata=skipped),
        code("2"),
    )
    assert prepared(document(*cells), NAME, {}, file).cells_to_run == [3]


def test_parameters_are_put_after_their_defaults(file):
    tagged = code("a = 1", metadata={"tags": ["parameters"]})
    made = prepared(document(code("0"), tagged, code("2")), NAME, {"a": "x'); y"}, file)
    assert made.cells_to_run == [0, 1, 2, 3]
    lines = made.node.cells[2].source.splitlines()
    assert lines[-1] == 'a = "x\'); y"'


@pytest.mark.parametrize("tag", ["parameters", "injected-parameters"])
def test_a_heading_with_the_tag_does_not_take_the_parameters(file, tag):
    heading = {"cell_type": "markdown", "source": "# a", "metadata": {"tags": [tag]}}
    tagged = code("a = 1", metadata={"tags": ["parameters", "mine"]})
    made = prepared(document(heading, tagged, code("a")), NAME, {"a": 5}, file)
    sources = [cell.source.splitlines()[-1] for cell in made.node.cells]
    assert sources == ["# a", "a = 1", "a = 5", "a"]
    assert made.node.cells[1].metadata.tags == ["parameters", "mine"]


def test_statuses_are_ours(file):
    made = prepared(document(*[code(str(n)) for n in range(4)]), NAME, {}, file)
    now = planned(made)
    now = step_run.cell_started(now, 0, NOW)
    now = step_run.cell_started(step_run.cell_succeeded(now, 0, NOW), 1, NOW)
    made.save(now)
    assert statuses(file) == ["completed", "running", "pending", "pending"]
    made.save(step_run.failed(now, NOW, FAILURE))
    assert statuses(file) == ["completed", "failed", "pending", "pending"]
    saved = json.loads(file.read_text())["metadata"]["papermill"]
    assert saved["exception"] is True
    assert saved["input_path"] == "a{b}.ipynb"


def test_what_cannot_be_prepared_is_no_notebook(file):
    with pytest.raises(Broken) as caught:
        prepared(document(code("1"), minor="five"), NAME, {}, file)
    assert caught.value.failure.reason is FailureReason.BAD_NOTEBOOK


def test_a_report_is_made_or_the_log_says_why_not(file, tmp_path, caplog):
    made = prepared(document(code("1")), NAME, {}, file)
    made.save(planned(made))
    html = tmp_path / "report.html"
    report.render(file, html)
    assert html.read_text().startswith("<!DOCTYPE html>")
    assert "<script" not in html.read_text(), "it is shown where no script runs"

    html.unlink()
    file.write_text("{}")
    report.render(file, html)
    assert not html.exists()
    assert "The report could not be made" in caplog.text
