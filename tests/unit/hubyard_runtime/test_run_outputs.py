from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubyard_runtime.run.step.outputs import Outputs


def send_text(outputs, shown, text, name="stdout"):
    """As the engine does: bound it, join it, or make it an output of its own."""
    content = outputs.take("stream", {"name": name, "text": text})
    if content is not None and not outputs.join(shown, content):
        shown.append({"output_type": "stream", **content})


def send_shown(outputs, shown, kind="display_data", display_id=None, **data):
    content = {"data": data, "metadata": {}, "transient": {"display_id": display_id}}
    content = outputs.take(kind, content)
    if content is not None and kind != "update_display_data":
        shown.append({"output_type": kind, **content})
    return content


def texts(shown):
    return [(out["name"], out["text"]) for out in shown]


def begun(**limits):
    outputs = Outputs(**limits)
    outputs.begin()
    return outputs


def test_a_text_in_pieces_is_one_output():
    outputs, shown = begun(), []
    for number in range(5000):
        send_text(outputs, shown, f"{number}\n")
    send_text(outputs, shown, "careful\n", "stderr")
    send_text(outputs, shown, "on\n")
    outputs.settle()
    assert [name for name, _ in texts(shown)] == ["stdout", "stderr", "stdout"]
    assert shown[0]["text"] == "".join(f"{n}\n" for n in range(5000))


def test_past_the_limit_of_outputs_a_text_joins_the_latest_of_its_stream():
    outputs, shown = begun(cell_outputs=2), []
    for _ in range(3):
        send_text(outputs, shown, "o")
        send_text(outputs, shown, "e", "stderr")
    outputs.settle()
    assert texts(shown) == [("stdout", "ooo"), ("stderr", "eee")]


def test_a_text_is_cut_at_the_cells_allowance_with_one_note():
    outputs, shown = begun(cell_bytes=10), []
    for _ in range(4):
        send_text(outputs, shown, "ééé")
    outputs.settle()
    assert shown[0]["text"].startswith("éééé")
    assert shown[0]["text"].count("[truncated") == 1
    outputs.begin()
    more = []
    send_text(outputs, more, "ok")
    assert texts(more) == [("stdout", "ok")]


def test_the_notebooks_allowance_is_shared_by_its_cells():
    outputs = Outputs(cell_bytes=10, notebook_bytes=15)
    for expected in ("x" * 8, "x" * 7 + "\n[truncated"):
        shown = []
        outputs.begin()
        send_text(outputs, shown, "x" * 8)
        assert shown[0]["text"].startswith(expected)


def test_a_picture_that_is_too_large_becomes_a_note():
    outputs, shown = begun(cell_bytes=100), []
    send_shown(outputs, shown, **{"image/png": "x" * 60})
    send_shown(outputs, shown, **{"image/png": "x" * 60})
    send_shown(outputs, shown, **{"image/png": "x" * 60})
    send_shown(outputs, shown, **{"text/plain": "small"})
    assert [list(out["data"]) for out in shown] == [
        ["image/png"],
        ["text/plain"],
        ["text/plain"],
    ]
    assert "truncated" in shown[1]["data"]["text/plain"]
    assert shown[2]["data"]["text/plain"] == "small"


def test_too_many_pictures_are_left_out():
    outputs, shown = begun(cell_outputs=3), []
    for _ in range(10):
        send_shown(outputs, shown, **{"application/json": {"a": 1}})
    assert len(shown) == 4
    assert "truncated" in shown[3]["data"]["text/plain"]


def test_what_is_redrawn_or_cleared_takes_room_once():
    outputs, shown = begun(cell_bytes=100), []
    send_shown(outputs, shown, display_id="bar", **{"text/plain": "x" * 60})
    for _ in range(50):
        redrawn = send_shown(
            outputs, shown, "update_display_data", "bar", **{"text/plain": "y" * 60}
        )
        assert redrawn["data"]["text/plain"] == "y" * 60
    for _ in range(50):
        outputs.clear()
        shown.clear()
        send_text(outputs, shown, "z" * 90)
        assert shown[0]["text"] == "z" * 90


def test_a_progress_bar_is_kept_as_it_stands_at_last():
    outputs, shown = begun(cell_bytes=200_000), []
    send_text(outputs, shown, "begin\n", "stderr")
    for step in range(20_000):
        send_text(outputs, shown, f"\r{step:>6} of 20000", "stderr")
    send_text(outputs, shown, "\nend\r\n", "stderr")
    outputs.settle()
    assert shown[0]["text"] == "begin\n 19999 of 20000\nend\r\n"


def test_an_error_is_kept_however_large():
    error = {
        "ename": "E",
        "evalue": "v" * 200_000,
        "traceback": ["a" * 99, "b" * 10**6],
    }
    content = begun().take("error", error)
    assert len(content["evalue"]) == 100_000
    assert content["traceback"][0] == "[truncated]"
    assert content["traceback"][-1].endswith("b")
    small = {"ename": "E", "evalue": "v", "traceback": ["t"]}
    assert begun().take("error", small) is small


def update(comm_id="w", buffers=None, paths=None, **state):
    """A message by which a widget tells what some of its parts are now."""
    data = {"method": "update", "state": state, "buffer_paths": paths or []}
    return {"content": {"comm_id": comm_id, "data": data}, "buffers": buffers or []}


def test_what_a_widget_holds_counts_too():
    outputs = begun(cell_bytes=10)
    assert outputs.hold(update(a="x" * 7))
    assert not outputs.hold(update(b="xx"))
    assert not outputs.hold(update(buffers=[b"xxx"], paths=[["c"]]))
    assert not outputs.hold(update("other", a="xx"))
    assert outputs.take("status", {"execution_state": "busy"}) is not None


def test_what_a_widget_replaces_takes_room_once():
    outputs = begun(cell_bytes=100)
    for step in range(1000):
        assert outputs.hold(update(value=step, buffers=[b"x" * 40], paths=[["c", 0]]))
    assert outputs.hold(update(a="x" * 40))
    assert not outputs.hold(update(a="x" * 80))


def test_what_a_widget_only_says_takes_no_room():
    outputs = begun(cell_bytes=10)
    for data in ({"method": "custom", "content": "x" * 80}, {}, "x" * 80):
        assert outputs.hold({"content": {"comm_id": "w", "data": data}})


def test_clearing_does_not_free_what_a_widget_holds():
    outputs = begun(cell_bytes=100)
    assert outputs.hold(update(a="x" * 90))
    outputs.clear()
    assert not outputs.hold(update("other", a="x" * 90))
    outputs.begin()
    assert outputs.hold(update("other", a="x" * 90))


@given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.text())))
def test_within_the_limits_nothing_is_lost(pieces):
    outputs, shown = begun(), []
    plain = [(name, text.replace("\r", "")) for name, text in pieces]
    for name, text in plain:
        send_text(outputs, shown, text, name)
    outputs.settle()
    for wanted in ("stdout", "stderr"):
        sent = "".join(text for name, text in plain if name == wanted)
        assert "".join(text for name, text in texts(shown) if name == wanted) == sent


@given(st.lists(st.text(max_size=40), max_size=40))
def test_nothing_grows_past_its_allowance(pieces):
    outputs, shown = begun(cell_bytes=100), []
    for text in pieces:
        send_text(outputs, shown, text)
    outputs.settle()
    head = "".join(out["text"].partition("\n[truncated")[0] for out in shown)
    assert len(head.encode()) <= 100
