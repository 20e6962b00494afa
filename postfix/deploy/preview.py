"""What a deployment to a host would do, for a preview: nothing is touched, and nobody is kept away."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from postfix.deploy.checks import require_directory
from postfix.deploy.foreseen import Expectation, Foreseen
from postfix.deploy.foresight import foresee, rows_on_host
from postfix.deploy.foretold import (
    ending_in_words,
    rows_that_go,
    sentences_of_moved_queue,
    sentences_of_open_files,
    sentences_of_preview,
    sentences_of_unknown,
)
from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles, Situation
from postfix.deploy.host_program import MOUNTED, has_open_journal, has_unread_files, links_of, sentences_of_rollback
from postfix.deploy.plan import HostPlan, plan_deployment, problem_of_obstacle
from postfix.deploy.proof import is_of_another_run
from postfix.deploy.session import HostSession
from postfix.deploy.steps import Place, Reload, WriteFile
from postfix.deploy.transaction import places_of, prefetch, situation_of
from postseal_core.errors import Problem, refuse

__all__ = ["Previewed", "preview"]


@dataclass(frozen=True, slots=True)
class Previewed:
    """What a deployment would do, in lines, and what becomes of the running Postfix; no words where nobody knows."""

    lines: tuple[str, ...]
    ending: str


def preview(
    session: HostSession,
    desired: HostFiles,
    deployed: Deployed,
    owner: str,
    expectation: Expectation,
    *,
    rows: Mapping[str, bytes],
) -> Previewed:
    """Return what `deploy` would change, and why it would refuse to; nothing is touched and nobody is kept away.

    `desired`: files whose content a preview does not know yet may be missing. `rows`: the sources of tables of which
    all rows are known.

    Raises:
        ConfigError: something on the host is in its way.
        DeployError: the host cannot be looked at.
    """
    prefetch(session, desired, deployed, read=expectation.client_tables)
    require_directory(session)
    if has_open_journal(session):
        line = "an earlier run was cut off; `up` first finishes or undoes it, and only then looks at the host"
        return Previewed((line,), "")
    places = places_of(session, desired, deployed)
    situation = situation_of(places, desired, deployed)
    plan = plan_deployment(desired, deployed, situation, owner)
    refuse(_obstacles(session, plan))
    foreseen = foresee(session, plan, desired, deployed, situation, expectation)
    refused = [
        *sentences_of_unknown(foreseen, session.root, desired.parameters, situation.configuration.get(MAIN_CF)),
        *sentences_of_moved_queue(foreseen, session.root),
    ]
    is_read = any(isinstance(step, Reload) for step in plan.steps) or bool(expectation.pending)
    before = rows_on_host(session, desired, expectation)
    lines = (
        *_of_earlier_runs(session, deployed, situation),
        *refused,
        *sentences_of_open_files(situation.configuration, session.root),
        *sentences_of_preview(foreseen, session.root, _names_to_tell(desired, deployed, foreseen)),
        *rows_that_go(_below(session.root, before), _below(session.root, rows)),
    )
    is_refused = bool(refused) or bool(foreseen.ruling.refused)
    return Previewed(lines, "`up` refuses this" if is_refused else ending_in_words(foreseen, is_read=is_read))


def _of_earlier_runs(session: HostSession, deployed: Deployed, situation: Situation) -> Iterator[str]:
    """Yield what was taken back there, is of another run than the stored one, or was perhaps not read by Postfix."""
    back = sentences_of_rollback(session)
    yield from back
    if not back and is_of_another_run(deployed, situation.mark):
        yield (
            "what is ours there is of another run than the stored one: it was cut off, taken back, or comes from a "
            "backup; `up` brings what is declared"
        )
    if has_unread_files(session):
        yield (
            "an earlier run ended before it was sure that Postfix has read the files; `up` has them read, and proves it"
        )


def _names_to_tell(desired: HostFiles, deployed: Deployed, foreseen: Foreseen) -> set[str]:
    """Return the parameters of which a change is told: ours, and what main.cf has written."""
    after, before = foreseen.after, foreseen.before
    return {
        *desired.parameters,
        *deployed.parameters,
        *(after.configuration.written if after else ()),
        # Of a main.cf that is replaced as a whole, what it says no longer is a change as well.
        *(before.configuration.written if before and desired.has(MAIN_CF) else ()),
    }


def _below(root: str, rows: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{root}/{path}": source for path, source in rows.items()}


def _obstacles(session: HostSession, plan: HostPlan) -> Iterator[Problem]:
    """Report a main.cf or master.cf that `deploy` would not replace: a mount, or one of several names of a file."""
    written = {step.entry.path for step in plan.steps if isinstance(step, WriteFile) and step.place is Place.CONFIG}
    changed = written & {MAIN_CF, MASTER_CF}
    for name, words in (links_of(session) if changed else {}).items():
        if name in changed and (name in plan.merged or words == MOUNTED):
            yield problem_of_obstacle(f"{session.root}/{name}", words)
