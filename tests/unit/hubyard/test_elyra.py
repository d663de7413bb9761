"""Elyra's pipelines become ours."""

from __future__ import annotations

import json

import pytest
import yaml

from hubyard.cli import main
from hubyard.contract.errors import Invalid
from hubyard.contract.pipeline import PipelineFile
from hubyard.pipelines.elyra import read_elyra


def node(id_, label, filename, *after, op="execute-notebook-node", nested=True):
    said = {"filename": filename, "outputs": ["a.csv"]}
    links = [{"id": f"l{n}", "node_id_ref": other} for n, other in enumerate(after)]
    return {
        "id": id_,
        "type": "execution_node",
        "op": op,
        "app_data": {
            **({"component_parameters": said} if nested else said),
            "ui_data": {"label": label},
        },
        "inputs": [{"id": "inPort", "links": links}] if after else [],
    }


def document(*nodes):
    properties = {"name": "Analyse", "runtime": "Generic"}
    pipeline = {"id": "p", "nodes": list(nodes), "app_data": {"properties": properties}}
    return {"doc_type": "pipeline", "version": "3.0", "pipelines": [pipeline]}


WHOLE = document(
    node("1", "Load Data", "load.ipynb"),
    node("2", "", "parts/clean.ipynb", "1", nested=False),
    node("3", "Load Data", "fit.py", "1", "2", op="execute-python-node"),
    node("4", "7 days", "seven.ipynb"),
    {"id": "note", "type": "super_node"},
)


def test_nodes_become_steps_in_their_order():
    found = read_elyra(json.dumps(WHOLE))
    assert found == {
        "name": "Analyse",
        "steps": {
            "load-data": {"notebook": "load.ipynb"},
            "clean": {"notebook": "parts/clean.ipynb", "after": ["load-data"]},
            "load-data-2": {"script": "fit.py", "after": ["load-data", "clean"]},
            "step-7-days": {"notebook": "seven.ipynb"},
        },
    }
    PipelineFile.model_validate(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no pipeline of Elyra"),
        ("[]", "no pipeline of Elyra"),
        ('{"pipelines": []}', "no pipeline of Elyra"),
        (json.dumps(document({"type": "execution_node"})), "no pipeline of Elyra"),
        (
            json.dumps(document(node("1", "R", "a.r", op="execute-r-node"))),
            "The node 'R' is a execute-r-node: only",
        ),
    ],
)
def test_what_cannot_be_taken_over_is_told(text, says):
    with pytest.raises(Invalid, match=says):
        read_elyra(text)


def test_the_command_prints_it(tmp_path, capsys):
    file = tmp_path / "a.pipeline"
    file.write_text(json.dumps(WHOLE))
    assert main(["pipeline", "--elyra", str(file)]) == 0
    out, err = capsys.readouterr()
    assert yaml.safe_load(out) == read_elyra(json.dumps(WHOLE))
    assert "pipelines/NAME.yml" in err
    assert main(["pipeline", "--elyra", str(tmp_path / "lost")]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err


def test_the_command_prints_the_schema(capsys):
    assert main(["pipeline", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert set(schema["properties"]) == {"name", "compute", "parameters", "steps"}
