"""What may be done about a finding: in the stack file, in main.cf or in master.cf."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from postfix.effective.comparison import Finding, Rule, View
from postfix.effective.listeners import Listener, TlsLevel
from postfix.effective.sending import LEVEL

__all__ = ["remedy_in_files", "remedy_of"]

_PERMIT: Final = "permit_tls_clientcerts"
_DIGEST: Final = "sha256"
_ASK: Final = "smtpd_tls_ask_ccert"
_BY_DECLARATION: Final = (
    "`relay: { restrict_recipients: true }` of the host writes a list that lets listed clients through, or "
)
_RECIPIENTS: Final = "smtpd_recipient_restrictions"
_RELAY: Final = "smtpd_relay_restrictions"
_LISTS: Final = (
    *("smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions"),
    *(_RELAY, _RECIPIENTS),
)


def remedy_of(finding: Finding, after: View) -> str:
    """Return how to mend what a finding reports, as a part of a sentence; empty where only accepting is left."""
    remedy = _REMEDIES.get(finding.rule)
    return remedy(finding, after) if remedy else ""


def remedy_in_files(causes: str, listener: Listener) -> str:
    """Return how main.cf and master.cf let listed clients in, which a listener refuses by `causes`.

    Nothing is declared of the host, and the clients are listed in whatever digest it has.
    """
    certificates = _of_certificates(causes, listener, digest=listener.digest, ask=f": write {_ASK} = yes")
    return "; ".join([*certificates, *_of_lists(causes, listener, by_declaration="")])


def _of_listed(finding: Finding, view: View) -> str:
    listener = view.listeners.get(finding.place)
    if listener is None or "listed clients" not in finding.message:
        return ""
    return "; ".join([*_of_certificates(finding.message, listener), *_of_lists(finding.message, listener)])


def _named_in(message: str) -> tuple[str, ...]:
    return tuple(name for name in _LISTS if f"{name}: " in message)


def _of_certificates(message: str, listener: Listener, digest: str = _DIGEST, ask: str = "") -> Iterator[str]:
    """Name what keeps a listener from seeing a certificate at all, or from knowing it where it is asked about."""
    if listener.tls is TlsLevel.NONE:
        yield f"no TLS is offered here, so no certificate is seen{_said_in(listener, 'smtpd_tls_security_level')}"
    elif listener.hides_starttls:
        name = "smtpd_discard_ehlo_keywords"
        where = f"of {listener.service.key} in master.cf" if name in listener.service.options else "of main.cf"
        yield f"STARTTLS is not offered here, so no certificate is seen: take starttls out of {name} {where}"
    elif not listener.asks_for_certificates:
        yield f"no certificate is asked for here{_said_in(listener, _ASK) or ask}"
    elif listener.digest != digest:
        name = "smtpd_tls_fingerprint_digest"
        yield f"fingerprints are compared in {listener.digest or 'no digest'} here{_said_in(listener, name)}"
    elif any(_PERMIT in listener.words_of(name) for name in _named_in(message)):
        files = ", ".join((*listener.chain_files, *(each for pair in listener.pairs for each in pair)))
        rows = ", ".join(listener.rows) or "no table"
        yield f"see that {files} can be loaded, and that the client is listed in {rows}"


def _said_in(listener: Listener, name: str) -> str:
    return f": take {name} out of {listener.service.key} in master.cf" if name in listener.service.options else ""


def _of_lists(message: str, listener: Listener, by_declaration: str = _BY_DECLARATION) -> Iterator[str]:
    for name in _named_in(message):
        if name in listener.service.options:
            where = f"{listener.service.key} in master.cf has a list of its own: put {_PERMIT} in front there"
            yield f"{where}, or take it out" if name in (_RELAY, _RECIPIENTS) else where
        elif name == _RECIPIENTS:
            yield f"{by_declaration}put {_PERMIT} in front of what refuses in {name} of main.cf"
        elif name != _RELAY:
            yield f"put {_PERMIT} in front of what refuses in {name} of main.cf"


def _of_value(finding: Finding, _view: View) -> str:
    return f"declare {finding.place} under `settings`, or write its present value into main.cf"


def _of_service(finding: Finding, _view: View) -> str:
    if "users who log in" in finding.message:
        return "`relay: { sasl: true }` of the host lets them relay"
    return "correct inet_interfaces" if "no address" in finding.message else ""


def _of_tls(finding: Finding, _view: View) -> str:
    before, arrow, after = finding.message.rpartition(": ")[2].partition(" -> ")
    if finding.place == LEVEL:
        return f"declare `{LEVEL}: {before}` under `relay_through` or `settings`"
    is_level = arrow and "," not in after
    return f"declare `smtpd_tls_security_level: {before}` under `settings`" if is_level else ""


_REMEDIES: Final[Mapping[Rule, Callable[[Finding, View], str]]] = MappingProxyType(
    {
        Rule.LISTED_REFUSED: _of_listed,
        Rule.SO_BEFORE: _of_listed,
        Rule.REFUSED_HERE: _of_listed,
        Rule.VALUE_FOLLOWS: _of_value,
        Rule.SERVICE_LOST: _of_service,
        Rule.TLS_WEAKER: _of_tls,
    }
)
