"""The resources `PostfixHost`, `MailServer` and `RelayClient`: a Postfix host brought to its declared configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Final

from pki.key_material import load_key
from pki.withdrawal import withdrawal_problems
from postfix.deploy.host_files import Deployed
from postfix.deploy.session import UnreachableError
from postfix.host import Ownership
from postfix.host_resource.access import ServiceAccess, access_by_service, problems_of_access, with_earlier_dates
from postfix.host_resource.destination import Brought
from postfix.host_resource.destinations import destination_of
from postfix.host_resource.distrusted_clients import notes_on_fingerprints, problems_of_foreign_clients
from postfix.host_resource.distrusted_roots import problems_of_trust
from postfix.host_resource.inspection import has_changed, inspection_of, next_look, seen_again
from postfix.host_resource.ledger_digest import ledger_digest
from postfix.host_resource.occupation import is_same_place, leftovers, occupy, problems_of_place
from postfix.host_resource.outside import (
    deployed_on,
    destination_on,
    edits_on,
    is_unfinished,
    read_back,
    rows_on,
    tell_edits,
)
from postfix.host_resource.preparation import (
    PreparedHost,
    added_services,
    paths_of,
    prepare,
    rows_of_tables,
    taken_over_in,
)
from postfix.host_resource.records import HostArgs, HostInputs, HostRow, HostState
from postfix.host_resource.row_changes import row_changes, rows_in_words
from postfix.host_resource.shown_changes import is_same_file, shown_changes
from postfix.on_host import certificate_on_host
from postfix.preflight import problems_of_host
from postfix.proving import HostEvidence, evidence_of
from postfix.receiving_review import to_review, unknown_tables
from postfix.rendering import client_table, render_parameters
from postfix.ssh_access import problems_of_ssh
from postfix.target import Target, problems_of_kept_generations
from postseal_core.errors import PostsealError, Problem, refuse
from postseal_core.files.bringing import problems_of_directory
from postseal_core.files.place_names import problems_of_take_over
from postseal_core.packing import pack_records
from postseal_core.plugin.claims import bringer_of
from postseal_core.plugin.diff import CHANGED_OUTSIDE, Change
from postseal_core.plugin.handler import Changes, CheckRequest, Context, HandlerBase
from postseal_core.values import UNKNOWN, Maybe

__all__ = ["HostHandler", "foreseen_rows"]

_NOTHING = Deployed()


@dataclass(frozen=True, slots=True)
class _Outline:
    """All paths of a host's files, known in every preview, and those taken over from others.

    `prepared`: the host as far as it is known.
    """

    paths: tuple[str, ...]
    take_over: tuple[str, ...] = ()
    prepared: PreparedHost | None = None


class HostHandler(HandlerBase[HostArgs, HostInputs, HostState]):
    """Shows rows, parameters and files in a preview; writes them in the order that is safe for a running Postfix."""

    type_tokens: ClassVar[tuple[str, ...]] = tuple(
        f"postseal:index:{each}" for each in ("PostfixHost", "MailServer", "RelayClient")
    )
    args = HostArgs
    inputs = HostInputs
    state = HostState

    def check(self, request: CheckRequest[HostArgs, HostInputs], context: Context) -> HostInputs:
        """Render and check the host as far as its certificates are known."""
        args = request.new
        services = access_by_service(args.declaration, args.access, context.memory)
        refuse(_problems(args, services, context))
        prepared = prepare(args, services, now=context.now, load_key=partial(load_key, context=context))
        outline = _outlined(prepared, args.target)
        refuse(_problems_of_target(args.target, prepared, outline, is_place_here=not context.is_review))
        context.memory.put(_Outline, context.urn, outline)
        if not prepared.pending:
            # By URN and not by the host's name: a program may give one name to two hosts of different types.
            context.memory.put(PreparedHost, context.urn, prepared)
            occupy(context, args.target, prepared)
        inputs = _inputs(args, services, prepared)
        changes = _row_changes(request.old, inputs, services) if request.old else {}
        return replace(inputs, look_again_at=next_look(inputs, request.old, context.now), changes=changes)

    def diff(self, old: HostInputs, state: HostState, new: HostInputs, changes: Changes) -> Changes:
        """Show what differs; detect files changed outside of Pulumi."""
        shown = self.shown(old, state, new, changes)
        return shown or ({CHANGED_OUTSIDE: Change.UPDATE} if _is_changed_outside(state, new) else {})

    def shown(self, old: HostInputs, state: HostState, new: HostInputs, changes: Changes) -> Changes:
        """Show who is about in `changes`, and digests only if no other line shows the change."""
        del state
        return shown_changes(old, new, changes)

    def id_of(self, inputs: HostInputs) -> str:
        """Return the host's name."""
        return inputs.name

    def create(self, inputs: HostInputs, context: Context, *, is_preview: bool) -> HostState:
        """Bring the host to its declaration for the first time."""
        return _deploy(inputs, None, context, is_preview=is_preview)

    def update(self, old: HostState, inputs: HostInputs, context: Context, *, is_preview: bool) -> HostState:
        """Deploy the host; after a change of target, remove our files from the old one."""
        if is_same_place(inputs.target, old.target):
            return _deploy(inputs, old, context, is_preview=is_preview)
        state = _deploy(inputs, None, context, is_preview=is_preview)
        _leave(old, context, is_preview=is_preview)
        return state

    def read(self, inputs: HostInputs, state: HostState, context: Context) -> tuple[HostInputs, HostState]:
        """Look at the host: what others have changed is read back, and shown where it is declared otherwise."""
        there = destination_on(state, inputs)
        found, told = read_back(inputs, state, there)
        return found, seen_again(inputs, told, there, deployed_on(state), context.now)

    def delete(self, state: HostState, context: Context) -> None:
        """Remove our files from the host, except those that another host now has at the same place."""
        _leave(state, context)


