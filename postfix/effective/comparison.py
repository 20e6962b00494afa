"""Compare what a host does before and after a change: what must not happen by the way, and what is worth a line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from postfix.effective.captures import HostConfiguration
from postfix.effective.findings import Finding, Rule, findings_of_faults
from postfix.effective.listeners import Listener, TlsLevel, listeners_of, values_of_service
from postfix.effective.sending import LEVEL, asked_first, sending_level
from postfix.effective.soundness import Fault
from postfix.effective.starting import will_not_start
from postfix.effective.verdicts import Judgement
from postfix.effective.visitors import Kind
from postfix.list_items import split_list
from postfix.parameters import ParameterClass, is_list, parameter_named
from postfix.restriction_walk import Verdict

__all__ = ["Finding", "Rule", "View", "compared"]

_STRANGERS: Final = (Kind.UNLISTED, Kind.FOREIGN, Kind.NO_CERTIFICATE, Kind.PLAIN)
_OPENNESS: Final = (Verdict.REFUSE, Verdict.CANNOT_TELL, Verdict.PERMIT)
_ROWS: Final = "relay_clientcerts"
_LEVEL: Final = "compatibility_level"
_FOLLOW_LEVEL: Final = (
    *("smtpd_relay_restrictions", "relay_domains", "mynetworks_style", "append_dot_mydomain", "smtputf8_enable"),
    *("smtpd_tls_fingerprint_digest", "smtp_tls_fingerprint_digest", "lmtp_tls_fingerprint_digest"),
    *("smtpd_relay_before_recipient_restrictions", "respectful_logging"),
)


@dataclass(frozen=True)
class View:
    """A host at one time, or a staged copy of it: its configuration, the judgements on it, and its faults.

    `faults`: None where nobody looked for them; then only those are told with which smtpd(8) does not start.
    """

    configuration: HostConfiguration
    judgements: tuple[Judgement, ...] = ()
    faults: tuple[Fault, ...] | None = None

    @cached_property
    def listeners(self) -> Mapping[str, Listener]:
        """The listeners by name."""
        return {each.name: each for each in listeners_of(self.configuration)}

    @cached_property
    def by_visitor(self) -> Mapping[tuple[str, Kind], Judgement]:
        """The judgements by listener and visitor."""
        return {(each.listener, each.visitor): each for each in self.judgements}

    def of(self, kind: Kind) -> Iterator[Judgement]:
        """Return the judgements on one visitor."""
        return (each for each in self.judgements if each.visitor is kind)

    def dies(self, name: str) -> tuple[str, ...]:
        """Return why the service of a listener does not start; nothing where there is no listener."""
        listener = self.listeners.get(name)
        proxy = values_of_service(self.configuration, "proxymap")
        return will_not_start(listener, proxy) if listener and not listener.cannot_tell else ()


def compared(
    before: View,
    after: View,
    declared: frozenset[str],
    *,
    ours_before: frozenset[str] = frozenset(),
    admitting: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """Return the findings about a change, those that are refused first.

    Args:
        before: The host as it is.
        after: A copy of it with the change.
        declared: The parameters of main.cf that the change says.
        ours_before: Those that an earlier change of ours said.
        admitting: The listeners that are to let listed clients relay; with none, one of all is enough.
    """
    for when, view in (("is", before), ("would be", after)):
        if fault := view.configuration.cannot_tell:
            return (Finding(Rule.UNKNOWN, "", f"what the host does as it {when} cannot be told: {fault}"),)
    comparison = _Comparison(before, after, declared, ours_before, admitting)
    return tuple(sorted({*comparison.findings()}))


@dataclass(frozen=True, slots=True)
class _Comparison:
    before: View
    after: View
    declared: frozenset[str]
    ours_before: frozenset[str]
    admitting: frozenset[str]

    def findings(self) -> Iterator[Finding]:
        """Return all findings."""
        yield from self._strangers()
        yield from self._listed()
        yield from self._users()
        yield from self._services()
        for name, old in self.before.listeners.items():
            if new := self.after.listeners.get(name):
                yield from self._listener(old, new)
        yield from self._overrides()
        yield from self._sending()
        yield from self._values()

    def _strangers(self) -> Iterator[Finding]:
        for kind in _STRANGERS:
            for new in self.after.of(kind):
                old = self.before.by_visitor.get((new.listener, kind))
                verdict = old.verdict if old else Verdict.REFUSE
                if _OPENNESS.index(new.verdict) > _OPENNESS.index(verdict):
                    message = f"mail of strangers ({kind}) to others: {verdict.value} -> {new.verdict.value}{_by(new)}"
                    yield Finding(Rule.STRANGERS_GAIN, new.listener, message)
                elif new.verdict is Verdict.PERMIT:
                    message = f"strangers ({kind}) may relay already{_by(new)}"
                    yield Finding(Rule.OPEN_ALREADY, new.listener, message)

    def _listed(self) -> Iterator[Finding]:
        found = [*self.after.of(Kind.LISTED)]
        is_refused_everywhere = all(each.verdict is Verdict.REFUSE for each in found)
        for each in found:
            if each.verdict is Verdict.REFUSE:
                yield self._refused(each, is_one_of_all=is_refused_everywhere)
            elif each.verdict is Verdict.CANNOT_TELL:
                message = f"whether listed clients may relay cannot be told{_by(each)}"
                yield Finding(Rule.CANNOT_TELL, each.listener, message)
        for name in self.admitting - {each.listener for each in found}:
            yield Finding(Rule.LISTED_REFUSED, name, "listed clients are expected here, and there is no such listener")

    def _refused(self, each: Judgement, *, is_one_of_all: bool) -> Finding:
        """Return what it means that one listener refuses listed clients, perhaps as all do."""
        old = self.before.by_visitor.get((each.listener, Kind.LISTED))
        before = old.verdict if old else None
        is_expected = each.listener in self.admitting or is_one_of_all
        if old and is_expected and self.ours_before and before is Verdict.REFUSE:
            return Finding(Rule.SO_BEFORE, each.listener, f"listed clients are refused already{_by(old)}")
        if is_expected or before is Verdict.PERMIT:
            return Finding(Rule.LISTED_REFUSED, each.listener, f"listed clients would be refused{_by(each)}")
        message = f"listed clients are refused here, and let in elsewhere{_by(each)}"
        return Finding(Rule.REFUSED_HERE, each.listener, message)

    def _users(self) -> Iterator[Finding]:
        for old in self.before.of(Kind.USER):
            new = self.after.by_visitor.get((old.listener, Kind.USER))
            if old.verdict is not Verdict.PERMIT or not new or new.verdict is Verdict.PERMIT:
                continue
            change = f"permit -> {new.verdict.value}{_by(new)}"
            everybody = self.before.by_visitor.get((old.listener, Kind.NO_CERTIFICATE))
            if everybody and everybody.verdict is Verdict.PERMIT:
                # No service that somebody logs in for: an open relay, which must not stay open for their sake.
                message = f"whoever comes may relay now, and no longer, users who log in among them: {change}"
                yield Finding(Rule.CLOSES, old.listener, message)
            else:
                message = f"users who log in may relay no longer: {change}"
                yield Finding(Rule.SERVICE_LOST, old.listener, message)

    def _services(self) -> Iterator[Finding]:
        if self.before.faults is None or self.after.faults is None:
            yield from self._starts()
        else:
            yield from findings_of_faults(self.before.faults, self.after.faults)
        for name in self.before.listeners.keys() - self.after.listeners.keys():
            yield Finding(Rule.TAKEN_AWAY, name, "the listener would be gone")

    def _starts(self) -> Iterator[Finding]:
        for name in self.after.listeners:
            if faults := self.after.dies(name):
                words = "; ".join(faults)
                if self.before.dies(name):
                    message = f"smtpd does not start already: {words}; mend that first, or `up` may refuse the change"
                    yield Finding(Rule.SO_BEFORE, name, message)
                else:
                    yield Finding(Rule.SERVICE_LOST, name, f"smtpd would not start: {words}")

    def _listener(self, old: Listener, new: Listener) -> Iterator[Finding]:
        change = f"{old.tls.name.lower()} -> {new.tls.name.lower()}"
        if new.tls < old.tls or (old.is_wrapped and not new.is_wrapped):
            wrapped = ", no longer from the first byte" if old.is_wrapped and not new.is_wrapped else ""
            yield Finding(Rule.TLS_WEAKER, new.name, f"TLS would become less: {change}{wrapped}")
        if old.tls is TlsLevel.NONE < new.tls:
            yield Finding(Rule.OFFERS_MORE, new.name, f"TLS would be offered: {change}")
        if new.has_auth_in_clear and not old.has_auth_in_clear:
            yield Finding(Rule.TLS_WEAKER, new.name, "passwords could come in clear; set smtpd_tls_auth_only = yes")
        if new.requires_certificates and not old.requires_certificates:
            yield Finding(Rule.TAKEN_AWAY, new.name, "clients without a certificate would be sent away")
        elif new.asks_for_certificates and not old.asks_for_certificates:
            yield Finding(Rule.OFFERS_MORE, new.name, "client certificate: no -> ask")
        gone = [table for table in old.rows if table not in new.rows]
        if gone and (_ROWS not in self.ours_before or _ROWS in old.service.options):
            yield Finding(Rule.TAKEN_AWAY, new.name, f"clients listed in {', '.join(gone)} would count no longer")

    def _overrides(self) -> Iterator[Finding]:
        for name, listener in self.after.listeners.items():
            for parameter in sorted(self.declared & listener.service.options.keys()):
                message = f"master.cf says {parameter} = {listener.values[parameter]}, which counts here"
                yield Finding(Rule.OVERRIDDEN, name, message)
        yield from self._overrides_of_sending()

    def _overrides_of_sending(self) -> Iterator[Finding]:
        main = values_of_service(self.after.configuration, "")
        sender = self.after.configuration.service(main["default_transport"].partition(":")[0])
        if sender and sender.command == "smtp":
            values = values_of_service(self.after.configuration, sender.name, sender)
            for name in sorted(self.declared & sender.options.keys()):
                message = f"master.cf says {name} = {values[name]}, which counts here"
                yield Finding(Rule.OVERRIDDEN, sender.key, message)
        for name, declared in asked_first(main, self.after.configuration.written, self.declared):
            message = f"{main[name]} of the host's own counts before the declared {declared}"
            yield Finding(Rule.OVERRIDDEN, name, message)

    def _sending(self) -> Iterator[Finding]:
        if LEVEL not in self.declared:
            # What follows another value is told as that.
            return
        (before, was), (after, now) = (
            sending_level(values_of_service(view.configuration, "")) for view in (self.before, self.after)
        )
        if after < before:
            message = f"mail of this host would leave with less TLS: {was} -> {now}"
            # A level of ours is lowered by whoever declared it; one of the host's own may be lowered by a default.
            yield Finding(Rule.VALUE_CHANGES if LEVEL in self.ours_before else Rule.TLS_WEAKER, LEVEL, message)

    def _values(self) -> Iterator[Finding]:
        old, new = (values_of_service(view.configuration, "") for view in (self.before, self.after))
        followers = frozenset(_FOLLOW_LEVEL if _LEVEL in self.declared else ())
        written = self.before.configuration.written.keys()
        for name in sorted((written | followers) - self.declared):
            is_same = _items(name, old[name]) == _items(name, new[name])
            # A value without an end counts as empty, and two of them as different.
            is_same = is_same and name not in (*old.unexpandable, *new.unexpandable)
            if not is_same and (rule := _rule_of(name, old[name], is_written=name in written)):
                yield Finding(rule, name, f"{old[name] or 'empty'} -> {new[name] or 'empty'}, by what it refers to")


def _rule_of(name: str, old: str, *, is_written: bool) -> Rule | None:
    parameter = parameter_named(name)
    if not is_written:
        return Rule.VALUE_CHANGES
    if parameter is None or parameter.decides is ParameterClass.LIMITS:
        # Names of somebody's own count where they are used.
        return None
    if parameter.decides is ParameterClass.ROUTING or (parameter.decides is ParameterClass.TRUST and not old):
        return Rule.VALUE_CHANGES
    return Rule.VALUE_FOLLOWS


def _items(name: str, value: str) -> list[str]:
    return split_list(value) if is_list(name) else value.split()


def _by(judgement: Judgement) -> str:
    return f", by {'; '.join(judgement.causes)}" if judgement.causes else ""
