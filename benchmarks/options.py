"""The options of `benchmarks/run.py`."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Options", "parse_options", "plan_runs"]

_PLUGIN: Final = ".venv/bin/pulumi-resource-postseal"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one benchmark run.

    `runs`: for each size, 0 for as many as the case itself has. `sizes`: instead of the case's own, none for those.
    `against`: another checkout, absolute.
    """

    cases: tuple[str, ...]
    is_quick: bool = False
    runs: int = 0
    sizes: tuple[int, ...] = ()
    against: Path | None = None
    output: Path | None = None


def parse_options(arguments: Sequence[str], cases: Sequence[str]) -> Options:
    """Return the options; `cases` are the known ones, all of them are chosen unless `--only` names some.

    Raises:
        SystemExit: an option is unknown or has a value that cannot be used; the reason is on stderr.
    """
    found = _parser(cases).parse_args(arguments)
    return Options(
        cases=tuple(each for each in cases if not found.only or each in found.only),
        is_quick=found.quick,
        runs=found.runs,
        sizes=found.sizes,
        against=found.against,
        output=found.output,
    )


def plan_runs(options: Options, runs_by_size: Mapping[int, int]) -> dict[int, int]:
    """Return how often each size is measured: as the case has it in `runs_by_size`, unless the options say otherwise.

    A size that the case does not have is measured once.
    """
    sizes = options.sizes or tuple(runs_by_size)
    return {size: options.runs or runs_by_size.get(size, 1) for size in sizes}


def _parser(cases: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks/run.py",
        description="Measure this project beside its peers, or beside another checkout of itself, and print ratios.",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, some minutes")
    parser.add_argument("--only", choices=cases, action="append", help="this case only; may be given several times")
    parser.add_argument("--runs", type=_count, default=0, metavar="N", help="so many runs of each size")
    parser.add_argument("--sizes", type=_counts, default=(), metavar="10,100", help="these sizes, not the case's own")
    parser.add_argument(
        "--against",
        type=_checkout,
        metavar="CHECKOUT",
        help="leave the peers out and compare with the packages and the plugin of another checkout, run by run",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the record of every run as JSON as well")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def _counts(text: str) -> tuple[int, ...]:
    """Return each number once, from small to large."""
    return tuple(sorted({_count(each) for each in text.split(",")}))


def _checkout(text: str) -> Path:
    checkout = Path(text).resolve()
    if not (checkout / _PLUGIN).is_file():
        raise argparse.ArgumentTypeError(
            f"{checkout} has no {_PLUGIN}: `cd {checkout} && python3 toolchain/bootstrap.py uv` makes it"
        )
    return checkout
