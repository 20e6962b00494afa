"""What listeners say about TLS that does nothing, or less than it seems to."""

from collections.abc import Iterator
from typing import Final

from postfix.audit.findings import Finding, Place
from postfix.audit.host_view import LISTED_PERMIT, HostView
from postfix.audit.kinds import Kind
from postfix.effective.handshakes import protocols_of
from postfix.effective.listeners import Listener, TlsLevel
from postfix.on_host import sources_of
from postfix.parameters import LEGACY_CHAIN_FILES
from postfix.rendering import SERVED_BY

__all__ = ["check_chain_parameters", "check_listeners"]

_LEVEL: Final = "smtpd_tls_security_level"
_REQUIRE: Final = "smtpd_tls_req_ccert"
_ASK: Final = "smtpd_tls_ask_ccert"
_LOOKING: Final = (LISTED_PERMIT, "permit_tls_all_clientcerts", "check_ccert_access", "check_policy_service")
_OF_CLIENTS: Final = frozenset({"fingerprint", "secure", "verify"})
_MX_PORTS: Final = frozenset({"25", "smtp"})
_WRAPPED_PORTS: Final = frozenset({"465", "smtps", "submissions", "ssmtp", "urd"})
_OLD: Final = ("tlsv1", "tlsv1.1")
_PLAIN_PASSWORDS: Final = "noplaintext"


def check_listeners(view: HostView) -> Iterator[Finding]:
    """Judge each listener by itself; one that only this machine comes to needs no TLS."""
    for listener in view.listeners:
        yield from _certificates(view, listener)
        if not view.is_local(listener):
            yield from _level(view, listener)
            yield from _port(view, listener)
            yield from _passwords(view, listener)


def _place(view: HostView, listener: Listener, parameter: str) -> Place:
    """Return where a parameter of a listener is said."""
    if parameter in listener.service.options:
        return view.lines.service(listener.service.key, parameter)
    place = view.lines.main(parameter)
    return Place(place.file, place.line, listener.name, parameter)


def _certificates(view: HostView, listener: Listener) -> Iterator[Finding]:
    is_required = listener.values.is_yes(_REQUIRE)
    if is_required and listener.tls is TlsLevel.MAY:
        what = f"{_REQUIRE} = yes does nothing at level may"
        fix = f"set {_LEVEL} = encrypt here, or take {_REQUIRE} out and use {LISTED_PERMIT}"
        yield Finding(kind=Kind.REQUIRED_IN_VAIN, place=_place(view, listener, _REQUIRE), what=what, fix=fix)
    trusts = any(listener.values[name] for name in ("smtpd_tls_CAfile", "smtpd_tls_CApath"))
    if listener.requires_certificates and not trusts and not listener.values.is_yes("tls_append_default_CA"):
        what = f"{_REQUIRE} = yes, and neither smtpd_tls_CAfile nor smtpd_tls_CApath names an authority"
        fix = "name the authority of your clients, or take it out and list fingerprints"
        yield Finding(kind=Kind.REQUIRED_UNTRUSTED, place=_place(view, listener, _REQUIRE), what=what, fix=fix)
    looks = any(view.has_step(listener, name) for name in _LOOKING)
    milters = listener.values["smtpd_milters"] or listener.values["smtpd_proxy_filter"]
    if listener.values.is_yes(_ASK) and listener.asks_for_certificates and not (looks or milters or is_required):
        what = f"{_ASK} = yes, and no list has {LISTED_PERMIT}"
        yield Finding(kind=Kind.ASKED_IN_VAIN, place=_place(view, listener, _ASK), what=what, fix="take it out")


def _level(view: HostView, listener: Listener) -> Iterator[Finding]:
    level = listener.values[_LEVEL].lower()
    if level in _OF_CLIENTS:
        what = f"{_LEVEL} = {level} means nothing for a server"
        yield Finding(kind=Kind.LEVEL_OF_CLIENTS, place=_place(view, listener, _LEVEL), what=what, fix="write encrypt")
    served = listener.chain_files or sources_of({name: listener.values[name] for name in SERVED_BY})
    if served and listener.declared_tls is TlsLevel.NONE and level in ("", "none"):
        said = f"{_LEVEL} = none" if level else f"{_LEVEL} is empty, and smtpd_use_tls is not yes"
        fix = f"write {_LEVEL} = may"
        yield Finding(kind=Kind.TLS_OFF, place=_place(view, listener, _LEVEL), what=f"{said}: no TLS here", fix=fix)
    name = "smtpd_tls_mandatory_protocols"
    if listener.tls is TlsLevel.ENCRYPT and (old := [each for each in _OLD if each in protocols_of(listener)]):
        what = f"{' and '.join(old)} may be spoken here"
        fix = f"write {name} = >=TLSv1.2"
        yield Finding(kind=Kind.OLD_PROTOCOLS, place=_place(view, listener, name), what=what, fix=fix)


def _port(view: HostView, listener: Listener) -> Iterator[Finding]:
    wrapper = "smtpd_tls_wrappermode"
    if listener.port in _MX_PORTS and listener.is_wrapped:
        fix = f"say {wrapper} at the service of port 465 in master.cf only"
        what = "TLS comes before the greeting at port 25"
        yield Finding(kind=Kind.WRAPPED_MX, place=_place(view, listener, wrapper), what=what, fix=fix)
    elif listener.port in _MX_PORTS and listener.tls is TlsLevel.ENCRYPT:
        what = f"{_LEVEL} = {listener.values[_LEVEL] or 'encrypt'} at port 25"
        fix = "write may, if mail from the Internet comes here"
        yield Finding(kind=Kind.MX_REQUIRES_TLS, place=_place(view, listener, _LEVEL), what=what, fix=fix)
    if listener.port in _WRAPPED_PORTS and not listener.is_wrapped:
        fix = f"write -o {wrapper}=yes at this service"
        what = "port 465 without TLS from the first byte"
        yield Finding(kind=Kind.NOT_WRAPPED, place=_place(view, listener, wrapper), what=what, fix=fix)


def _passwords(view: HostView, listener: Listener) -> Iterator[Finding]:
    options = listener.values["smtpd_sasl_security_options"].replace(",", " ").split()
    if listener.has_auth_in_clear and _PLAIN_PASSWORDS not in options:
        name = "smtpd_tls_auth_only"
        what = "AUTH is offered without TLS"
        fix = f"write {name} = yes"
        yield Finding(kind=Kind.LOGIN_IN_CLEAR, place=_place(view, listener, name), what=what, fix=fix)


def check_chain_parameters(view: HostView) -> Iterator[Finding]:
    """Find older parameters of certificates beside chain files, of server and client."""
    for program in ("smtpd", "smtp", "lmtp"):
        chain_files = f"{program}_tls_chain_files"
        for name in (f"{program}_tls_{end}" for end in LEGACY_CHAIN_FILES):
            if view.main[chain_files] and view.main[name] and name in view.configuration.written:
                what = f"{name} does not count beside {chain_files}"
                place = view.lines.main(name)
                yield Finding(kind=Kind.OTHER_CHAIN_COUNTS, place=place, what=what, fix="take it out")
