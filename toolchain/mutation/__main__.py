"""Changes the packages one place at a time and runs the tests that should notice.

make mutants                                     what the work tree changes from main
make mutants MUTANTS="--since HEAD~3"            what the last three commits change
make mutants MUTANTS="--group core --sample 200 --seed 1"
make mutants MUTANTS="--module pki/revoking.py"  every mutant of one module
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path

from toolchain.console import say
from toolchain.errors import ToolchainError
from toolchain.mutation.baseline import measure
from toolchain.mutation.choice import Coverage
from toolchain.mutation.copies import changed_paths, copy_checkout, tracked_paths
from toolchain.mutation.equivalents import read_equivalents
from toolchain.mutation.groups import GROUPS
from toolchain.mutation.mutants import Mutant, mutants_of, sample
from toolchain.mutation.running import import_heavy_modules
from toolchain.mutation.score import Score, render
from toolchain.mutation.trial import Trial, try_mutant

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".mutants"
EQUIVALENTS = Path(__file__).with_name("equivalents.toml")


def main(arguments: Sequence[str]) -> bool:
    """Run what the arguments name, print the scores, and return whether each is above the floor."""
    options = _parser().parse_args(arguments)
    names = tracked_paths(ROOT)
    chosen = {title: _sample(modules, options) for title, modules in _chosen(options, names).items()}
    if not any(chosen.values()):
        say("no module of the packages has changed; name some with --group, --module or --since")
        return True
    import_heavy_modules()
    equivalents = read_equivalents(EQUIVALENTS)
    scores = []
    with _workers(names, options.jobs) as run:
        for title, mutants in chosen.items():
            score = Score.of(title, run(title, mutants), equivalents)
            print(render(score), flush=True)
            scores.append(score)
    return all(score.percent >= options.floor for score in scores)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mutants", description="Change the packages and see which tests notice.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--since", default="main", metavar="REV", help="modules that differ from where REV was left")
    what.add_argument("--group", action="append", choices=GROUPS, help="a group of modules; may be given again")
    what.add_argument("--module", action="append", metavar="PATH", help="one module; may be given again")
    parser.add_argument("--sample", type=int, default=200, metavar="N", help="mutants of each group (200)")
    parser.add_argument("--seed", type=int, default=1, help="chooses the sample (1)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="mutants that are tried at the same time (1)")
    parser.add_argument("--floor", type=float, default=92.0, help="per cent that have to be noticed (92)")
    return parser


def _chosen(options: argparse.Namespace, names: Sequence[str]) -> Mapping[str, list[str]]:
    if options.group:
        return {name: GROUPS[name].members(names) for name in options.group}
    if options.module:
        return {"modules": options.module}
    changed = set(changed_paths(ROOT, options.since))
    return {f"since {options.since}": [name for name in GROUPS["all"].members(names) if name in changed]}


def _sample(modules: Sequence[str], options: argparse.Namespace) -> list[Mutant]:
    sources = {path: (ROOT / path).read_text(encoding="utf-8") for path in modules}
    mutants = [mutant for path, source in sources.items() for mutant in mutants_of(path, source)]
    return sample(mutants, options.sample, options.seed, sources)


class _Worker:
    """One process with a copy of the checkout of its own."""

    coverage: Coverage
    place: Path

    @classmethod
    def start(cls, coverage: Coverage, names: Sequence[str], place: Path) -> None:
        cls.coverage, cls.place = coverage, place / str(os.getpid())
        (cls.place / "checkout").mkdir(parents=True)
        copy_checkout(place / "checkout", names, cls.place / "checkout")

    @classmethod
    def attempt(cls, mutant: Mutant) -> Trial:
        return try_mutant(cls.place / "checkout", mutant, cls.coverage, cls.place)


@contextmanager
def _workers(names: Sequence[str], jobs: int) -> Iterator[partial[list[Trial]]]:
    with tempfile.TemporaryDirectory(prefix="mutants-of-postseal-") as scratch:
        place = Path(scratch)
        copy_checkout(ROOT, names, place / "checkout")
        coverage = measure(place / "checkout", names, place, KEPT)
        compiled = [str(path.relative_to(place / "checkout")) for path in (place / "checkout").rglob("*.pyc")]
        context = multiprocessing.get_context("fork")
        with context.Pool(jobs, _Worker.start, (coverage, [*names, *compiled], place)) as pool:
            yield partial(_try_all, pool)


def _try_all(pool: Pool, title: str, mutants: Sequence[Mutant]) -> list[Trial]:
    trials = []
    for trial in pool.imap_unordered(_Worker.attempt, mutants):
        trials.append(trial)
        if not trial.outcome.is_caught or len(trials) % 20 == 0:
            say(f"{title} {len(trials)}/{len(mutants)}: {trial.mutant} {trial.outcome}")
    return trials


if __name__ == "__main__":
    try:
        sys.exit(0 if main(sys.argv[1:]) else 1)
    except ToolchainError as failure:
        sys.exit(f"\n{failure}")
