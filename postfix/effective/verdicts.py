"""Judge if visitors may relay through the listeners of a host: permit, refuse, or cannot tell, and by what.

What the configuration alone does not tell is asked as data: judge, have the missing questions answered, judge again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from postfix.effective.captures import HostConfiguration
from postfix.effective.expansion import Values
from postfix.effective.handshakes import tls_for
from postfix.effective.host_lists import OWN_ACCESS, steps_of_words
from postfix.effective.listeners import Listener, TlsLevel, listeners_of, values_of_service
from postfix.effective.login import has_no_mechanism, may_lack_mechanisms, may_log_in
from postfix.effective.matching import address_in
from postfix.effective.meanings import Session
from postfix.effective.recipient_check import receive_options, recipient_faults
from postfix.effective.starting import will_not_start
from postfix.effective.visitors import Answer, Answers, Kind, Question, Visitor
from postfix.list_items import split_list
from postfix.restriction_names import LISTS, Stage
from postfix.restriction_walk import Ends, Verdict, walked

__all__ = ["Judgement", "judged"]

_MAY_REFUSE: Final = (
    *("smtpd_proxy_filter", "smtpd_command_filter", "smtpd_upstream_proxy_protocol"),
    *("postscreen_upstream_proxy_protocol",),
)
_SCREENING: Final = (
    *(
        "postscreen_greet_action",
        "postscreen_dnsbl_action",
        "postscreen_denylist_action",
        "postscreen_blacklist_action",
    ),
)
_DEEP_TESTS: Final = (
    *("postscreen_pipelining_enable", "postscreen_non_smtp_command_enable", "postscreen_bare_newline_enable"),
)
# Without one of these, smtpd(8) waits or refuses.
_ASKED: Final = frozenset(
    {"anvil/unix", "cleanup/unix", "postlog/unix-dgram", "proxymap/unix", "rewrite/unix", "tlsmgr/unix"}
)
_NO_MECHANISM: Final = "smtpd_sasl_path: nobody may offer a way to log in there"
_OTHERS: Final = "smtpd_authorized_xclient_hosts"
_BEFORE: Final = frozenset({Stage.CLIENT, Stage.HELO, Stage.SENDER})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one listener does with one visitor's mail to somebody elsewhere.

    `causes`: for a refusal what may have refused, for a permission what may have permitted, else what may refuse and
    what may permit; restrictions as `list/class: restriction argument`, sorted.
    """

    listener: str
    visitor: Kind
    verdict: Verdict
    causes: tuple[str, ...] = ()


def judged(
    configuration: HostConfiguration, visitors: Sequence[Visitor], answers: Mapping[Question, Answer]
) -> tuple[tuple[Judgement, ...], frozenset[Question]]:
    """Return the judgement of each listener on each visitor, and the questions whose answers would tell more.

    A missing answer counts as unknown, so each judgement holds as it is. Of a host of which nothing is known there is
    no listener to judge: look at `HostConfiguration.cannot_tell` first.
    """
    known = Answers(answers, configuration.map_types, configuration.parameters.get("mail_owner", "postfix"))
    proxy = values_of_service(configuration, "proxymap")
    found = [
        _Judge(configuration, listener, visitor, known, dead).judgement()
        for listener in listeners_of(configuration)
        for dead in [() if listener.cannot_tell else will_not_start(listener, proxy)]
        for visitor in visitors
    ]
    return tuple(found), frozenset(known.missing)


