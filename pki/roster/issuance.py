"""Create and Update of a roster: issue the decided certificates, keep all other lines byte for byte."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pki.acceptance import accepted_rows, admitted, one_row_a_fingerprint
from pki.certificate.issuance import (
    Generation,
    describe_issued,
    is_same_certificate,
    is_same_key,
    sign_generation,
    without_root,
)
from pki.certificate.takeover import issued_of_takeover, takeover_of
from pki.declared import declaration_of
from pki.issuing import subject_name
from pki.key_material import known_issuer_chain
from pki.model import Profile
from pki.records import IssuedCertificate
from pki.roster.archives import archive_of
from pki.roster.decisions import DecidedClient
from pki.roster.declaration import Declaration
from pki.roster.records import ArchiveRow, IssuedRow, KeyRow, RosterInputs, RosterState, ScheduleRow
from pki.roster.rows import archive_word, lines_by_client
from pki.verification import chain_pem
from postseal_core.packing import pack_lines, record_line, records_of_lines
from postseal_core.plugin.handler import Context
from postseal_core.values import UNKNOWN

__all__ = ["roster_state"]

R = TypeVar("R")

_CLIENT = Profile.CLIENT


def roster_state(
    inputs: RosterInputs,
    old: RosterState | None,
    decided: Mapping[str, DecidedClient] | None,
    context: Context,
    *,
    is_preview: bool,
) -> RosterState:
    """Return the roster's new state; in a preview, certificates still to be issued are missing from the packed texts.

    `decided`: clients of whom something may change, as Check has decided in this run; None: all, as the inputs say.
    """
    schedules = lines_by_client(inputs.schedules)
    before, lines = _Lines.of_state(old) if old else _Lines(), _Lines()
    is_told = decided is not None and schedules.keys() - before.issued.keys() <= decided.keys()
    to_do = decided if decided is not None and is_told else _decided_by(inputs, schedules)
    issuing = _Issuing(inputs, before, context)
    for name in schedules:
        if name in to_do:
            issuing.add(to_do[name], lines, is_preview=is_preview)
        else:
            lines.take(name, before)
    chain = known_issuer_chain(inputs.issuer, context)
    return RosterState(
        name=inputs.name,
        count=len(schedules),
        summary=inputs.summary,
        next_due_at=inputs.next_due_at,
        issued=_packed(lines.issued),
        accepted_rows=_packed(lines.accepted),
        intermediates_pem=chain_pem(without_root(chain)) if chain else UNKNOWN,
        private_keys=_packed(lines.private_keys),
        archives=_packed(lines.archives),
    )


def _decided_by(inputs: RosterInputs, schedules: Mapping[str, list[str]]) -> dict[str, DecidedClient]:
    """Return declaration and schedule of each client from the stored inputs."""
    declaration = Declaration.of_inputs(inputs)
    rows = (_first(ScheduleRow, lines) for lines in schedules.values())
    return {row.name: DecidedClient(declaration.declared(declaration.row(row.name)), row) for row in rows if row}


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a roster's packed texts, by client."""

    issued: dict[str, list[str]] = field(default_factory=dict)
    accepted: dict[str, list[str]] = field(default_factory=dict)
    private_keys: dict[str, list[str]] = field(default_factory=dict, repr=False)
    archives: dict[str, list[str]] = field(default_factory=dict, repr=False)

    @classmethod
    def of_state(cls, state: RosterState) -> "_Lines":
        """Unpack the lines of a stored roster."""
        packed = (state.issued, state.accepted_rows, state.private_keys, state.archives)
        return cls(*map(lines_by_client, packed))

    def take(self, name: str, before: "_Lines") -> None:
        """Copy a client's lines from the state before."""
        self.issued[name] = before.issued[name]
        self.accepted[name] = before.accepted.get(name, [])
        self.private_keys[name] = before.private_keys.get(name, [])
        self.archives[name] = before.archives.get(name, [])

    def put(self, client: IssuedRow, secret: KeyRow, archive: ArchiveRow | None) -> None:
        """Add a client as it is from now on."""
        rows = one_row_a_fingerprint(accepted_rows(client.name, admitted(client.match, client.issued)))
        self.issued[client.name] = [record_line(client)]
        self.accepted[client.name] = [record_line(row) for row in rows]
        self.private_keys[client.name] = [record_line(secret)]
        self.archives[client.name] = [record_line(archive)] if archive else []


@dataclass(frozen=True, slots=True)
class _Issuing:
    """The inputs for issuing one client's part of the state."""

    inputs: RosterInputs
    before: _Lines
    context: Context

    def add(self, client: DecidedClient, lines: _Lines, *, is_preview: bool) -> None:
        """Add a client, with a certificate that is signed now where one was decided."""
        declared, name = client.declared, client.row.name
        old, secret = self._before(client.row)
        issued, secret = self._issued(client, old, secret, is_preview=is_preview)
        row = IssuedRow(
            name=name,
            issued=issued,
            match=declared.match,
            email=declared.email,
            dns_names=declared.dns_names,
            pkcs12=archive_word(declared),
        )
        archive = None
        if row.pkcs12:
            old_archive = _first(ArchiveRow, self.before.archives.get(name))
            archive, passphrase = archive_of(row, secret, old_archive, self.context, is_preview=is_preview)
            secret = replace(secret, passphrase=passphrase)
        lines.put(row, secret, archive)

    def _before(self, row: ScheduleRow) -> tuple[IssuedCertificate | None, KeyRow]:
        """Return a client's existing certificate and key, from this roster or from its previous owner."""
        name = row.name
        if row.taken_over and name not in self.before.issued:
            takeover = takeover_of(row.taken_over, self.context)
            secret = KeyRow(name=name, private_key_pem=takeover.handover.private_key_pem)
            return issued_of_takeover(takeover, self.inputs.issuer), secret
        client = _first(IssuedRow, self.before.issued.get(name))
        secret = _first(KeyRow, self.before.private_keys.get(name)) or KeyRow(name=name)
        return client.issued if client else None, secret

    def _issued(
        self,
        client: DecidedClient,
        old: IssuedCertificate | None,
        secret: KeyRow,
        *,
        is_preview: bool,
    ) -> tuple[IssuedCertificate, KeyRow]:
        """Return the certificate that was decided, and its key; in a preview only what is known of them."""
        label, schedule = self.inputs.issuer, client.row.schedule
        if old and is_same_certificate(schedule, old):
            return describe_issued(subject=old.subject, issuer=label, schedule=schedule, old=old), secret
        declaration = declaration_of(client.declared, _CLIENT)
        subject = subject_name(declaration.subject).rfc4514_string()
        is_key_kept = old is not None and is_same_key(schedule, old)
        kept_key_pem = secret.private_key_pem if is_key_kept else ""
        if is_preview:
            issued = describe_issued(subject=subject, issuer=label, schedule=schedule, old=old)
            return issued, replace(secret, private_key_pem=kept_key_pem)
        generation = Generation(
            declaration=declaration,
            key_algorithm=client.declared.key_algorithm,
            schedule=schedule,
            issuer_label=label,
            issuer_key=self.inputs.issuer_key,
            kept_key_pem=kept_key_pem,
        )
        certificate, key_pem = sign_generation(generation, self.context)
        issued = describe_issued(subject=subject, issuer=label, schedule=schedule, old=old, certificate=certificate)
        return issued, replace(secret, private_key_pem=key_pem)


def _first(kind: type[R], lines: list[str] | None) -> R | None:
    return next(records_of_lines(kind, lines)) if lines else None


def _packed(lines: Mapping[str, list[str]]) -> str:
    return pack_lines(line for each in lines.values() for line in each)