def _is_changed_outside(state: HostState, new: HostInputs) -> bool:
    """Whether a host is to be looked at again: others have changed it, a run was cut off, or nobody can tell."""
    there = destination_on(state, new)
    try:
        return bool(
            edits_on(state, new, there)
            or is_unfinished(state, there)
            or has_changed(new, state, there, deployed_on(state))
        )
    except UnreachableError:
        return True


def _problems(args: HostArgs, services: Mapping[str, ServiceAccess], context: Context) -> list[Problem]:
    host, target = args.declaration, args.target
    problems = [*problems_of_host(host), *problems_of_access(services), *withdrawal_problems(args.withdrawal)]
    problems += problems_of_trust(args.roots, args.distrusted)
    problems += problems_of_foreign_clients(args.access, args.distrusted)
    if host.ownership is not target.ownership:
        message = f"the target says {target.ownership}, and the declaration {host.ownership}; say the same in both"
        problems.append(Problem("target.ownership", message))
    return [*problems, *problems_of_place(host.name, target, context)]


def _problems_of_target(
    target: Target, prepared: PreparedHost, outline: _Outline, *, is_place_here: bool
) -> list[Problem]:
    """Report directories that others can write to, and names in `take_over` that are no file of the host."""
    # Files of a CApath are named after certificates, which a first preview does not know: their directory stands there.
    declared = [*outline.paths, *prepared.pending, *(entry.path for entry in prepared.chroot)]
    names = problems_of_take_over("target.take_over", target.take_over, declared)
    kept = (each.below("target") for each in problems_of_kept_generations(target.kept_generations))
    if target.ssh:
        return [*(each.below("target.ssh") for each in problems_of_ssh(target.ssh)), *names, *kept]
    seen = problems_of_directory("target.path", target.path) if is_place_here else []
    return [*seen, *names, *kept]


def _outlined(prepared: PreparedHost, target: Target) -> _Outline:
    return _Outline(paths_of(prepared, target), taken_over_in(target, prepared), prepared)


def foreseen_rows(context: Context) -> tuple[HostRow, ...]:
    """Return the rows of a host that was checked in this run, as far as they are known; `context`: of its check."""
    prepared = _outline(context).prepared
    return prepared.rows if prepared else ()


def _outline(context: Context) -> _Outline:
    return context.memory.get(_Outline, context.urn) or _Outline(())


_WIDE: Final[str] = "whoever is in this public network relays without any proof"