@dataclass(frozen=True, slots=True)
class _Judge:
    configuration: HostConfiguration
    listener: Listener
    visitor: Visitor
    answers: Answers
    dead: tuple[str, ...]

    def judgement(self) -> Judgement:
        """Return the judgement."""
        if self.listener.cannot_tell:
            return self._says(Verdict.CANNOT_TELL, [self.listener.cannot_tell])
        if unread := [each.key for each in self.configuration.services if each.key in _ASKED and not each.is_readable]:
            return self._says(Verdict.CANNOT_TELL, [f"{key}: its line in master.cf is garbled" for key in unread])
        dead = [*self.dead]
        lacks_mechanisms = has_no_mechanism(self.listener, self.answers)
        if lacks_mechanisms is Answer.YES:
            dead.append(_NO_MECHANISM)
        may_refuse = [_NO_MECHANISM] if lacks_mechanisms is Answer.UNKNOWN else []
        found = self._says(Verdict.REFUSE, dead) if dead else self._received(may_refuse)
        if broken := self.listener.values.unexpandable:
            return self._says(Verdict.CANNOT_TELL, [f"{name}: its references have no end" for name in broken])
        return found

    def _received(self, may_refuse: Iterable[str]) -> Judgement:
        load = tls_for(self.listener, self.visitor.address, self.answers)
        sessions = {has_tls: self._session(has_tls=has_tls) for has_tls in _TLS_BY_ANSWER[load]}
        ends = [self._ends(session) for session in sessions.values()]
        together = ends[0] if len(ends) == 1 else ends[0].beside(ends[1])
        may_refuse = [*may_refuse, *self._beside(), *may_lack_mechanisms(self.listener)]
        verdict = together.verdict
        if verdict is Verdict.PERMIT and may_refuse:
            return self._says(Verdict.CANNOT_TELL, [*may_refuse, *together.refuses])
        if verdict is Verdict.REFUSE and (client := self._may_be_another()):
            return self._says(Verdict.CANNOT_TELL, [client, *together.refuses])
        causes = {
            Verdict.PERMIT: together.permits,
            Verdict.REFUSE: together.refuses,
            Verdict.CANNOT_TELL: together.permits | together.refuses | {*may_refuse},
        }
        return self._says(verdict, causes[verdict])

    def _says(self, verdict: Verdict, causes: Iterable[str]) -> Judgement:
        return Judgement(self.listener.name, self.visitor.kind, verdict, tuple(sorted({*causes})))

    def _session(self, *, has_tls: bool) -> Session:
        is_secure = has_tls and self.visitor.kind is not Kind.PLAIN
        return Session(
            listener=self.listener,
            visitor=self.visitor,
            answers=self.answers,
            rewrite=self._rewrite(),
            has_tls=is_secure,
            has_certificate=is_secure and self.visitor.has_certificate and self.listener.asks_for_certificates,
            is_user=self._is_user(has_tls=is_secure),
        )

    def _is_user(self, *, has_tls: bool) -> bool | None:
        if self.visitor.kind is not Kind.USER:
            return False
        found = may_log_in(self.listener, self.visitor.address, self.answers, has_tls=has_tls)
        return {Answer.YES: True, Answer.NO: False}.get(found)

    def _ends(self, session: Session) -> Ends:
        refused = [*self._faults_of_session(session)]
        ends = Ends(alive=frozenset({False}))
        if refused:
            return Ends(is_refused=True, refuses=frozenset(refused))
        for name, reading in self._lists(session):
            steps = steps_of_words(self.listener.words_of(name), OWN_ACCESS[name])
            after = walked(steps, reading.meaning_of, ends.alive)
            ends = ends.then(replace(_named(after, name), permitted=frozenset(), alive=after.outcomes))
        return ends.then(self._after_lists(ends.alive))

    def _faults_of_session(self, session: Session) -> Iterator[str]:
        if self.listener.declared_tls is TlsLevel.ENCRYPT and not session.has_tls:
            yield "TLS is required, and there is none"
        elif self.listener.requires_certificates and not session.has_certificate:
            yield "smtpd_tls_req_ccert: a certificate is required"

    def _lists(self, session: Session) -> Iterator[tuple[str, Session]]:
        """Return the lists in their order, each with what is known when it is read."""
        waits = self.listener.values["smtpd_delay_reject"].lower() != "no"
        is_wrapped = self.listener.is_wrapped
        early = replace(
            session,
            has_tls=session.has_tls and is_wrapped,
            has_certificate=session.has_certificate and is_wrapped,
            is_user=False,
        )
        for name in OWN_ACCESS:
            stage = LISTS.get(name, Stage.RECIPIENT)
            if waits or stage not in _BEFORE:
                yield name, session.in_list(name, None)
                continue
            if stage in (Stage.CLIENT, Stage.HELO):
                yield name, early.in_list(name, stage)
            if stage in (Stage.HELO, Stage.SENDER):
                yield name, session.in_list(name, stage)

    def _after_lists(self, alive: frozenset[bool]) -> Ends:
        """Return what becomes of mail that all lists let pass: the check of the recipient."""
        if not alive:
            return Ends(alive=alive)
        broken, unsure = recipient_faults(self.listener, self._rewrite(), self.visitor.domain, self.answers)
        return Ends(is_refused=bool(broken or unsure), alive=frozenset() if broken else alive, refuses=broken | unsure)

    def _rewrite(self) -> Values:
        """Return the values of the trivial-rewrite(8) that smtpd(8) asks."""
        return values_of_service(self.configuration, self.listener.values["rewrite_service_name"] or "rewrite")

    def _beside(self) -> Iterator[str]:
        """Name what may refuse beside the lists."""
        values = self.listener.values
        if values["smtpd_milters"] and "no_milters" not in receive_options(self.listener):
            yield "smtpd_milters"
        yield from (name for name in _MAY_REFUSE if values[name])
        rates = (name for name in values.raw if name.startswith("smtpd_client_") and name.endswith("_rate_limit"))
        yield from (name for name in rates if values[name].strip("0"))
        if screen := self.listener.screen_values:
            yield from (name for name in _SCREENING if screen[name].lower() not in ("", "ignore"))
            yield from (name for name in _DEEP_TESTS if screen.is_yes(name))
            yield from (name for name in _MAY_REFUSE if name.startswith("postscreen_") and screen[name])

    def _may_be_another(self) -> str:
        hosts = split_list(self.listener.values[_OTHERS])
        return "" if address_in(hosts, self.visitor.address, self.answers) is Answer.NO else _OTHERS


_TLS_BY_ANSWER: Final = {
    Answer.YES: (True,),
    Answer.NO: (False,),
    Answer.BROKEN: (False,),
    Answer.UNKNOWN: (True, False),
}


def _named(ends: Ends, name: str) -> Ends:
    """Put the name of the list in front of each cause; a class stands behind it."""
    return replace(
        ends,
        permits=frozenset(f"{name}: {cause}" for cause in ends.permits),
        refuses=frozenset(f"{name}: {cause}" for cause in ends.refuses),
    )
