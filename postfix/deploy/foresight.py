"""Find out before a change what Postfix on a host does now, and what it would do with the new files."""

from collections.abc import Iterator, Mapping, Sequence
from secrets import token_hex
from typing import Final

from postfix.deploy.bundle import request
from postfix.deploy.foreseen import (
    Expectation,
    Foreseen,
    changed_names,
    is_first_row,
    is_worth_a_look,
    own_after,
    own_before,
)
from postfix.deploy.foresight_form import HostSaid, When, answers_in, archive_of, is_asked_on_host, read_said
from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles, Situation
from postfix.deploy.plan import HostPlan
from postfix.deploy.session import HostSession
from postfix.effective.acceptance import Ruling, ruled
from postfix.effective.captures import HostConfiguration, configuration_of
from postfix.effective.comparison import Finding, Rule, View, compared
from postfix.effective.interfaces import findings_about_addresses
from postfix.effective.listeners import values_of_service
from postfix.effective.own_answers import OwnFiles, own_answer, visitors_from
from postfix.effective.verdicts import Judgement, judged
from postfix.effective.visitors import Answer, Kind, Question, Visitor

__all__ = ["foresee", "rows_on_host"]

_LIVE, _STAGED = "live", "staged"
_ADDRESSES: Final = ("203.0.113.77", "2001:db8:5ea1::77")
"""Addresses of documentation (RFC 5737, RFC 3849): nobody's network has them, so a stranger comes from there."""
_MOST_ROUNDS: Final = 8
_NONCE_BYTES: Final = 16
_NOTHING: Final = Foreseen()

_Views = tuple[View, ...]
"""One view for each address that visitors come from."""


def foresee(
    session: HostSession,
    plan: HostPlan,
    desired: HostFiles,
    deployed: Deployed,
    situation: Situation,
    expectation: Expectation,
) -> Foreseen:
    """Return what a plan would do beside what is declared; nothing on the host is changed.

    No command is run where the plan cannot change what a listener does.

    Raises DeployError where the program on the host cannot look.
    """
    owns_before = own_before(deployed, rows_on_host(session, desired, expectation), session.root)
    is_first = is_first_row(expectation, owns_before)
    if not is_worth_a_look(plan, desired, situation, is_first=is_first):
        return _NOTHING
    look = _Look(session, plan, {_LIVE: owns_before, _STAGED: own_after(desired, expectation, session.root)})
    said, configurations = look.configurations()
    if lacking := _lacking_types(desired, configurations[_STAGED]):
        return Foreseen(ruling=Ruling(refused=lacking), is_running=said.is_running)
    if fault := configurations[_STAGED].cannot_tell:
        # If it was so before, what is declared may have to go all the same.
        was_so = bool(configurations[_LIVE].cannot_tell)
        present = ", as it cannot use the present ones" if was_so else ""
        mend = "; mend that first, or `up` may refuse the change" if was_so else ""
        finding = Finding(
            Rule.UNKNOWN, "", f"Postfix could not use the new main.cf and master.cf{present}: {fault}{mend}"
        )
        ruling = Ruling(told=(finding,)) if was_so else Ruling(refused=(finding,))
        return Foreseen(ruling=ruling, is_running=said.is_running)
    if configurations[_LIVE].cannot_tell:
        # A host that does nothing, so that it can be mended.
        configurations[_LIVE] = HostConfiguration()
    before, after = look.views(configurations, has_clients=expectation.has_clients)
    if is_first:
        # Nobody was let in, so nothing was so before.
        before = tuple(map(_without_listed, before))
    declared, earlier = changed_names(desired, deployed, situation, (configurations[_LIVE], configurations[_STAGED]))
    findings = {
        *(
            each
            for old, new in zip(before, after, strict=True)
            for each in compared(old, new, declared, ours_before=earlier)
        ),
        *findings_about_addresses(before[0], after[0], said.addresses),
    }
    excused = {*_gone_with_master_cf(desired, before[0], after[0])}
    return Foreseen(
        ruling=ruled(sorted(findings), expectation.accept, excused=excused),
        before=before[0],
        after=after[0],
        is_running=said.is_running,
    )


def rows_on_host(session: HostSession, desired: HostFiles, expectation: Expectation) -> dict[str, bytes]:
    """Return the sources of tables that lie where ours do, or will, by their paths."""
    paths = {*expectation.client_tables, *(table.source.path for table in desired.tables)}
    return {path: file.content for path in sorted(paths) if (file := session.read(path))}


