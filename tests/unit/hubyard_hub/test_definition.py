"""Pipelines at the door: what is read of them, and each mistake with its line."""

from __future__ import annotations

import time

import pytest

from hubyard.contract.errors import Invalid, NotFound
from hubyard.contract.pipeline import MOST_STEPS
from hubyard.contract.source import ParameterType
from hubyard_hub.sources.reading import read_entry
from support.platform import code_cell, notebook, packed

PATH = "pipelines/train.yml"
TRAIN = notebook(code_cell("rows: int = 1\nname = 'x'", "parameters"), code_cell("1"))
FILES = {
    "prepare.ipynb": TRAIN,
    "train.ipynb": TRAIN,
    "score.py": b'# %% tags=["parameters"]\nrows = 5\n# %%\nprint(rows)\n',
    "broken.ipynb": b"{",
    "odd.py": b"\xff",
}
WHOLE = """
name: Nightly
compute: large
parameters:
  rows: 100
  region: north
  sizes: [1, 2]
steps:
  score:
    script: score.py
    after: [train]
    parameters: {rows: "${prepare.rows}"}
    when: ${prepare.rows} > 10 and ${region} == "north"
    compute: small
    retries: 3
    retry_wait: 1m
    timeout: 2h
    cell_timeout: 90
  prepare:
    notebook: prepare.ipynb
    parameters: {rows: "${rows}", name: "a-${region}"}
    outputs: [rows]
  train:
    notebook: ./train.ipynb
    each: ${sizes}
    parameters: {rows: "${each}"}
    after: prepare
"""


@pytest.fixture
def entry(tmp_path):
    def entry(text, path=PATH, given=(), **files):
        held = {**FILES, **files}
        if path == PATH:
            held[PATH] = text.encode() if isinstance(text, str) else text
        source = tmp_path / "source"
        source.write_bytes(packed(held))
        return read_entry(source, path).giving(given)

    return entry


def test_a_pipeline_is_read_whole(entry):
    found = entry(WHOLE)
    assert (found.name, found.project.compute) == ("Nightly", "large")
    assert found.shares == {"score": "small"}
    assert [(p.name, p.type, p.default) for p in found.parameters] == [
        ("rows", ParameterType.INT, 100),
        ("region", ParameterType.STR, "north"),
        ("sizes", ParameterType.LIST, [1, 2]),
    ]
    prepare, train, score = found.steps
    assert (prepare.name, prepare.file) == ("prepare", "prepare.ipynb")
    assert (train.file, train.after, train.each) == (
        "train.ipynb",
        ("prepare",),
        "${sizes}",
    )
    assert score.after == ("train", "prepare")
    limits = (score.retries, score.retry_wait_s, score.timeout_s, score.cell_timeout_s)
    assert limits == (3, 60, 7200, 90)


def test_a_project_may_hold_its_pipeline_itself(entry):
    text = f"{WHOLE}data: data/*.csv\n".encode()
    held = {"hubyard.yml": text}
    found = entry("", "hubyard.yml", **held)
    assert found.path == "hubyard.yml"
    assert found.project.data == ("data/*.csv",)
    own, apart = entry(WHOLE), entry("", "hubyard.yml", **held)
    assert (apart.steps, apart.parameters) == (own.steps, own.parameters)
    assert (apart.name, apart.shares) == (own.name, own.shares)
    (alone,) = entry("", "train.ipynb", **held).steps
    assert alone.name == "train"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\n", "hubyard.yml:1: steps: write at least one."),
        (
            "name: a\nsteps:\n  fit: {script: gone.py}\n",
            "hubyard.yml:3: steps.fit.script: the project holds no 'gone.py'",
        ),
        ("steps:\n  fit: {scripts: a.py}\n", "hubyard.yml:2: steps.fit.scripts: is"),
    ],
)
def test_mistakes_in_a_projects_pipeline_name_their_line(entry, text, message):
    with pytest.raises(Invalid) as caught:
        entry("", "hubyard.yml", **{"hubyard.yml": text.encode()})
    assert caught.value.message.startswith(message)


