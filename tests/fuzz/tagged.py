"""Tagged notebooks made by chance, both ways: from top to bottom, and split into steps.

Each is executed in one namespace, cell after cell, and as the steps that Hubyard
makes of it, which hand over to one another; what each cell shows is compared.
Splitting and handing over are the product's own, in this process; some notebooks are
also run by a real run process, with a kernel for each step, before the real platform.
The maker of the notebooks labels those that must be refused.

refused          notebooks that were refused, or failed where they hand over
wrongly_refused  of those, how many should have been run
different        notebooks of which a cell shows something else, or fails
kernels          notebooks that a real run process has executed or refused, too

A notebook that should have been refused and was not counts as different. Each fault
has a line, and the exit code is 1 unless all is as it must be. The last line:

    tagged notebooks=<n> refused=<n> wrongly_refused=<n> different=<n> kernels=<n>

`--seed N` makes other notebooks; `--only N` shows the notebook of one seed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.tagged_kernels import in_kernels
from fuzz.tagged_maker import make
from support.tagged import Both, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_both: list[Both] = []
"""The shell of this process."""


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one notebook."""

    seed: int
    is_refused: bool = False
    fault: str | None = None
    """What it should not have come to."""


def verdict(seed: int, whole: Outcome, split: Outcome) -> Verdict:
    """Compare both ways."""
    must = make(seed).fault
    refused = split.refused is not None
    if whole.failed:
        return Verdict(seed, refused, f"it fails from top to bottom: {whole.failed}")
    if refused and not must:
        return Verdict(seed, refused, f"wrongly refused: {split.refused}")
    if must and not refused:
        return Verdict(seed, refused, f"different: not refused, though {must}")
    if not refused and split != whole:
        return Verdict(seed, refused, f"different: {_difference(whole, split)}")
    return Verdict(seed, refused)


def _difference(whole: Outcome, split: Outcome) -> str:
    if split.failed:
        return split.failed
    other = (i for i in whole.shown if whole.shown[i] != split.shown.get(i))
    index = next(other)
    shown = split.shown.get(index)
    return f"cell {index + 1}: {whole.shown[index]!r} became {shown!r}"


def in_process(seed: int) -> Verdict:
    """Run the notebook of a seed both ways in this process."""
    if not _both:
        _both.append(Both())
    document = make(seed).document
    return verdict(seed, _both[0].whole(document), _both[0].split(document))


def fuzz(seeds: Sequence[int], kernels: Sequence[int], jobs: int) -> int:
    """Run them all, and print what came of it; the exit code."""
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        found = list(pool.imap(in_process, seeds, chunksize=20))
        wholes = dict(zip(kernels, pool.map(_whole, kernels), strict=True))
    _tell(found, "in this process")
    splits = in_kernels({seed: make(seed).document for seed in kernels})
    by_kernel = [verdict(s, wholes[s], split) for s, split in splits.items()]
    _tell(by_kernel, "in kernels")
    print(
        f"tagged notebooks={len(found)} refused={sum(e.is_refused for e in found)} "
        f"wrongly_refused={_count(found + by_kernel, 'wrongly')} "
        f"different={_count(found + by_kernel, 'different')} kernels={len(by_kernel)}"
    )
    is_whole = len(found) == len(seeds) and len(by_kernel) == len(kernels)
    return 0 if is_whole and not any(e.fault for e in found + by_kernel) else 1


def _tell(verdicts: Sequence[Verdict], where: str) -> None:
    faulty = [each for each in verdicts if each.fault]
    for each in faulty:
        print(f"seed {each.seed}: {each.fault}")
    print(f"{len(verdicts)} {where}: {len(faulty)} are not as they must be")
    sys.stdout.flush()


def _whole(seed: int) -> Outcome:
    if not _both:
        _both.append(Both())
    return _both[0].whole(make(seed).document)


def _count(verdicts: Iterable[Verdict], word: str) -> int:
    return sum((each.fault or "").startswith(word) for each in verdicts)


def show(seed: int) -> int:
    """Print the notebook of a seed, and what became of it."""
    made = make(seed)
    for index, cell in enumerate(made.document["cells"], 1):
        print(f"-- {index} {' '.join(cell['metadata']['tags'])}\n{cell['source']}")
    found = in_process(seed)
    print(f"-- must be refused: {made.fault or 'no'}\n{found}")
    return 1 if found.fault else 0


def main() -> int:
    """Do it, and print the last line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    whole = partial(parser.add_argument, type=int)
    whole("--notebooks", default=2000, help="how many to make")
    whole("--kernels", default=100, help="how many of them to run in kernels, too")
    whole("--seed", default=0, help="of the first one")
    whole("--jobs", default=2, help="processes at once")
    whole("--only", help="the notebook of one seed")
    wishes = parser.parse_args()
    if wishes.only is not None:
        return show(wishes.only)
    seeds = range(wishes.seed, wishes.seed + wishes.notebooks)
    every = max(1, wishes.notebooks // max(1, wishes.kernels))
    return fuzz(seeds, seeds[::every][: wishes.kernels], wishes.jobs)


if __name__ == "__main__":
    sys.exit(main())