def _inputs(args: HostArgs, services: Mapping[str, ServiceAccess], prepared: PreparedHost) -> HostInputs:
    host, parameters = args.declaration, render_parameters(args.declaration)
    wide_networks = host.server.settings.relay.wide_networks if host.server else ()
    tables = {client_table(service): access for service, access in services.items()}
    return HostInputs(
        name=host.name,
        target=args.target,
        main_cf=parameters,
        # By name, so that a changed value and a further name are read as what they are.
        unchecked={name: parameters[name] for name in host.unchecked if name in parameters},
        wide_networks=dict.fromkeys(wide_networks, _WIDE),
        master_cf=added_services(host),
        tables=rows_of_tables(host),
        certificates={name: chain.description for name, chain in args.chains.items()},
        roots=dict.fromkeys(args.roots, "trusted"),
        client_tables={table: access.lines for table, access in tables.items() if table},
        content=prepared.digests,
        unknown_tables=unknown_tables(host),
        to_review=to_review(host) | notes_on_fingerprints(args.access, args.distrusted),
        on_host=certificate_on_host(host),
        accepted={word: ", ".join(places) for word, places in host.accept.items()},
        reload=args.target.reload,
    )


def _row_changes(old: HostInputs, new: HostInputs, services: Mapping[str, ServiceAccess]) -> dict[str, str]:
    listed = {client_table(service) or "": access.listed for service, access in services.items()}
    return row_changes(
        old.client_tables, {table: rows for table, rows in listed.items() if not is_same_file(table, old, new)}
    )


def _deploy(inputs: HostInputs, old: HostState | None, context: Context, *, is_preview: bool) -> HostState:
    deployed = deployed_on(old)
    destination = destination_of(inputs.target)
    bringer = bringer_of(context, _outline(context).take_over)
    inspection = inspection_of(inputs, old, destination, deployed, context)
    if is_preview:
        outline = _outline(context)
        try:
            is_edited = tell_edits(inputs, old, destination, context, is_preview=True)
            ending = destination.foresee(outline.paths, deployed, bringer, outline.prepared)
            if outline.prepared:
                rows = _rows_in_words(old, outline.prepared, is_edited=is_edited)
                context.mention(f"{inputs.name}: {rows}; {ending}")
            inspection.foresee()
        except UnreachableError as error:
            context.report(f"this preview cannot tell what is on the host: {error}")
        return HostState(
            name=inputs.name,
            target=inputs.target,
            on_host=UNKNOWN if inputs.on_host else None,
            evidence=UNKNOWN if inputs.target.kind.is_host else None,
            ledger_digest=_foreseen_digest(inputs, _outline(context).prepared),
        )
    tell_edits(inputs, old, destination, context, is_preview=False)
    prepared = _prepared(context)
    is_merged = inputs.target.ownership is Ownership.MERGE
    brought = destination.write(prepared, deployed, bringer, inspection.look)
    return HostState(
        name=inputs.name,
        target=inputs.target,
        deployed=brought.deployed,
        on_host=inspection.sighting,
        evidence=_evidence(brought, old, context),
        rows=pack_records(with_earlier_dates(prepared.rows, rows_on(old))),
        main_cf=inputs.main_cf if is_merged else {},
        master_cf=inputs.master_cf if is_merged else {},
        tables=inputs.tables,
        ledger_digest=ledger_digest(inputs, prepared.rows),
    )


def _foreseen_digest(inputs: HostInputs, prepared: PreparedHost | None) -> Maybe[str]:
    """Return the digest of the host's ledger as far as a preview knows it."""
    return UNKNOWN if prepared is None or prepared.unknown_tables else ledger_digest(inputs, prepared.rows)


def _rows_in_words(old: HostState | None, prepared: PreparedHost, *, is_edited: bool) -> str:
    before = tuple(rows_on(old))
    if not before and not prepared.listing:
        return "lets no client in by its certificate"
    return rows_in_words(before, prepared.rows, is_complete=not prepared.unknown_tables, is_edited=is_edited)


def _evidence(brought: Brought, old: HostState | None, context: Context) -> Maybe[HostEvidence] | None:
    """Return what was proven now; where nothing was asked, what was proven before."""
    if not brought.evidence:
        return old.evidence if old else None
    return evidence_of(brought.evidence, brought.outside, context.now)


def _prepared(context: Context) -> PreparedHost:
    prepared = context.memory.get(PreparedHost, context.urn)
    if prepared is None:
        raise PostsealError(
            "the files of this host were not rendered during this run; run `pulumi up` again "
            "(with all the resources that it depends on, if --target was used)"
        )
    return prepared


def _leave(state: HostState, context: Context, *, is_preview: bool = False) -> None:
    destination = destination_of(state.target)
    leave = destination.foresee_removal if is_preview else destination.remove
    leave(leftovers(context, state.target, deployed_on(state)), bringer_of(context))
