"""Who may relay: strangers that may, and listed clients that may not."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from postfix.audit.findings import Finding, Place
from postfix.audit.host_view import LISTED_PERMIT, HostView
from postfix.audit.kinds import Kind
from postfix.effective.destinations import DOMAIN_LISTS
from postfix.effective.expansion import Values
from postfix.effective.host_lists import OWN_ACCESS
from postfix.effective.listeners import Listener, values_of_service
from postfix.effective.matching import answers_of_networks
from postfix.effective.remedies import remedy_in_files
from postfix.effective.verdicts import Judgement
from postfix.effective.visitors import Answer, Answers
from postfix.effective.visitors import Kind as Visitor
from postfix.list_items import split_list
from postfix.networks import problems_of_width
from postfix.restriction_walk import Verdict

__all__ = ["check_listed", "check_networks", "check_strangers"]

_ROWS: Final = "relay_clientcerts"
_ALL: Final = "permit_tls_all_clientcerts"
_NETWORKS: Final = "mynetworks"
_PERMIT_NETWORKS: Final = "permit_mynetworks"
_BARE: Final = (Visitor.PLAIN, Visitor.NO_CERTIFICATE)
_BEARERS: Final = (Visitor.FOREIGN, Visitor.UNLISTED)
_DECIDING: Final = (
    *OWN_ACCESS,
    *("smtpd_tls_security_level", "smtpd_tls_ask_ccert", "smtpd_tls_fingerprint_digest", _ROWS),
    *("smtpd_use_tls", "smtpd_enforce_tls", "smtpd_delay_reject", "smtpd_tls_chain_files", "smtpd_tls_cert_file"),
)
"""The options of a service that decide whether listed clients are let in."""
_TO_OTHERS: Final = ("reject_unauth_destination", "defer_unauth_destination", "permit_auth_destination")
_HARMLESS: Final = (_PERMIT_NETWORKS, "permit_sasl_authenticated", LISTED_PERMIT, "permit", *_TO_OTHERS)
_MAY_PERMIT: Final = re.compile(
    r"smtpd_(?:relay|recipient)_restrictions: (?:\S+/)?(?:permit|check_)|smtpd_authorized_xclient_hosts"
    r"|.*(?:garbled|references have no end)"
)
"""In causes: what may let a stranger relay. Lists before these two refuse, or leave it to them."""
_WORDS: Final[Mapping[Visitor, str]] = MappingProxyType(
    {
        Visitor.PLAIN: "without TLS",
        Visitor.NO_CERTIFICATE: "without a certificate",
        Visitor.FOREIGN: "with a certificate of another authority",
        Visitor.UNLISTED: "with a certificate that is not listed",
    }
)


def check_strangers(view: HostView) -> Iterator[Finding]:
    """Find listeners through which strangers may relay, and say what decides where nobody can tell."""
    unsure: dict[str, list[str]] = {}
    for listener in view.listeners:
        if view.is_local(listener):
            continue
        by_kind = _judged(view, listener)
        by_protocol = [by_kind, *([_judged(view.by_ipv6, listener)] if view.by_ipv6 else [])]
        # The worst is told once: who comes by IPv6 is mostly treated alike.
        if open_to := next((each for each in by_protocol if _permitted_in(each)), None):
            yield _permitted(view, listener, _permitted_in(open_to), open_to)
        elif deciding := _deciding(view, listener, by_kind.values()):
            unsure.setdefault("; ".join(deciding), []).append(listener.name)
    for causes, names in unsure.items():
        what = f"whether strangers may relay through {', '.join(names)} depends on {causes}"
        fix = "see what it answers; what need not decide about mail to others goes behind reject_unauth_destination"
        yield Finding(kind=Kind.RELAY_UNKNOWN, place=Place(f"{view.record.root}/master.cf"), what=what, fix=fix)


def _judged(view: HostView, listener: Listener) -> dict[Visitor, Judgement]:
    return {kind: view.by_visitor[listener.name, kind] for kind in (*_BARE, *_BEARERS)}


def _permitted_in(judgements: Mapping[Visitor, Judgement]) -> list[Visitor]:
    return [kind for kind, each in judgements.items() if each.verdict is Verdict.PERMIT]


def _deciding(view: HostView, listener: Listener, judgements: Iterable[Judgement]) -> list[str]:
    """Return what may let strangers relay, where nobody knows whether it does; what can only refuse is left out."""
    causes = {cause for each in judgements if each.verdict is Verdict.CANNOT_TELL for cause in each.causes}
    found = {cause for cause in causes if _MAY_PERMIT.match(cause) and not cause.endswith(_HARMLESS)}
    rewrite = values_of_service(view.configuration, listener.values["rewrite_service_name"] or "rewrite")
    tables = sorted({word for name in DOMAIN_LISTS for word in split_list(rewrite[name]) if ":" in word})
    if tables and any(cause.endswith(_TO_OTHERS) for cause in causes):
        found.add(f"the domains in {', '.join(tables)}")
    return sorted(found)


def _permitted(
    view: HostView, listener: Listener, permitted: Sequence[Visitor], by_kind: Mapping[Visitor, Judgement]
) -> Finding:
    causes = sorted({cause for kind in permitted for cause in by_kind[kind].causes})
    who = ", ".join(_WORDS[kind] for kind in permitted)
    is_by_authority = bool(causes) and all(cause.endswith(_ALL) for cause in causes)
    kind = Kind.OPEN_RELAY
    fix = "have reject_unauth_destination in front of whatever permits all, in relay or recipient restrictions"
    if is_by_authority:
        kind = Kind.ANY_CERTIFICATE if Visitor.FOREIGN in permitted else Kind.WHOLE_AUTHORITY
        fix = "list fingerprints in relay_clientcerts and write permit_tls_clientcerts instead"
    if any(cause.endswith(_PERMIT_NETWORKS) for cause in causes):
        fix = "name your own networks in mynetworks"
    by = f", by {'; '.join(causes)}" if causes else ", as nothing refuses it"
    return Finding(
        kind=kind,
        place=_place_of(view, listener, causes),
        what=f"clients from anywhere may relay {who}{by}",
        fix=fix,
    )


def _place_of(view: HostView, listener: Listener, causes: Sequence[str]) -> Place:
    """Return where the first cause stands: an option of the service, else main.cf."""
    name = next((cause.partition(":")[0].partition("/")[0] for cause in causes), "")
    if name in listener.service.options or not name or name not in OWN_ACCESS:
        return view.lines.service(listener.service.key, name if name in listener.service.options else "")
    place = view.lines.main(name)
    return Place(place.file, place.line, listener.name, name)


def check_listed(view: HostView) -> Iterator[Finding]:
    """Find listed clients that nobody lets in, and lists of clients that nobody asks."""
    admitting = [each for each in view.listeners if view.admits_listed(each)]
    with_rows = [each for each in admitting if each.rows]
    if split_list(view.main[_ROWS]) and view.listeners and not admitting:
        what = f"clients are listed in {', '.join(split_list(view.main[_ROWS]))}, and no list has {LISTED_PERMIT}"
        fix = f"write {LISTED_PERMIT} in front of reject_unauth_destination, or leave relay_clientcerts out"
        yield Finding(kind=Kind.ROWS_UNUSED, place=view.lines.main(_ROWS), what=what, fix=fix)
    if admitting and not with_rows:
        what = f"{LISTED_PERMIT} stands in a list, and relay_clientcerts names no table"
        fix = "name the table of clients in relay_clientcerts, or leave it out"
        yield Finding(kind=Kind.NO_ROWS, place=_place_of_step(view, admitting[0]), what=what, fix=fix)
    verdicts = {each.name: view.by_visitor[each.name, Visitor.LISTED] for each in with_rows}
    refused = [each for each in with_rows if verdicts[each.name].verdict is Verdict.REFUSE]
    kind = Kind.LISTED_REFUSED if len(refused) == len(with_rows) else Kind.LISTED_REFUSED_HERE
    for listener in refused:
        yield _refused(view, listener, verdicts[listener.name], kind)
    for listener in with_rows:
        if verdicts[listener.name].verdict is Verdict.CANNOT_TELL:
            causes = "; ".join(verdicts[listener.name].causes)
            what = f"whether listed clients may relay cannot be told: {causes}"
            yield Finding(kind=Kind.RELAY_UNKNOWN, place=view.lines.service(listener.service.key), what=what)
    yield from _overridden(view, admitting)


def _place_of_step(view: HostView, listener: Listener) -> Place:
    name = next(name for name, step in view.steps(listener) if step.restriction == LISTED_PERMIT)
    if name in listener.service.options:
        return view.lines.service(listener.service.key, name)
    return view.lines.main(name)


def _refused(view: HostView, listener: Listener, judgement: Judgement, kind: Kind) -> Finding:
    what = f"listed clients are refused, by {'; '.join(judgement.causes)}"
    remedy = remedy_in_files("; ".join(judgement.causes), listener)
    if any(cause.endswith(_PERMIT_NETWORKS) for cause in judgement.causes):
        # A permission that refuses is one that Postfix cannot carry out.
        remedy = f"correct {_NETWORKS}: Postfix cannot read it, and answers 451"
    return Finding(kind=kind, place=view.lines.service(listener.service.key), what=what, fix=remedy)


def _overridden(view: HostView, admitting: Sequence[Listener]) -> Iterator[Finding]:
    """Find listeners at which options of their own take away what main.cf says of listed clients."""
    main = [name for name, step in _steps_of_main(view) if step == LISTED_PERMIT]
    if not main or not split_list(view.main[_ROWS]):
        return
    for listener in view.listeners:
        own = [name for name in _DECIDING if name in listener.service.options]
        if listener in admitting or not own or view.is_local(listener):
            continue
        what = f"listed clients are not let in here: master.cf says {', '.join(own)}"
        place = view.lines.service(listener.service.key, own[0])
        fix = f"put {LISTED_PERMIT} in front in the list of this service, if they are to come here"
        yield Finding(kind=Kind.OVERRIDDEN, place=place, what=what, fix=fix)


def _steps_of_main(view: HostView) -> Iterator[tuple[str, str]]:
    for name in OWN_ACCESS:
        yield from ((name, word.lower()) for word in split_list(view.main[name]))


def check_networks(view: HostView) -> Iterator[Finding]:
    """Find networks that are too wide, or that Postfix does not read."""
    services: list[tuple[Values, Place]] = [(view.main, view.lines.main(_NETWORKS))]
    services += [
        (each.values, view.lines.service(each.service.key, _NETWORKS))
        for each in view.listeners
        if _NETWORKS in each.service.options
    ]
    for values, place in services:
        networks = split_list(values[_NETWORKS])
        for problem in problems_of_width([each for each in networks if not each.startswith("!")]):
            what = f"{_NETWORKS}: {problem.message.partition(';')[0].removeprefix('got ')}"
            fix = "name the networks that are yours"
            yield Finding(kind=Kind.WIDE_NETWORKS, place=place, what=what, fix=fix)
        yield from _unreadable(view, networks, place)
    style = view.main["mynetworks_style"].lower()
    if style == "class" and _NETWORKS not in view.configuration.written:
        place = view.lines.main("mynetworks_style")
        yield Finding(kind=Kind.WHOLE_CLASS, place=place, what="mynetworks_style = class", fix="set it to host")


def _unreadable(view: HostView, networks: Sequence[str], place: Place) -> Iterator[Finding]:
    if not any(view.has_step(each, _PERMIT_NETWORKS) for each in view.listeners):
        return
    answers = Answers({}, view.configuration.map_types)
    for network in networks:
        by_version = (answers_of_networks([network], each, answers) for each in ("203.0.113.77", "2001:db8::77"))
        is_file = network.lstrip("!").startswith("/")
        if not is_file and ":/" not in network and any(found == {Answer.BROKEN} for found in by_version):
            what = f"{_NETWORKS}: Postfix cannot read {network}"
            fix = "write it as 192.0.2.0/24 or [2001:db8::]/48, without a netmask and without bits behind the prefix"
            yield Finding(kind=Kind.UNREADABLE_NETWORK, place=place, what=what, fix=fix)
