"""Fuzz the readers for a while: `python -m tests.fuzz [--seconds N] [--seed N] [READER ...]`.

Inputs are those of the corpus, changed at random; `tests.fuzz.coverage_guided` lets them grow by the code that they
reach. An input that a reader stumbles over is stored in its corpus, where the quick tests find it.
"""

import argparse
import random
import sys
import time

from tests.fuzz.mutations import mutated
from tests.fuzz.readers import READERS, corpus_of, judge, store


def main() -> int:
    """Return 1 if any reader stumbled."""
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    arguments.add_argument("readers", nargs="*", metavar="READER", help=f"of: {', '.join(READERS)}; all by default")
    arguments.add_argument("--seconds", type=float, default=60, help="for each reader (default 60)")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    chosen = arguments.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    found = [_fuzz(name, chosen.seconds, chosen.seed) for name in chosen.readers or READERS]
    return int(any(found))


def _fuzz(name: str, seconds: float, seed: int) -> int:
    """Return how many kinds of stumbling were found."""
    corpus, chance = corpus_of(name), random.Random(f"{seed} {name}")
    end, number = time.monotonic() + seconds, 0
    reasons: set[str] = set()
    while time.monotonic() < end:
        number += 1
        data = mutated(corpus, chance)
        if (finding := judge(name, data)) and finding.reason[:60] not in reasons:
            reasons.add(finding.reason[:60])
            print(f"{name}: {finding.reason}; stored as {store(name, data)}", flush=True)
    print(f"{name}: {number:,} inputs in {seconds:g} s, {len(reasons)} kinds of stumbling", flush=True)
    return len(reasons)


if __name__ == "__main__":
    sys.exit(main())
