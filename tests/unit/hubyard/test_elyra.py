"""Elyra's pipelines become ours."""

from __future__ import annotations

import json

import pytest
import yaml

from hubyard.cli import main
from hubyard.contract.errors import Invalid
from hubyard.contract.pipeline import PipelineFile
from hubyard.pipelines.elyra import read_elyra


def node(id_, label, filename, *after, op="execute-notebook-node", nested=True, **more):
    said = {"filename": filename, **more}
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


def document(*nodes, **more):
    properties = {"name": "Analyse", "runtime": "Generic", **more}
    data = {"properties": properties, "version": 8, "ui_data": {"comments": [{}]}}
    pipeline = {"id": "p", "nodes": list(nodes), "app_data": data}
    return {"doc_type": "pipeline", "version": "3.0", "pipelines": [pipeline]}


WHOLE = document(
    node("1", "Load Data", "load.ipynb"),
    node("2", "", "parts/clean.ipynb", "1", nested=False),
    node("3", "Load Data", "fit.py", "1", "2", op="execute-python-node"),
    node("4", "7 days", "seven.ipynb"),
)


def test_nodes_become_steps_in_their_order():
    found = read_elyra(json.dumps(WHOLE))
    assert found.lost == []
    assert found.file == {
        "name": "Analyse",
        "steps": {
            "load-data": {"notebook": "load.ipynb"},
            "clean": {"notebook": "parts/clean.ipynb", "after": ["load-data"]},
            "load-data-2": {"script": "fit.py", "after": ["load-data", "clean"]},
            "step-7-days": {"notebook": "seven.ipynb"},
        },
    }
    PipelineFile.model_validate(found.file)


def test_no_node_is_lost_whose_name_another_one_has():
    nodes = [
        *(node("1", "x-3", "a.ipynb"), node("2", "x", "b.ipynb")),
        *(node("3", "x", "c.ipynb", "1"), node("4", "X!", "d.ipynb")),
    ]
    found = read_elyra(json.dumps(document(*nodes)))
    steps = found.file["steps"]
    assert {name: step["notebook"] for name, step in steps.items()} == {
        "x-3": "a.ipynb",
        "x": "b.ipynb",
        "x-2": "c.ipynb",
        "x-4": "d.ipynb",
    }
    assert steps["x-2"]["after"] == ["x-3"]


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize(
    "variables",
    [
        ["A=1", "URL=https://x/?a=b", "EMPTY="],
        [
            {"env_var": "A", "value": "1"},
            {"env_var": "URL", "value": "https://x/?a=b"},
            {"env_var": "EMPTY"},
        ],
    ],
)
def test_variables_and_files_come_over_in_the_old_and_the_new_spelling(
    nested, variables
):
    one = node(
        "1", "a", "a.ipynb", nested=nested, env_vars=variables, outputs=["x.csv"]
    )
    defaults = {"env_vars": ["A=0", "B=2"], "runtime_image": ""}
    found = read_elyra(json.dumps(document(one, pipeline_defaults=defaults)))
    assert found.file["environment"] == {"A": "0", "B": "2"}
    assert found.file["steps"]["a"] == {
        "notebook": "a.ipynb",
        "environment": {"A": "1", "URL": "https://x/?a=b"},
        "files": ["x.csv"],
    }
    assert found.lost == ["a: env_vars: EMPTY has no value: Elyra leaves it out"]
    PipelineFile.model_validate(found.file)


LOST = {
    "runtime_image": "tensorflow/tensorflow:2.8.0",
    "cpu": 2,
    "cpu_limit": 4,
    "memory": 8,
    "gpu": 1,
    "gpu_vendor": "nvidia.com/gpu",
    "dependencies": ["data/*.csv"],
    "include_subdirectories": True,
    "pipeline_parameters": ["rows"],
    "mounted_volumes": [{"path": "/mnt", "pvc_name": "x"}],
    "kubernetes_secrets": [{"env_var": "S", "name": "n", "key": "k"}],
    "kubernetes_tolerations": [{"operator": "Exists"}],
    "kubernetes_pod_labels": [{"key": "k"}],
    "kubernetes_pod_annotations": [{"key": "k"}],
    "kubernetes_shared_mem_size": {"size": 0.5},
    "disable_node_caching": "False",
    "something_new": {"a": 1},
}
NOTHING = {
    **dict.fromkeys(LOST, None),
    "outputs": [],
    "env_vars": [],
    "dependencies": [],
    "include_subdirectories": False,
    "kubernetes_shared_mem_size": {"size": None},
    "disable_node_caching": "True",
    "mounted_volumes": [],
    "runtime_image": "",
}


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("nested", [True, False])
def test_each_setting_that_has_no_place_is_named(name, nested):
    more = {**NOTHING, name: LOST[name]}
    found = read_elyra(
        json.dumps(document(node("1", "a", "a.py", nested=nested, **more)))
    )
    (line,) = found.lost
    assert line.startswith(f"a: {name}: {json.dumps(LOST[name])}")
    of_all = document(node("1", "a", "a.ipynb"), pipeline_defaults=more)
    (line,) = read_elyra(json.dumps(of_all)).lost
    assert line.startswith(f"pipeline: {name}: ")


def test_what_stands_beside_a_nodes_settings_is_named_too():
    one = node("1", "a", "a.ipynb")
    one["app_data"]["trigger_rule"] = "all_done"
    whole = document(one, pipeline_parameters=[{"name": "rows"}])
    found = read_elyra(json.dumps(whole)).lost
    of_all, of_node = found
    assert of_all.startswith('pipeline: pipeline_parameters: [{"name": "rows"}] (write')
    assert of_node == 'a: trigger_rule: "all_done"'


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
        (
            json.dumps(document({"id": "s", "type": "super_node"})),
            "The node 's' is a super_node: take it out",
        ),
        (
            json.dumps({"pipelines": [{"id": "p"}, {"id": "inner"}]}),
            "It holds a pipeline within it, 'inner'",
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
    assert yaml.safe_load(out) == read_elyra(json.dumps(WHOLE)).file
    assert "pipelines/NAME.yml" in err
    assert main(["pipeline", "--elyra", str(tmp_path / "lost")]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err


def test_what_is_lost_must_be_accepted(tmp_path, capsys):
    file = tmp_path / "a.pipeline"
    file.write_text(json.dumps(document(node("1", "a", "a.ipynb", **LOST))))
    assert main(["pipeline", "--elyra", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "lost: a: cpu: 2 (choose `compute` for the step or the run)" in err
    assert err.endswith(
        f"{len(LOST)} settings cannot be taken over: write --accept to go without "
        "them.\n"
    )
    assert main(["pipeline", "--elyra", str(file), "--accept"]) == 0
    out, _ = capsys.readouterr()
    assert yaml.safe_load(out)["steps"] == {"a": {"notebook": "a.ipynb"}}
    assert out.count("# lost: a: ") == len(LOST)


def test_the_command_prints_the_schema(capsys):
    assert main(["pipeline", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert set(schema["properties"]) == {
        *("name", "compute", "parameters", "environment", "steps")
    }
