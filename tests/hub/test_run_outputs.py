"""What a real run keeps of outputs that replace each other, and of widgets."""

from __future__ import annotations

import json

import pytest

from support.platform import app, hub, parts
from support.runs import execute, platform, start, text_of

__all__ = ["app", "hub", "parts", "platform", "start"]

pytestmark = pytest.mark.hub

REPLACED = """
from IPython.display import clear_output
for step in range(5):
    clear_output(wait=True)
    print("step", step, flush=True)
"""
CLEARED = """
print("gone")
clear_output()
print("kept")
"""
WIDGET = """
import ipywidgets
bar = ipywidgets.IntProgress(value=0, max=7)
display(bar)
bar.value = 7
"""
INSIDE = """
box = ipywidgets.Output()
display(box)
with box:
    print("in the box")
print("below it")
"""


def test_the_last_state_of_what_a_cell_shows_is_what_is_kept(start):
    run = execute(start, REPLACED, CLEARED, WIDGET, INSIDE)
    assert run.code == 0, run.log()
    replaced, cleared, widget, inside = run.output()["cells"]
    assert text_of(replaced) == "step 4\n"
    assert text_of(cleared) == "kept\n"
    assert "in the box" not in text_of(inside)
    assert text_of(inside) == "below it\n"
    states = run.output()["metadata"]["widgets"]
    models = states["application/vnd.jupyter.widget-state+json"]["state"]
    shown = widget["outputs"][0]["data"]["application/vnd.jupyter.widget-view+json"]
    assert models[shown["model_id"]]["state"]["value"] == 7
    assert "in the box" in json.dumps(models)
