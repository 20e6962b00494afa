"""A stack whose resources the provider's own handlers make, run after run, on a clock that tests set.

No engine takes part: each run hands every resource its arguments, in the order in which they were declared.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from pki.certificate.handler import CertificateHandler
from pki.certificate.records import CertificateArgs, CertificateState
from pki.declared import Said
from pki.fields import DeclaredCertificate
from pki.imported_certificate.handler import ImportedCertificateHandler
from pki.imported_certificate.records import ImportedCertificateArgs
from pki.keys import generate_private_key, private_key_pem
from pki.model import KeyAlgorithm, Profile, SlotId
from pki.records import IssuerArgs, Link
from pki.requested_authority.handler import RequestedAuthorityHandler
from pki.requested_authority.records import RequestedAuthorityArgs, RequestedAuthorityState
from pki.revocation_list.handler import RevocationListHandler
from pki.revocation_list.records import ListedCertificate, RevocationListArgs
from pki.roster.handler import ClientRosterHandler
from pki.roster.records import RosterArgs, RosterState
from pki.roster.rows import RosterRow, rows_text
from postseal_core.errors import ConfigError
from postseal_core.plugin.handler import AnyHandler, CheckRequest, Context
from postseal_core.plugin.material import MaterialStore
from postseal_core.plugin.memory import Memory
from postseal_core.records import encode, secret_names

__all__ = ["SECRET", "RunningResource", "RunningStack", "row", "slot_key_pem"]

SECRET = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    "ciphertext": "v1:bm90IGEgcmVhbCBzZWNyZXQ=",
}
"""A secret as an export shows it."""

_HANDLERS: Mapping[str, AnyHandler] = {
    token: handler
    for handler in (
        CertificateHandler(),
        ImportedCertificateHandler(),
        ClientRosterHandler(),
        RequestedAuthorityHandler(),
        RevocationListHandler(),
    )
    for token in handler.type_tokens
}


@dataclass(slots=True)
class RunningResource:
    """One resource: `args` are what the program declares, asked anew at each run.

    `reported`: what its last run showed, or refused (`is_refused`).
    """

    type: str
    name: str
    args: Callable[[], Any]
    inputs: Any = None
    state: Any = None
    reported: list[str] = field(default_factory=list)
    is_refused: bool = False

    @property
    def urn(self) -> str:
        """Name of the resource in the engine's state."""
        return f"urn:pulumi:prod::mail-pki::{self.type}::{self.name}"

    def up(self, now: datetime, material: MaterialStore, memory: Memory) -> None:
        """Check, and create or update where something changes; what is refused stays as it was."""
        handler, self.reported, self.is_refused = _HANDLERS[self.type], [], False
        context = Context(self.urn, now, os.urandom, material, self.reported.append, memory=memory)
        try:
            inputs = handler.check(CheckRequest(old=self.inputs, new=self.args()), context)
        except ConfigError as error:
            self.reported, self.is_refused = [problem.message for problem in error.problems], True
            return
        if self.state is None:
            self.state = handler.create(inputs, context, is_preview=False)
        elif inputs != self.inputs:
            self.state = handler.update(self.state, inputs, context, is_preview=False)
        self.inputs = inputs

    def exported(self) -> dict[str, Any]:
        """Return the resource as `pulumi stack export` shows it."""
        handler = _HANDLERS[self.type]
        row = {"urn": self.urn, "custom": True, "type": self.type, "id": self.name}
        plain = {"inputs": _plain(handler.inputs, self.inputs), "outputs": _plain(handler.state, self.state)}
        exported: dict[str, Any] = json.loads(json.dumps(row | plain))
        return exported


