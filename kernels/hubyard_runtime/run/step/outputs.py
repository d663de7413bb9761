"""Outputs: what cells show, bounded, so that no notebook grows beyond use.

allowance  bytes that a cell, and the whole notebook, may still take
note       what stands where the rest was left out: once a cell

A kernel may send a text in ten thousand pieces: they become one output. What is
cleared or redrawn gives its bytes back, and what a widget replaces takes no more, so
that a progress bar may run for days.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

CELL_BYTES = 10 * 2**20
NOTEBOOK_BYTES = 50 * 2**20
CELL_OUTPUTS = 1000
_ERROR_BYTES = 100_000
_FOLD_BYTES = 64 * 1024
_REDRAW = "update_display_data"
_SHOWN = {"display_data", "execute_result", _REDRAW}

Output = dict[str, Any]


class Outputs:
    """Takes the messages of one cell after the other into their lists of outputs."""

    def __init__(
        self,
        cell_bytes: int = CELL_BYTES,
        notebook_bytes: int = NOTEBOOK_BYTES,
        cell_outputs: int = CELL_OUTPUTS,
    ) -> None:
        self._limits = (cell_bytes, notebook_bytes, cell_outputs)
        self._notebook = 0
        self._cell = 0
        self._count = 0
        self._noted = False
        self._sizes: dict[str, int] = {}
        """Bytes last shown under a display id, in the present cell."""
        self._held: dict[Hashable, int] = {}
        """The most bytes that each part of each widget has had."""
        self._cell_held = 0
        """Of the present cell's bytes, those of widgets, which outlive a clearing."""
        self._text: Output | None = None
        self._pieces: list[str] = []
        self._pieces_size = 0

    @property
    def cell_bytes(self) -> int:
        """What the present cell shows so far."""
        return self._cell

    def begin(self) -> None:
        """A new cell begins, with an allowance of its own."""
        self.settle()
        self._text = None
        self._cell = self._cell_held = self._count = 0
        self._noted = False
        self._sizes = {}

    def clear(self) -> None:
        """The present cell's outputs are gone; their bytes are free again."""
        self._notebook -= self._cell - self._cell_held
        self._text, self._pieces, self._pieces_size = None, [], 0
        self._cell, self._count = self._cell_held, 0
        self._sizes = {}

    def take(self, kind: str, content: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What of a message may be kept; None: nothing."""
        if kind == "stream":
            return self._take_text(content)
        if kind in _SHOWN:
            return self._take_shown(kind, content)
        if kind == "error":
            return _shortened(content)
        return content

    def hold(self, msg: Mapping[str, Any]) -> bool:
        """Take a widget's message, if there is room for what it adds to the widget."""
        parts = _widget_parts(msg)
        grown = sum(max(0, n - self._held.get(part, 0)) for part, n in parts.items())
        if grown > self._room():
            return False
        self._use(grown)
        self._cell_held += grown
        for part, size in parts.items():
            self._held[part] = max(size, self._held.get(part, 0))
        return True

    def join(self, outputs: list[Output], content: Mapping[str, Any]) -> bool:
        """Add a text to the output before it, where that is of the same stream.

        Past the limit of outputs it goes to the latest of its stream, wherever that is.
        """
        reach = outputs if self._count >= self._limits[2] else outputs[-1:]
        text = next((o for o in reversed(reach) if _is_stream(o, content)), None)
        if text is None:
            self._count += 1
            return False
        if text is not self._text:
            self.settle()
            self._text = text
        self._pieces.append(content["text"])
        self._pieces_size += len(content["text"])
        if self._pieces_size > _FOLD_BYTES:
            self.settle()
        return True

    def settle(self) -> None:
        """Bring the pieces that were joined into their output."""
        if self._text is None or not self._pieces:
            return
        before, line_end, line = self._text["text"].rpartition("\n")
        added = line + "".join(self._pieces)
        kept = _as_drawn(added)
        self._use(len(kept.encode(errors="replace")) - _size(added))
        self._text["text"] = before + line_end + kept
        self._pieces, self._pieces_size = [], 0

    def _take_text(self, content: Mapping[str, Any]) -> Mapping[str, Any] | None:
        text: str = content["text"]
        size, room = _size(text), self._room()
        if size <= room:
            self._use(size)
            return content
        if self._noted:
            return None
        self._use(room)
        head = text.encode(errors="replace")[:room].decode(errors="ignore")
        return {**content, "text": f"{head}\n{self._note()}\n"}

    def _take_shown(
        self, kind: str, content: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        display_id = (content.get("transient") or {}).get("display_id", "")
        is_new = kind != _REDRAW
        size = sum(map(_size, content["data"].values()))
        grown = size if is_new else size - self._sizes.get(display_id, 0)
        if grown <= self._room() and self._count + is_new <= self._limits[2]:
            self._use(grown)
            self._count += is_new
            if display_id:
                self._sizes[display_id] = size
            return content
        if self._noted:
            return None
        return {**content, "data": {"text/plain": self._note()}, "metadata": {}}

    def _room(self) -> int:
        cell, notebook, _ = self._limits
        return max(0, min(cell - self._cell, notebook - self._notebook))

    def _use(self, size: int) -> None:
        self._cell += size
        self._notebook += size

    def _note(self) -> str:
        self._noted = True
        cell, notebook, count = self._limits
        return (
            f"[truncated: at most {count} outputs and {cell / 2**20:g} MB a cell, "
            f"{notebook / 2**20:g} MB a notebook, are kept]"
        )


def _as_drawn(text: str) -> str:
    """Each line as it stands at last: a carriage return draws over what was there."""
    if "\r" not in text:
        return text
    return "\n".join(map(_last_drawn, text.split("\n")))


def _last_drawn(line: str) -> str:
    drawn = line.rstrip("\r")
    return drawn.rpartition("\r")[2] + line[len(drawn) :]


def _is_stream(output: Output, content: Mapping[str, Any]) -> bool:
    return output["output_type"] == "stream" and output["name"] == content["name"]


def _widget_parts(msg: Mapping[str, Any]) -> dict[Hashable, int]:
    """Bytes of each part of a widget that a message sets; the rest is not kept."""
    comm_id, data = msg["content"]["comm_id"], msg["content"].get("data")
    if not isinstance(data, dict) or not isinstance(data.get("state"), dict):
        return {}
    sizes: dict[Hashable, int] = {
        (comm_id, name): len(name) + len(str(value))
        for name, value in data["state"].items()
    }
    paths, buffers = data.get("buffer_paths") or [], msg.get("buffers") or []
    return sizes | {
        (comm_id, "buffer", *path): len(buffer)
        for path, buffer in zip(paths, buffers, strict=False)
    }


def _shortened(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """An error is always kept: its beginning, and the end of its traceback."""
    lines = "\n".join(content.get("traceback") or [])
    value = str(content.get("evalue", ""))
    if len(lines) + len(value) <= _ERROR_BYTES:
        return content
    return {
        **content,
        "evalue": value[:_ERROR_BYTES],
        "traceback": ["[truncated]", *lines[-_ERROR_BYTES:].split("\n")],
    }


def _size(value: object) -> int:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return len(text.encode(errors="replace"))