def test_a_runs_parameters_are_those_of_the_pipeline(entry):
    found = entry(WHOLE)
    assert found.accept({"rows": 5}, {"sizes": "[]"}).given == {"rows": 5, "sizes": []}
    with pytest.raises(Invalid, match=r"no parameter 'trees': it has rows, region"):
        found.accept({"trees": 5}, {})
    with pytest.raises(Invalid, match="rows must be a whole number"):
        found.accept({"rows": "many"}, {})


DATED = {
    "day.py": b'# %% tags=["parameters"]\nimport datetime\n'
    b"day: datetime.date = datetime.date(2024, 1, 31)\nlimit: float = 1.0\n"
}
DAYS = """
parameters: {day: 2024-01-31, days: [2024-01-31], limit: 1, least: null}
steps:
  one:
    script: day.py
    parameters: {day: "${day}", limit: "${limit}"}
    when: ${least} == null or ${limit} > ${least}
  many:
    script: day.py
    each: ${days}
    parameters: {day: "${each}"}
""".replace(" == null or ", " == None or ")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"day": "soon"}, "Step one.parameters.day: Parameter day must be a date"),
        ({"days": ["2024-02-01", "x"]}, "Step many.parameters.day: Parameter day"),
        ({"days": [1]}, "Step many.parameters.day: Parameter day must be a date"),
        ({"least": "x"}, "Step one.when: .* cannot be decided"),
    ],
)
def test_a_value_that_a_step_cannot_take_is_refused_before_the_run(entry, given, says):
    found = entry(DAYS, **DATED)
    assert found.accept({"day": "2024-02-29", "days": [], "least": 3}, {})
    with pytest.raises(Invalid, match=says):
        found.accept(given, {})


@pytest.mark.parametrize("text", ["[(1, 2)]", "[b'x']"])
def test_a_pipelines_parameter_is_what_json_can_say(entry, text):
    found = entry(WHOLE)
    with pytest.raises(Invalid, match="sizes of a pipeline must be what JSON can say"):
        found.accept({}, {"sizes": text})


def test_a_notebook_or_a_script_alone_is_one_step(entry):
    found = entry("", "train.ipynb", given=["rows"])
    assert [(s.name, s.parameters) for s in found.steps] == [
        ("train", {"rows": "${rows}"})
    ]
    script = entry("", "score.py")
    assert [(s.name, s.file) for s in script.steps] == [("score", "score.py")]
    assert [p.name for p in script.parameters] == ["rows"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Größe 7.ipynb", "gr-e-7"),
        ("7.ipynb", "notebook"),
        ("a/B_c.ipynb", "b-c"),
        (f"{'x-' * 60}.ipynb", ("x-" * 20).strip("-")),
    ],
)
def test_a_step_is_named_after_its_file(entry, path, name):
    (step,) = entry("", path, **{path: TRAIN}).steps
    assert step.name == name


