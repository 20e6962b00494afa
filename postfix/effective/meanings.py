"""What the steps of a restriction list mean for one visitor, by the configuration and the answers of its host."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from postfix.access_actions import action_of
from postfix.effective.expansion import Values
from postfix.effective.listeners import Listener
from postfix.effective.matching import address_in, any_of, domain_in
from postfix.effective.visitors import NOBODY, Answer, Answers, Asked, Question, Visitor
from postfix.list_items import split_list
from postfix.restriction_names import INSTEAD, RESTRICTIONS, Argument, Effect, Restriction, Stage
from postfix.restriction_steps import WARNING, Step
from postfix.restriction_walk import Meaning, SubList

__all__ = ["OWN_ACCESS", "Session", "destination", "steps_of_words"]

OWN_ACCESS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "smtpd_client_restrictions": "check_client_access",
        "smtpd_helo_restrictions": "check_helo_access",
        "smtpd_sender_restrictions": "check_sender_access",
        "smtpd_relay_restrictions": "check_recipient_access",
        "smtpd_recipient_restrictions": "check_recipient_access",
    }
)
"""What a table alone means in each list, in the order in which smtpd(8) reads the lists."""

_PERMIT, _REFUSE, _PASS = (frozenset({each}) for each in (Effect.PERMIT, Effect.REFUSE, Effect.PASS))
_ANY: Final = frozenset(Effect)
_DOMAINS: Final = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains")
# Old names of which it is not known here what they would do, or that ask the DNS.
_ANYTHING: Final = frozenset(
    {"check_address_map", "check_recipient_maps", "check_relay_domains", "permit_mx_backup", "permit_naked_ip_address"}
)
_BY_ANSWER: Final[Mapping[Answer, Meaning]] = MappingProxyType(
    {
        Answer.YES: Meaning(_PERMIT),
        Answer.NO: Meaning(_PASS),
        Answer.BROKEN: Meaning(is_broken=True),
        Answer.UNKNOWN: Meaning(_PERMIT | _PASS | _REFUSE),
    }
)
_REFUSES_OTHERS: Final[Mapping[Answer, Meaning]] = MappingProxyType(
    {**_BY_ANSWER, Answer.YES: Meaning(_PASS), Answer.NO: Meaning(_REFUSE), Answer.UNKNOWN: Meaning(_PASS | _REFUSE)}
)


def _restriction(name: str) -> Restriction | None:
    if name == "reject_maps_rbl":
        return Restriction(effects=_PASS | _REFUSE)
    if name in _ANYTHING:
        return Restriction(effects=_ANY)
    return RESTRICTIONS.get(name) or RESTRICTIONS.get(INSTEAD.get(name, ""))


def steps_of_words(words: Sequence[str], own_access: str) -> tuple[Step, ...]:
    """Return the steps of a list: each restriction with the word behind it that is its argument, if it takes one."""
    return tuple(_steps(words, own_access))


def _steps(words: Sequence[str], own_access: str) -> Iterator[Step]:
    rest = iter(words)
    for word in rest:
        if ":" in word or word.startswith("{"):
            yield Step(own_access, word)
            continue
        restriction = _restriction(word.lower())
        takes_one = restriction is not None and restriction.argument is not Argument.NONE
        yield Step(word, next(rest, "") if takes_one else "")


def destination(values: Values, rewrite: Values, domain: str, answers: Answers) -> Answer:
    """Return whether a host receives for a domain; UNKNOWN where smtpd(8) and trivial-rewrite(8) would not agree.

    The class of a domain is looked up by trivial-rewrite(8) with its own options. What smtpd(8) does with options of
    its own was not tried.
    """
    found = {
        any_of(domain_in(split_list(each[name]), domain, answers) for name in _DOMAINS) for each in (values, rewrite)
    }
    return found.pop() if len(found) == 1 else Answer.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A visitor's session with a listener, as far as it has come; `is_user` is None where nobody can tell.

    `list_stage`: that of the list which is read, where smtpd(8) reads it before it knows the recipient.
    """

    listener: Listener
    visitor: Visitor
    answers: Answers
    rewrite: Values
    has_tls: bool
    has_certificate: bool
    is_user: bool | None
    own_access: str = "check_recipient_access"
    list_stage: Stage | None = None

    def in_list(self, name: str, stage: Stage | None) -> "Session":
        """Return the session as it reads a list."""
        return replace(self, own_access=OWN_ACCESS[name], list_stage=stage)

    def meaning_of(self, step: Step) -> Meaning:
        """Return what a step may do."""
        name = step.restriction
        if name == WARNING:
            return Meaning(softens_next=True)
        if special := _SPECIAL.get(name):
            return self._in_time(name, special(self))
        restriction = _restriction(name)
        if restriction is None:
            return self._class(step.name)
        if restriction.argument is Argument.TABLE:
            return self._in_time(name, self._table(name, restriction, step.argument))
        lacks_argument = restriction.argument is not Argument.NONE and not step.argument
        return self._in_time(name, Meaning(_ANY if lacks_argument else restriction.effects))

    def _class(self, name: str) -> Meaning:
        if name not in split_list(self.listener.values["smtpd_restriction_classes"]):
            return Meaning(is_unknown=True)
        steps = steps_of_words(self.listener.words_of(name), self.own_access)
        return Meaning(lists=(SubList(steps, name),))

    def _in_time(self, name: str, meaning: Meaning) -> Meaning:
        """Return that nothing happens where what is looked at is not known yet."""
        restriction = _restriction(name)
        is_early = self.list_stage is not None and restriction is not None and restriction.stage > self.list_stage
        return Meaning(_PASS) if is_early else meaning

    def _table(self, name: str, restriction: Restriction, table: str) -> Meaning:
        if name == "check_ccert_access" and not self.has_certificate:
            return Meaning(_PASS)
        if name == "check_sasl_access" and self.is_user is False:
            return Meaning(_PASS)
        kind, _, value = table.partition(":")
        if kind == "static":
            action = action_of(value.removeprefix("{").removesuffix("}"))
            ignored = _PERMIT if restriction.is_never_permit else frozenset()
            if action.steps:
                return Meaning(_ANY)
            return Meaning(action.effects - ignored or _PASS)
        if not table or self.answers.lookup(table, NOBODY) is Answer.BROKEN:
            return Meaning(is_broken=True)
        return Meaning(restriction.effects)

    def in_networks(self) -> Meaning:
        """Return what permit_mynetworks does."""
        return _BY_ANSWER[address_in(split_list(self.listener.values["mynetworks"]), self.visitor.address)]

    def logged_in(self) -> Meaning:
        """Return what permit_sasl_authenticated does."""
        if self.is_user is None:
            return Meaning(_PERMIT | _PASS)
        return Meaning(_PERMIT if self.is_user else _PASS)

    def in_clear(self) -> Meaning:
        """Return what reject_plaintext_session does."""
        return Meaning(_PASS if self.has_tls else _REFUSE)

    def listed(self) -> Meaning:
        """Return what permit_tls_clientcerts does."""
        return _BY_ANSWER[self._row()] if self.has_certificate else Meaning(_PASS)

    def trusted(self) -> Meaning:
        """Return what permit_tls_all_clientcerts does."""
        if not self.has_certificate:
            return Meaning(_PASS)
        places = [self.listener.values[name] for name in ("smtpd_tls_CAfile", "smtpd_tls_CApath")]
        trust = [self.answers.to(Question(Asked.TRUSTED, each, self.visitor.kind)) for each in places if each]
        if self.listener.values.is_yes("tls_append_default_CA"):
            trust.append(Answer.UNKNOWN)
        found = [*trust, self._row()]
        return _BY_ANSWER[Answer.YES if Answer.YES in found else any_of(found)]

    def _row(self) -> Answer:
        prints = self.visitor.prints.get(self.listener.digest)
        if prints is None:
            return Answer.UNKNOWN if self.listener.rows else Answer.NO
        rows = self.listener.rows
        return any_of(self.answers.lookup(table, key) for key in prints for table in rows)

    def elsewhere(self) -> Meaning:
        """Return what reject_unauth_destination does."""
        return _REFUSES_OTHERS[self._destination()]

    def here(self) -> Meaning:
        """Return what permit_auth_destination does."""
        return _BY_ANSWER[self._destination()]

    def _destination(self) -> Answer:
        return destination(self.listener.values, self.rewrite, self.visitor.domain, self.answers)

    def mismatched(self) -> Meaning:
        """Return what reject_sender_login_mismatch and its relatives do."""
        return Meaning(_PASS | _REFUSE if self.listener.values.is_yes("smtpd_sasl_auth_enable") else _PASS)


_SPECIAL: Final = MappingProxyType(
    {
        "permit_mynetworks": Session.in_networks,
        "permit_sasl_authenticated": Session.logged_in,
        "permit_tls_clientcerts": Session.listed,
        "permit_tls_all_clientcerts": Session.trusted,
        "reject_plaintext_session": Session.in_clear,
        "reject_unauth_destination": Session.elsewhere,
        "defer_unauth_destination": Session.elsewhere,
        "permit_auth_destination": Session.here,
        **{
            f"reject_{which}sender_login_mismatch": Session.mismatched
            for which in ("", "known_", "authenticated_", "unauthenticated_")
        },
    }
)