@dataclass(slots=True)
class RunningStack:
    """Resources by name, in the order in which they were declared; an authority before what it signs."""

    resources: dict[str, RunningResource] = field(default_factory=dict)
    _above: dict[SlotId, SlotId | None] = field(default_factory=dict)
    _crossed: dict[SlotId, str] = field(default_factory=dict)

    def up(self, now: datetime, *names: str) -> None:
        """Run everything, or what is named, at an instant, as `pulumi up` does."""
        material, memory = MaterialStore(), Memory()
        for each in self.resources.values():
            if not names or each.name in names:
                each.up(now, material, memory)

    def exported(self) -> list[dict[str, Any]]:
        """Return all resources as `pulumi stack export` shows them."""
        return [each.exported() for each in self.resources.values()]

    def authority(self, slot: SlotId, issuer: SlotId | None = None, **declared: Any) -> SlotId:
        """Declare one slot of a root or, below an issuer, of an intermediate."""
        self._above[slot] = issuer
        profile = Profile.INTERMEDIATE if issuer else Profile.ROOT
        more = {"slot": slot, "private_key_pem": slot_key_pem(slot)}
        self.certificate(slot.name, profile, issuer, **{"common_name": slot.name} | more | declared)
        return slot

    def cross_sign(self, slot: SlotId, by: SlotId, **declared: Any) -> None:
        """Let another root certify a root's key; what is issued from now on has that in its chain."""
        name = f"{slot.name}-by-{by.name}"
        names = {"common_name": slot.name} | declared
        self.certificate(name, Profile.INTERMEDIATE, by, private_key_pem=slot_key_pem(slot), **names)
        self._crossed[slot] = name

    def certificate(self, name: str, profile: Profile, issuer: SlotId | None, **more: Any) -> None:
        """Declare a certificate; `more`: declared fields, and arguments of the resource."""
        own = ("slot", "private_key_pem", "request_pem", "is_interim")
        args = {each: more.pop(each) for each in own if each in more}
        declared = DeclaredCertificate(**more)
        self._declare(
            "ClientCertificate" if profile is Profile.CLIENT else "Certificate",
            name,
            lambda: CertificateArgs(
                name=name, profile=profile, declared=declared, issuer=self.issuer(issuer) if issuer else None, **args
            ),
        )

    def roster(self, name: str, issuer: SlotId, rows: Sequence[RosterRow], **shared: Any) -> None:
        """Declare a roster."""
        fields, text = DeclaredCertificate(**shared), rows_text(rows)
        self._declare(
            "ClientRoster",
            name,
            lambda: RosterArgs(name=name, shared=fields, clients=text, issuer=self.issuer(issuer)),
        )

    def revocation_list(self, name: str, issuer: SlotId, listed: Sequence[str] = (), **policy: Any) -> None:
        """Declare the list of an authority, with these certificates and rosters on it."""
        self._declare(
            "RevocationList",
            name,
            lambda: RevocationListArgs(
                name=name,
                authority=issuer.authority,
                issuer=self.issuer(issuer),
                certificates=tuple(self._listed(each) for each in listed if not self._is_roster(each)),
                rosters={each: self.resources[each].state.issued for each in listed if self._is_roster(each)},
                **policy,
            ),
        )

    def imported(self, args: ImportedCertificateArgs) -> None:
        """Declare a certificate that somebody else signed."""
        self._declare("ImportedCertificate", args.name, lambda: args)

    def requested(self, args: Callable[[], RequestedAuthorityArgs]) -> None:
        """Declare an authority that somebody else signs; `args` are asked anew at each run."""
        self._declare("RequestedAuthority", args().name, args)

    def issuer(self, slot: SlotId) -> IssuerArgs:
        """Return what a certificate is told of the slot that signs it."""
        if isinstance(self.resources[slot.name].state, RequestedAuthorityState):
            return self._requested_issuer(slot)
        issued = self._certificate(slot.name).issued
        above = self._links_above(slot)
        return IssuerArgs(
            slot=slot,
            generation=issued.generation,
            not_before=issued.validity.not_before,
            not_after=issued.validity.not_after,
            chain_pem=self._chain(slot),
            private_key_pem=slot_key_pem(slot),
            above=tuple(Link(name=each, generation=self._certificate(each).issued.generation) for each in above),
        )

    def _requested_issuer(self, slot: SlotId) -> IssuerArgs:
        state = self.resources[slot.name].state
        return IssuerArgs(
            slot=slot,
            generation=state.signed.generation,
            not_before=state.signed.not_before,
            not_after=state.signed.not_after,
            chain_pem=state.chain_pem,
            private_key_pem=slot_key_pem(slot),
        )

    def change(self, name: str, **declared: Any) -> None:
        """Declare some fields of a certificate otherwise from the next run on."""
        resource = self.resources[name]
        args = resource.args

        def changed() -> Any:
            before = args()  # asked once: a stack that is changed many times would ask for ever
            return replace(before, declared=replace(before.declared, **declared))

        resource.args = changed

    def change_rows(self, name: str, rows: Sequence[RosterRow]) -> None:
        """Declare other rows of a roster from the next run on."""
        resource = self.resources[name]
        args = resource.args
        resource.args = lambda: replace(args(), clients=rows_text(rows))

    def _declare(self, type_name: str, name: str, args: Callable[[], Any]) -> None:
        assert name not in self.resources
        self.resources[name] = RunningResource(f"postseal:index:{type_name}", name, args)

    def _certificate(self, name: str) -> CertificateState:
        state = self.resources[name].state
        assert isinstance(state, CertificateState)
        return state

    def _chain(self, slot: SlotId) -> str:
        """Return the slot's certificate, and what leads from it to a root that everybody knows."""
        above, crossed = self._above[slot], self._crossed.get(slot)
        names = [slot.name, *([crossed] if crossed else [])]
        own = "".join(str(self._certificate(name).issued.certificate_pem) for name in names)
        return own + self._chain(above) if above else own

    def _links_above(self, slot: SlotId) -> list[str]:
        above, crossed = self._above[slot], self._crossed.get(slot)
        if above is None:
            return [crossed] if crossed else []
        return [*([above.name] if self._above[above] else []), *self._links_above(above)]

    def _is_roster(self, name: str) -> bool:
        return isinstance(self.resources[name].state, RosterState)

    def _listed(self, name: str) -> ListedCertificate:
        issued = self._certificate(name).issued
        return ListedCertificate(
            name=name,
            serial_number=issued.identity.serial_number,
            previous=issued.previous,
            revoked=issued.revoked,
        )


def row(name: str, **said: Any) -> RosterRow:
    """Return a row of a roster that says these fields."""
    fields = {"email": f"{name}@example.net"} | said
    return RosterRow(name, Said(DeclaredCertificate(**fields), frozenset(fields)))


@cache
def slot_key_pem(slot: SlotId) -> str:
    """Return the key of a slot, always the same during a run."""
    return private_key_pem(generate_private_key(KeyAlgorithm.ECDSA_P256))


def _plain(kind: type[Any], record: object) -> dict[str, object]:
    hidden = secret_names(kind)
    return {name: SECRET if name in hidden and value else value for name, value in encode(record).items()}
