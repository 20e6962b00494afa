"""What the steps of a restriction list mean for one visitor, by the configuration and the answers of its host."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final

from postfix.access_actions import action_of
from postfix.effective.destinations import destination
from postfix.effective.expansion import Values
from postfix.effective.host_lists import OWN_ACCESS, named_table, restriction_named, steps_of_words
from postfix.effective.listeners import Listener
from postfix.effective.matching import answers_of_networks, any_of
from postfix.effective.visitors import NOBODY, Answer, Answers, Asked, Question, Visitor
from postfix.list_items import split_list
from postfix.restriction_names import Argument, Effect, Restriction, Stage
from postfix.restriction_steps import WARNING, Step
from postfix.restriction_walk import Meaning, SubList

__all__ = ["Session"]

_PERMIT, _REFUSE, _PASS = (frozenset({each}) for each in (Effect.PERMIT, Effect.REFUSE, Effect.PASS))
_ANY: Final = frozenset(Effect)
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
        restriction = restriction_named(name)
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
        restriction = restriction_named(name)
        is_early = self.list_stage is not None and restriction is not None and restriction.stage > self.list_stage
        return Meaning(_PASS) if is_early else meaning

    def _table(self, name: str, restriction: Restriction, table: str) -> Meaning:
        if name == "check_ccert_access" and not self.has_certificate:
            return Meaning(_PASS)
        if name == "check_sasl_access" and self.is_user is False:
            return Meaning(_PASS)
        if table.startswith("{"):
            # Elsewhere smtpd(8) opens what is in the braces, and then looks for a table of that whole name.
            table = named_table(table) if name == "check_ccert_access" else ""
        kind, _, value = table.partition(":")
        if kind == "static":
            return self._row(value.removeprefix("{").removesuffix("}").strip(), restriction)
        if not table or self.answers.lookup(table, NOBODY) is Answer.BROKEN:
            return Meaning(is_broken=True)
        return Meaning(restriction.effects)

    def _row(self, value: str, restriction: Restriction) -> Meaning:
        """Return what the value of a row does."""
        if value.isdecimal():
            return Meaning(_PASS if restriction.is_never_permit else _PERMIT)
        action = action_of(value)
        if action.steps:
            lists = (SubList(steps_of_words(split_list(value), self.own_access)),)
            return Meaning(_ANY) if restriction.is_never_permit else Meaning(lists=lists)
        ignored = _PERMIT if restriction.is_never_permit else frozenset()
        return Meaning(action.effects - ignored or _PASS)

    def in_networks(self) -> Meaning:
        """Return what permit_mynetworks does."""
        networks = split_list(self.listener.values["mynetworks"])
        found = answers_of_networks(networks, self.visitor.address, self.answers)
        if found == {Answer.BROKEN}:
            return _BY_ANSWER[Answer.BROKEN]
        effects = {Answer.YES: _PERMIT, Answer.NO: _PASS, Answer.BROKEN: _REFUSE}
        return Meaning(frozenset().union(*(effects[each] for each in found)))

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
        return _BY_ANSWER[self._is_listed()] if self.has_certificate else Meaning(_PASS)

    def trusted(self) -> Meaning:
        """Return what permit_tls_all_clientcerts does."""
        if not self.has_certificate:
            return Meaning(_PASS)
        places = [self.listener.values[name] for name in ("smtpd_tls_CAfile", "smtpd_tls_CApath")]
        trust = [self.answers.to(Question(Asked.TRUSTED, each, self.visitor.kind)) for each in places if each]
        if self.listener.values.is_yes("tls_append_default_CA"):
            trust.append(Answer.UNKNOWN)
        found = [*trust, self._is_listed()]
        return _BY_ANSWER[Answer.YES if Answer.YES in found else any_of(found)]

    def _is_listed(self) -> Answer:
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
        return destination(self.rewrite, self.visitor.domain, self.answers)

    def mismatched(self, *, users: bool, is_known: bool = False) -> Meaning:
        """Return what reject_sender_login_mismatch and its relatives do.

        `users`: whether those who logged in are judged. `is_known`: whether they are only where somebody owns the
        sender's address.
        """
        if not self.listener.values.is_yes("smtpd_sasl_auth_enable") or (self.is_user and not users):
            return Meaning(_PASS)
        has_owners = bool(split_list(self.listener.values["smtpd_sender_login_maps"]))
        if has_owners or self.is_user is None:
            return Meaning(_PASS | _REFUSE)
        return Meaning(_REFUSE if self.is_user and not is_known else _PASS)

    def users_mismatched(self) -> Meaning:
        """Return what reject_authenticated_sender_login_mismatch does: nothing to those who did not log in."""
        return Meaning(_PASS) if self.is_user is False else self.mismatched(users=True)


_SPECIAL: Final[Mapping[str, Callable[[Session], Meaning]]] = MappingProxyType(
    {
        "permit_mynetworks": Session.in_networks,
        "permit_sasl_authenticated": Session.logged_in,
        "permit_tls_clientcerts": Session.listed,
        "permit_tls_all_clientcerts": Session.trusted,
        "reject_plaintext_session": Session.in_clear,
        "reject_unauth_destination": Session.elsewhere,
        "defer_unauth_destination": Session.elsewhere,
        "permit_auth_destination": Session.here,
        "reject_sender_login_mismatch": partial(Session.mismatched, users=True),
        "reject_known_sender_login_mismatch": partial(Session.mismatched, users=True, is_known=True),
        "reject_authenticated_sender_login_mismatch": Session.users_mismatched,
        "reject_unauthenticated_sender_login_mismatch": partial(Session.mismatched, users=False),
    }
)