def _lacking_types(desired: HostFiles, configuration: HostConfiguration) -> tuple[Finding, ...]:
    """Report types of our tables that a host does not have: with them nothing else is as it would be."""
    kinds = {table.type for table in desired.tables} if configuration.map_types else set()
    words = (
        "this host cannot make {} tables (postconf -m does not name them); install their package, or declare texthash"
    )
    return tuple(Finding(Rule.UNKNOWN, "", words.format(kind)) for kind in sorted(kinds - configuration.map_types))


def _without_listed(view: View) -> View:
    return View(view.configuration, tuple(each for each in view.judgements if each.visitor is not Kind.LISTED))


def _gone_with_master_cf(desired: HostFiles, before: View, after: View) -> Iterator[tuple[Rule, str]]:
    """Yield the listeners that go because a master.cf of ours as a whole does not name them, which is declared."""
    gone = before.listeners.keys() - after.listeners.keys() if desired.has(MASTER_CF) else ()
    return ((Rule.TAKEN_AWAY, each) for each in gone)


class _Look:
    """One look at a host, with as many calls of the program as there are rounds of questions."""

    def __init__(self, session: HostSession, plan: HostPlan, own: Mapping[When, OwnFiles]) -> None:
        self._session = session
        self._own = own
        files = {MAIN_CF: plan.main_cf, MASTER_CF: plan.master_cf}
        self._staged = {name: file.content for name, file in files.items() if file}

    def configurations(self) -> tuple[HostSaid, dict[When, HostConfiguration]]:
        """Ask what postconf(1) says."""
        said = read_said(self._ask(archive_of(self._staged)), self._session.root)
        return said, {_LIVE: configuration_of(said.live), _STAGED: configuration_of(said.staged or said.live)}

    def views(self, configurations: Mapping[When, HostConfiguration], *, has_clients: bool) -> tuple[_Views, _Views]:
        """Judge both configurations, and have asked what they do not tell."""
        nonce = token_hex(_NONCE_BYTES)
        protocols = values_of_service(configurations[_STAGED], "")["inet_protocols"]
        addresses = _ADDRESSES[:1] if protocols == "ipv4" else _ADDRESSES
        groups = [visitors_from(address, nonce, has_clients=has_clients) for address in addresses]
        known: dict[When, dict[Question, Answer]] = {when: {} for when in configurations}
        for _ in range(_MOST_ROUNDS):
            found = {when: [*_judged(each, groups, known[when])] for when, each in configurations.items()}
            missing = {when: {one for _, some in each for one in some} for when, each in found.items()}
            if not any(missing.values()):
                break
            for when, answers in self._answers(missing, groups[0]).items():
                known[when] |= answers
        views = {
            when: tuple(View(configurations[when], judgements) for judgements, _ in each)
            for when, each in found.items()
        }
        return views[_LIVE], views[_STAGED]

    def _answers(
        self, missing: Mapping[When, set[Question]], visitors: Sequence[Visitor]
    ) -> dict[When, dict[Question, Answer]]:
        """Answer from our own files what they tell, and have the host asked for the rest."""
        known: dict[When, dict[Question, Answer]] = {}
        asked: dict[When, set[Question]] = {}
        for when, questions in missing.items():
            own = {question: own_answer(question, self._own[when], visitors) for question in questions}
            known[when] = {question: answer for question, answer in own.items() if answer}
            rest = {question for question, answer in own.items() if not answer}
            asked[when] = {question for question in rest if is_asked_on_host(question)}
            known[when] |= dict.fromkeys(rest - asked[when], Answer.UNKNOWN)
        if any(asked.values()):
            output = self._ask(archive_of(self._staged, asked))
            for when, answers in answers_in(output, asked, self._session.root).items():
                known[when] |= answers
        return known

    def _ask(self, archive: bytes) -> bytes:
        return self._session.ask_program(request("foresee", self._session.root, "-", archive))


def _judged(
    configuration: HostConfiguration, groups: Sequence[Sequence[Visitor]], known: Mapping[Question, Answer]
) -> Iterator[tuple[tuple[Judgement, ...], frozenset[Question]]]:
    return (judged(configuration, visitors, known) for visitors in groups)
