"""Counts what became of the mutants of one group, and names those that no test noticed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from toolchain.mutation.equivalents import Equivalents, reason_of
from toolchain.mutation.trial import Outcome, Trial

__all__ = ["Score", "render"]


@dataclass(frozen=True, slots=True)
class Score:
    """The mutants of one group: all that were tried, the survivors, and survivors that no test can notice."""

    title: str
    trials: tuple[Trial, ...]
    survivors: tuple[Trial, ...]
    equivalent: tuple[tuple[Trial, str], ...]

    @classmethod
    def of(cls, title: str, trials: Iterable[Trial], equivalents: Equivalents) -> "Score":
        """Sort the trials; a mutant that was noticed is no equivalent one, whatever the list says."""
        known = tuple(sorted(trials, key=lambda trial: trial.mutant))
        unnoticed = [(trial, reason_of(trial, equivalents)) for trial in known if not trial.outcome.is_caught]
        return cls(
            title,
            known,
            tuple(trial for trial, reason in unnoticed if reason is None),
            tuple((trial, reason) for trial, reason in unnoticed if reason is not None),
        )

    @property
    def percent(self) -> float:
        """How many of the mutants that can be noticed were, in per cent; 100 where there are none."""
        noticeable = len(self.trials) - len(self.equivalent)
        return 100.0 * (noticeable - len(self.survivors)) / noticeable if noticeable else 100.0


def render(score: Score) -> str:
    """Return the score as text: the survivors with their lines, the equivalent ones with their reasons, the figures."""
    return "\n".join(_lines(score))


def _lines(score: Score) -> Iterator[str]:
    for trial in score.survivors:
        yield from (f"\n{trial.mutant} ({trial.outcome})", *(f"    {line}" for line in trial.changed))
    for trial, reason in score.equivalent:
        yield from (f"\n{trial.mutant} (equivalent: {reason})", *(f"    {line}" for line in trial.changed))
    became = Counter(trial.outcome for trial in score.trials)
    counts = ", ".join(f"{became[outcome]} {outcome}" for outcome in Outcome if became[outcome])
    noticeable = len(score.trials) - len(score.equivalent)
    yield f"\n{score.title}: {noticeable - len(score.survivors)} of {noticeable} noticed, {score.percent:.1f} %"
    yield f"    {len(score.trials)} tried ({counts or 'none'}), {len(score.equivalent)} equivalent"
