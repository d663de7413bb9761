"""Notebooks of the shapes of the peers' own tests, through our runner: is each right?

The shapes are those of papermill's, nbclient's and ploomber-engine's test notebooks.
What must happen to each is papermill's own answer, which is kept in answers.json, or
stands beside the notebook with the reason why papermill's is not taken. Those that are
to be refused are asked for one by one; all others are the steps of one run.

right  notebooks that end as they must, at the cell and with the error, and show what
       they must up to there

Each that is not right has a line, and an exit code of 1. The last line:

    peers notebooks=<n> right=<n>

`--only TEXT` tries those whose name holds that; `--ask` first asks papermill anew, and
writes its answers down.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from peers import like_nbclient, like_papermill, like_ploomber, oracle
from peers.case import keep, kept_answers
from peers.ours import outcomes, refusal
from peers.verdict import against_papermill, against_reason, against_refusal
from support.memory_hub import MemoryHub
from support.runs import served_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from peers.case import Answer, Case
    from support.runs import ServedPlatform

CASES = (*like_papermill.CASES, *like_nbclient.CASES, *like_ploomber.CASES)


@dataclass(frozen=True)
class Peers:
    """A platform, and what papermill has answered."""

    platform: ServedPlatform
    folder: Path
    answers: Mapping[str, Answer]

    def wrong(self, cases: Sequence[Case]) -> dict[str, str]:
        """What is wrong, by the case's name; right ones are missing."""
        return {name: why for name, why in self._verdicts(cases) if why}

    def _verdicts(self, cases: Sequence[Case]) -> Iterator[tuple[str, str]]:
        refused = [case for case in cases if case.instead and case.instead.refused]
        run = [case for case in cases if case not in refused]
        for case in refused:
            assert case.instead
            yield case.name, against_refusal(refusal(self.platform, case), case.instead)
        ended = outcomes(self.platform, self.folder, run) if run else {}
        for case in run:
            outcome = ended[case.name]
            yield (
                case.name,
                against_reason(outcome, case.instead)
                if case.instead
                else against_papermill(outcome, self.answers[case.name]),
            )


def by_papermill(cases: Sequence[Case]) -> list[Case]:
    """Those of which papermill says what must happen."""
    return [case for case in cases if case.instead is None]


def main() -> int:
    """Try them, and say so."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="part of a notebook's name")
    parser.add_argument("--ask", action="store_true", help="ask papermill anew")
    wishes = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    cases = [case for case in CASES if wishes.only in case.name]
    if wishes.ask:
        known = {} if not wishes.only else kept_answers()
        keep(known | oracle.answers(by_papermill(cases)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served_in(folder, MemoryHub()) as platform:
            wrong = Peers(platform, folder, kept_answers()).wrong(cases)
    for case, why in wrong.items():
        print(f"{case}: {why}")
    print(f"peers notebooks={len(cases)} right={len(cases) - len(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
