"""Turn a stack's state and a clock into the inventory of everything that expires."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from postseal.report.export import Fields, Resource, read_resources
from postseal.report.model import Accepted, Action, Entry, Inventory, Kind, State, Verb
from postseal.report.records import CERTIFICATE, IMPORTED_CERTIFICATE, REVOCATION_LIST, Record, find_records
from postseal_core.errors import ConfigError, Problem

__all__ = ["DEFAULT_SOON_DAYS", "build_inventory", "state_of"]

DEFAULT_SOON_DAYS = 30
_PROFILES = (Kind.ROOT, Kind.INTERMEDIATE, Kind.SERVER, Kind.CLIENT, Kind.SERVER_AND_CLIENT)
_OK = "ok"


def build_inventory(export: object, now: datetime, soon_days: int = DEFAULT_SOON_DAYS) -> Inventory:
    """Return everything in a stack that expires, worst first, as it stands at `now`.

    `export`: the parsed JSON of `pulumi stack export`; secrets in it are never needed. `soon_days`: how long before
    its date an action counts as due soon. Names are made unique within kind and roster, with the URN where need be.
    NOT checked: certificates themselves (the state holds what the provider verified when it issued them).

    Raises:
        ConfigError: the document is no stack's state, or an entry in it cannot be read (all of them are named).
    """
    problems: list[Problem] = []
    resources = read_resources(export)
    entries = [_READERS[record.type](record) for record in find_records(resources, problems)]
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    judged = [_judge(entry, now, soon_days) for entry in _with_unique_names(entries)]
    project, stack = _names_of(resources)
    return Inventory(project, stack, now, soon_days, tuple(sorted(judged, key=lambda entry: entry.worst_first)))


def state_of(entry: Entry, now: datetime, soon_days: int) -> State:
    """Return how an entry stands at `now`: the worst state that holds, or revoked.

    From `not_after` on an entry is expired; from the date of its next action on it is overdue.
    """
    if entry.revoked_at:
        return State.REVOKED
    if entry.not_after and now >= entry.not_after:
        return State.EXPIRED
    if entry.not_after is None:
        return State.WAITING
    if entry.due <= now:
        return State.WAITING if entry.state is State.WAITING else State.OVERDUE
    return State.DUE_SOON if entry.due - now <= timedelta(days=soon_days) else State.OK


def _names_of(resources: tuple[Resource, ...]) -> tuple[str, str]:
    return (resources[0].project, resources[0].stack) if resources else ("", "")


def _judge(entry: Entry, now: datetime, soon_days: int) -> Entry:
    actions = _actions(entry, now)
    planned = replace(
        entry,
        actions=actions,
        next_action=actions[0] if actions else None,
        accepted=() if entry.revoked_at else entry.accepted,
        days_left=(entry.not_after - now).days if entry.not_after else None,
    )
    return replace(planned, state=state_of(planned, now, soon_days))


def _actions(entry: Entry, now: datetime) -> tuple[Action, ...]:
    """Return what is still to do, in order of its date; what is waited for is due at once."""
    if entry.revoked_at:
        return ()
    if entry.state is State.WAITING:
        return (Action(Verb.FETCH, now),)
    return tuple(sorted(entry.actions, key=lambda action: action.due))


def _with_unique_names(entries: list[Entry]) -> list[Entry]:
    seen = Counter(entry.identity for entry in entries)
    return [
        entry if seen[entry.identity] == 1 else replace(entry, name=f"{entry.name} ({entry.urn})") for entry in entries
    ]


def _certificate(record: Record) -> Entry:
    fields = record.fields
    generation, renew_at = fields.integer("generation"), fields.instant("renew_at")
    entry = _described(record, _profile(fields))
    previous = tuple(_previous(item, record.policy.text("match", "certificate")) for item in fields.records("previous"))
    current = _current(fields, generation, record.policy.text("match", "certificate"))
    return replace(
        entry,
        generation=generation,
        renew_at=renew_at,
        reason=fields.text("reason", ""),
        revoked_at=fields.optional_instant("revoked_at"),
        actions=(Action(Verb.RENEW, renew_at, generation), *(_retirement(item) for item in previous)),
        accepted=_longest((current, *previous)),
    )


def _imported(record: Record) -> Entry:
    fields = record.fields
    is_waiting = fields.text("status", _OK) != _OK
    entry = _described(record, Kind.IMPORTED, has_arrived=fields.has("not_after") or not is_waiting)
    renew_at = fields.optional_instant("renew_at")
    return replace(
        entry,
        state=State.WAITING if is_waiting else State.OK,
        renew_at=renew_at,
        reason=fields.text("status", ""),
        actions=(Action(Verb.FETCH, renew_at),) if renew_at else (),
    )


def _revocation_list(record: Record) -> Entry:
    fields = record.fields
    renew_at, revoked = fields.instant("renew_at"), len(tuple(fields.records("revoked")))
    return Entry(
        kind=Kind.REVOCATION_LIST,
        name=fields.text("name", record.resource.name),
        state=State.OK,
        subject=fields.text("authority", ""),
        issuer=fields.text("authority", ""),
        urn=record.resource.urn,
        generation=fields.integer("crl_number"),
        not_before=fields.instant("this_update"),
        not_after=fields.instant("next_update"),
        renew_at=renew_at,
        reason=f"{revoked} revoked",
        actions=(Action(Verb.SIGN_REVOCATION_LIST, renew_at),),
        notes=record.resource.init_errors,
    )


_READERS: Mapping[str, Callable[[Record], Entry]] = {
    CERTIFICATE: _certificate,
    IMPORTED_CERTIFICATE: _imported,
    REVOCATION_LIST: _revocation_list,
}


def _described(record: Record, kind: Kind, *, has_arrived: bool = True) -> Entry:
    fields = record.fields
    return Entry(
        kind=kind,
        name=fields.text("name", record.resource.name),
        state=State.OK,
        subject=fields.text("subject", ""),
        issuer=fields.text("issuer", ""),
        roster=record.roster,
        urn=record.resource.urn,
        serial_number=fields.text("serial_number", ""),
        not_before=fields.instant("not_before") if has_arrived else None,
        not_after=fields.instant("not_after") if has_arrived else None,
        alt_names=fields.texts("dns_names") + fields.texts("email_addresses"),
        notes=record.resource.init_errors,
    )


def _profile(fields: Fields) -> Kind:
    profile = fields.text("profile")
    if profile in _PROFILES:
        return Kind(profile)
    fields.refuse("profile", f"got {profile!r}, expected one of: {', '.join(_PROFILES)}")
    return Kind.CLIENT


def _current(fields: Fields, generation: int, match: str) -> Accepted:
    return Accepted(generation, _fingerprint(fields, match), match, fields.instant("not_after"))


def _previous(fields: Fields, match: str) -> Accepted:
    return Accepted(fields.integer("generation"), _fingerprint(fields, match), match, fields.instant("retire_at"))


def _fingerprint(fields: Fields, match: str) -> str:
    return fields.text("public_key_fingerprint_sha256" if match == "public_key" else "fingerprint_sha256")


def _longest(accepted: tuple[Accepted, ...]) -> tuple[Accepted, ...]:
    """Return one row for each fingerprint: generations that share a key share their row, until the last one ends."""
    longest: dict[str, Accepted] = {}
    for item in accepted:
        longest[item.fingerprint] = max(longest.get(item.fingerprint, item), item, key=lambda row: row.until)
    return tuple(longest.values())


def _retirement(previous: Accepted) -> Action:
    return Action(Verb.RETIRE, previous.until, previous.generation)
