"""The runs of a review: with the stack file before and the one after, at one instant.

The run with the file before tells what the clock does, or what was merged and not applied yet; the run with the file
after, what happens. Where the clock moves certificates, a third one answers for everything with its state: digests over
secrets are compared with what it has.
"""

from dataclasses import dataclass, field
from datetime import datetime

from postseal.review.deciding import Deciding
from postseal.review.declared import DeclaredFile, StackSource, declared_file
from postseal.review.digests import SECRET_DIGESTS, Leaves
from postseal.review.program import registered_steps
from postseal.review.stand_ins import StandIns
from postseal.review.steps import Operation, Run, Step, short_type
from postseal.review.stored import StoredStack
from postseal.stack.check_rosters import JudgedClients
from postseal_core.errors import ConfigError

__all__ = ["Compared", "compare_files"]


@dataclass(frozen=True, slots=True)
class Compared:
    """`due`: what the stack file before leads to; `new`: what the one after does."""

    due: Run
    new: Run


@dataclass(frozen=True, slots=True)
class _Runner:
    stored: StoredStack
    names: tuple[str, str]
    now: datetime
    stand_ins: StandIns
    judged: JudgedClients = field(default_factory=JudgedClients)

    def declared(self, source: StackSource) -> DeclaredFile:
        """Read a stack file; what both declare alike is judged once."""
        return declared_file(source, self.names, self.stand_ins, self.judged)

    def run(
        self, declared: DeclaredFile, leaves: Leaves | None = None, *, is_frozen: bool = False
    ) -> tuple[Run, Leaves]:
        deciding = Deciding(self.stored.resources, self.now, self.stand_ins, leaves, is_frozen=is_frozen)
        try:
            steps, notes = registered_steps(
                declared.config,
                declared.values,
                set(declared.secret_keys),
                names=self.names,
                deciding=deciding,
            )
        except ConfigError as error:
            return Run(problems=error.problems), deciding.found
        gone = self.stored.resources.keys() - steps.keys()
        steps |= {urn: deciding.deleted(urn) for urn in gone}
        return Run({urn: steps[urn] for urn in sorted(steps)}, notes=notes), deciding.found


def compare_files(
    stored: StoredStack, before: StackSource | None, after: StackSource, names: tuple[str, str], now: datetime
) -> Compared:
    """Return what both stack files lead to; `names`: of project and stack.

    `before`: None for a stack that is new. One that is refused tells nothing: then everything counts as done by the
    file after.
    """
    runner = _Runner(stored, names, now, StandIns())
    due, leaves = _run_before(before, runner) if before else (Run(), {})
    if before == after:
        return Compared(due, due)
    try:
        new, _ = runner.run(runner.declared(after), leaves)
    except ConfigError as error:
        return Compared(due, Run(problems=error.problems))
    return Compared(due, new)


def _run_before(before: StackSource, runner: _Runner) -> tuple[Run, Leaves]:
    try:
        declared = runner.declared(before)
    except ConfigError as error:
        return Run(problems=error.problems), {}
    due, leaves = runner.run(declared)
    if due.problems or not any(map(_moves_secrets, due.steps.values())):
        return due, leaves
    _, leaves = runner.run(declared, is_frozen=True)
    return runner.run(declared, leaves)[0], leaves


def _moves_secrets(step: Step) -> bool:
    """Return whether others may have other content because of this step."""
    return step.operation is not Operation.SAME and short_type(step.type) not in SECRET_DIGESTS
