"""Answers for one resource as engine and plugin do in a preview, with the plugin's own handlers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from pki.key_material import use_key_loader
from postfix.host_resource.access import with_earlier_dates
from postfix.host_resource.handler import foreseen_rows
from postfix.host_resource.records import HostRow, HostState
from postseal.provider import REGISTRY
from postseal.review.digests import SECRET_DIGESTS, Leaves, with_known_digests
from postseal.review.stand_ins import StandIns
from postseal.review.steps import HOSTS, Operation, Step, short_type
from postseal.review.stored import SEALED, StoredResource
from postseal_core.errors import ConfigError, PostsealError, Problem
from postseal_core.packing import unpack_records
from postseal_core.plugin.diff import Change, compare
from postseal_core.plugin.handler import AnyHandler, CheckRequest, Context
from postseal_core.plugin.material import MaterialStore
from postseal_core.plugin.memory import Memory
from postseal_core.records import decode, decode_stored, encode
from postseal_core.waiting import AWAITS, is_awaiting

__all__ = ["Answer", "Deciding"]

Plain = Mapping[str, Any]
_OURS: Final = "postseal:"
_UNKNOWN_OF_NEW: Final[Plain] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """A step, and the outputs that the program goes on with; what is missing there is unknown."""

    step: Step
    outputs: Plain


@dataclass(frozen=True, slots=True)
class Deciding:
    """Decides one run: `stored` is the state, `now` the clock.

    `is_frozen`: answer for everything with its state, and look only at what holds digests of secrets. `leaves`: those
    of the run with the stack file before; None in that run itself, whose own say how it is. `found`: those of this run.
    """

    stored: Mapping[str, StoredResource]
    now: datetime
    stand_ins: StandIns
    leaves: Leaves | None = None
    is_frozen: bool = False
    memory: Memory = field(default_factory=Memory)
    found: dict[str, Plain] = field(default_factory=dict)

    def answer(self, urn: str, token: str, args: Plain) -> Answer:
        """Return what happens to a resource with these arguments."""
        stored = self.stored.get(urn)
        if not token.startswith(_OURS):
            return self._of_others(urn, token, args, stored)
        if is_awaiting(args) or (stored and is_awaiting(stored.inputs) and self.is_frozen):
            return _waiting(urn, token, args, stored)
        if self.is_frozen and short_type(token) not in SECRET_DIGESTS:
            return _unchanged(urn, token, stored, self._outputs(stored))
        return self._of_ours(urn, token, args, None if stored and is_awaiting(stored.inputs) else stored, stored)

    def deleted(self, urn: str) -> Step:
        """Return the step of a resource that the program declares no more."""
        stored = self.stored[urn]
        problem = Problem(
            "",
            "is protected, and not declared any more; declare it again, or take its protection away first: "
            "`protect: false`, then `pulumi up`",
        )
        is_ours = stored.type.startswith(_OURS) and not is_awaiting(stored.inputs)
        handler = REGISTRY[stored.type] if is_ours else None
        before: Any = decode_stored(handler.inputs, _inputs(stored)) if handler else stored.inputs
        state: Any = decode_stored(handler.state, self._outputs(stored)) if handler else stored.outputs
        return Step(
            urn,
            stored.type,
            stored.name,
            Operation.REFUSED if stored.is_protected else Operation.DELETE,
            before=before,
            state_before=state,
            problems=(problem,) if stored.is_protected else (),
            rows_before=_rows_before(stored.type, state),
        )

    def _of_ours(
        self, urn: str, token: str, args: Plain, stored: StoredResource | None, at_place: StoredResource | None
    ) -> Answer:
        handler, notes = REGISTRY[token], list[str]()
        context = self._context(urn, notes.append)
        old_plain = _inputs(stored) if stored else None
        old = decode_stored(handler.inputs, old_plain) if old_plain is not None else None
        before = decode_stored(handler.state, self._outputs(stored)) if stored else None
        step = Step(urn, token, _name(urn), Operation.SAME, before=old, state_before=before, state=before)
        rows = _rows_before(token, before)
        step = replace(step, rows_before=rows, rows=rows)
        try:
            declared = decode(handler.args, args)
            new = handler.check(CheckRequest(old=old, new=declared), context)
            if short_type(token) in SECRET_DIGESTS:
                leaves = self.found[urn] = encode(new)
                reference = leaves if self.leaves is None else self.leaves.get(urn, {})
                new = with_known_digests(declared, old, new, reference)
            return self._planned(handler, replace(step, after=new, notes=tuple(notes)), context, at_place)
        except PostsealError as error:
            problems = error.problems if isinstance(error, ConfigError) else (Problem("", str(error)),)
            refused = replace(step, operation=Operation.REFUSED, problems=tuple(problems), notes=tuple(notes))
            return Answer(refused, self._outputs(stored))

    def _planned(self, handler: AnyHandler, step: Step, context: Context, at_place: StoredResource | None) -> Answer:
        """Return the step of a resource whose declaration is accepted."""
        notes: list[str] = []
        context = replace(context, report=notes.append)
        is_place = short_type(step.type) in HOSTS | {"HandOut"}
        if step.before is None:
            state = None if is_place else handler.create(step.after, context, is_preview=True)
            operation = Operation.UPDATE if at_place else Operation.CREATE
            made = replace(step, operation=operation, state=state, rows=_rows(step, context))
            return Answer(_noted(made, notes), encode(state) if state is not None else _UNKNOWN_OF_NEW)
        leaves = compare(encode(step.before), encode(step.after))
        changes = handler.shown(step.before, step.state_before, step.after, leaves)
        if not changes or self.is_frozen:
            return Answer(step, self._outputs(self.stored[step.urn]))
        state = step.state_before
        if not is_place:
            state = handler.update(state, step.after, context, is_preview=True)
        changed = replace(step, operation=Operation.UPDATE, changes=changes, state=state, rows=_rows(step, context))
        return Answer(_noted(changed, notes), self._outputs(self.stored[step.urn]) if is_place else encode(state))

    def _of_others(self, urn: str, token: str, args: Plain, stored: StoredResource | None) -> Answer:
        """Answer for a resource of another provider: a change of its arguments makes another one of it."""
        name = _name(urn)
        self.found[urn] = args
        if stored is None:
            return Answer(Step(urn, token, name, Operation.CREATE, after=args), _UNKNOWN_OF_NEW)
        reference = args if self.leaves is None else self.leaves.get(urn, {})
        known = {
            each: SEALED if stored.inputs.get(each) == SEALED and value == reference.get(each) else value
            for each, value in args.items()
        }
        old = _inputs(stored)
        changes = {} if self.is_frozen else compare(old, known)
        step = Step(urn, token, name, Operation.SAME, before=old, after=args)
        if not changes:
            return Answer(step, self._outputs(stored))
        return Answer(replace(step, operation=Operation.REPLACE, changes=changes), _UNKNOWN_OF_NEW)

    def _outputs(self, stored: StoredResource | None) -> Plain:
        return self.stand_ins.outputs_of(stored) if stored else _UNKNOWN_OF_NEW

    def _context(self, urn: str, report: Callable[[str], None]) -> Context:
        context = Context(
            urn=urn,
            now=self.now,
            entropy=lambda count: b"\0" * count,
            material=MaterialStore(),
            report=report,
            memory=self.memory,
            is_review=True,
        )
        use_key_loader(self.stand_ins.load, context)
        return context


def _noted(step: Step, notes: list[str]) -> Step:
    return replace(step, notes=(*step.notes, *notes))


def _rows(step: Step, context: Context) -> tuple[HostRow, ...]:
    return tuple(with_earlier_dates(foreseen_rows(context), step.rows_before)) if step.is_host else ()


def _rows_before(token: str, state: Any) -> tuple[HostRow, ...]:
    is_stored = short_type(token) in HOSTS and isinstance(state, HostState) and isinstance(state.rows, str)
    return _unpacked(state.rows) if is_stored else ()


@lru_cache(maxsize=64)
def _unpacked(rows: str) -> tuple[HostRow, ...]:
    """Return the rows that a host has, which each run asks for."""
    return tuple(unpack_records(HostRow, rows))


def _unchanged(urn: str, token: str, stored: StoredResource | None, outputs: Plain) -> Answer:
    return Answer(Step(urn, token, _name(urn), Operation.SAME), outputs if stored else _UNKNOWN_OF_NEW)


def _waiting(urn: str, token: str, args: Plain, stored: StoredResource | None) -> Answer:
    """Answer for what waits for its authority; what exists cannot begin to wait."""
    after = {AWAITS: args.get(AWAITS, "")}
    step = Step(urn, token, _name(urn), Operation.CREATE, after=after)
    if stored is None:
        return Answer(step, after)
    if not is_awaiting(stored.inputs):
        message = (
            f"is there already, and would be lost while it waits for {after[AWAITS]}: leave its authority, and what "
            "is declared of that, as it was"
        )
        return Answer(replace(step, operation=Operation.REFUSED, problems=(Problem("", message),)), after)
    changes: Mapping[str, Change] = compare(stored.inputs, after)
    return Answer(replace(step, operation=Operation.UPDATE if changes else Operation.SAME, changes=changes), after)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _inputs(stored: StoredResource) -> Plain:
    """Return stored inputs without what the engine's bridge to other providers adds for itself."""
    return {name: value for name, value in stored.inputs.items() if not name.startswith("__")}
