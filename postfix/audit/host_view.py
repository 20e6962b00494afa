"""One look at a record: values, listeners, judgements and faults, and what is missing to say more."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from postfix.audit.known_answers import known_answer
from postfix.audit.lines_of_files import Lines
from postfix.audit.record import HostRecord, SeenTable
from postfix.effective.captures import HostConfiguration, configuration_of
from postfix.effective.expansion import Values
from postfix.effective.host_lists import OWN_ACCESS, steps_of_words
from postfix.effective.listeners import Listener, listeners_of, values_of_service
from postfix.effective.own_answers import visitors_from
from postfix.effective.soundness import Fault, HostFacts, faults_of
from postfix.effective.verdicts import Judgement, judged
from postfix.effective.visitors import Answer, Asked, Kind, Question, Visitor
from postfix.list_items import split_list
from postfix.public_file import PublicFile
from postfix.restriction_steps import Step
from postfix.table_values import ALL_TABLES

__all__ = ["LISTED_PERMIT", "STRANGER", "HostView"]

LISTED_PERMIT: Final = "permit_tls_clientcerts"
STRANGER: Final = "203.0.113.77"
"""Of documentation (RFC 5737): nobody's network has it, so a stranger comes from there."""
_STRANGER_BY_IPV6: Final = "2001:db8:5ea1::77"
"""Likewise (RFC 3849)."""
_NONCE: Final = "stranger of an audit"
_LOCAL: Final = frozenset({"localhost", "loopback-only", "localhost.localdomain", "ip6-localhost"})
_MOST_ROUNDS: Final = 8


@dataclass(frozen=True)
class HostView:
    """A record with what follows from it.

    `address`: where the visitors come from; by default one that is nobody's. `wanted_files` and `wanted_tables` gather
    what was looked for in vain.
    """

    record: HostRecord
    address: str = STRANGER
    wanted_files: set[str] = field(default_factory=set)
    wanted_tables: set[str] = field(default_factory=set)

    @cached_property
    def configuration(self) -> HostConfiguration:
        """What postconf(1) says, else our own reader. The Postfix here does not say which types another host has."""
        found = configuration_of(self.record.captures) if self.record.captures else self.record.configuration
        return replace(found, map_types=found.map_types | ALL_TABLES) if self.record.is_copy else found

    @cached_property
    def lines(self) -> Lines:
        """Where things stand in the files."""
        return Lines(self.record.root, self.record.main_cf, self.record.master_cf)

    @cached_property
    def main(self) -> Values:
        """The effective values of main.cf."""
        return values_of_service(self.configuration, "")

    @cached_property
    def listeners(self) -> tuple[Listener, ...]:
        """The listeners of which something is known."""
        return tuple(each for each in listeners_of(self.configuration) if not each.cannot_tell)

    @cached_property
    def unreadable_listeners(self) -> tuple[Listener, ...]:
        """The listeners of which nothing is known."""
        return tuple(each for each in listeners_of(self.configuration) if each.cannot_tell)

    @cached_property
    def visitors(self) -> tuple[Visitor, ...]:
        """Clients of each kind; the listed one is in each table that is asked for it."""
        return visitors_from(self.address, _NONCE, has_clients=True)

    @cached_property
    def _judged(self) -> tuple[tuple[Judgement, ...], tuple[Fault, ...], frozenset[Question]]:
        known = dict(self.record.answers)
        facts = HostFacts(addresses=self.record.addresses, version=self.record.version)
        for _ in range(_MOST_ROUNDS):
            judgements, missing = judged(self.configuration, self.visitors, known)
            faults, others = faults_of(self.configuration, known, facts)
            missing |= others
            found = {question: answer for question in missing if (answer := self._known(question))}
            if not found:
                break
            known |= found
        return judgements, faults, missing

    def _known(self, question: Question) -> Answer | None:
        listing = (table for each in self.listeners for table in each.rows)
        return known_answer(question, self.record.files, listing, self.visitors)

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """What each listener does with each visitor."""
        return self._judged[0]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What ends programs, refuses mail, or leaves no TLS."""
        return self._judged[1]

    @property
    def missing(self) -> frozenset[Question]:
        """The questions that nobody has answered; a file with certificates is to be read instead."""
        return self._judged[2]

    @cached_property
    def by_visitor(self) -> Mapping[tuple[str, Kind], Judgement]:
        """The judgements by listener and visitor."""
        return {(each.listener, each.visitor): each for each in self.judgements}

    @cached_property
    def by_ipv6(self) -> "HostView | None":
        """The same for strangers that come by IPv6; None where nobody does."""
        has_none = self.main["inet_protocols"].lower() == "ipv4" or self.address != STRANGER
        return None if has_none else replace(self, address=_STRANGER_BY_IPV6)

    def file(self, path: str) -> PublicFile | None:
        """Return a file with certificates; None where it was not read yet, which is then asked for."""
        if path not in self.record.files:
            self.wanted_files.add(path)
        return self.record.files.get(path)

    def table(self, name: str) -> SeenTable | None:
        """Return a table in a file by `type:/path`, likewise."""
        if name not in self.record.tables:
            self.wanted_tables.add(name)
        return self.record.tables.get(name)

    def is_answered(self, asked: Asked, where: str, key: str, answer: Answer) -> bool:
        """Return whether the host gave an answer to a question."""
        return self.record.answers.get(Question(asked, where, key)) is answer

    def steps(self, listener: Listener) -> Iterator[tuple[str, Step]]:
        """Yield list and step of each restriction that a listener may come to, those of classes as well."""
        classes = split_list(listener.values["smtpd_restriction_classes"])
        for name in (*OWN_ACCESS, *classes):
            own = OWN_ACCESS.get(name, "check_recipient_access")
            yield from ((name, step) for step in steps_of_words(listener.words_of(name), own))

    def has_step(self, listener: Listener, restriction: str) -> bool:
        """Return whether a restriction stands in a list of a listener."""
        return any(step.restriction == restriction for _, step in self.steps(listener))

    def admits_listed(self, listener: Listener) -> bool:
        """Return whether a list of a listener asks for listed certificates."""
        return self.has_step(listener, LISTED_PERMIT)

    @staticmethod
    def is_local(listener: Listener) -> bool:
        """Return whether only this machine comes to a listener."""
        return bool(listener.addresses) and all(_is_local(each) for each in listener.addresses)


def _is_local(address: str) -> bool:
    return address.lower() in _LOCAL or address.startswith("127.") or address == "::1"
