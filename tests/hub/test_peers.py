"""A few of the notebooks of `make peers`, asked of papermill again; its judgement."""

from __future__ import annotations

from dataclasses import replace

from peers import oracle
from peers.case import kept_answers
from peers.notebooks import CASES, Peers, by_papermill
from support.runs import real

__all__ = ["real"]  # a fixture

FEW = {
    "line-magic-error",
    "simple-execute",
    "formatter-raises",
    "sysexit-0",
    "unknown-parameter",
    "both-streams",
}


def test_there_are_notebooks_enough_and_each_has_what_must_happen():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 60
    assert {case.name for case in by_papermill(CASES)} == set(kept_answers())
    assert all(case.instead is None or case.instead.because for case in CASES)


def test_a_few_are_right_and_other_answers_would_not_be(real, tmp_path):
    few = [case for case in CASES if case.name in FEW]
    kept = kept_answers()
    for name in ("line-magic-error", "both-streams"):
        (case,) = (each for each in few if each.name == name)
        assert oracle.answer(case) == kept[name]
    assert Peers(real, tmp_path, kept).wrong(few) == {}

    succeeds = replace(kept["line-magic-error"], error=None, cell=None)
    shows = replace(kept["both-streams"], shown=[{"out": "other"}])
    other = kept | {"line-magic-error": succeeds, "both-streams": shows}
    changed = [
        replace(case, instead=case.instead and replace(case.instead, words="no words"))
        for case in few
    ]
    wrong = Peers(real, tmp_path, other).wrong(changed)
    assert set(wrong) == FEW - {"simple-execute"}
    assert "papermill: succeeds; ours: Cell 1 of 2 failed" in wrong["line-magic-error"]
