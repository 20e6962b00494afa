"""The lines of a lost key in the stack file, edited in any order over months: who is let in, what is on the list.

The oracle says what docs/revoke.md and docs/renew.md promise; it knows nothing of how a schedule is stored. What it is
compared with are rows of a host, and the certificates and lists themselves, as `cryptography` reads them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pki.acceptance import accepted_rows, admitted
from pki.fields import FIELDS, Match
from pki.model import Profile, SlotId
from postseal.stack.config import load_stack
from tests.support.examples import examples
from tests.support.running_stack import RunningStack
from tests.support.stack_files import client

START = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CA = SlotId("authority")
LIFETIME, OVERLAP = 90 * DAY, 14 * DAY
HOLD = "certificateHold"
REASONS = st.sampled_from(["keyCompromise", "superseded", HOLD, HOLD])


@dataclass(slots=True)
class Certificate:
    """One generation: its end, until when it is let in, and the reason for which it is revoked."""

    not_after: datetime
    until: datetime
    reason: str = ""
    hold: int = 0


@dataclass(slots=True)
class Oracle:
    """What docs/revoke.md promises, in its own words.

    `is_carried_out`: the request that stands in the file now was. `holds`: how many there were until now; one hold
    covers all that was accepted, and is taken back as a whole. `rows`: what the run before let in; Postfix looks at no
    date, so that is what a request ends, be it that some of it would have retired in this very run.
    """

    generations: dict[int, Certificate] = field(default_factory=dict)
    is_carried_out: bool = False
    holds: int = 0
    rows: frozenset[int] = frozenset({1})
    ever_revoked: set[int] = field(default_factory=set)

    @property
    def current(self) -> int:
        """The newest generation."""
        return max(self.generations)

    def is_refused(self, lines: dict[str, Any]) -> bool:
        """Only a hold can be taken back; `issue_again` without `revoke` is a mistake."""
        return not lines.get("revoke") and self.generations[self.current].reason not in ("", HOLD)

    def run(self, lines: dict[str, Any], now: datetime) -> bool:
        """Take one run; return whether it must issue the next generation."""
        revoke, newest = lines.get("revoke", ""), self.generations[self.current]
        if not revoke:
            if newest.reason == HOLD:
                self._end(newest.hold)
                newest.until = newest.not_after
            self.is_carried_out = False
        else:
            self._revoke(revoke)
        if newest.reason:
            return bool(lines.get("issue_again"))
        return now >= newest.not_after - LIFETIME / 3

    def replaced(self, now: datetime) -> None:
        """The generation before stays accepted for the overlap, and never beyond its own end."""
        newest = self.generations[self.current]
        if not newest.reason:
            newest.until = min(now.replace(microsecond=0) + OVERLAP, newest.not_after)

    def accepted(self, now: datetime) -> set[int]:
        """All generations whose rows are there after a run at this instant."""
        newest = self.generations[self.current]
        if newest.reason:
            return set()
        earlier = {number for number, each in self.generations.items() if not each.reason and each.until > now}
        return earlier | {self.current}

    def listed(self, now: datetime) -> dict[int, str]:
        """What a list must name: all that was revoked and has not expired."""
        return {
            number: each.reason for number, each in self.generations.items() if each.reason and each.not_after > now
        }

    def _revoke(self, reason: str) -> None:
        if reason != HOLD:  # a hold is made final by another reason in its place
            for each in self.generations.values():
                each.reason = reason if each.reason == HOLD else each.reason
        if self.is_carried_out or self.generations[self.current].reason:
            return
        self.holds += 1
        for number in self.rows:
            self.generations[number].reason, self.generations[number].hold = reason, self.holds
            self.ever_revoked.add(number)
        self.is_carried_out = True

    def _end(self, hold: int) -> None:
        for each in self.generations.values():
            if each.reason == HOLD and each.hold == hold:
                each.reason, each.until = "", datetime.min.replace(tzinfo=UTC)


class LostKeys(RuleBasedStateMachine):
    """One client of a stack file whose lines are edited, and a clock that only goes on."""

    @initialize(renew_key=st.sampled_from([None, "never", 3]))
    def issue_the_first(self, renew_key: str | int | None) -> None:
        """Begin with one certificate, and a list that names nothing."""
        self.now, self.lines = START, dict[str, Any]()
        self.keys: dict[str, str | int] = {"validity": f"{LIFETIME.days}d", "overlap": f"{OVERLAP.days}d"}
        self.keys |= {} if renew_key is None else {"renew_key": renew_key}
        self.stack = RunningStack()
        self.stack.authority(CA, validity_hours=30 * 8760)
        self.stack.up(self.now)
        self.stack.certificate("alice", Profile.CLIENT, CA, **self.declared())
        self.stack.up(self.now)
        self.stack.revocation_list("authority-crl", CA, ["alice"])
        self.stack.up(self.now)
        self.certificates = {1: self.certificate()}
        self.oracle = Oracle({1: Certificate(self.end(1), self.end(1))})

    def declared(self) -> dict[str, Any]:
        """Return what the stack file says."""
        return dict(fields_of(json.dumps({"lifetime": self.keys} | self.lines)))

    def certificate(self) -> x509.Certificate:
        """Return the newest certificate as others read it."""
        return x509.load_pem_x509_certificate(self.stack.resources["alice"].state.issued.certificate_pem.encode())

    def end(self, generation: int) -> datetime:
        """Return the end of a certificate, from itself."""
        return self.certificates[generation].not_valid_after_utc

    @rule(hours=st.integers(0, 40) | st.integers(0, 1000))
    def wait(self, hours: int) -> None:
        """Let time pass, and run."""
        self.now += hours * HOUR
        self.run()

    @rule(is_renewal=st.booleans())
    def wait_for_the_next_date(self, is_renewal: bool) -> None:  # noqa: FBT001
        """Run at the very instant at which a renewal is due, or an accepted generation retires."""
        known = self.oracle.generations.values()
        dates = [each.not_after - LIFETIME / 3 if is_renewal else each.until for each in known if not each.reason]
        self.now = min((each for each in dates if each > self.now), default=self.now)
        self.run()

    @precondition(lambda self: not self.lines)
    @rule(reason=REASONS, issue_again=st.booleans())
    def revoke(self, reason: str, issue_again: bool) -> None:  # noqa: FBT001
        """Write the lines of a request."""
        self.lines = {"revoke": reason} | ({"issue_again": True} if issue_again else {})
        self.run()

    @precondition(lambda self: not self.lines)
    @rule(reason=REASONS, issue_again=st.booleans(), hours=st.integers(0, 400))
    def revoke_in_an_overlap(self, reason: str, issue_again: bool, hours: int) -> None:  # noqa: FBT001
        """Renew, and lose both keys before the first of them has retired, or soon after."""
        self.wait_for_the_next_date(is_renewal=True)
        self.now += hours * HOUR
        self.revoke(reason, issue_again)

    @precondition(lambda self: self.lines)
    @rule(reason=REASONS)
    def correct_only_the_reason(self, reason: str) -> None:
        """Where one stands there, another is no other request."""
        self.lines["revoke"] = reason
        self.run()

    @precondition(lambda self: self.lines)
    @rule()
    def add_issue_again(self) -> None:
        """Ask for another certificate, with the request or after it."""
        self.lines["issue_again"] = True
        self.run()

    @precondition(lambda self: "issue_again" in self.lines)
    @rule()
    def remove_only_issue_again(self) -> None:
        """It revokes nothing more."""
        del self.lines["issue_again"]
        self.run()

    @precondition(lambda self: self.lines)
    @rule()
    def remove_both(self) -> None:
        """The next request is another one; what was lost for good without a new certificate is refused."""
        before, self.lines = self.lines, {}
        if self.oracle.is_refused(self.lines):
            self.refused()
            self.lines = before
        else:
            self.run()

    @precondition(lambda self: self.lines and not self.oracle.is_refused({}))
    @rule()
    def lose_the_new_key_as_well(self) -> None:
        """Remove both lines, run, declare them again, and run once more, as docs/revoke.md has it."""
        self.lines = {}
        self.run()
        self.lines = {"revoke": "keyCompromise", "issue_again": True}
        self.run()

    @rule(renew_key=st.sampled_from(["never", 1, 3]))
    def keep_the_key_for_longer_or_shorter(self, renew_key: str | int) -> None:
        """Edit the lifetime: it re-issues nothing."""
        self.keys["renew_key"] = renew_key
        self.run()

    def up(self) -> None:
        """Edit the file, then `pulumi up`."""
        self.stack.change("alice", **self.declared())
        self.stack.up(self.now)

    def refused(self) -> None:
        """Expect that a run changes nothing."""
        state = self.stack.resources["alice"].state
        self.up()
        assert self.stack.resources["alice"].is_refused
        assert self.stack.resources["alice"].state == state

    def run(self) -> None:
        """Take a run that must be carried out, and compare what it issued."""
        is_issued, count = self.oracle.run(self.lines, self.now), len(self.certificates)
        self.up()
        assert not self.stack.resources["alice"].is_refused, self.stack.resources["alice"].reported
        generation = self.stack.resources["alice"].state.issued.generation
        assert generation == count + is_issued
        if is_issued:
            self.oracle.replaced(self.now)
            self.certificates[generation] = self.certificate()
            self.oracle.generations[generation] = Certificate(self.end(generation), self.end(generation))
        self.oracle.rows = frozenset(self.oracle.accepted(self.now))

    @invariant()
    def exactly_the_promised_generations_are_let_in(self) -> None:
        """A row for each, and none for what is lost."""
        rows = accepted_rows("alice", admitted(Match.CERTIFICATE, self.stack.resources["alice"].state.issued))
        assert {row.generation for row in rows} == self.oracle.accepted(self.now)

    @invariant()
    def the_list_names_all_that_is_revoked_and_nothing_else(self) -> None:
        """With its reason; what expired meanwhile may still stand there."""
        crl = x509.load_pem_x509_crl(self.stack.resources["authority-crl"].state.crl_pem.encode())
        numbers = {each.serial_number: generation for generation, each in self.certificates.items()}
        listed = {numbers[each.serial_number]: reason_of(each) for each in crl}
        promised = self.oracle.listed(self.now)
        assert promised.items() <= listed.items()
        assert listed.keys() - promised.keys() <= {
            each for each in self.oracle.ever_revoked if self.end(each) <= self.now
        }

    @invariant()
    def a_key_that_was_revoked_is_in_no_later_certificate(self) -> None:
        """Also where renewals never make another one."""
        lost = {key_of(self.certificates[each]) for each, one in self.oracle.generations.items() if one.reason}
        newest = self.oracle.current
        assert self.oracle.generations[newest].reason or key_of(self.certificates[newest]) not in lost


@cache
def fields_of(client_section: str) -> Mapping[str, Any]:
    """Return the fields of alice, read from a stack file as `pulumi up` reads it."""
    declared = load_stack(client(**json.loads(client_section)), [], stack_name="prod").clients["alice"].declared
    return {name: getattr(declared, name) for name in FIELDS}


def reason_of(entry: x509.RevokedCertificate) -> str:
    """Return the reason that an entry of a list gives."""
    return str(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)


def key_of(certificate: x509.Certificate) -> bytes:
    """Return the public key that was certified."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


LostKeys.TestCase.settings = examples(25, stateful_step_count=20)
TestLostKeys = LostKeys.TestCase
