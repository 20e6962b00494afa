"""Look for what somebody else has changed on a deployed host: for a diff, a refresh, and a run that repairs it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed
from postfix.host_resource.destination import Destination
from postfix.host_resource.destinations import destination_of
from postfix.host_resource.drift import Edit, Left, sentences_of_edits, with_found
from postfix.host_resource.occupation import is_same_place
from postfix.host_resource.records import HostInputs, HostRow, HostState
from postfix.rendering import client_table
from postfix.tables import client_label
from postfix.target import Drift
from postseal_core.errors import DeployError
from postseal_core.packing import unpack_records
from postseal_core.plugin.handler import Context
from postseal_core.values import Maybe, Unknown

__all__ = ["deployed_on", "destination_on", "edits_on", "is_unfinished", "read_back", "rows_on", "tell_edits"]

_NOTHING: Final = Deployed()
_STOPPED: Final = (
    "nothing was changed, as the target says `drift: stop`; take into the stack file what shall stay, undo the rest on "
    "the host, or say `drift: repair` for one run, which makes it as it is declared"
)


def destination_on(state: HostState, wanted: HostInputs) -> Destination:
    """Return where a host was deployed to; the way there is that of its declaration, if it leads to the same place."""
    return destination_of(wanted.target if is_same_place(wanted.target, state.target) else state.target)


def read_back(inputs: HostInputs, state: HostState, there: Destination) -> tuple[HostInputs, HostState]:
    """Return inputs and state with what others have changed: shown then where it is declared otherwise."""
    edits = edits_on(state, None, there)
    found = replace(
        inputs,
        main_cf=with_found(inputs.main_cf, MAIN_CF, edits),
        master_cf=with_found(inputs.master_cf, MASTER_CF, edits),
        tables={path: with_found(rows, path, edits) for path, rows in inputs.tables.items()},
        client_tables={path: _lines_found(lines, path, edits, state) for path, lines in inputs.client_tables.items()},
        # A digest of what others wrote says nothing to a reader; that the file has to be written again does.
        content={path: each for path, each in inputs.content.items() if path not in {edit.path for edit in edits}},
    )
    return found, replace(state, edited_by_others=tuple(sentences_of_edits(state.name, edits)))


def deployed_on(state: HostState | None) -> Deployed:
    """Return the record of deployed files; nothing for a host that only a preview has seen."""
    deployed: Maybe[Deployed] = state.deployed if state else _NOTHING
    return _NOTHING if isinstance(deployed, Unknown) else deployed


def rows_on(state: HostState | None) -> Iterable[HostRow]:
    """Return the rows of a host's tables of clients, as the last run stored them."""
    rows: Maybe[str] = state.rows if state else ""
    return () if isinstance(rows, Unknown) else unpack_records(HostRow, rows)


def _left(state: HostState) -> Left:
    """Return the host as the last deployment left it."""
    rows: dict[str, dict[str, str]] = {path: dict(table) for path, table in state.tables.items()}
    for each in rows_on(state):
        table, accepted = client_table(each.service), each.accepted
        if table and not isinstance(accepted.fingerprint_sha256, Unknown):
            label = client_label(accepted.client, accepted.generation, accepted.not_after)
            rows.setdefault(table, {})[accepted.fingerprint_sha256] = label
    return Left(deployed=deployed_on(state), main_cf=state.main_cf, master_cf=state.master_cf, rows=rows)


def edits_on(state: HostState | None, wanted: HostInputs | None, there: Destination) -> list[Edit]:
    """Return what others have changed on a host since its last deployment, and is not as it is declared now."""
    if state is None or deployed_on(state) == _NOTHING:
        return []
    return there.drift(_left(state), _wanted(wanted))


def _wanted(inputs: HostInputs | None) -> Left:
    """Return what is declared now as far as it is known; nothing for a look at the host alone."""
    if inputs is None:
        return Left(deployed=_NOTHING)
    known = {path: value for path, value in inputs.content.items() if not isinstance(value, Unknown)}
    return Left(deployed=Deployed(files=known), main_cf=inputs.main_cf, master_cf=inputs.master_cf)


def _lines_found(
    lines: Mapping[str, Maybe[str]], path: str, edits: Iterable[Edit], state: HostState
) -> Mapping[str, Maybe[str]]:
    """Return the lines of a table of clients with the rows that were found there, by what stands behind them."""
    labels = _left(state).rows.get(path, {})
    here = [edit for edit in edits if edit.path == path and edit.name]
    gone = {labels.get(edit.name) for edit in here}
    found = {label: line for label, line in lines.items() if label not in gone}
    found |= {edit.found: edit.name for edit in here if edit.found is not None}
    return found


def is_unfinished(state: HostState, there: Destination) -> bool:
    """Return whether a host is as another run has left it than the stored one, whatever its files are like."""
    deployed = deployed_on(state)
    return deployed != _NOTHING and there.is_unfinished(deployed)


def tell_edits(
    inputs: HostInputs, old: HostState | None, there: Destination, context: Context, *, is_preview: bool
) -> bool:
    """Say what others have changed, and return whether they have; raise DeployError where that stops a run."""
    sentences = sentences_of_edits(inputs.name, edits_on(old, inputs, there))
    stops = inputs.target.drift is Drift.STOP
    if sentences and stops and not is_preview:
        raise DeployError(f"{'; '.join(sentences)}; {_STOPPED}")
    for sentence in sentences:
        context.report(
            f"{sentence}; " + ("`pulumi up` stops here: `drift: stop`" if stops else "it will be as declared")
        )
    return bool(sentences)
