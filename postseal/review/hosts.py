"""What happens to each host: rows, parameters, files, and when its Postfix reads them; pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from postfix.host_resource.records import HostInputs
from postfix.target import Target, TargetKind
from postseal.ledger.records import ledger_of_host
from postseal.review.clients import Clients
from postseal.review.inline import literal
from postseal.review.model import Difference, HostReview
from postseal.review.rows import row_changes
from postseal.review.steps import Operation, Step
from postseal_core.values import Unknown, is_unknown
from postseal_core.waiting import is_awaiting

__all__ = ["host_reviews"]

_RESTART: Final = ("inet_interfaces", "inet_protocols")


def host_reviews(steps: Iterable[Step], clients: Clients, now: datetime) -> tuple[HostReview, ...]:
    """Return every host, by its name."""
    return tuple(sorted((_host(each, clients, now) for each in steps if each.is_host), key=lambda host: host.name))


def _host(step: Step, clients: Clients, now: datetime) -> HostReview:
    old = step.before if isinstance(step.before, HostInputs) else None
    is_gone = step.operation is Operation.DELETE
    new = step.after if isinstance(step.after, HostInputs) and not is_gone else None
    if step.operation in (Operation.SAME, Operation.REFUSED):
        new = old
    before = ledger_of_host(old, step.rows_before) if old else None
    after = ledger_of_host(new, step.rows_before if new is old else step.rows) if new else None
    is_changed = step.operation not in (Operation.SAME, Operation.REFUSED)
    said = new or old
    is_moved = bool(old and new and _place(old.target) != _place(new.target))
    written, removed = _files(old, new, is_moved=is_moved)
    return HostReview(
        name=step.name,
        myhostname=said.main_cf.get("myhostname", "") if said else "",
        before=before,
        after=after,
        is_changed=is_changed,
        rows=row_changes(before.rows if before else (), after.rows if after else (), clients, now),
        written=written if is_changed else (),
        removed=removed if is_changed else (),
        reading=_reading(old, new, is_moved=is_moved) if is_changed else "",
        differences=tuple(_differences(old, new)) if is_changed else (),
        notes=tuple(_notes(step, old, new)),
        is_refused=step.operation is Operation.REFUSED,
        is_by_hand=bool(said and said.target.kind is TargetKind.DIRECTORY),
    )


def _place(target: Target) -> tuple[str, str]:
    return target.kind.value, target.place


def _files(
    old: HostInputs | None, new: HostInputs | None, *, is_moved: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files that are written anew, and those that go; a main.cf of others is changed in place."""
    before: Mapping[str, Any] = old.content if old else {}
    after: Mapping[str, Any] = new.content if new else {}
    differs = {path for path, digest in after.items() if is_moved or is_unknown(digest) or before.get(path) != digest}
    merged = {"main.cf": "main_cf", "master.cf": "master_cf"}
    for path, member in merged.items():
        if path not in after and new and _differs(old, new, member):
            differs.add(path)
    return tuple(sorted(differs)), tuple(sorted(before.keys() - after.keys() if not is_moved else ()))


def _differs(old: HostInputs | None, new: HostInputs, member: str) -> bool:
    return bool((getattr(old, member) if old else {}) != getattr(new, member))


def _reading(old: HostInputs | None, new: HostInputs | None, *, is_moved: bool) -> str:
    """Return when Postfix reads what is new, as far as the declaration says it."""
    target = (new or old).target if (new or old) else None  # type: ignore[union-attr]
    if target is None:
        return ""
    if target.kind is TargetKind.DIRECTORY:
        return (
            f"**By hand**: `up` writes to a directory; copy `{literal(target.path)}` to the host and **reload** "
            "Postfix there, until then everything stays as it is"
        )
    if new is None:
        return "Postfix **reloads** without what was ours; its own files come back"
    if is_moved or old is None:
        return "Postfix **reloads**, if it runs there"
    restarted = [name for name in _RESTART if old.main_cf.get(name) != new.main_cf.get(name)]
    if restarted:
        return f"Postfix **is stopped and started**, all sessions end: {', '.join(restarted)}"
    return "Postfix **reloads**"


def _differences(old: HostInputs | None, new: HostInputs | None) -> Iterator[Difference]:
    if old and new and _place(old.target) != _place(new.target):
        yield Difference("target", "place", " ".join(_place(old.target)), " ".join(_place(new.target)))
    if new is None:
        return
    yield from _of_values("main.cf", old.main_cf if old else {}, new.main_cf)
    yield from _of_values("master.cf", old.master_cf if old else {}, new.master_cf)
    tables: Mapping[str, Mapping[str, str]] = old.tables if old else {}
    for name in sorted({*tables, *new.tables}):
        yield from _of_values(f"table {name}", tables.get(name, {}), new.tables.get(name, {}))
    yield from _of_values("certificate", old.certificates if old else {}, new.certificates)
    yield from _of_values("trusted root", old.roots if old else {}, new.roots)
    yield from _of_values("accepted by `accept`", old.accepted if old else {}, new.accepted)
    if old and old.target != new.target and _place(old.target) == _place(new.target):
        yield Difference("target", "how it is reached or treated", "", "otherwise than before")


def _of_values(place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before != after:
            yield Difference(place, name, _said(before), _said(after))


def _said(value: object) -> str:
    if isinstance(value, Unknown):
        return "known once it is issued"
    return "" if value is None else str(value)


def _notes(step: Step, old: HostInputs | None, new: HostInputs | None) -> Iterator[str]:
    """Yield what a reviewer is told beside the values: what is new of it first."""
    if isinstance(step.after, Mapping) and is_awaiting(step.after):
        yield f"waits for {step.after['awaits']}; nothing is written yet"
    yield from step.notes
    if new is None:
        return
    for words, before, after in (
        ("open to whoever is there", old.wide_networks if old else {}, new.wide_networks),
        ("to review", old.to_review if old else {}, new.to_review),
        ("a table that nobody has checked", old.unknown_tables if old else {}, new.unknown_tables),
        ("a parameter that nobody has checked", old.unchecked if old else {}, new.unchecked),
    ):
        for name in sorted(after):
            if before.get(name) != after[name]:
                yield f"new, {words}: {name}: {after[name]}"