def step(text):
    return f"steps:\n  a:\n    notebook: train.ipynb\n    {text}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"{PATH}:1: steps is missing."),
        ("steps: {}", f"{PATH}:1: steps: write at least one."),
        ("steps:\n  a: {}", f"{PATH}:2: steps.a: write one of notebook and script."),
        (
            "steps:\n  a: {notebook: a.ipynb, script: a.py}",
            f"{PATH}:2: steps.a: write one of notebook and script.",
        ),
        (
            "steps:\n  A b: {notebook: train.ipynb}",
            f"{PATH}:2: steps.A b cannot be used: write at most 40 of a-z",
        ),
        (
            "steps:\n  each: {notebook: train.ipynb}",
            f"{PATH}:2: steps.each: 'each' cannot name a step.",
        ),
        (step("environment: {HUBYARD_X: a}"), "write a name of letters"),
        (step("environment: {A: 1}"), "write a text, in quotes"),
        (step("files: ../x"), "write a path or a glob below its folder"),
        (step("files: [/x]"), "write a path or a glob below its folder"),
        (step("retry: 3"), f"{PATH}:4: steps.a.retry: is not known here: write one of"),
        (
            step("retries: 11"),
            f"{PATH}:4: steps.a.retries cannot be used: input should",
        ),
        (step("timeout: soon"), f"{PATH}:4: steps.a.timeout cannot be used: write a"),
        (step("after: b"), f"{PATH}:4: steps.a.after: there is no step 'b': write one"),
        (step("after: a"), f"{PATH}:4: steps.a.after: a step cannot wait for itself."),
        (
            step("parameters: {rows: '${n}'}"),
            f"{PATH}:4: steps.a.parameters: ${{n}}: the pipeline has no such parameter",
        ),
        (step("parameters: {rows: '${b.n}'}"), "steps.a.parameters: there is no step"),
        (step("parameters: {rows: '${'}"), "steps.a.parameters: write a reference as"),
        (step("parameters: {rows: '${each}'}"), "${each}: the step has no `each`."),
        (step("each: ['${each}']"), "steps.a.each: ${each}: the step has no `each`."),
        (step("when: rows > 1"), f"{PATH}:4: steps.a.when: a condition compares"),
        (step("parameters: {trees: 1}"), "The notebook has no parameter 'trees'"),
        (step("parameters: {rows: many}"), "rows must be a whole number."),
        (step("parameters: {2x: 1}"), "write a name as Python has them"),
        (
            step("parameters: {rows: '${b.n}'}") + "  b: {notebook: train.ipynb}\n",
            "steps.a.parameters: ${b.n}: list n among the outputs of b.",
        ),
        (
            step("after: b") + "  b: {notebook: train.ipynb, after: a}\n",
            "the steps wait for one another: ",
        ),
        ("steps:\n  a: {notebook: train.py}", "steps.a.notebook: write a file .ipynb."),
        ("steps:\n  a: {script: train.ipynb}", "steps.a.script: write a file .py."),
        ("steps:\n  a: {notebook: ../b.ipynb}", "the project holds no '../b.ipynb'"),
        ("steps:\n  a: {notebook: lost.ipynb}", f"{PATH}:2: steps.a.notebook: the pro"),
        ("steps:\n  a: {notebook: broken.ipynb}", "broken.ipynb is not JSON (line 1)."),
        ("steps:\n  a: {script: odd.py}", "steps.a.script: odd.py is not UTF-8"),
        ("parameters: {rows: !!python/name:os x}\nsteps: {}", f"{PATH}:1: parameters"),
        (
            "steps:\n"
            + "".join(
                f"  s{n}: {{notebook: train.ipynb}}\n" for n in range(MOST_STEPS + 1)
            ),
            f"{PATH}:1: has more than 200 steps.",
        ),
    ],
)
def test_a_mistake_names_its_line_and_what_to_write(entry, text, message):
    began = time.process_time()
    with pytest.raises(Invalid) as caught:
        entry(text)
    assert message in caught.value.message
    assert caught.value.field == PATH
    assert "\n" not in caught.value.message
    assert time.process_time() - began < 5


def test_what_is_not_there_is_not_found(entry):
    with pytest.raises(NotFound, match=r"holds no 'pipelines/other\.yml'"):
        entry(WHOLE, "pipelines/other.yml")


def test_a_value_that_only_a_run_knows_is_checked_by_its_name(entry):
    giver = "  b: {notebook: train.ipynb, outputs: [n]}\n"
    text = step("each: ${b.n}\n    parameters: {rows: '${each}'}") + giver
    assert entry(text).steps[1].parameters == {"rows": "${each}"}
    with pytest.raises(Invalid, match="has no parameter 'trees'"):
        entry(step("each: ${b.n}\n    parameters: {trees: '${each}'}") + giver)


def test_the_items_that_a_step_has_run_for_may_be_taken(entry):
    taker = "  b:\n    notebook: train.ipynb\n    parameters: {name: '${a.each}'}\n"
    assert entry(step("each: [1, 2]") + taker).steps[1].after == ("a",)
    with pytest.raises(Invalid, match="list each among the outputs of a"):
        entry(step("cache: true") + taker)


def test_what_a_step_fans_out_over_is_checked_where_it_is_known(entry):
    with pytest.raises(Invalid, match="rows must be a whole number"):
        entry(step("each: [1, x]\n    parameters: {rows: '${each}'}"))
    with pytest.raises(Invalid, match="each of a is no list, but x"):
        entry(step("each: x"))
