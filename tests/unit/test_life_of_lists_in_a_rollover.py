"""Revocation lists while authorities roll over: each slot's list names exactly its own, until it is withdrawn.

The oracle follows docs/roll-over-an-authority.md and docs/revoke.md. It keeps certificates as `cryptography` reads them
and asks their signatures who has signed them; the lists it reads and verifies the same way.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from cryptography import x509
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pki.certificate.records import CertificateArgs
from pki.fields import DeclaredCertificate
from pki.model import HOLD, Profile, RevocationReason, SlotId
from pki.records import Dependent, IssuerArgs, Withdrawal
from pki.revocation_list.records import ListedCertificate, RevocationListArgs
from pki.rollover import Slots, common_name_of_slot
from pki.roster.records import IssuedRow, RosterArgs
from pki.roster.rows import rows_text
from pki.withdrawal import withdrawal_problems
from postseal_core.packing import unpack_records
from postseal_core.plugin.material import MaterialStore
from postseal_core.plugin.memory import Memory
from tests.support.examples import examples
from tests.support.running_stack import RunningResource, row, slot_key_pem

START = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STANDBY, OVERLAP = 14 * DAY, 14 * DAY
LOST = RevocationReason.KEY_COMPROMISE
ROOT, OFFICE, STAFF = "mail-ca", "office", "staff"
LEAVES = {"alice": (ROOT, Profile.CLIENT), "mx1": (ROOT, Profile.SERVER), "carol": (OFFICE, Profile.CLIENT)}
PEOPLE = [*LEAVES, "anna"]
NOTHING = Slots()


@dataclass(slots=True)
class Issued:
    """One certificate: who signed it, until when hosts let it in, and why it is revoked."""

    holder: str
    signer: SlotId
    not_after: datetime
    until: datetime
    reason: str = ""


@dataclass(slots=True)
class Declared:
    """The stack file: slots by authority, and the lines of those who are revoked."""

    slots: dict[str, Slots] = field(default_factory=lambda: {ROOT: NOTHING, OFFICE: NOTHING})
    lines: dict[str, tuple[RevocationReason, bool]] = field(default_factory=dict)


class Lists(RuleBasedStateMachine):
    """A root over clients, a server, a roster and an intermediate with a client of its own; both roll over."""

    @initialize(held=st.none() | st.sampled_from(PEOPLE))
    def issue_the_first(self, held: str | None) -> None:
        """Begin with one slot each, and maybe somebody who is on hold."""
        self.now, self.declared = START, Declared()
        self.newest = {ROOT: 1, OFFICE: 1}
        self.published: dict[SlotId, datetime] = {}
        self.resources: dict[str, RunningResource] = {}
        self.issued: dict[int, Issued] = {}
        self.numbers: dict[str, int] = {}
        assert self.up()
        if held:
            self.revoke(held, HOLD, issue_again=False)

    # The stack.

    def resource(self, kind: str, name: str, args: Callable[[], Any]) -> RunningResource:
        """Return a resource with its state of before, if it has one."""
        known = self.resources.get(name)
        return replace(known, args=args) if known else RunningResource(f"postseal:index:{kind}", name, args)

    def wanted(self) -> Iterator[RunningResource]:
        """Yield what the stack file declares, in the order in which it is made."""
        for authority in (ROOT, OFFICE):
            for slot in self.slots(authority):
                yield self.resource("Certificate", slot.name, partial(self.authority_args, slot))
        for name in LEAVES:
            yield self.resource("Certificate", name, partial(self.leaf_args, name))
        yield self.resource("ClientRoster", STAFF, self.roster_args)
        for authority in (ROOT, OFFICE):
            for number in self.declared.slots[authority].listing:
                slot = SlotId(authority, number)
                yield self.resource("RevocationList", list_of(slot), partial(self.list_args, slot))

    def slots(self, authority: str) -> list[SlotId]:
        """Return the declared slots."""
        return [SlotId(authority, number) for number in self.declared.slots[authority].numbers]

    def authority_args(self, slot: SlotId) -> CertificateArgs:
        """Declare a slot; a retiring one of the intermediate may be revoked."""
        slots, is_root = self.declared.slots[slot.authority], slot.authority == ROOT
        revoke = slots.revoke_retiring if slot.number == slots.retiring else RevocationReason.NOT_REVOKED
        return CertificateArgs(
            name=slot.name,
            profile=Profile.ROOT if is_root else Profile.INTERMEDIATE,
            declared=DeclaredCertificate(
                common_name=common_name_of_slot(slot.authority, slot.number), revoke=revoke, validity_hours=8760 * 20
            )
            if is_root
            else DeclaredCertificate(common_name=common_name_of_slot(slot.authority, slot.number), revoke=revoke),
            slot=slot,
            issuer=None if is_root else self.issuer(ROOT),
            private_key_pem=slot_key_pem(slot),
        )

    def leaf_args(self, name: str) -> CertificateArgs:
        """Declare a client or a server."""
        authority, profile = LEAVES[name]
        names: dict[str, Any] = (
            {"email": f"{name}@example.org"} if profile is Profile.CLIENT else {"dns_names": (f"{name}.example.org",)}
        )
        declared = DeclaredCertificate(**names, **self.said(name))
        return CertificateArgs(name=name, profile=profile, declared=declared, issuer=self.issuer(authority))

    def roster_args(self) -> RosterArgs:
        """Declare a roster of one."""
        rows = rows_text([row("anna", **self.said("anna"))])
        return RosterArgs(
            name=STAFF, shared=DeclaredCertificate(), clients=rows, issuer=self.issuer(ROOT), withdrawal=self.line()
        )

    def said(self, name: str) -> dict[str, Any]:
        """Return the lines of somebody who is revoked."""
        if name not in self.declared.lines:
            return {}
        reason, issue_again = self.declared.lines[name]
        return {"revoke": reason} | ({"issue_again": True} if issue_again else {})

    def list_args(self, slot: SlotId) -> RevocationListArgs:
        """Declare the list of a slot: each is handed everything that the authority issues."""
        names = [name for name, (authority, _) in LEAVES.items() if authority == slot.authority]
        names += [each.name for each in self.slots(OFFICE)] if slot.authority == ROOT else []
        return RevocationListArgs(
            name=list_of(slot),
            authority=slot.authority,
            issuer=self.issuer(slot.authority, slot),
            certificates=tuple(self.listed(name) for name in names),
            rosters={STAFF: self.resources[STAFF].state.issued} if slot.authority == ROOT else {},
        )

    def listed(self, name: str) -> ListedCertificate:
        """Return a certificate as a list is told of it."""
        issued = self.resources[name].state.issued
        return ListedCertificate(
            name=name, serial_number=issued.identity.serial_number, previous=issued.previous, revoked=issued.revoked
        )

    def issuer(self, authority: str, slot: SlotId | None = None) -> IssuerArgs:
        """Return what a certificate is told of the slot that signs it."""
        active = SlotId(authority, self.declared.slots[authority].active)
        signer = slot or active
        issued = self.resources[signer.name].state.issued
        above = self.issuer(ROOT).chain_pem if authority == OFFICE else ""
        has_rule = authority == ROOT and slot is None and active.number > 1
        return IssuerArgs(
            slot=signer,
            generation=issued.generation,
            not_before=issued.validity.not_before,
            not_after=issued.validity.not_after,
            chain_pem=f"{issued.certificate_pem}{above}",
            private_key_pem=slot_key_pem(signer),
            standby_hours=STANDBY // HOUR if has_rule else None,
            slots=tuple(self.slots(authority)),
        )

    def line(self, *dependents: str) -> Withdrawal:
        """Return what a host is told of slots, and of what it depends on."""
        return Withdrawal(
            issuers=tuple(slot for authority in (ROOT, OFFICE) for slot in self.slots(authority)),
            authorities=(ROOT, OFFICE),
            dependents={name: Dependent(previous=self.resources[name].state.issued.previous) for name in dependents},
        )

    # A run.

    def up(self) -> bool:
        """Run everything; where something is refused nothing is changed, as a preview would have it."""
        before = dict(self.resources)
        material, memory = MaterialStore(), Memory()
        wanted = {each.name: each for each in self.wanted()}
        self.resources = {name: replace(each) for name, each in wanted.items()}
        for each in self.resources.values():
            each.up(self.now, material, memory)
            if each.is_refused:
                self.resources = before
                return False
        office = [slot.name for slot in self.slots(OFFICE)]
        if withdrawal_problems(self.line(*LEAVES, *office)):
            self.resources = before
            return False
        self.note()
        return True

    def note(self) -> None:
        """Look at every certificate that was issued in this run, and at whose signature it bears."""
        for holder, pem in self.certificates():
            certificate = x509.load_pem_x509_certificate(pem.encode())
            if certificate.serial_number in self.issued:
                continue
            for each in self.issued.values():
                if each.holder == holder and not each.reason and each.until > self.now:
                    each.until = min(each.until, self.now + OVERLAP)
            end, signer = certificate.not_valid_after_utc, self.signer(certificate)
            self.issued[certificate.serial_number] = Issued(holder, signer, end, end)
        for authority in (ROOT, OFFICE):
            for slot in self.slots(authority):
                self.published.setdefault(slot, self.now)

    def certificates(self) -> Iterator[tuple[str, str]]:
        """Yield all that is current, in PEM, with its holder."""
        for name in [*LEAVES, *(slot.name for slot in self.slots(OFFICE))]:
            yield name, self.resources[name].state.issued.certificate_pem
        for each in unpack_records(IssuedRow, self.resources[STAFF].state.issued):
            yield each.name, str(each.issued.certificate_pem)

    def signer(self, certificate: x509.Certificate) -> SlotId:
        """Return whose signature it bears."""
        for authority in (ROOT, OFFICE):
            for slot in self.slots(authority):
                try:
                    certificate.verify_directly_issued_by(self.certificate_of(slot))
                except Exception:  # noqa: BLE001, S112 - another one has signed it
                    continue
                return slot
        raise AssertionError("nobody here has signed it")

    def certificate_of(self, slot: SlotId) -> x509.Certificate:
        """Return the certificate of a slot."""
        return x509.load_pem_x509_certificate(self.resources[slot.name].state.issued.certificate_pem.encode())

    # What somebody does.

    def step(self, authority: str, slots: Slots, *, is_refused: bool = False) -> None:
        """Change one line; a step that is too early is refused, and nothing is changed."""
        before = self.declared.slots[authority]
        self.declared.slots[authority] = slots
        is_done = self.up()
        assert is_done != is_refused, [each.reported for each in self.resources.values()]
        if not is_done:
            self.declared.slots[authority] = before

    @rule(hours=st.integers(1, 30) | st.sampled_from([700, 5000]))
    def wait(self, hours: int) -> None:
        """Let time pass, and run."""
        self.now += hours * HOUR
        assert self.up()

    @rule(authority=st.sampled_from([ROOT, ROOT, OFFICE]), days=st.sampled_from([0, 14, 15, 15]))
    def roll_on(self, authority: str, days: int) -> None:
        """Take the next step of a rollover after so many days."""
        self.now += days * DAY
        assert self.up()
        slots = self.declared.slots[authority]
        step = self.withdraw if slots.retiring else self.take_over if slots.standby else self.publish
        step(authority)

    def publish(self, authority: str) -> None:
        """Step 1: another number beside the one that signs."""
        self.newest[authority] += 1
        self.step(authority, Slots(self.declared.slots[authority].active, standby=self.newest[authority]))

    def take_over(self, authority: str) -> None:
        """Step 2: refused before a root has been published for 14 days, if anything moves."""
        slots = self.declared.slots[authority]
        assert slots.standby is not None
        published = self.published[SlotId(authority, slots.standby)].replace(minute=0)
        is_early = authority == ROOT and self.now < published + STANDBY
        self.step(authority, Slots(slots.standby, retiring=slots.active), is_refused=is_early)

    @precondition(lambda self: self.in_use(standby=True))
    @rule(authority=st.sampled_from([ROOT, OFFICE]))
    def withdraw(self, authority: str) -> None:
        """Step 3, or back from step 1: refused while anything that the slot signed is let in."""
        slots = self.declared.slots[authority]
        gone = slots.retiring or slots.standby
        if gone is not None:
            slot = SlotId(authority, gone)
            is_needed = any(
                each.signer == slot and not each.reason and each.until > self.now for each in self.issued.values()
            )
            self.step(authority, Slots(slots.active), is_refused=is_needed)
            if not is_needed:
                del self.published[slot], self.numbers[list_of(slot)]
                for each in self.issued.values():
                    each.until = START if each.holder == slot.name else each.until

    def in_use(self, *, standby: bool = False) -> list[str]:
        """Return the authorities that have a retiring slot, or a standby."""
        slots = self.declared.slots
        return [name for name in (ROOT, OFFICE) if slots[name].retiring or (standby and slots[name].standby)]

    @precondition(lambda self: self.in_use())
    @rule()
    def go_back(self) -> None:
        """From step 2: the slot before signs everything anew, and the other one stands by."""
        for authority in self.in_use():
            slots = self.declared.slots[authority]
            if slots.retiring is not None and not slots.revoke_retiring:
                self.step(authority, Slots(slots.retiring, standby=slots.active))

    @precondition(lambda self: OFFICE in self.in_use() and not self.declared.slots[OFFICE].revoke_retiring)
    @rule()
    def revoke_the_retiring_intermediate(self) -> None:
        """Whoever checks lists refuses what it has signed."""
        slots = self.declared.slots[OFFICE]
        assert slots.retiring is not None
        self.end(SlotId(OFFICE, slots.retiring).name, LOST)
        self.step(OFFICE, replace(slots, revoke_retiring=LOST))

    @rule(name=st.sampled_from(PEOPLE), reason=st.sampled_from([LOST, LOST, HOLD]), issue_again=st.booleans())
    def revoke(self, name: str, reason: RevocationReason, issue_again: bool) -> None:  # noqa: FBT001
        """Revoke somebody with all that is let in."""
        if name not in self.declared.lines:
            self.end(name, reason)
            self.declared.lines[name] = (reason, issue_again and reason != HOLD)
            assert self.up()

    @precondition(lambda self: self.declared.lines)
    @rule(data=st.data())
    def take_the_lines_out(self, data: st.DataObject) -> None:
        """A hold ends, and who has another certificate may be revoked again; else it is refused."""
        self.take_out(data.draw(st.sampled_from(sorted(self.declared.lines))))

    @precondition(lambda self: self.newest[ROOT] == 1)
    @rule(name=st.sampled_from(PEOPLE))
    def roll_over_while_somebody_is_on_hold(self, name: str) -> None:
        """From first to last; when the hold ends, the slot of before is gone."""
        if name not in self.declared.lines:
            self.revoke(name, HOLD, issue_again=False)
            for _ in range(3):
                self.roll_on(ROOT, 15)
            self.take_out(name)

    def take_out(self, name: str) -> None:
        """Remove the lines of somebody who is revoked, and run."""
        lines = reason, issue_again = self.declared.lines.pop(name)
        if reason == HOLD:
            held = [each for each in self.issued.values() if each.holder == name and each.reason == HOLD]
            for each in held:  # only the newest one is let in again, unless its slot is gone
                is_back = each is held[-1] and each.signer in self.published
                each.reason, each.until = "", each.not_after if is_back else START
        is_refused = reason != HOLD and not issue_again
        assert self.up() != is_refused, [each.reported for each in self.resources.values()]
        if is_refused:
            self.declared.lines[name] = lines

    def end(self, holder: str, reason: RevocationReason) -> None:
        """Note that all certificates of somebody that had a row are revoked."""
        for each in self.issued.values():
            if each.holder == holder and not each.reason and each.until > self.now:
                each.reason = reason

    # What must hold.

    @invariant()
    def each_slot_has_a_list_that_names_exactly_its_own(self) -> None:
        """Until it is withdrawn; what has expired may still stand there."""
        lists = [each for each in self.resources.values() if each.type == "postseal:index:RevocationList"]
        assert {each.name for each in lists} == {list_of(slot) for slot in self.published}
        for slot in self.published:
            state = self.resources[list_of(slot)].state
            crl, certificate = x509.load_pem_x509_crl(state.crl_pem.encode()), self.certificate_of(slot)
            assert crl.is_signature_valid(certificate.public_key())  # type: ignore[arg-type]
            assert crl.issuer == certificate.subject
            found = {each.serial_number: reason_of(each) for each in crl}
            assert all(self.issued[number].signer == slot for number in found)
            own = {
                number: each
                for number, each in self.issued.items()
                if each.signer == slot and each.not_after > self.now
            }
            assert {number: reason for number, reason in found.items() if number in own} == {
                number: each.reason for number, each in own.items() if each.reason
            }

    @invariant()
    def numbers_of_lists_never_go_back(self) -> None:
        """Of each slot, through all roles that it has in turn."""
        for slot in self.published:
            crl = x509.load_pem_x509_crl(self.resources[list_of(slot)].state.crl_pem.encode())
            number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            assert number >= self.numbers.get(list_of(slot), 1)
            self.numbers[list_of(slot)] = number
            assert crl.next_update_utc is not None
            assert crl.next_update_utc > self.now


def list_of(slot: SlotId) -> str:
    """Return the name of a slot's list."""
    return f"{slot.name}-crl"


def reason_of(entry: x509.RevokedCertificate) -> str:
    """Return the reason that an entry of a list gives."""
    return str(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)


Lists.TestCase.settings = examples(14, stateful_step_count=16)
TestLists = Lists.TestCase
