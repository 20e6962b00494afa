"""What happens to certificates, keys and lists, each in a sentence with its cause; pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pki.certificate.records import CertificateInputs
from pki.imported_certificate.records import ImportedCertificateInputs
from pki.model import Profile
from pki.requested_authority.records import RequestedAuthorityInputs
from pki.revocation_list.records import RevocationListInputs
from pki.roster.records import RosterInputs
from pki.schedule_words import still_valid
from postseal.review.declared_words import declared_otherwise
from postseal.review.model import Cause, CertificateChange
from postseal.review.steps import HOSTS, Operation, Step, short_type
from postseal.review.words import moment, sentence_of_schedules
from postseal_core.plugin.diff import member_of
from postseal_core.waiting import AWAITS

__all__ = ["certificate_changes", "may_change"]

_KINDS: Final[Mapping[Profile, str]] = {
    Profile.ROOT: "authority",
    Profile.INTERMEDIATE: "authority",
    Profile.SERVER: "server certificate",
    Profile.SERVER_AND_CLIENT: "server and client certificate",
    Profile.CLIENT: "client certificate",
}
_WORDS: Final = {
    "CertRequest": "certificate request",
    "ClientCertificate": "client certificate",
    "ClientRoster": "roster",
    "ImportedCertificate": "certificate of a third party",
    "Pkcs12": "archive",
    "PrivateKey": "private key",
    "RequestedAuthority": "authority that others sign",
    "RevocationList": "revocation list",
    "ServerCertificate": "server certificate",
    "ThirdPartyClientCertificate": "certificate of a third party",
}
_COUNTED: Final = re.compile(r"^[0-9,]+ clients?: ")
_SHORT: Final = re.compile(r"\bg([0-9]+)\b")
_NOT_HERE: Final = HOSTS | {"HandOut"}


def certificate_changes(due: Mapping[str, Step], new: Mapping[str, Step]) -> tuple[CertificateChange, ...]:
    """Return what happens to everything but hosts and files, sorted; `due`: the steps under the stack file before."""
    found = [
        CertificateChange(kind, name, sentence, cause)
        for urn, step in new.items()
        if step.operation not in (Operation.SAME, Operation.REFUSED) and short_type(step.type) not in _NOT_HERE
        for kind, name, sentence, cause in _told(step, due.get(urn))
    ]
    return tuple(sorted(found, key=lambda each: (each.kind, each.sentence, each.name)))


def _told(step: Step, due: Step | None) -> Iterator[tuple[str, str, str, Cause]]:
    if isinstance(step.after, RosterInputs):
        yield from _of_roster(step, step.after, due)
        return
    yield _kind(step), step.name, _sentence(step), _cause(step, due)


def _of_roster(step: Step, after: RosterInputs, due: Step | None) -> Iterator[tuple[str, str, str, Cause]]:
    """Yield the line of each client that is touched; of more than some hundred, equal ones share one already."""
    if step.operation is Operation.DELETE:
        yield "roster", step.name, "deleted with all its keys; nothing of it is accepted any more", _cause(step, due)
        return
    is_applied = due is not None and isinstance(due.after, RosterInputs) and due.after.clients == _clients(step.before)
    without = _touched(due.after) if due and isinstance(due.after, RosterInputs) and due.changes else {}
    for who, what in _touched(after).items():
        alike = Cause.CLOCK if is_applied else Cause.NOT_APPLIED
        yield f"client of roster {step.name}", who, what, alike if without.get(who) == what else Cause.CHANGE
    shared = step.before.shared if isinstance(step.before, RosterInputs) else after.shared
    told = declared_otherwise(shared, after.shared, after.next_due_at)
    if told or not after.changes:
        yield "roster", step.name, told or f"changed: {_members(step)}", _cause(step, due)


def may_change(step: Step) -> bool:
    """Return whether nothing but the sealed passphrase of an archive differs: it may be the same one."""
    return step.operation is Operation.UPDATE and {*step.changes} == {"passphrase"}


def _touched(inputs: RosterInputs) -> dict[str, str]:
    """Return what happens to each client; above some hundred, all with one sentence stand behind it."""
    told: dict[str, str] = {}
    for who, what in inputs.changes.items():
        names = _COUNTED.sub("", what)
        told |= dict.fromkeys(names.split(", "), _in_full(who)) if names != what else {who: _in_full(what)}
    return told


def _in_full(sentence: str) -> str:
    """Return the sentence of a roster, which is kept short for previews, in the words of a review."""
    return _SHORT.sub(r"generation \1", sentence).replace(" -> ", " → ")


def _clients(inputs: object) -> str:
    return inputs.clients if isinstance(inputs, RosterInputs) else ""


def _kind(step: Step) -> str:
    inputs: Any = step.after if step.after is not None else step.before
    if isinstance(inputs, CertificateInputs) and short_type(step.type) == "Certificate":
        return _KINDS[inputs.profile]
    return _WORDS.get(short_type(step.type), short_type(step.type))


def _sentence(step: Step) -> str:
    if step.operation is Operation.DELETE:
        return _deleted(step.before)
    if step.operation is Operation.REPLACE:
        return f"another one is made, and the old one is deleted: {_members(step)} differs"
    if may_change(step):
        return "may be made anew: its passphrase was sealed anew, and only the next run can tell whether it differs"
    told = _of_records(step.before, step.after)
    if told:
        return told
    if step.operation is Operation.CREATE:
        awaited = _plain(step.after).get(AWAITS)
        return f"waits for {awaited}" if awaited else "made"
    return _of_archive(step) if _kind(step) == "archive" else f"changed: {_members(step)}"


def _of_records(before: Any, after: Any) -> str:
    if isinstance(after, CertificateInputs):
        return _of_certificate(before, after)
    if isinstance(after, RevocationListInputs):
        return _of_list(before, after)
    if isinstance(after, RequestedAuthorityInputs):
        signed = after.signed
        return f"its certificate is valid until {moment(signed.not_after)}" if signed and signed.not_after else (
            after.awaited
        )  # fmt: skip
    if isinstance(after, ImportedCertificateInputs):
        return f"used from now on: {after.described.subject}, until {moment(after.described.validity.not_after)}"
    return ""


def _of_certificate(before: Any, after: CertificateInputs) -> str:
    old = before if isinstance(before, CertificateInputs) else None
    schedule, is_accepted = after.schedule, after.profile is not Profile.SERVER
    told = [sentence_of_schedules(old.schedule if old else None, schedule, is_accepted=is_accepted)]
    if old and old.schedule.generation == schedule.generation:
        renewal = None if schedule.is_revoked else schedule.renew_at
        told.append(declared_otherwise(old.declared, after.declared, renewal, told=told[0]))
    distrusted = "distrusted" if after.is_distrusted and not (old and old.is_distrusted) else ""
    return "; ".join(filter(None, (distrusted, *told)))


def _deleted(before: Any) -> str:
    if not _has_key(before):
        return "deleted; nothing uses it"
    if not isinstance(before, CertificateInputs) or before.profile.is_authority:
        return "deleted with its key; nothing of it is accepted any more"
    return f"deleted with its key; {still_valid(before.schedule) or 'all of it is revoked'}"


def _of_archive(step: Step) -> str:
    if "certificate" not in step.changes:
        return f"made anew: {_members(step)} changed"
    kept = "another passphrase" if "passphrase" in step.changes else "the same passphrase"
    return f"made anew with the new certificate and {kept}"


def _of_list(before: Any, after: RevocationListInputs) -> str:
    old = before if isinstance(before, RevocationListInputs) else None
    known = {(each.name, each.serial_number) for each in old.schedule.entries} if old else set()
    new = [each for each in after.schedule.entries if (each.name, each.serial_number) not in known]
    number = after.schedule.crl_number
    told = [f"list {old.schedule.crl_number} → {number}" if old else f"list {number}, the first"]
    if old and old.schedule.crl_number == number:
        return ""
    told += [f"{each.label} revoked: {each.reason}" for each in new]
    there = {(each.name, each.serial_number) for each in after.schedule.entries}
    gone = [each for each in old.schedule.entries if (each.name, each.serial_number) not in there] if old else []
    told += [f"{each.label} not on it any more" for each in gone]
    return f"{', '.join(told)}; next update {moment(after.schedule.next_update)}"


def _cause(step: Step, due: Step | None) -> Cause:
    """Return whether this change is why, or what would happen without it as well."""
    if due is None or due.operation in (Operation.SAME, Operation.REFUSED):
        return Cause.CHANGE
    if (due.operation, due.after) != (step.operation, step.after):
        return Cause.BOTH if due.operation is step.operation else Cause.CHANGE
    before, after = step.before, step.after
    is_declared_alike = isinstance(after, CertificateInputs) and isinstance(before, CertificateInputs)
    if is_declared_alike and before.declared == after.declared and before.issuer_key == after.issuer_key:
        return Cause.CLOCK
    is_list = isinstance(after, RevocationListInputs) and isinstance(before, RevocationListInputs)
    if is_list and before.schedule.entries == after.schedule.entries:
        return Cause.CLOCK
    return Cause.NOT_APPLIED if step.before is None or not _follows(step) else Cause.CLOCK


def _follows(step: Step) -> bool:
    """Return whether a resource is made of others: what it says then changes when they do."""
    return short_type(step.type) in ("Pkcs12", "RevocationList", "RequestedAuthority")


def _members(step: Step) -> str:
    return ", ".join(sorted({member_of(path) for path in step.changes})) or "nothing that a preview shows"


def _has_key(inputs: Any) -> bool:
    return isinstance(inputs, CertificateInputs) and not inputs.private_key


def _plain(inputs: Any) -> Mapping[str, Any]:
    return inputs if isinstance(inputs, Mapping) else {}
